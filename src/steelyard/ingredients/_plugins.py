"""Ingredients that other packages bring."""

import importlib.metadata
import warnings
from collections.abc import Callable
from typing import Any

from ..options import Spec

GROUP = "steelyard.ingredients"


def plugins(menu: dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """`menu` plus the entry points of the group; one that fails or takes a taken name is skipped with a warning."""
    menu = dict(menu)
    for entry in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda e: (e.name, e.value)):
        try:
            function = entry.load()
        except Exception as error:  # whatever a stranger's import raises must not take the menu down
            _skip(entry, f"it cannot be imported ({type(error).__name__}: {error})")
            continue
        spec = getattr(function, "spec", None)
        if not isinstance(spec, Spec):
            _skip(entry, "it is not a function under @ingredient")
        elif spec.cli_name in menu:
            _skip(entry, f"the name {spec.cli_name} is taken")
        else:
            menu[spec.cli_name] = function
    return menu


def _skip(entry: importlib.metadata.EntryPoint, reason: str) -> None:
    package = f" of {entry.dist.name}" if entry.dist is not None else ""
    warnings.warn(
        f"{GROUP}: {entry.name} = {entry.value}{package} is left out: {reason}.", RuntimeWarning, stacklevel=4
    )
