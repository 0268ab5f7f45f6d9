"""`steelyard` offers what its parts hold, and type checkers see the same names."""

import ast
import inspect
import sys

import pytest

import steelyard as sy
from steelyard.ingredients import OURS

HEAVY = ("tune",)  # imports scikit-learn


@pytest.mark.parametrize("name", sy.__all__)
def test_every_name_is_there(name):
    if name in HEAVY:
        pytest.importorskip("sklearn")
    assert getattr(sy, name) is not None


def test_dir_and_star_hold_every_name():
    assert set(sy.__all__) <= set(dir(sy))
    assert {f.__name__ for f in OURS} <= set(sy.__all__)
    assert len(sy.__all__) == len(set(sy.__all__))


def test_every_ingredient_is_there_under_its_name():
    for function in OURS:
        assert getattr(sy, function.__name__) is function


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'focl'"):
        _ = sy.focl


def test_type_checkers_see_the_same_names():
    """The imports under TYPE_CHECKING are those that are made at first use, and the whole menu."""
    seen: dict[str, set[str]] = {}
    (block,) = (n for n in ast.parse(inspect.getsource(sy)).body if isinstance(n, ast.If))
    for node in ast.walk(block):
        if isinstance(node, ast.ImportFrom):
            seen.setdefault(node.module or "", set()).update(alias.name for alias in node.names)
    assert seen.pop("ingredients") == {"*"}
    assert seen.pop("") == set(sy._MODULES)
    assert seen == {home: set(names) for home, names in sy._HOMES.items() if home != "ingredients"}


@pytest.mark.parametrize("name", sy._FRAMEWORKS)
def test_a_framework_that_is_not_there_is_one_sentence(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, f"steelyard.integrations.{name}", raising=False)
    monkeypatch.delitem(sy.__dict__, name, raising=False)
    with pytest.raises(ModuleNotFoundError, match=f"steelyard.{name} needs {name}: pip install {name}"):
        getattr(sy, name)
