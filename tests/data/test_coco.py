"""COCO: boxes, images and areas, and what is wrong with a file.

Files: data/annotation_form.py.
"""

import json
from pathlib import Path

import pytest
from tests.data.examples import coco

from steelyard import count
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


def test_images_can_be_weighed_instead_of_boxes(tmp_path):
    counts = count(coco(tmp_path / "c.json")).by("images")
    assert (counts.kind, counts.items, counts.per_class.tolist()) == ("multilabel", 3, [2, 1, 0])
    with pytest.raises(ValueError, match="'pixels' was not counted; besides boxes there is 'images'"):
        count(coco(tmp_path / "c.json")).by("pixels")


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
        ({"categories": lambda c: c[0].pop("name")}, r"categories\[0\]\.name is missing; correct it"),
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
        (
            {"annotations": lambda a: a[0].update(area=float("inf"))},
            r"annotations\[0\]\.area must be a number .*, got inf",
        ),
        (
            {"annotations": lambda a: a[0].update(bbox=[0, 0, "5", 5])},
            r"annotations\[0\]\.bbox\[2\] must be a number .*, got '5'",
        ),
        (
            {"annotations": lambda a: a[0].update(iscrowd="no")},
            r"annotations\[0\]\.iscrowd must be true or false or a number",
        ),
        (
            {"annotations": lambda a: a.append(None)},
            r"annotations\[5\] must be an object with image_id, category_id, got null",
        ),
        ({"images": lambda i: i[1].update(id=1.5)}, r"images\[1\]\.id must be a whole number or text, got 1\.5"),
    ],
)
def test_a_damaged_coco_is_named_with_what_is_wrong(tmp_path, changes, says):
    with pytest.raises(ValueError, match=says) as error:
        count(edited(coco(tmp_path / "c.json"), **changes))
    assert "c.json" in str(error.value)


def change(file: Path, **changes) -> Path:
    data = json.loads(file.read_text())
    for key, edit in changes.items():
        edit(data[key])
    file.write_text(json.dumps(data))
    return file


def test_an_export_whose_file_begins_with_an_underscore(tmp_path):
    for split in ("train", "valid"):
        coco(tmp_path / split / "_annotations.coco.json")
        (tmp_path / split / "_DSC0001.jpg").touch()
    change(tmp_path / "valid" / "_annotations.coco.json", annotations=lambda a: a.pop())
    assert as_dict(count(tmp_path / "train")) == {"cat": 3, "dog": 1, "yak": 0}
    counts, notes = count_path(tmp_path)
    assert as_dict(counts) == {"cat": 6, "dog": 2, "yak": 0}
    assert any("2 files were counted together" in note for note in notes)


def test_the_same_boxes_in_two_files_are_not_counted_twice(tmp_path):
    """instances_train.json beside person_keypoints_train.json, or a copy."""
    for name in ("instances.json", "keypoints.json"):
        change(coco(tmp_path / name), images=lambda images: [i.update(file_name=f"{i['id']}.jpg") for i in images])
    with pytest.raises(
        ValueError, match=r"image '10\.jpg' stands in several files with the same boxes \(2 images do\)"
    ):
        count(tmp_path)
    assert as_dict(count(tmp_path / "instances.json")) == {"cat": 3, "dog": 1, "yak": 0}


def test_panoptic_coco_counts_segments_and_their_pixels(tmp_path):
    data = {
        "images": [{"id": 1}, {"id": 2}],
        "categories": [{"id": 1, "name": "sky", "isthing": 0}, {"id": 2, "name": "cat", "isthing": 1}],
        "annotations": [
            {
                "image_id": 1,
                "file_name": "1.png",
                "segments_info": [
                    {"id": 5, "category_id": 1, "area": 90, "bbox": [0, 0, 10, 10], "iscrowd": 0},
                    {"id": 6, "category_id": 2, "area": 10, "bbox": [0, 0, 5, 5], "iscrowd": 0},
                    {"id": 7, "category_id": 2, "area": 7, "bbox": [0, 0, 5, 5], "iscrowd": 1},
                ],
            },
            {"image_id": 2, "file_name": "2.png", "segments_info": [{"id": 5, "category_id": 2, "area": 30}]},
        ],
    }
    (tmp_path / "panoptic.json").write_text(json.dumps(data))
    counts, notes = count_path(tmp_path / "panoptic.json")
    assert as_dict(counts) == {"sky": 1, "cat": 2}
    assert counts.by("area in pixels").per_class.tolist() == [90, 40]
    assert any("panoptic" in note for note in notes)


def test_ids_that_pandas_made_fractions(tmp_path):
    file = change(
        coco(tmp_path / "c.json"),
        annotations=lambda a: [x.update(image_id=float(x["image_id"]), category_id=float(x["category_id"])) for x in a],
        categories=lambda c: c.append({"id": 7.0, "name": "dog"}),  # the same once more says nothing new
    )
    assert as_dict(count(file)) == {"cat": 3, "dog": 1, "yak": 0}


