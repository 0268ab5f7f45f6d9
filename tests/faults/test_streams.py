"""What the commands print: no name acts on the terminal, and a reader who has gone is no error."""

import contextlib
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from tests import warm
from tests.faults.conftest import QUICK, shell, write_table  # noqa: F401

from steelyard.shown import clean

pytestmark = pytest.mark.slow

NAMES = [
    "\x1b[2J\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\",
    "\u202eyes",
    "a\x9b2Jb",
    "no\u200b",
    "x\rerased",
    "\ue000\U000e0041",
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a table, masks, a recipe and a study whose every name is hostile where a file system lets it be."""
    folder = tmp_path_factory.mktemp("streams") / "\x1b[31mred\u202e"
    folder.mkdir()
    write_table(folder / "t\x1b[2J.csv", ["no", *NAMES], ["\x1b[2Ja", "b\u202e", "y\x9b"], rows=400)
    (folder / "masks\x1b[2J").mkdir()
    np.save(folder / "masks\x1b[2J" / "one\u202e.npy", np.eye(16, dtype=np.int64))
    table, recipe, study = str(folder / "t\x1b[2J.csv"), folder / "r.json", str(folder / "study")
    weighed = warm.run("weigh", table, "--label", "-1", "--json")
    tuned = warm.run("tune", table, "--label", "y\x9b", "--out", study, *QUICK)
    assert (weighed.returncode, tuned.returncode) == (0, 0), weighed.stderr + tuned.stderr
    recipe.write_text(weighed.stdout, encoding="utf-8")
    return {
        "table": table,
        "masks": str(folder / "masks\x1b[2J"),
        "recipe": str(recipe),
        "study": study,
        "folder": str(folder),
    }


COMMANDS = {
    "count": ["count", "{table}", "--label", "-1"],
    "count --json": ["count", "{table}", "--label", "-1", "--json"],
    "count of masks": ["count", "{masks}"],
    "weigh": ["weigh", "{table}", "--label", "-1"],
    "weigh --json": ["weigh", "{table}", "--label", "-1", "--json"],
    "weigh --torch": ["weigh", "{table}", "--label", "-1", "--torch"],
    "weigh --keras": ["weigh", "{table}", "--label", "-1", "--keras"],
    "weigh --sklearn": ["weigh", "{table}", "--label", "-1", "--sklearn"],
    "weigh --mmdet": ["weigh", "{table}", "--label", "-1", "--mmdet"],
    "weigh --ultralytics": ["weigh", "{table}", "--label", "-1", "--ultralytics"],
    "explain": ["explain", "{recipe}", "{table}", "--label", "-1"],
    "explain --json": ["explain", "{recipe}", "{table}", "--label", "-1", "--json"],
    "tune": ["tune", "{table}", "--label", "y\x9b", "--out", "{folder}/o\x1b[2J", *QUICK],
    "report": ["report", "{study}"],
    "report --compare": ["report", "{study}", "--compare", "{study}"],
    "maps": ["maps", "{masks}", "--kind", "border", "--out", "{folder}/maps\x1b[2J"],
    "doctor": ["doctor"],
    "version": ["--version"],
    "help": ["--help"],
    "weigh --help": ["weigh", "--help"],
    "no such column": ["count", "{table}", "--label", "\x1b[2Jz"],
    "no such class": ["weigh", "{table}", "--label", "-1", "--positive", "\u202e\x1b[2J"],
    "no such file": ["count", "{folder}/none\x1b[2J\u202e.csv", "--label", "y"],
    "no such option": ["count", "{table}", "--\x1b[2J"],
    "no such command": ["\x1b[2J\u202e"],
    "too many arguments": ["count", "{table}", "\x1b[2J", "\u202e"],
}  # fmt: skip


def filled(name, place):
    return [word.format(**place) for word in COMMANDS[name]]


@pytest.mark.parametrize("name", COMMANDS)
def test_no_name_acts_on_the_terminal(shell, place, name):  # noqa: F811
    code, out, err = shell(*filled(name, place))
    assert code == (2 if name.startswith(("no such", "too many")) else 0), err
    assert "Traceback" not in err
    for said in (out, err):
        assert clean(said, keep="\n") == said
    if "--json" in name:
        assert any(one in out or json.dumps(one) in out for one in NAMES)
        json.loads(out)


ENDS = {"read end closed": 141, "closed": 0, "full": 2, "errors closed": 0}


def checked(name, end, code, said):
    refused = name.startswith(("no such", "too many"))
    assert not re.search("Traceback|Exception ignored|BrokenPipe", said)
    assert code == (2 if refused else ENDS[end]), said
    lines = [line for line in said.splitlines() if not line.startswith("read: ")]
    assert len(lines) <= (1 if end != "closed" else 3) or name in ("maps", "tune")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("end", ENDS)
def test_a_reader_who_has_gone_is_no_traceback(shell, place, name, end):  # noqa: F811
    with contextlib.ExitStack() as open_files:
        if end == "read end closed":
            read, write = os.pipe()
            os.close(read)
            open_files.callback(os.close, write)
            streams = {"stdout": write}
        elif end == "full":
            streams = {"stdout": open_files.enter_context(open("/dev/full", "wb"))}
        else:
            streams = {"closed": (1,) if end == "closed" else (2,)}
        code, _, said = shell(*filled(name, place), **streams)
    checked(name, end, code, said)


@pytest.mark.parametrize("name", ["count", "no such file"])
@pytest.mark.parametrize("end", ENDS)
def test_the_same_from_a_shell(place, name, end):
    """Where the imports, too, have no stream to write to."""
    script = {
        "read end closed": 'exec 3> >(true); sleep 0.2; "$@" >&3',
        "closed": '"$@" >&-',
        "full": '"$@" >/dev/full',
        "errors closed": '"$@" 2>&-',
    }[end]
    command = ["bash", "-c", script, "bash", sys.executable, "-m", "steelyard", *filled(name, place)]
    done = subprocess.run(command, capture_output=True, timeout=300, env={**os.environ, "STEELYARD_DEBUG": "0"})
    checked(name, end, done.returncode, done.stderr.decode())
