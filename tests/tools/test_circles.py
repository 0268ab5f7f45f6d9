"""tools/circles.py finds every circle of imports, wherever the import stands, on packages written for it."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "circles.py"


def circles(tmp_path: Path, files: dict[str, str], name: str = "toy") -> tuple[int, list[str]]:
    """(exit code, lines) for a package of these files."""
    for path, text in files.items():
        file = tmp_path / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    done = subprocess.run([sys.executable, TOOL, tmp_path / name], capture_output=True, text=True)
    assert not done.stderr
    return done.returncode, done.stdout.splitlines()


def package(**modules: str) -> dict[str, str]:
    """{file: text}; a name with __ is a module in a folder: room__b is room/b.py."""
    files = {f"{name.replace('__', '/')}.py": text for name, text in modules.items()}
    return {**{f"{folder}__init__.py": "" for folder in ("", "room/")}, **files}


@pytest.mark.parametrize(
    "back",
    [
        "from . import a",
        "from .a import f",
        "import toy.a",
        "from toy import a",
        "def late():\n    from .a import f",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .a import f",
    ],
)
def test_a_circle_is_found_wherever_the_import_stands(tmp_path: Path, back: str):
    assert circles(tmp_path, package(a="from .b import g", b=back)) == (1, ["toy.a -> toy.b -> toy.a"])


@pytest.mark.parametrize(
    ("files", "ways"),
    [
        (package(a="import os\nfrom .room import b", room__b="", b="from . import a"), []),
        (
            {**package(room__b="from ..c import h", c="from .room import g"), "room/__init__.py": "from .b import g"},
            ["toy.c -> toy.room -> toy.room.b -> toy.c"],  # an __init__ is a module of its own
        ),
        (package(room__b="from ..c import h", c="from .room.b import g"), ["toy.c -> toy.room.b -> toy.c"]),
        (
            package(a="from . import b", b="from . import a, c", c="from . import d", d="from . import c"),
            ["toy.a -> toy.b -> toy.a", "toy.c -> toy.d -> toy.c"],
        ),
    ],
)
def test_every_circle_is_printed_once_and_nothing_else(tmp_path: Path, files: dict[str, str], ways: list[str]):
    assert circles(tmp_path, files) == (int(bool(ways)), ways)
