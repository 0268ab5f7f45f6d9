"""No file of less than a megabyte takes more than 1 GB or 20 s, ends in a traceback, or costs the user the files beside it.

Files: data/gate.py, data/limits.py, data/markup.py, data/npy.py, data/plain_yaml.py.
"""

import contextlib
import io
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.faults.hostile import BOXES, GOOD_MASK, HOSTILE, PICTURES, Hostile, coco, png, saved, voc

from steelyard.data import count_path
from steelyard.data.gate import gate
from steelyard.data.limits import FLOOR, TIMES, allowed, in_words
from steelyard.data.masks import read_mask
from steelyard.data.tables import read_table

SECONDS, MOST = 20.0, 1e9
BARE = 300e6  # bytes of Python, numpy and scipy
PROGRAM = Path(__file__).with_name("read_one.py")
LIGHT = [name for name, one in HOSTILE.items() if not one.heavy]


def read(one: Hostile, folder: Path) -> str:
    path, options = one.write(folder), dict(one.options)
    if "classes.txt" in one.beside:
        path = folder
    return str(read_table(path).rows if options.pop("read", False) else count_path(path, workers=1, **options)[0])


@pytest.mark.parametrize("name", LIGHT)
def test_a_hostile_file_is_read_or_named_in_one_sentence(tmp_path, name):
    one = HOSTILE[name]
    if one.says is None:
        assert read(one, tmp_path)
        return
    with pytest.raises((ValueError, OSError), match=one.says) as caught:
        read(one, tmp_path)
    said = str(caught.value)
    assert str(tmp_path) in said or said.startswith("count: ")
    assert "\n" not in said
    assert len(said) < 2000


