"""YOLO: the split that is trained on, names, and what is wrong with a line or data.yaml.

Files: data/yolo_config.py.
"""

from pathlib import Path

import pytest
from tests.data.examples import yolo

from steelyard import count
from steelyard.data import count_path


def as_dict(counts, numbers=None):
    return dict(zip(counts.classes, (counts.per_class if numbers is None else numbers).tolist(), strict=True))


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


# YOLO: labels that are not where they are looked for


def without_labels(tmp_path) -> Path:
    folder = yolo(tmp_path / "yolo")
    (folder / "labels").rename(folder / "elsewhere")
    return folder


def test_a_missing_folder_of_labels_is_an_error_that_names_what_was_tried(tmp_path):
    folder = without_labels(tmp_path)
    with pytest.raises(ValueError, match=r"none of the 3 images .* has labels; tried '.*labels/train/1\.txt'") as error:
        count(folder)
    assert "elsewhere/train/1.txt" in str(error.value)


@pytest.mark.parametrize(
    "line",
    ["./images/train/{}.jpg", "images/train/{}.jpg", "images\\train\\{}.jpg", ".\\images\\train\\{}.jpg"],
)
def test_a_list_of_images_is_understood_however_it_is_written(tmp_path, line):
    folder = yolo(tmp_path / "yolo")
    (folder / "train.txt").write_text("\n".join(line.format(n) for n in (1, 2, 3)) + "\n\n")
    (folder / "data.yaml").write_text("train: train.txt\nnames: [cat, dog, yak]\n")
    assert as_dict(count(folder)) == {"cat": 3, "dog": 1, "yak": 0}
    assert count(folder).items == 3


def test_a_list_is_split_by_lines_not_by_blanks(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "images" / "train" / "my cat.jpg").touch()
    (folder / "labels" / "train" / "my cat.txt").write_text("0 .5 .5 .1 .1\n")
    (folder / "train.txt").write_text("./images/train/my cat.jpg\r\n./images/train/1.jpg\r\n")
    (folder / "data.yaml").write_text("train: train.txt\nnames: [cat, dog, yak]\n")
    assert as_dict(count(folder)) == {"cat": 3, "dog": 1, "yak": 0}
    assert count(folder).items == 2


@pytest.mark.parametrize("line", ["/home/me/set/images/{}.jpg", "C:\\set\\images\\{}.jpg", "D:/set/images/{}.jpg"])
def test_a_list_from_another_machine_is_an_error(tmp_path, line):
    folder = yolo(tmp_path / "yolo")
    (folder / "train.txt").write_text("\n".join(line.format(n) for n in "abc"))
    (folder / "data.yaml").write_text("train: train.txt\nnames: [cat, dog, yak]\n")
    with pytest.raises(ValueError, match=r"none of the 3 images.*tried '.*labels/a\.txt'.*another machine"):
        count(folder)


def test_listed_images_that_are_not_there_are_named(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "train.txt").write_text("./images/train/1.jpg\n./images/train/gone.jpg\n./images/train/3.jpg\n")
    (folder / "data.yaml").write_text("train: train.txt\nnames: [cat, dog, yak]\n")
    counts, notes = count_path(folder)
    assert (counts.items, as_dict(counts)["cat"]) == (3, 2)
    assert any(note.startswith("1 of the listed images are not there") for note in notes)


@pytest.mark.parametrize(
    "names", [("Images", "Labels"), ("Images", "labels"), ("images", "Labels"), ("IMAGES", "labels")]
)
def test_capital_letters_are_understood_and_told(tmp_path, names):
    folder = yolo(tmp_path / "yolo")
    (folder / "images").rename(folder / names[0])
    (folder / "labels").rename(folder / names[1])
    (folder / "data.yaml").write_text(f"train: {names[0]}/train\nnames: [cat, dog, yak]\n")
    counts, notes = count_path(folder)
    assert as_dict(counts) == {"cat": 3, "dog": 1, "yak": 0}
    assert any("small letters alone" in note for note in notes)


def test_a_path_of_another_machine_names_what_was_tried(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "data.yaml").write_text("path: /home/me/set\ntrain: images/train\nnames: [cat, dog, yak]\n")
    with pytest.raises(FileNotFoundError, match=r"there is no '/home/me/set/images/train'; correct 'path'"):
        count(folder)


def test_windows_paths_in_data_yaml(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "data.yaml").write_text("path: .\\\ntrain: images\\train\nnames: [cat, dog, yak]\n")
    assert as_dict(count(folder)) == {"cat": 3, "dog": 1, "yak": 0}


def test_labels_without_an_image_are_named(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "labels" / "train" / "9.txt").write_text("0 .5 .5 .1 .1\n")
    counts, notes = count_path(folder)
    assert as_dict(counts) == {"cat": 3, "dog": 1, "yak": 0}
    assert any(note.startswith("1 files of labels have no image") and "9.txt" in note for note in notes)


