"""What a folder holds decides how it is counted."""

import json

import pytest
from tests.data.examples import coco, masks, voc

from steelyard import count
from steelyard.data import count_path


def test_a_folder_of_several_kinds_asks_which(tmp_path):
    folder = masks(tmp_path / "m")
    (folder / "t.csv").write_text("x,y\n1,a\n")
    with pytest.raises(ValueError, match=r"3 files \(\.png\), 1 file \(\.csv\); say which to count with a glob"):
        count(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="nothing to count in this folder; it holds no file"):
        count(tmp_path / "empty")


def test_whatever_a_folder_holds_and_is_not_read_is_named(tmp_path):
    coco(tmp_path / "coco" / "a.json")
    (tmp_path / "coco" / "notes.txt").touch()
    voc(tmp_path / "voc")
    (tmp_path / "voc" / "labels.csv").touch()
    for folder, name in ((tmp_path / "coco", "notes.txt"), (tmp_path / "voc" / "Annotations", "1 file (.md)")):
        (folder / "readme.md").touch()
        assert any("not read" in note and name in note for note in count_path(folder)[1])
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "a.csv").write_text("x,y\n1,a\n2,b\n")
    (tmp_path / "t" / "b.xlsx").touch()
    assert "in the folder, but not read: 1 file (.xlsx)" in count_path(tmp_path / "t", "y")[1]


def test_png_pictures_of_boxes_are_not_taken_for_masks(tmp_path):
    """As Roboflow exports them: _annotations.coco.json among its pictures."""
    file = coco(tmp_path / "train" / "_annotations.coco.json")
    data = json.loads(file.read_text())
    for i, image in enumerate(data["images"]):
        image["file_name"] = f"_DSC000{i}.png"
        masks(tmp_path / "m")
        (tmp_path / "m" / "a.png").rename(file.parent / image["file_name"])
    file.write_text(json.dumps(data))
    assert count(tmp_path / "train").unit == "boxes"
    assert count(tmp_path / "train").per_class.tolist() == [3, 1, 0]
    (tmp_path / "m" / "b.png").rename(tmp_path / "train" / "mask.png")
    with pytest.raises(ValueError, match="say which to count with a glob"):
        count(tmp_path / "train")
    folder = (voc(tmp_path / "v") / "Annotations").rename(tmp_path / "boxes")
    for name in "123":
        (folder / f"{name}.png").touch()
    assert count(folder).per_class.tolist() == [3, 1]


def test_a_folder_of_jpegs_says_why_it_is_none_of_masks(tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(ValueError, match=r"nothing to count.*JPEG changes the numbers of a mask"):
        count(tmp_path)
