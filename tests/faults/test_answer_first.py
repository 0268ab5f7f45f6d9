"""A study that is done has its answer, whatever becomes of its pictures: hostile names, and little memory, files or Python."""

import json
from typing import Any

import pytest
from tests.faults.conftest import QUICK, begin, start, write_table

from steelyard import Recipe
from steelyard.shown import clean

pytestmark = pytest.mark.slow

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
NAMES = {
    "end of a DOS file": "yes\x1a",
    "every control character": "".join(map(chr, (*range(1, 9), *range(11, 13), *range(14, 32), *range(127, 160)))) + "x",
    "emoji where a label is cut": "y" * 58 + FAMILY * 40,
    "emoji alone": "\U0001f600" * 80,
    "a label of 20,000 characters": "x" * 20_000,
    "marks upon marks": "Z" + "\u0300" * 3000,
    "right to left": "\u202eyes\u2066\u2067",
    "terminal commands": "\x1b[2J\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\",
    "not assigned": "\ufffe\uffff\U0001fffe\u0378",
    "of no width": "\u200bno\ufeff",
    "XML": "<!--]]>&lt;</svg></script><script>alert(1)</script>",
    "an expression": "'+alert(1)+'\\u0027{{7*7}}" + "x" * 80,
}  # fmt: skip


def checked(folder, out, positive, *, drawn):
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["positive"] == positive
    assert Recipe.load(folder / "recipe.json").classes == tuple(report["data"]["classes"])
    assert clean(report["verdict"]["sentence"]) in out
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert ('<svg class="chart"' in page) == drawn
    assert ("The pictures are left out, because" in page) == (not drawn)
    return page


PAIRS = list(zip(list(NAMES)[::2], list(NAMES)[1::2], strict=True))
CLASSES = {  # every name is the positive class or the other one, and one of three
    **{f"{one}, not {other}": [NAMES[other], NAMES[one]] for one, other in PAIRS},
    **{f"{one} and {other}": ["no", NAMES[one], NAMES[other]] for one, other in PAIRS},
}


@pytest.mark.parametrize("classes", CLASSES.values(), ids=CLASSES)
def test_whatever_a_class_is_called(shell, tmp_path, classes):
    table = write_table(tmp_path / "t.csv", classes)
    code, out, err = shell("tune", table, "--label", "y", "--out", tmp_path / "o", *QUICK)
    assert (code, err) == (0, "")
    page = checked(tmp_path / "o", out, classes[1] if len(classes) == 2 else None, drawn=True)
    assert "Not drawn" not in page


# the least memory and files are met by imports, too: those commands start as a shell starts them
LIMITS = {
    "address space": ("RLIMIT_AS", 3_000 << 20, False, begin),
    "more address space": ("RLIMIT_AS", 20_000 << 20, False, start),
    "files": ("RLIMIT_NOFILE", 32, True, begin),
    "more files": ("RLIMIT_NOFILE", 64, True, start),
    "processor time": ("RLIMIT_CPU", 200, True, start),
    "core files": ("RLIMIT_CORE", 0, True, start),
}


@pytest.mark.parametrize(("kind", "most", "drawn", "by"), LIMITS.values(), ids=LIMITS)
def test_whatever_a_scheduler_limits(shell, tmp_path, kind, most, drawn, by):
    resource = pytest.importorskip("resource")
    number = getattr(resource, kind)
    if by is start:
        limited: dict[str, Any] = {"limits": ((number, most),)}
    else:
        limited = {"by": begin, "preexec_fn": lambda: resource.setrlimit(number, (most, most))}
    table = write_table(tmp_path / "t.csv", ["no", "yes"])
    code, out, err = shell("tune", table, "--label", "y", "--out", tmp_path / "o", *QUICK, **limited)
    assert (code, err) == (0, "")
    page = checked(tmp_path / "o", out, "yes", drawn=drawn)
    assert ("ulimit -v" in page) == (kind == "RLIMIT_AS")
    code, out, err = shell("report", tmp_path / "o", **limited)
    assert (code, err) == (0, "")
    checked(tmp_path / "o", out, "yes", drawn=drawn)


@pytest.mark.parametrize("level", ["1", "2"])
def test_python_without_docstrings(shell, tmp_path, level):
    table = write_table(tmp_path / "t.csv", ["no", "yes"])
    code, out, err = shell(
        "tune", table, "--label", "y", "--out", tmp_path / "o", *QUICK, by=begin, environment={"PYTHONOPTIMIZE": level}
    )
    assert (code, err) == (0, "")
    checked(tmp_path / "o", out, "yes", drawn=level == "1")
