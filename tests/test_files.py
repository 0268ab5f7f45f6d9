"""A file is written whole or not at all, through no link, and not over what is somebody else's.

Files: marks.py.
"""

import ast
import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from steelyard import files, marks
from steelyard.files import folded, is_foreign, make_folder, saved_json, write_text_atomically
from steelyard.schema import ByName, Number, Record, Text

OURS = marks.Mark("one of ours", lambda file: file.read(4) == b"ours")


def test_text_arrives_as_it_is_and_nothing_else_stays(tmp_path):
    path = write_text_atomically(tmp_path / "a.json", "é\n", OURS)
    assert path.read_bytes() == "é\n".encode()
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_file_with_the_mark_and_an_empty_one_are_replaced_and_no_other(tmp_path):
    path = tmp_path / "a"
    for old in ("", "ours, old"):
        path.write_text(old)
        write_text_atomically(path, "ours", OURS)
        assert path.read_text() == "ours"
    for mark in (OURS, marks.NONE):
        path.write_text("theirs")
        with pytest.raises(FileExistsError, match=r"a exists and .*overwrite=True, on the command line --overwrite"):
            write_text_atomically(path, "ours", mark)
        assert path.read_text() == "theirs"
        write_text_atomically(path, "ours", mark, overwrite=True)
        assert path.read_text() == "ours"
    assert os.listdir(tmp_path) == ["a"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "a.txt"
    target.write_text("ours, old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"cannot write a\.txt into .*No space left"):
        write_text_atomically(target, "new" * 1000, OURS)
    assert target.read_text() == "ours, old"
    assert os.listdir(tmp_path) == ["a.txt"]


LIMITED = """
import resource, signal, sys
from steelyard import marks
from steelyard.files import write_bytes_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
try:
    write_bytes_atomically(sys.argv[1], b"x" * (1 << 20), marks.NONE, overwrite=True)
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX")
def test_a_file_that_may_not_grow_leaves_the_old_one(tmp_path):
    (tmp_path / "a").write_text("old")
    done = subprocess.run([sys.executable, "-c", LIMITED, tmp_path / "a"], capture_output=True, text=True, check=True)
    assert "cannot write a into" in done.stdout
    assert (tmp_path / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_new_file_is_as_readable_as_any_and_an_old_one_as_before(tmp_path):
    (tmp_path / "plain").write_text("")
    new = write_text_atomically(tmp_path / "new", "ours", OURS)
    assert new.stat().st_mode == (tmp_path / "plain").stat().st_mode
    for mode in (0o600, 0o664):
        new.chmod(mode)
        write_text_atomically(new, "ours", OURS)
        assert new.stat().st_mode & 0o7777 == mode


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("target", ["theirs", "ours", "nothing", "folder"])
def test_nothing_is_written_through_a_link(tmp_path, target, overwrite):
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "ours").write_text("ours")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / target)
    with pytest.raises(FileExistsError, match=r"link is a symbolic link to .*nothing is written through links"):
        write_text_atomically(tmp_path / "link", "ours, new", OURS, overwrite=overwrite)
    assert (tmp_path / "link").is_symlink()
    assert not (tmp_path / "nothing").exists()
    assert [(tmp_path / name).read_text() for name in ("theirs", "ours")] == ["theirs", "ours"]


def test_another_hard_link_keeps_the_old_content(tmp_path):
    (tmp_path / "a").write_text("ours, old")
    os.link(tmp_path / "a", tmp_path / "b")
    write_text_atomically(tmp_path / "a", "ours, new", OURS)
    assert (tmp_path / "b").read_text() == "ours, old"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none/a.txt", "there is no folder"),
        ("file/a.txt", "there is no folder"),
        (".", "is a folder"),
        ("pipe", "is a pipe or a device"),
        ("read-only", "is read-only"),
        ("n" * 300, "cannot write n.*name too long"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_place_that_cannot_be_written_is_named_whatever_is_allowed(tmp_path, name, says, overwrite):
    (tmp_path / "file").write_text("ours")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "read-only").write_text("ours")
    (tmp_path / "read-only").chmod(0o444)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(OSError, match=f"(?i){says}"):
        write_text_atomically(tmp_path / name, "ours", OURS, overwrite=overwrite)
    assert sorted(os.listdir(tmp_path)) == before
    assert (tmp_path / "read-only").read_text() == "ours"


def test_a_device_is_never_replaced():
    with pytest.raises(OSError, match="is a pipe or a device"):
        write_text_atomically(os.devnull, "x", OURS, overwrite=True)


def test_a_folder_without_permission_is_named(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(PermissionError, match=r"cannot write a\.txt into .*closed"):
        write_text_atomically(folder / "a.txt", "x", OURS)


def test_folders_are_made_but_not_through_links_below_the_one_that_was_named(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    make_folder(tmp_path / "out" / "a" / "b", below=tmp_path / "out")  # the user named `out`, so it may be a link
    assert (tmp_path / "elsewhere" / "a" / "b").is_dir()
    (tmp_path / "out" / "c").symlink_to(tmp_path / "elsewhere" / "a")
    for folder in ("c", "c/new"):
        with pytest.raises(FileExistsError, match="c is a symbolic link"):
            make_folder(tmp_path / "out" / folder, below=tmp_path / "out")
        with pytest.raises(FileExistsError, match="c is a symbolic link"):
            is_foreign(tmp_path / "out" / folder / "x", OURS, below=tmp_path / "out")
    assert not (tmp_path / "elsewhere" / "a" / "new").exists()
    assert not is_foreign(tmp_path / "out" / "d" / "e" / "x", OURS, below=tmp_path / "out")  # will be made


def test_what_is_no_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, says in (("file", "file is a file"), ("link", "link is a link to nothing"), ("file/x", "cannot make")):
        with pytest.raises(OSError, match=says):
            make_folder(tmp_path / name)


def test_what_a_killed_process_left_goes_with_the_next_file(tmp_path):
    files._sweep.cache_clear()
    old, new, other = (tmp_path / f".steelyard-{name}.tmp" for name in ("1", "2", "3"))
    for left in (old, new):
        left.write_text("half")
    other.mkdir()
    then = time.time() - 2 * files.STALE
    os.utime(old, (then, then))
    write_text_atomically(tmp_path / "a", "ours", OURS)
    assert set(os.listdir(tmp_path)) == {new.name, other.name, "a"}


def test_names_that_a_disk_may_take_for_one_are_folded_to_one():
    assert len({folded(Path(name)) for name in ("Ä.npy", "ä.npy", "A\u0308.NPY")}) == 1
    assert folded(Path("a")) != folded(Path("b"))


WRITES = {
    "write_text",
    "write_bytes",
    "mkdir",
    "makedirs",
    "unlink",
    "rmtree",
    "rename",
    "copy2",
    "copyfile",
    "copytree",
}
WRITES |= {
    "touch",
    "symlink_to",
    "hardlink_to",
    "savez",
    "savefig",
    "tofile",
    "mkstemp",
    "mkdtemp",
    "NamedTemporaryFile",
}


def writes(call: ast.Call) -> bool:
    """Whether a call puts, moves or removes a file; what is saved into a buffer in memory does not."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    modes = [a.value for a in [*call.args, *(k.value for k in call.keywords)] if isinstance(a, ast.Constant)]
    if name == "open":
        return any(isinstance(m, str) and re.fullmatch("[rbt]*[wxa+][wxab+t]*", m) for m in modes)
    module = (
        call.func.value.id if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) else ""
    )
    return name in WRITES or (module, name) in {
        ("np", "save"),
        ("os", "replace"),
        ("os", "remove"),
        ("torch", "save"),
        ("json", "dump"),
    }


def test_no_other_file_of_the_package_writes_one():
    source = Path(files.__file__).parent
    found = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and writes(node)
    }
    allowed = {
        "testing/rules.py",  # the laws of rules save into memory
        "integrations/ultralytics.py",  # state of rules beside the checkpoint of a trainer, tensors alone
        "report/cache.py",  # the user's cache: in a folder of its own, under names of its own, whole or not at all
    }
    assert found - allowed == {"files.py"}


