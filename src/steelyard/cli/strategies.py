"""The strategies of the menu on the command line: which one, which options are whose, and the recipe that they make."""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .open_command import Taken, did_you_mean, flag_of, unknown_option, value_of

if TYPE_CHECKING:
    from ..counts import Counts
    from ..options import Spec
    from ..recipe import Recipe

FROM_DATA = ("counts", "classes", "kind")  # what an ingredient may need and the data already says


def choose(name: str) -> Callable[..., "Recipe"]:
    """The ingredient of that name, written with dashes or as in Python. ValueError, with the nearest name, if it does not exist."""
    from ..ingredients import menu

    known, key = menu(), flag_of(name)
    if key not in known:
        hint = did_you_mean(key, list(known), "{!r}")
        raise ValueError(f"weigh: there is no strategy {name!r}.{hint} The strategies are {', '.join(known)}.")
    return known[key]


def assign(
    functions: Sequence[Callable[..., "Recipe"]], taken: Sequence[Taken], flags: set[str]
) -> list[dict[str, str]]:
    """By strategy its options: those that stand behind its --strategy, and of the others those that no other one takes."""
    takes = [[p for p in inspect.signature(function).parameters if p not in FROM_DATA] for function in functions]
    names = [function.spec.cli_name for function in functions]  # type: ignore[attr-defined]
    found: list[dict[str, str]] = [{} for _ in functions]
    for one in taken:
        behind = one.after - 1
        able = [i for i, options in enumerate(takes) if one.name in options]
        if not able:
            options = list(dict.fromkeys(name for some in takes for name in some))
            raise ValueError(unknown_option(" and ".join(names), one.name, options, flags))
        if len(able) > 1 and behind not in able:
            whose = " and ".join(names[i] for i in able)
            raise ValueError(
                f"weigh: --{flag_of(one.name)} is of {whose}; write it behind the --strategy that it is for."
            )
        found[behind if behind in able else able[0]][one.name] = one.text
    return found


def mixed(
    functions: Sequence[Callable[..., "Recipe"]], options: Sequence[Mapping[str, str]], counts: "Counts"
) -> "Recipe":
    """The recipe of one strategy, or of several mixed; then the mean weight over the data is 1 again. ValueError, in their own
    words, for values outside a domain and for what cannot be mixed."""
    from ..recipe import mix, unit_mass

    recipes = [build(function, some, counts) for function, some in zip(functions, options, strict=True)]
    if len(recipes) == 1:
        return recipes[0]
    try:
        recipe = mix(*recipes)
    except ValueError as error:
        raise ValueError(f"weigh: these strategies cannot be mixed: {error}") from None
    return recipe if recipe.weight is None else unit_mass(recipe, counts)


def build(function: Callable[..., "Recipe"], options: Mapping[str, str], counts: "Counts") -> "Recipe":
    """The Recipe of an ingredient. ValueError, in its own words, for values outside its domain."""
    spec: Spec = function.spec  # type: ignore[attr-defined]
    takes = inspect.signature(function).parameters
    from_data: dict[str, Any] = {"counts": counts, "classes": counts.classes, "kind": counts.kind}
    values = {n: v for n, v in from_data.items() if n in takes} | {n: value_of(text) for n, text in options.items()}
    missing = [p.name for p in takes.values() if p.default is p.empty and p.name not in values]
    if missing:
        raise ValueError(f"{spec.cli_name}: --{flag_of(missing[0])} is needed: {_example(missing[0], counts)}.")
    try:
        recipe = function(**values)
    except TypeError as error:
        raise ValueError(str(error)) from None
    rows = 1 if recipe.weight is None else recipe.weight.shape[0]
    labels = 2 if counts.kind == "multilabel" else len(counts)
    if rows not in (1, labels):
        raise ValueError(f"{spec.cli_name}: {rows} weights were given for {labels} classes; give one for each.")
    return recipe


def listing() -> str:
    """One line for each strategy: its name, its options with their ranges, and what it does."""
    from ..ingredients import menu

    return "\n".join(_line(function) for function in menu().values())


def _line(function: Callable[..., Any]) -> str:
    spec: Spec = function.spec  # type: ignore[attr-defined]
    takes = inspect.signature(function).parameters
    names = [n for n in takes if n not in FROM_DATA]
    rules = {n: spec.options[n].rule if n in spec.options else None for n in names}
    options = ", ".join(
        f"--{flag_of(n)}" + (f" {str(rule).removeprefix('in ')}" if rule else "") for n, rule in rules.items()
    )
    return f"{spec.cli_name}{': ' + options if options else ''}\n    {spec.summary}"


def _example(name: str, counts: "Counts") -> str:
    if name == "matrix":
        size = len(counts)
        rows = [[0 if i == j else 1 for j in range(min(size, 3))] for i in range(min(size, 3))]
        return f"the cost of each answer (column) for each class (row), such as --matrix '{json.dumps(rows)}'"
    if name == "prior":
        share = ",".join(f"{1 / len(counts):.3g}" for _ in counts.classes[:4])
        return f"the share of each class ({', '.join(counts.classes[:4])}) where the model will be used, such as --prior {share}"
    return f"such as --{flag_of(name)} 0.1"