# YOLO: what the classes are called


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        ('names: {"0": cat, "1": dog, "2": yak}', ("cat", "dog", "yak")),
        ('names: {"2": yak, "0": cat, "1": dog}', ("cat", "dog", "yak")),
        ("nc: 3", ("class_0", "class_1", "class_2")),
        ("nc: 3\nnames: [cat, dog, yak]", ("cat", "dog", "yak")),
    ],
)
def test_names_as_data_yaml_may_write_them(tmp_path, names, classes):
    folder = yolo(tmp_path / "yolo")
    (folder / "data.yaml").write_text(f"train: images/train\n{names}\n")
    counts = count(folder)
    assert (counts.classes, counts.per_class.tolist()) == (classes, [3, 1, 0])


def test_classes_txt_names_the_classes_and_is_no_file_of_labels(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "data.yaml").unlink()
    for where in (folder / "labels" / "train", folder / "labels"):
        (where / "classes.txt").write_text("cat\ndog\nred panda\n")
        counts = count(folder / "labels" / "train")
        assert as_dict(counts) == {"cat": 3, "dog": 1, "red panda": 0}
        assert counts.items == 2
        (where / "classes.txt").unlink()
    (folder / "classes.txt").write_text("cat\ndog\nyak\n")
    (folder / "notes.json").write_text("{}")  # as Label Studio exports
    counts, notes = count_path(folder)
    assert as_dict(counts) == {"cat": 3, "dog": 1, "yak": 1}
    assert any(note.startswith("1 images have no file of labels") for note in notes)
    assert any("notes.json" in note for note in notes)


@pytest.mark.parametrize(
    "classes", [["cat", "dog", "yak"], {0: "cat", 1: "dog", 2: "yak"}, {"yak": 2, "cat": 0, "dog": 1}]
)
def test_names_that_are_given_mean_the_index(tmp_path, classes):
    folder = yolo(tmp_path / "yolo") / "labels" / "train"
    assert as_dict(count(folder, classes=classes)) == {"cat": 3, "dog": 1, "yak": 0}


def test_darknets_obj_data(tmp_path):
    labels = tmp_path / "obj_train_data"
    labels.mkdir()
    (tmp_path / "obj.data").write_text(
        "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n"
    )
    (tmp_path / "obj.names").write_text("cat\nbig dog\n")
    (tmp_path / "train.txt").write_text("data/obj_train_data/a 1.jpg\ndata/obj_train_data/b.jpg\n")
    (labels / "a 1.txt").write_text("0 .5 .5 .1 .1\n1 .5 .5 .1 .1\n")
    (labels / "b.txt").write_text("1 .5 .5 .1 .1\n")
    counts = count(tmp_path)
    assert (as_dict(counts), counts.items) == ({"cat": 1, "big dog": 2}, 2)


# YOLO: lines


def test_the_box_of_a_pose_stands_before_its_keypoints(tmp_path):
    folder = yolo(tmp_path / "yolo")
    for shape, points in (("[2, 3]", " .1 .1 2 .2 .2 0"), ("[3, 2]", " .1 .1 .2 .2 .3 .3")):
        (folder / "data.yaml").write_text(f"train: images/train\nnames: [cat]\nkpt_shape: {shape}\n")
        (folder / "labels" / "train" / "1.txt").write_text(f"0 .5 .5 .1 .2{points}\n")
        (folder / "labels" / "train" / "2.txt").write_text(f"0 .5 .5 1 1{points}\n")
        counts = count(folder)
        assert counts.also["area in millionths of the image"].tolist() == [1_020_000]
        (folder / "labels" / "train" / "2.txt").write_text("0 .5 .5 1 1 .1\n")
        with pytest.raises(ValueError, match="5 numbers after the class, but kpt_shape asks for 10"):
            count(folder)


def test_lines_that_stand_twice_count_once(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "labels" / "train" / "2.txt").write_text("0 .5 .5 1 1\n0 0.50 .5 1.0 1\n1 .5 .5 1 1\n")
    counts, notes = count_path(folder)
    assert as_dict(counts) == {"cat": 3, "dog": 2, "yak": 0}
    assert any(note.startswith("1 lines that stand twice") for note in notes)


@pytest.mark.parametrize("line", ["0 1.2 .5 .1 .1", "0 .5 -.05 .1 .1", "0 .5 .5 1.5 .1"])
def test_an_image_with_a_box_beyond_its_edge_is_left_out_as_in_training(tmp_path, line):
    folder = yolo(tmp_path / "yolo")
    (folder / "labels" / "train" / "2.txt").write_text(f"0 .5 .5 .1 .1\n{line}\n")
    counts, notes = count_path(folder)
    assert (as_dict(counts), counts.items) == ({"cat": 2, "dog": 1, "yak": 0}, 2)
    note = next(note for note in notes if "beyond their edge" in note)
    assert note.startswith("1 images left out")
    assert "2.txt: line 2" in note


def test_a_hundredth_over_the_edge_is_rounding(tmp_path):
    folder = yolo(tmp_path / "yolo")
    (folder / "labels" / "train" / "2.txt").write_text("0 1.005 .5 .1 .1\n0 .5 -.005 .1 .1\n")
    assert as_dict(count(folder)) == {"cat": 4, "dog": 1, "yak": 0}
