"""A test of a file is found by its name: src/steelyard/room/file.py in tests/room/test_file.py.

Where one test holds several small files, or a law holds them, the docstring of its module names them in a sentence of
their paths below src/steelyard, such as `Files: ops/bind.py, ops/bound.py.`
"""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.longest import LONGEST

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "steelyard"
FILES = sorted(
    path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if path.name not in ("__init__.py", "__main__.py")
)
ROOT = {".gitignore", "CHANGELOG.md", "CMakeLists.txt", "CONTRIBUTING.md", "LICENSE", "README.md", "constraints.txt"}
ROOT |= {"pyproject.toml", "run.py"}
SENTENCE = re.compile(r"Files: (\S+\.py(?:,\s+\S+\.py)*)\.$", re.MULTILINE)


def named() -> dict[Path, list[Path]]:
    """Files that docstrings of tests name, each with the tests that do."""
    tests: dict[Path, list[Path]] = {}
    for test in sorted(TESTS.rglob("test_*.py")):
        docstring = "" if test == Path(__file__) else ast.get_docstring(ast.parse(test.read_text("utf-8"))) or ""
        for sentence in SENTENCE.findall(docstring):
            for file in re.split(r",\s+", sentence):
                tests.setdefault(Path(file), []).append(test.relative_to(TESTS))
    return tests


def own(file: Path) -> Path:
    return file.with_name(f"test_{file.stem.lstrip('_')}.py")


def test_a_test_of_a_file_is_found_by_its_name():
    elsewhere = named()
    lost = [file for file in FILES if not (TESTS / own(file)).is_file() and file not in elsewhere]
    assert not lost, "\n".join(
        f"src/steelyard/{file}: no test has its name. Write tests/{own(file)}, or let the docstring of the test that"
        f" holds it end in 'Files: {file.as_posix()}.'"
        for file in lost
    )


def test_what_a_docstring_names_is_there():
    gone = [(file, test) for file, tests in named().items() for test in tests if file not in FILES]
    assert not gone, "\n".join(
        f"tests/{test}: its docstring names {file.as_posix()}, but there is no src/steelyard/{file.as_posix()}; correct it."
        for file, test in gone
    )


def test_a_file_with_a_test_of_its_own_is_named_by_no_other():
    twice = [(file, test) for file, tests in named().items() for test in tests if (TESTS / own(file)).is_file()]
    assert not twice, "\n".join(
        f"tests/{test}: its docstring names {file.as_posix()}, which has tests/{own(file)}; take it out."
        for file, test in twice
    )


def test_the_longest_files_are_there():
    assert [name for name in LONGEST if not (TESTS / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)


def test_nothing_is_left_in_the_root():
    """Tests and programs run there; what they write by chance was committed once."""
    git = shutil.which("git")
    if git is None or not (TESTS.parent / ".git").exists():
        pytest.skip("this is no checkout")
    files = subprocess.run([git, "ls-files"], cwd=TESTS.parent, capture_output=True, text=True, check=True).stdout
    assert {f for f in files.splitlines() if "/" not in f} <= ROOT