@pytest.fixture(scope="module")
def reader():
    """What a process of its own reads of a file, or is told."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, str(PROGRAM)], stdin=pipe, stdout=pipe, text=True) as process:

        def call(path: Path, options: dict) -> dict:
            process.stdin.write(json.dumps([str(path), options]) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield call


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_takes_little_time_and_memory(reader, tmp_path, name):
    one = HOSTILE[name]
    path = one.write(tmp_path)
    assert sum(f.stat().st_size for f in tmp_path.rglob("*") if f.is_file()) < 1_100_000
    found = reader(tmp_path if "classes.txt" in one.beside else path, one.options)
    assert found["kind"] in (("",) if one.says is None else ("ValueError", "FileNotFoundError")), found["said"]
    assert one.says is None or re.search(one.says, found["said"]), found["said"]
    assert found["seconds"] < SECONDS
    assert found["bytes"] < MOST


KEPT = {
    name: one
    for name, one in {**PICTURES, **BOXES}.items()
    if one.says and not one.heavy and not one.beside and not one.options
}


@pytest.mark.parametrize("name", KEPT)
def test_a_hostile_file_costs_no_other_file(tmp_path, name):
    one, good = KEPT[name], tmp_path / f"good{Path(KEPT[name].file).suffix.replace('.gz', '.png')}"
    one.write(tmp_path)
    made = {
        ".xml": voc,
        ".json": lambda: coco(images=[{"id": 1, "file_name": "good.jpg"}]),
        ".npy": lambda: saved(GOOD_MASK),
    }
    good.write_bytes(made.get(good.suffix, lambda: png(2, 2))())
    counts, notes = count_path(tmp_path, on_error="report", workers=1)
    assert counts.items in (1, 2)  # of a COCO whose boxes are wrong the image is counted
    assert counts.per_class.sum() == {".xml": 1, ".json": 1}.get(good.suffix, 4)
    assert any(Path(one.file).name in note for note in notes)


@pytest.mark.parametrize("kind", ["pipe", "device", "socket", "nobody's home", "link to itself", "link to nothing"])
def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path, kind):
    path, says = tmp_path / "a.png", "only files are read"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made, contextlib.chdir(tmp_path):  # names of sockets are short
            made.bind("a.png")
    elif kind == "nobody's home":
        path, says = Path("~nobody-of-this-name/a.png"), "there is no user"
    else:
        path.symlink_to("a.png" if kind == "link to itself" else "b.png")
        says = "(?i)no such file|Too many levels"
    for call in (count_path, lambda p: count_path(p, "y"), lambda p: count_path([p]), read_table):
        with pytest.raises((ValueError, OSError), match=says) as caught:
            call(path)
        assert "a.png" in str(caught.value) or "zero" in str(caught.value)


def test_links_that_lead_back_end_and_folders_are_gone_into_once(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    np.save(tmp_path / "a" / "b" / "m.npy", GOOD_MASK)
    for at in (tmp_path / "a", tmp_path / "a" / "b"):
        (at / "up").symlink_to(tmp_path)
        (at / "here").symlink_to(".")
    for pattern in ("**/*.npy", "a/**/*.npy", "**/b/**/*.npy", "**/m.npy", "**"):
        assert count_path(f"{tmp_path}/{pattern}")[0].items == 1
    assert count_path(tmp_path)[0].items == 1


def test_patterns_match_what_those_of_the_shell_do(tmp_path):
    import glob

    for name in ("a/b/c.npy", "a/c.npy", "c.npy", ".h/c.npy", "a/.h/c.npy", "a/b/.c.npy", "x/a/b/d.npy", "a/b/c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "t.npy", GOOD_MASK)
        (tmp_path / "t.npy").rename(tmp_path / name)
    from steelyard.data.paths import files

    for pattern in (
        "**/*.npy",
        "**/c.npy",
        "a/**",
        "**/a/**/*.npy",
        "*/**/*.npy",
        "a/**/b/*",
        "**/[cd].*",
        "a/**/.h/*.npy",
        "?/**/c.npy",
    ):
        expected = sorted({Path(f) for f in glob.glob(f"{tmp_path}/{pattern}", recursive=True) if Path(f).is_file()})
        assert files(f"{tmp_path}/{pattern}") == expected, pattern


@pytest.mark.slow
def test_1500_folders_deep_is_read_and_deeper_ones_are_named(tmp_path, monkeypatch):
    top = tmp_path / "deep"
    try:
        monkeypatch.chdir(dig(top, "d", 1500))
        Path("m.npy").write_bytes(saved(GOOD_MASK))
        monkeypatch.chdir(top)
        assert count_path(".")[0].items == 1
        assert count_path("**/*.npy")[0].items == 1
        dig(top, "e" * 9, 900)
        for path in (top, "**/*.npy"):
            with pytest.raises(ValueError, match="a folder in it cannot be listed"):
                count_path(path)
    finally:
        monkeypatch.chdir(tmp_path)
        subprocess.run(["rm", "-rf", str(top)], check=True)  # Python's own way is a recursion


def dig(top: Path, name: str, deep: int) -> Path:
    """Folders in folders, of which the lowest may have a path too long for the system."""
    top.mkdir(exist_ok=True)
    at = os.open(top, os.O_RDONLY)
    for _ in range(deep):
        os.mkdir(name, dir_fd=at)
        at, before = os.open(name, os.O_RDONLY, dir_fd=at), at
        os.close(before)
    os.close(at)
    return top.joinpath(*[name] * deep)


def test_whatever_is_raised_at_the_gate_is_one_sentence_that_keeps_its_cause():
    for error in (
        KeyError("x"),
        RecursionError(),
        MemoryError(),
        struct_error(),
        OverflowError("big"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
        StopIteration(),
    ):
        with pytest.raises(ValueError, match=r"^a\.csv: it .*[;,]") as caught, gate("a.csv", "folder"):
            raise error
        assert caught.value.__cause__ is error
        assert "\n" not in str(caught.value)
    for clear in (
        ValueError("a.csv: no."),
        ValueError("count: no."),
        FileNotFoundError("no"),
        PermissionError(13, "denied", "b"),
        ImportError("pip"),
    ):
        with pytest.raises(type(clear)) as caught, gate("a.csv"):
            raise clear
        assert caught.value is clear
    for end in (KeyboardInterrupt(), SystemExit(3)):
        with pytest.raises(type(end)), gate("a.csv"):
            raise end
    with pytest.raises(OSError, match=r"a\.csv"), gate("a.csv"):
        raise OSError(5, "Input/output error")


def struct_error():
    import struct

    return struct.error("unpack requires a buffer of 4 bytes")


def test_a_limit_grows_with_the_file():
    assert allowed(0) == allowed(FLOOR // TIMES) == FLOOR
    assert allowed(FLOOR) == TIMES * FLOOR
    assert [in_words(n) for n in (0, 999, 1000, 1234, 123456, 5 * 10**8, 3.6e9, 10**18)] == [
        "0 bytes", "999 bytes", "1 kB", "1.23 kB", "123 kB", "500 MB", "3.6 GB", "1e+03 PB",
    ]  # fmt: skip


def test_colours_take_a_third_of_the_memory(tmp_path):
    import tracemalloc

    side = 3000
    (tmp_path / "a.png").write_bytes(png(side, side, colour=2))
    tracemalloc.start()
    mask = read_mask(tmp_path / "a.png")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert mask.shape == (side, side)
    assert not mask.any()
    assert peak < 15 * side * side  # 31 bytes a pixel before; Pillow's own four are not Python's


def objects(side: int) -> bytes:
    """A PNG of a few kilobytes with many squares."""
    from PIL import Image

    out, tile = io.BytesIO(), np.zeros((40, 40), np.uint8)
    tile[8:30, 8:30] = 1
    Image.fromarray(np.tile(tile, (-(-side // 40),) * 2)[:side, :side]).save(out, "PNG")
    return out.getvalue()


def test_a_map_that_would_take_too_much_memory_is_refused(shell, tmp_path):
    (tmp_path / "a.png").write_bytes(objects(6400))
    code, _, err = shell("maps", tmp_path / "a.png", "--kind", "border", "--objects", "--out", tmp_path / "o")
    assert code == 2
    assert "a.png: a map of 40,960,000 pixels takes 2.62 GB of memory" in " ".join(err.split())
    assert "allow more with --memory 4GB" in " ".join(err.split())
    assert not (tmp_path / "o" / "a.npy").exists()


# of itself: what the kernel tells a parent holds what that parent had when it forked
WATCHED = """
import re, sys, time
from steelyard.cli import main
code = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1], time.process_time())
sys.exit(code)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["border", "contour-local", "distance-inverted"])
def test_a_map_takes_no_more_memory_than_is_said(tmp_path, kind):
    side = 3700  # nearly the most that is allowed
    (tmp_path / "a.png").write_bytes(objects(side))
    command = ["maps", tmp_path / "a.png", "--kind", kind, "--objects", "--out", tmp_path / "o", "--preview"]
    done = subprocess.run([sys.executable, "-c", WATCHED, *command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    peak, seconds = map(float, done.stdout.splitlines()[-1].split())
    assert peak * 1024 < 1e9
    assert seconds < SECONDS
