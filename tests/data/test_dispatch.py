"""What a folder holds decides how it is counted."""

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


def test_a_folder_of_jpegs_says_why_it_is_none_of_masks(tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(ValueError, match=r"nothing to count.*JPEG changes the numbers of a mask"):
        count(tmp_path)