def test_one_bad_annotation_is_left_out_with_its_name_where_that_is_asked_for(tmp_path):
    file = change(coco(tmp_path / "c.json"), annotations=lambda a: a[1].update(category_id=99))
    with pytest.raises(ValueError, match=r"category 99.*on_error='report'"):
        count(file)
    counts, notes = count_path(file, on_error="report")
    assert as_dict(counts) == {"cat": 2, "dog": 1, "yak": 0}
    assert any(note.startswith("1 annotations could not be read and are left out") and "99" in note for note in notes)


@pytest.mark.parametrize("box", [[5, 5, 0, 9], [5, 5, 9, 0], [5, 5, 0, 0]])
def test_boxes_without_a_size_are_told(tmp_path, box):
    file = change(coco(tmp_path / "c.json"), annotations=lambda a: a[0].update(bbox=box))
    counts, notes = count_path(file)
    assert as_dict(counts) == {"cat": 3, "dog": 1, "yak": 0}
    assert any(note.startswith("1 boxes of width or height 0 count too") for note in notes)


@pytest.mark.parametrize(
    ("entry", "area"),
    [
        ({"bbox": [50, 50, 10, 4, 30.0]}, 40),  # x y width height angle
        ({"bbox": [0, 0, 10, 0, 10, 4, 0, 4]}, 40),  # corners
        ({"bbox": [0, 0, 10, 4], "area": 0}, 40),  # what converters write that do not know it
        ({"bbox": [], "area": 31}, 31),
    ],
)
def test_polygons_rotated_boxes_and_areas(tmp_path, entry, area):
    counts = count(change(coco(tmp_path / "c.json"), annotations=lambda a: a[0].update(entry)))
    assert counts.also["area in pixels"].tolist() == [area + 4, 25, 0]


def test_coco_in_other_encodings(tmp_path):
    file = change(coco(tmp_path / "c.json"), images=lambda images: images[0].update(file_name="M\u00fcnchen.jpg"))
    data = json.loads(file.read_text())
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "latin-1"):
        file.write_text(json.dumps(data, ensure_ascii=False), encoding=encoding)
        assert as_dict(count(file)) == {"cat": 3, "dog": 1, "yak": 0}
    data["categories"][0]["name"] = "K\u00e4fer"
    file.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-16")
    assert as_dict(count(file)) == {"cat": 3, "K\u00e4fer": 1, "yak": 0}
    file.write_text(json.dumps(data, ensure_ascii=False), encoding="latin-1")
    with pytest.raises(ValueError, match="not UTF-8"):
        count(file)


def test_labelme_counts_shapes(tmp_path):
    shapes = [
        {"label": "cat", "points": [[0, 0], [10, 0], [10, 4], [0, 4]], "shape_type": "polygon", "group_id": None},
        {"label": "cat", "points": [[3, 3], [1, 1]], "shape_type": "rectangle", "group_id": None},
        {"label": "dog", "points": [[0, 0], [2, 0], [0, 2]], "shape_type": "polygon", "group_id": 1},
        {"label": "dog", "points": [[5, 5], [7, 5], [5, 7]], "shape_type": "polygon", "group_id": 1},
        {"label": "tip", "points": [[1, 1]], "shape_type": "point", "group_id": None},
    ]
    for name, held in (("a", shapes), ("b", [])):
        (tmp_path / f"{name}.json").write_text(
            json.dumps({"version": "5.0", "shapes": held, "imagePath": f"{name}.jpg", "imageData": "AAAA"})
        )
        (tmp_path / f"{name}.jpg").touch()
    counts, notes = count_path(tmp_path)
    assert (as_dict(counts), counts.items) == ({"cat": 2, "dog": 1}, 2)
    assert counts.also["area in pixels"].tolist() == [44, 4]
    assert "1 points and lines left out: they are no boxes" in notes


def test_a_key_that_stands_twice_is_refused(tmp_path):
    """Of two lists of annotations one would be counted, and nobody would know which."""
    file = coco(tmp_path / "c.json")
    file.write_text(file.read_text().replace("{", '{"annotations": [], ', 1))
    with pytest.raises(ValueError, match="the key 'annotations' stands twice"):
        count(file)


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ({"label": None}, r"shapes\[0\]\.label must be a whole number or text, got null"),
        ({"points": [[0, 0], [1]]}, r"shapes\[0\]\.points\[1\] must be a list of 2"),
        ({"points": 3}, r"shapes\[0\]\.points must be a list, got 3"),
    ],
)
def test_a_damaged_labelme_is_named_with_what_is_wrong(tmp_path, shape, says):
    whole = {"label": "cat", "points": [[0, 0], [2, 0], [0, 2]], "shape_type": "polygon"}
    (tmp_path / "a.json").write_text(json.dumps({"shapes": [whole | shape]}))
    with pytest.raises(ValueError, match=says):
        count(tmp_path / "a.json")
