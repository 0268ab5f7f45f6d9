"""Weightings as people say them: a strategy's name, a recipe.json, the weight of each class."""

import ast
import difflib
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

from ..counts import Counts
from ..given import is_series, unnamed
from ..ingredients import menu
from ..recipe import Recipe

FORMS = "a Recipe, a function of Counts that gives one, a strategy's name such as 'inverse_frequency(beta=0.5)', a recipe.json, or a weight for each class"


def said(value: Any) -> tuple[str, Recipe | Callable[[Counts], Recipe]] | None:
    """(name, Recipe or function of Counts) of text, or of one weight per class; None for anything else. ValueError for what is wrong in it."""
    if isinstance(value, os.PathLike) or (isinstance(value, str) and value.lower().endswith(".json")):
        return Path(value).stem, Recipe.load(value)
    if isinstance(value, str):
        return _weights(value) if "=" in value and "(" not in value else _strategy(value)
    if is_weights(value):
        by_name = value.items() if isinstance(value, Mapping) or is_series(value) else None
        each = list(value) if by_name is None else [f"{name}={weight:g}" for name, weight in by_name]
        return f"weights {', '.join(f'{w:g}' if by_name is None else w for w in each[:6])}", Recipe(
            weight=value if unnamed(value) else dict(value.items())  # else its numbers would be places
        )
    return None


def is_weights(value: Any) -> bool:
    """One number per class, two or more: {class: number}, a Series, a list, an array or a tensor [C]."""
    if isinstance(value, Mapping):
        return len(value) > 1 and all(map(_is_number, value.values()))
    if hasattr(value, "ndim"):
        return value.ndim == 1 and len(value) > 1 and all(map(_is_number, value.tolist()))
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 1 and all(map(_is_number, value))


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _weights(text: str) -> tuple[str, Recipe]:
    """Of "no=1,yes=20"."""
    by_name: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.rpartition("=")
        if name.strip() in by_name:
            raise ValueError(f"tune: {text!r} weighs {name.strip()!r} twice; one weight for each class is needed.")
        try:
            by_name[name.strip()] = float(number)
        except ValueError:
            raise ValueError(
                f"tune: {text!r} is no weight for each class: {part.strip()!r} is not NAME=NUMBER. Write no=1,yes=20; names with commas or"
                " signs of equality go into a recipe.json."
            ) from None
    return f"weights {', '.join(f'{n}={w:g}' for n, w in by_name.items())}", Recipe(weight=by_name)


def _strategy(text: str) -> tuple[str, Callable[[Counts], Recipe]]:
    """Of "inverse_frequency" or "inverse_frequency(beta=0.5)", with dashes or as in Python."""
    head, mark, rest = text.strip().partition("(")
    key = head.strip().replace("_", "-")
    known = menu()
    if key not in known:
        near = difflib.get_close_matches(key, [*known, "usual"], 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"tune: there is no weighting {text!r}.{hint} It is {FORMS}; strategies are {', '.join(known)}."
        )
    try:
        call = ast.parse(f"f({rest}" if mark else "f()", mode="eval").body
        if not isinstance(call, ast.Call) or call.args:
            raise ValueError
        options = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    except (SyntaxError, ValueError):
        raise ValueError(f"tune: {text!r} is no call of a strategy; write it as inverse_frequency(beta=0.5).") from None
    function = known[key]
    takes = inspect.signature(function).parameters
    if unknown := [name for name in options if name not in takes]:
        raise ValueError(f"tune: {key} takes {', '.join(takes) or 'nothing'}, and {text!r} gives {', '.join(unknown)}.")

    def make(counts: Counts) -> Recipe:
        try:
            return function(counts, **options) if "counts" in takes else function(**options)
        except TypeError as error:
            raise ValueError(f"tune: {text!r}: {error}.") from None

    return f"{key.replace('-', '_')}({', '.join(f'{k}={v}' for k, v in options.items())})" if options else key.replace(
        "-", "_"
    ), make
