"""Pictures are drawn by another process: whatever becomes of it, the page stands with its numbers and says what is missing.

Files: report/pictures/child.py.
"""

import json
import os
import subprocess
import sys
import textwrap

import pytest
from tests.report.drawn import by_key

from steelyard.report import Report, drawing
from steelyard.report.drawing import draw

STUB = """
import json, os, sys, time
asked = json.loads(sys.stdin.readline())
if asked["bundle"]: print(json.dumps({"bundle": "/* script */"}), flush=True)
for number, spec in json.loads(sys.stdin.readline()):
    title = json.dumps(spec)
    DOES
    print(json.dumps({"svg": [number, '<svg viewBox="0 0 1 1"></svg>']}), flush=True)
"""


@pytest.fixture
def program(monkeypatch, tmp_path):
    """In the place of the program that draws one that does this before every picture; each start is a byte in `starts`."""

    def stub(does: str, before: str = ""):
        path = tmp_path / "stub.py"
        start = f"open({str(tmp_path / 'starts')!r}, 'a').write('.')\n{before}\n"
        path.write_text(start + STUB.replace("DOES", textwrap.indent(does, "    ").strip()))
        monkeypatch.setattr(drawing, "PROGRAM", path)
        monkeypatch.setattr(drawing, "_bundles", {})
        monkeypatch.setenv("STEELYARD_CACHE", str(tmp_path / "kept"))
        return tmp_path / "starts"

    return stub


def test_one_program_draws_all_pictures(kept, program):
    starts = program("pass")
    whole = draw(Report.from_json(kept))
    assert list(whole.still) == list(by_key(kept))
    assert (whole.missing, whole.script, starts.read_text()) == ("", "/* script */", ".")


@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("if 'false alarms for one more' in title: os.abort()", "SIGABRT"),
        ("if 'false alarms for one more' in title: os.kill(os.getpid(), 9)", "SIGKILL"),
        ("if 'false alarms for one more' in title: sys.exit('Error: <no\\x1bluck>')", r"code 1): Error: <no\x1bluck>"),
        ("if 'false alarms for one more' in title:\n    print(json.dumps({'failed': [number, 'no luck']})); continue", "no luck"),
    ],
)  # fmt: skip
def test_a_picture_that_ends_the_program_leaves_the_others(kept, program, does, says):
    program(does)
    rest = draw(Report.from_json(kept))
    assert list(rest.still) == [key for key in by_key(kept) if key != "exchange"]
    assert rest.missing.startswith("Not drawn: What one more costs, because")
    assert says in rest.missing
    assert rest.script


@pytest.mark.parametrize(
    ("before", "says"),
    [
        ("import os; os.abort()", "SIGABRT"),
        ("raise MemoryError", "code 1): MemoryError"),
        ("import sys; sys.exit(3)", "code 3"),
        ("print('no json')\nimport sys; sys.exit(0)", "code 0"),
    ],
)
def test_a_program_that_does_not_run_is_started_once_and_said(kept, program, before, says):
    starts = program("pass", before)
    none = draw(Report.from_json(kept))
    assert (none.pictures, none.script, starts.read_text()) == ([], "", ".")
    assert none.missing.startswith("The pictures are left out, because")
    assert says in none.missing


def test_a_program_that_hangs_is_ended(kept, program, monkeypatch):
    program("if 'ROC' in title or 'called by mistake' in title: time.sleep(60)")
    monkeypatch.setattr(drawing, "SECONDS", 2)
    some = draw(Report.from_json(kept))
    assert "roc" not in some.still
    assert "longer than 2 s" in some.missing


@pytest.mark.parametrize("broken", ["Popen", "executable", "frozen"])
def test_where_no_program_can_be_started_the_page_says_so(kept, monkeypatch, broken):
    def refuse(*_, **__):
        raise OSError(24, "Too many open files")

    if broken == "Popen":
        monkeypatch.setattr(subprocess, "Popen", refuse)
    else:
        monkeypatch.setattr(sys, broken, "" if broken == "executable" else True, raising=False)
    missing = draw(Report.from_json(kept)).missing
    assert ("Too many open files" if broken == "Popen" else "no Python interpreter") in missing


def test_no_file_of_a_program_stays_open(kept, program):
    program("os.abort()")
    before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    draw(Report.from_json(kept))
    after = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    assert len(after) <= len(before)


def test_the_program_limits_itself():
    """Its memory, as far as the system can; and it reads no variable that could change it."""
    pytest.importorskip("resource")
    asked = {"path": [], "version": "5.0", "bundle": "", "megabytes": 64, "seconds": 5}
    program = (
        f"import runpy, resource; child = runpy.run_path({str(drawing.PROGRAM)!r}); child['_limit'](64, 5);"
        "assert resource.getrlimit(resource.RLIMIT_CPU)[0] == 5; b'x' * (256 << 20)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], input=json.dumps(asked), capture_output=True, text=True
    )
    assert "MemoryError" in done.stderr
