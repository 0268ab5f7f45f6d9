"""A file is written whole or not at all."""

import os

import pytest

from steelyard.files import saved_json, write_text_atomically


def test_text_arrives_as_it_is_and_nothing_else_stays(tmp_path):
    path = write_text_atomically(tmp_path / "a.json", "é\n")
    assert path.read_bytes() == "é\n".encode()
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"cannot write a\.txt into .*No space left"):
        write_text_atomically(target, "new" * 1000)
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_new_file_is_as_readable_as_any(tmp_path):
    (tmp_path / "plain").write_text("")
    ours = write_text_atomically(tmp_path / "ours", "")
    assert ours.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_link_keeps_pointing_where_it_points(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_text_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.parametrize(("name", "says"), [("none/a.txt", "there is no folder"), (".", "is a folder")])
def test_a_place_that_cannot_be_written_is_named(tmp_path, name, says):
    with pytest.raises(OSError, match=says):
        write_text_atomically(tmp_path / name, "x")


def test_a_folder_without_permission_is_named(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(PermissionError, match=r"cannot write a\.txt into .*closed"):
        write_text_atomically(folder / "a.txt", "x")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", r"^Recipe: not JSON \("),
        ("[1]", r"^Recipe: this JSON is not a/1; save one with recipe\.save\(path\)"),
        ('{"format": "a/2"}', "this JSON is not a/1"),
    ],
)
def test_json_of_another_kind_is_refused_with_what_to_do(text, says):
    with pytest.raises(ValueError, match=says):
        saved_json("Recipe", text, "a/1")
    assert saved_json("Recipe", '{"format": "a/1", "x": 2}', "a/1")["x"] == 2
