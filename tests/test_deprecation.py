"""A deprecation is said once for each place, and what was to go has gone."""

import ast
import warnings
from pathlib import Path

import pytest

import steelyard as sy
from steelyard import deprecation
from steelyard.deprecation import SteelyardDeprecation, deprecated

SOURCE = Path(sy.__file__).parent


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    monkeypatch.setattr(deprecation, "_SAID", set())


def old() -> int:
    deprecated("old()", since="0.2", removed_in="0.4", instead="write new()")
    return 1


def test_one_line_is_warned_once_and_another_again():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert [old() for _ in range(3)] == [1, 1, 1]
        old()
    assert len(seen) == 2
    assert str(seen[0].message) == "old() is deprecated since steelyard 0.2 and goes in 0.4: write new()."


def test_the_line_that_is_blamed_is_the_callers():
    with pytest.warns(SteelyardDeprecation) as seen:
        old()
    assert seen[0].filename == __file__
    assert "old()" in Path(__file__).read_text("utf-8").splitlines()[seen[0].lineno - 1]


def test_whoever_makes_warnings_errors_gets_one_every_time():
    for _ in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(SteelyardDeprecation):
                old()


def test_people_see_it_without_any_option_of_python():
    assert issubclass(SteelyardDeprecation, FutureWarning)


def overdue(text: str, version: str) -> list[str]:
    """Calls of `deprecated` in this source whose version has come."""
    reached = tuple(int(part) for part in version.split(".")[:2])
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "deprecated":
            said = {one.arg: ast.literal_eval(one.value) for one in node.keywords if one.arg in ("since", "removed_in")}
            assert set(said) == {"since", "removed_in"}, f"line {node.lineno} says neither since nor removed_in as text"
            if tuple(int(part) for part in said["removed_in"].split(".")[:2]) <= reached:
                found.append(f"line {node.lineno}")
    return found


def test_what_was_to_go_has_gone():
    late = {
        str(path.relative_to(SOURCE)): lines
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name != "deprecation.py" and (lines := overdue(path.read_text("utf-8"), sy.__version__))
    }
    assert not late, f"these were to be gone by {sy.__version__}: {late}"


@pytest.mark.parametrize(("version", "late"), [("0.3.0", 0), ("0.4.0.dev0", 1), ("1.0", 1)])
def test_a_version_that_has_come_is_found(version, late):
    text = 'deprecated("f", since="0.2", removed_in="0.4", instead="write g")'
    assert len(overdue(text, version)) == late
