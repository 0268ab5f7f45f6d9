"""Boxes in COCO's, VOC's and YOLO's forms: the same objects give the same numbers."""

import json
from pathlib import Path

import pytest
from tests.data.examples import coco, voc, yolo

from steelyard import count, median_frequency
from steelyard.data import count_path


def as_dict(counts, numbers=None):
    return dict(zip(counts.classes, (counts.per_class if numbers is None else numbers).tolist(), strict=True))


def test_coco_counts_boxes_images_and_areas(tmp_path):
    counts, notes = count_path(coco(tmp_path / "instances.json"))
    assert as_dict(counts) == {"cat": 3, "dog": 1, "yak": 0}  # in the order of the ids; the absent class counts 0
    assert (counts.unit, counts.items) == ("boxes", 3)
    assert as_dict(counts, counts.also["images"]) == {"cat": 2, "dog": 1, "yak": 0}
    assert as_dict(counts, counts.also["area in pixels"]) == {"cat": 40 + 3 + 1, "dog": 25, "yak": 0}
    assert counts.containing.tolist() == [4, 3, 0]
    assert notes == ["1 crowd annotations (iscrowd) left out", "1 of 3 images hold no box"]


def test_voc_counts_the_same(tmp_path):
    folder = voc(tmp_path / "voc")
    counts, notes = count_path(folder)
    assert as_dict(counts) == {"cat": 3, "dog": 1}
    assert as_dict(counts, counts.also["images"]) == {"cat": 2, "dog": 1}
    assert as_dict(counts, counts.also["area in pixels"]) == {"cat": 45, "dog": 25}
    assert counts.items == 3
    assert any("1 boxes marked as difficult" in note for note in notes)
    assert any("takes one of 'train'" in note for note in notes)
    assert count(folder / "Annotations", classes=["dog", "cat"]).per_class.tolist() == [1, 3]
    assert as_dict(count(folder, split="train")) == {"cat": 2, "dog": 1}
    assert count(folder / "Annotations", split="train").items == 2


def test_yolo_counts_the_split_that_is_trained_on(tmp_path):
    folder = yolo(tmp_path / "yolo")
    counts, notes = count_path(folder / "data.yaml")
    assert as_dict(counts) == {"cat": 3, "dog": 1, "yak": 0}
    assert as_dict(counts, counts.also["images"]) == {"cat": 2, "dog": 1, "yak": 0}
    area = counts.also["area in millionths of the image"]
    assert as_dict(counts, area) == {"cat": 20_000 + 10_000 + 1_000_000, "dog": 250_000, "yak": 0}
    assert counts.items == 3  # the image without labels is an image
    assert notes[0].startswith("the training images were counted")
    assert count(folder).per_class.tolist() == counts.per_class.tolist()
    assert as_dict(count(folder, split="val")) == {"cat": 0, "dog": 0, "yak": 1}
    assert as_dict(count(folder, split="all")) == {"cat": 3, "dog": 1, "yak": 1}


def test_a_folder_of_label_files_has_numbers_for_names(tmp_path):
    folder = yolo(tmp_path / "yolo") / "labels" / "train"
    assert as_dict(count(folder)) == {"0": 3, "1": 1}
    assert as_dict(count(folder, classes=["cat", "dog", "yak"])) == {"cat": 3, "dog": 1, "yak": 0}
    with pytest.raises(ValueError, match="hold class 1, but there are 1 names"):
        count(folder, classes=["cat"])


def test_an_export_that_writes_its_paths_from_the_folder_beside(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "data.yaml").write_text("train: ../images/train\nnames: [cat, dog, yak]\n")
    assert as_dict(count(folder)) == {"cat": 3, "dog": 1, "yak": 0}


def test_ignored_classes_are_absent(tmp_path):
    for where in (coco(tmp_path / "c.json"), voc(tmp_path / "voc"), yolo(tmp_path / "yolo")):
        counts = count(where, ignore="dog")
        assert "dog" not in counts.classes
        assert as_dict(counts)["cat"] == 3


def test_images_can_be_weighed_instead_of_boxes(tmp_path):
    counts = count(coco(tmp_path / "c.json")).by("images")
    assert (counts.kind, counts.items, counts.per_class.tolist()) == ("multilabel", 3, [2, 1, 0])
    with pytest.raises(ValueError, match="'pixels' was not counted; besides boxes there is 'images'"):
        count(coco(tmp_path / "c.json")).by("pixels")


def test_median_frequency_uses_the_boxes_of_images_with_the_class(tmp_path):
    weight = median_frequency(count(voc(tmp_path / "voc"))).label_weights()
    assert weight[1] / weight[0] == pytest.approx((3 / 4) / (1 / 3))


