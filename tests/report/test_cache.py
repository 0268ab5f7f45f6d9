"""What is kept comes back as it was or not at all, and where nothing can be kept nothing is said."""

import os
import sys

import pytest

from steelyard.report import cache

TEXT = "window.x = 'é\r\n\0';\n"


@pytest.fixture
def place(monkeypatch, tmp_path):
    monkeypatch.setenv("STEELYARD_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_a_text_comes_back_as_it_was(place):
    name = cache.key(script="a", version="1")
    assert cache.found(name) is None
    cache.keep(name, TEXT)
    assert cache.found(name) == TEXT
    assert cache.found(cache.key(script="a", version="2")) is None
    assert [path.suffix for path in place.iterdir()] == [".txt"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-3]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"window", b"winbow")),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\xff\xfe\n" * 9),
        lambda path: (path.unlink(), path.mkdir()),
    ],
)
def test_what_is_not_whole_is_as_if_it_were_not_there(place, damage):
    cache.keep("a" * 64, TEXT)
    (path,) = place.iterdir()
    damage(path)
    assert cache.found("a" * 64) is None
    cache.keep("a" * 64, TEXT)
    assert cache.found("a" * 64) == (None if path.is_dir() else TEXT)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no modes of folders")
def test_a_folder_that_others_may_write_to_is_not_trusted(place):
    cache.keep("a" * 64, TEXT)
    place.chmod(0o777)
    assert cache.found("a" * 64) is None
    cache.keep("b" * 64, TEXT)
    assert len(list(place.iterdir())) == 1
    place.chmod(0o700)
    place.rename(place.with_name("real"))
    place.symlink_to(place.with_name("real"))
    assert cache.found("a" * 64) is None


def test_nowhere_to_keep_it_is_no_error(monkeypatch, tmp_path):
    monkeypatch.setenv("STEELYARD_CACHE", "")
    cache.keep("a" * 64, TEXT)
    assert cache.folder() is None
    assert cache.found("a" * 64) is None
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STEELYARD_CACHE", str(tmp_path / "file" / "below"))
    cache.keep("a" * 64, TEXT)
    assert cache.found("a" * 64) is None


def test_the_oldest_go_when_there_is_too_much(place, monkeypatch):
    monkeypatch.setattr(cache, "MOST", 3 * (len(TEXT.encode()) + 65))
    for i in range(5):
        cache.keep(str(i) * 64, TEXT)
        os.utime(place / f"{str(i) * 64}.txt", (i, i))
    (place / "ab.tmp").write_text("of a killed process")
    os.utime(place / "ab.tmp", (1, 1))
    cache.keep("5" * 64, TEXT)
    assert sorted(path.name[0] for path in place.iterdir()) == ["3", "4", "5"]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="they have folders of their own")
def test_it_stands_in_the_cache_of_the_user(monkeypatch, tmp_path):
    monkeypatch.delenv("STEELYARD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "steelyard"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.folder() == tmp_path / ".cache" / "steelyard"
