"""A strict type checker reads consumer.py, and consumer.py uses every public name."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import steelyard as sy

CONSUMER = Path(__file__).with_name("consumer.py")
ROOT = Path(__file__).resolve().parents[2]


def test_every_public_name_is_used():
    used = {
        node.attr
        for node in ast.walk(ast.parse(CONSUMER.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sy"
    }
    assert used == set(sy.__all__)


def test_the_package_says_that_it_has_types():
    assert (Path(sy.__file__).parent / "py.typed").is_file()


@pytest.mark.slow
def test_mypy_strict_has_nothing_to_say(tmp_path: Path):
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--cache-dir", tmp_path, CONSUMER]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT / "src")
    assert done.returncode == 0, done.stdout + done.stderr