# marks --------------------------------------------------------------------------------------------------------------------


def png(**text):
    image, about = pytest.importorskip("PIL.Image"), pytest.importorskip("PIL.PngImagePlugin").PngInfo()
    for key, value in text.items():
        about.add_text(key, value)
    file = io.BytesIO()
    image.new("L", (40, 40)).save(file, "PNG", pnginfo=about)
    return file.getvalue()


def test_every_kind_of_file_knows_its_own_and_no_other():
    import numpy as np

    import steelyard as sy
    from steelyard.spatial.cache import sealed

    counts = sy.Counts.of(3, 4)
    plain = io.BytesIO()
    np.save(plain, np.zeros(5))
    ours = {
        marks.COUNTS: [counts.to_json().encode()],
        marks.RECIPE: [sy.inverse_frequency(counts).to_json().encode()],
        marks.MAP: [sealed(np.zeros((2, 2)), {"key": 40 * "a"})],
        marks.PICTURE: [png(steelyard="x"), png(a="b", steelyard="x"), marks.marked_png(png())],
        marks.PAGE: [f"<!DOCTYPE html><head>{marks.GENERATOR}".encode()],
        marks.first_line("a table", "a,b\n"): [b"a,b\n1,2\n", b"a,b\r\n"],
    }
    theirs = [
        b"",
        b"{}",
        b"\0" * 100,
        b"\xff" * 100,
        png(),
        png(Steelyard2="x"),
        png()[:30],
        plain.getvalue(),
        b"<!DOCTYPE html><head>",
        b"a,b,c\n",
        b'{"mine": 1, "recipe": {"format": "steelyard.recipe/1"}}',
        b'{"format": "steelyard.recipes/1"}',
    ]
    for mark, own in ours.items():
        for content in own:
            assert mark.on(io.BytesIO(content)), mark.what
        for content in [*theirs, *(c for other, them in ours.items() if other is not mark for c in them)]:
            assert not mark.on(io.BytesIO(content)), (mark.what, content[:40])
        assert not any(marks.NONE.on(io.BytesIO(content)) for content in own)


def test_a_marked_picture_is_the_same_picture():
    image = pytest.importorskip("PIL.Image")
    with image.open(io.BytesIO(marks.marked_png(png(a="b")))) as marked:
        marked.load()
        assert marked.info["a"] == "b"
        assert marks.KEYWORD in marked.info


# what else is said about reading ------------------------------------------------------------------------------------------


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
        saved_json("Recipe", text, "a/1", ByName(Text()))
    assert saved_json("Recipe", '{"format": "a/1", "x": 2}', "a/1", Record({"x": Number()}))["x"] == 2


def test_only_what_is_ours_is_removed(tmp_path):
    for name, text, gone in (("a", '{"format": "steelyard.model/1"}', True), ("b", "mine", False), ("c", "", False)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert files.remove_ours(tmp_path / name, marks.MODEL) is gone
        assert (tmp_path / name).exists() is not gone
    assert not files.remove_ours(tmp_path / "d", marks.MODEL)
