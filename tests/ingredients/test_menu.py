"""The menu holds every ingredient, ours and those of others. Files: ingredients/_plugins.py, ingredients/_absent.py."""

import importlib
import importlib.metadata
import pkgutil
import subprocess
import sys
import types

import pytest

import steelyard.ingredients
from steelyard.ingredients import menu
from steelyard.options import Spec, ingredient
from steelyard.recipe import Recipe

PACKAGE = "steelyard.ingredients"


def test_every_ingredient_of_the_folder_is_on_the_menu():
    for _, stem, _ in pkgutil.iter_modules(steelyard.ingredients.__path__):
        module = importlib.import_module(f"{PACKAGE}.{stem}")
        for name, value in vars(module).items():
            if isinstance(getattr(value, "spec", None), Spec) and value.__module__ == module.__name__:
                line = f"from .{stem} import {name} as {name}"
                assert value in steelyard.ingredients.OURS, f"add to src/steelyard/ingredients/__init__.py: {line}"


def test_keys_are_the_names_of_the_command_line():
    assert menu()["effective-number"] is steelyard.ingredients.effective_number
    assert list(menu()) == [f.spec.cli_name for f in steelyard.ingredients.OURS]


def test_importing_the_menu_does_not_import_torch():
    code = "import sys, steelyard.ingredients; steelyard.ingredients.menu(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture
def plugged(monkeypatch):
    """Pretend that another package brings entry points, written {name: object or None for a broken import}."""

    def plug(**objects):
        module = types.ModuleType("other_package")
        vars(module).update({k: v for k, v in objects.items() if v is not None})
        monkeypatch.setitem(sys.modules, "other_package", module)
        entries = [importlib.metadata.EntryPoint(n, f"other_package:{n}", PACKAGE) for n in objects]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: entries if group == PACKAGE else [])

    return plug


def test_an_entry_point_is_on_the_menu(plugged):
    @ingredient
    def even_weights() -> Recipe:
        """Weigh nothing. Source: nobody."""
        return Recipe()

    plugged(even_weights=even_weights)
    assert menu()["even-weights"] is even_weights
    assert "focal" in menu()


@ingredient
def focal() -> Recipe:
    """Take a taken name. Source: nobody."""
    return Recipe()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("gone", None, "cannot be imported .AttributeError"),
        ("plain", lambda: Recipe(), "not a function under @ingredient"),
        ("focal", focal, "the name focal is taken"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_named_and_left_out(plugged, name, value, reason):
    ours = menu()
    plugged(**{name: value})
    with pytest.warns(RuntimeWarning, match=f"{name} = other_package:{name}.* is left out: .*{reason}"):
        assert menu() == ours
