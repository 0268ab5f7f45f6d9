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


def test_a_package_that_imports_downwards_has_none(tmp_path: Path):
    files = {
        "__init__.py": "from .a import f",
        "a.py": "import os\nfrom .room import b",
        "room/__init__.py": "",
        "room/b.py": "",
    }
    assert circles(tmp_path, files) == (0, [])


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
    files = {"__init__.py": "", "a.py": "from .b import g", "b.py": back}
    assert circles(tmp_path, files) == (1, ["toy.a -> toy.b -> toy.a"])


def test_an_init_is_a_module_of_its_own(tmp_path: Path):
    files = {
        "__init__.py": "",
        "room/__init__.py": "from .b import g",
        "room/b.py": "from ..c import h",
        "c.py": "from .room import g",
    }
    assert circles(tmp_path, files) == (1, ["toy.c -> toy.room -> toy.room.b -> toy.c"])
    (tmp_path / "toy" / "c.py").write_text("from .room.b import g")
    assert circles(tmp_path, {}) == (1, ["toy.c -> toy.room.b -> toy.c"])


def test_every_circle_is_printed_once(tmp_path: Path):
    files = {
        "__init__.py": "",
        "a.py": "from . import b",
        "b.py": "from . import a, c",
        "c.py": "from . import d",
        "d.py": "from . import c",
    }
    assert circles(tmp_path, files) == (1, ["toy.a -> toy.b -> toy.a", "toy.c -> toy.d -> toy.c"])