def edited(path: Path, **changes) -> Path:
    data = json.loads(path.read_text())
    for key, change in changes.items():
        change(data[key]) if callable(change) else data.update({key: change})
    path.write_text(json.dumps(data))
    return path


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"categories": 3}, "has no list 'categories'"),
        ({"categories": lambda c: c[0].pop("name")}, "an entry of 'categories' has no 'name'"),
        ({"categories": lambda c: c[0].update(name="cat")}, "2 categories are called 'cat'"),
        (
            {"categories": lambda c: c[0].update(id=3)},
            "'cat' and 'dog' have the same id, 3|'dog' and 'cat' have the same id, 3",
        ),
        ({"annotations": lambda a: a[0].update(bbox=[0, 0, 5])}, "annotation 1: a box has 3 numbers"),
        ({"annotations": lambda a: a[0].update(category_id=5)}, "category 5, which 'categories' does not hold"),
        ({"annotations": lambda a: a[0].update(image_id="x")}, "image 'x', which 'images' does not hold"),
        ({"annotations": lambda a: a[0].update(bbox=[0, 0, -1, 5])}, "annotation 1: a box has the sides -1 and 5"),
        ({"annotations": lambda a: a[0].update(bbox=[0])}, "annotation 1"),
        ({"annotations": lambda a: a[0].update(area=float("inf"))}, "annotation 1"),
    ],
)
def test_a_damaged_coco_is_named_with_what_is_wrong(tmp_path, changes, says):
    with pytest.raises(ValueError, match=says) as error:
        count(edited(coco(tmp_path / "c.json"), **changes))
    assert "c.json" in str(error.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("<annotation><object><name>cat</name></object></annotation>", r"object 1 \('cat'\) has no proper <bndbox>"),
        ("<annotation><object><bndbox/></object></annotation>", "object 1 has no name"),
        ("<html/>", "<html>, not the <annotation>"),
        ("<annotation>", "not XML"),
        ("", "not XML"),
    ],
)
def test_a_damaged_voc_file_is_named(tmp_path, content, says):
    folder = voc(tmp_path / "voc") / "Annotations"
    (folder / "9.xml").write_text(content)
    with pytest.raises(ValueError, match=says) as error:
        count(folder)
    assert "9.xml" in str(error.value)
    counts, notes = count_path(folder, on_error="report")
    assert counts.items == 3
    assert "1 file could not be read" in notes[-1]
    assert "9.xml" in notes[-1]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("0 .5 .5 .1", "3 numbers after the class"),
        ("cat .5 .5 .1 .1", "could not convert"),
        ("0.5 .5 .5 .1 .1", "0.5 is no class number"),
        ("0 320 240 64 48", "shares of the image, not pixels"),
        ("0 .5 .5 -.1 .1", "a box has the sides -0.1 and 0.1"),
        ("0 .5 .5 nan .1", "nan"),
        ("0 .5 .5 .1 .1 .9", "5 numbers after the class: a prediction with its confidence"),
        ("0 .5 .5 .1 .1 .2 .2 2", "7 numbers after the class: keypoints. Then data.yaml says kpt_shape"),
    ],
)
def test_a_damaged_yolo_line_is_named_with_its_number(tmp_path, line, says):
    folder = yolo(tmp_path / "yolo")
    (folder / "labels" / "train" / "1.txt").write_text(f"0 .5 .5 .1 .1\n{line}\n")
    with pytest.raises(ValueError, match=says) as error:
        count(folder)
    assert "1.txt: line 2" in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("train: images/train\n", "has no 'names' and no 'nc'"),
        ("names: [a, b]\nnc: 3\ntrain: images/train\n", "nc: 3, but names 2 classes"),
        ("names: [a, b, c]\nkpt_shape: 17\ntrain: images/train\n", r"kpt_shape must be \[keypoints, 2 or 3\], got 17"),
        ("names: {0: a, '0': b}\ntrain: images/train\n", "must be 0 to 1"),
        ("names: [a\n", "not YAML"),
        ("names: [a, b, a]\ntrain: images/train\n", "two classes are called 'a'"),
        ("names: {1: a}\ntrain: images/train\n", "must be 0 to 0"),
        ("names: [a]\n", "there is no split 'train'"),
        ("names: [a]\ntrain: nowhere\n", "there is no .*nowhere"),
        ("names: !!python/object/apply:os.system ['true']\n", "not YAML"),
    ],
)
def test_a_wrong_data_yaml_is_named(tmp_path, text, says):
    folder = yolo(tmp_path / "yolo")
    (folder / "data.yaml").write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=says) as error:
        count(folder)
    assert "data.yaml" in str(error.value)


@pytest.mark.parametrize("split", ["tran", "x"])
def test_a_split_that_is_not_there_is_answered_with_those_that_are(tmp_path, split):
    with pytest.raises(ValueError, match="train"):
        count(voc(tmp_path / "voc"), split=split)
    with pytest.raises(ValueError, match=r"The splits are 'train', 'val', 'all'"):
        count(yolo(tmp_path / "yolo"), split=split)


def test_a_list_with_an_image_that_has_no_annotation_is_named(tmp_path):
    folder = voc(tmp_path / "voc")
    (folder / "ImageSets" / "Main" / "train.txt").write_text("1\n77\n")
    with pytest.raises(ValueError, match=r"lists '77', which has no \.xml"):
        count(folder, split="train")


def test_a_folder_of_several_kinds_asks_which(tmp_path):
    from tests.data.examples import masks

    folder = masks(tmp_path / "m")
    (folder / "t.csv").write_text("x,y\n1,a\n")
    with pytest.raises(ValueError, match=r"3 files \(\.png\), 1 file \(\.csv\); say which to count with a glob"):
        count(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="nothing to count in this folder; it holds no file"):
        count(tmp_path / "empty")


def test_real_blood_cells(shared_data):
    counts = count(shared_data / "detection" / "bccd")
    assert as_dict(counts) == {"Platelets": 361, "RBC": 4155, "WBC": 372}
    assert counts.items == 364
    parts = [count(shared_data / "detection" / "bccd", split=s) for s in ("train", "val", "test")]
    assert [p.items for p in parts] == [205, 87, 72]
    assert sum(p.per_class for p in parts).tolist() == counts.per_class.tolist()
    assert (parts[0] + parts[1] + parts[2]).digest == counts.digest
