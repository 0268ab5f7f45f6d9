"""From --strategy and its options on the command line to a Recipe."""

import difflib
import inspect
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..counts import Counts
    from ..options import Spec
    from ..recipe import Recipe

FROM_DATA = ("counts", "classes", "kind")  # what a strategy may need and the data already says


def take_options(arguments: list[str], known: set[str]) -> tuple[list[str], dict[str, str]]:
    """(the arguments without unknown options, {option: its text}); `--name value` and `--name=value` are read."""
    kept: list[str] = []
    taken: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*kept, word, *rest], taken
        name, equals, value = word.partition("=")
        if not word.startswith("--") or name in known:
            kept.append(word)
            if name in known and not equals and rest and rest[0].startswith("-") and _is_number(rest[0]):
                kept.append(rest.pop(0))  # --label -1
            continue
        if not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else "true"
        taken[name.removeprefix("--").replace("-", "_")] = value
    return kept, taken


def choose(name: str, options: Mapping[str, str], flags: set[str]) -> Callable[..., "Recipe"]:
    """The ingredient of that name. ValueError, with the nearest name, if it does not exist or takes no such option."""
    from ..ingredients import menu

    known = menu()
    if name not in known:
        near = difflib.get_close_matches(name.replace("_", "-"), known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"weigh: there is no strategy {name!r}.{hint} The strategies are {', '.join(known)}.")
    takes = [p for p in inspect.signature(known[name]).parameters if p not in FROM_DATA]
    for option in options:
        if option not in takes:
            raise ValueError(_unknown(name, option, takes, flags))
    return known[name]


def build(function: Callable[..., "Recipe"], options: Mapping[str, str], counts: "Counts") -> "Recipe":
    """The Recipe of an ingredient. ValueError, in its own words, for values outside its domain."""
    spec: Spec = function.spec  # type: ignore[attr-defined]
    takes = inspect.signature(function).parameters
    given: dict[str, Any] = {"counts": counts, "classes": counts.classes, "kind": counts.kind}
    values = {n: v for n, v in given.items() if n in takes} | {n: _value(text) for n, text in options.items()}
    missing = [p.name for p in takes.values() if p.default is p.empty and p.name not in values]
    if missing:
        raise ValueError(f"{spec.cli_name}: --{_flag(missing[0])} is needed: {_example(missing[0], counts)}.")
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
    told = ", ".join(
        f"--{_flag(n)}" + (f" {str(rule).removeprefix('in ')}" if rule else "") for n, rule in rules.items()
    )
    return f"{spec.cli_name}{': ' + told if told else ''}\n    {spec.summary}"


def _unknown(strategy: str, option: str, takes: list[str], flags: set[str]) -> str:
    every = [*(_flag(t) for t in takes), *(f.removeprefix("--") for f in flags)]
    near = difflib.get_close_matches(_flag(option), every, n=1, cutoff=0.5)
    hint = f" Did you mean --{near[0]}?" if near else ""
    return f"{strategy}: unknown option --{_flag(option)}; it takes {', '.join(f'--{_flag(t)}' for t in takes) or 'none'}.{hint}"


def _value(text: str) -> Any:
    """A number, JSON, numbers between commas, or the text itself."""
    for read in (float, json.loads, lambda t: [float(v) for v in t.split(",")]):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _is_number(text: str) -> bool:
    return isinstance(_value(text), float)


def _flag(name: str) -> str:
    return name.replace("_", "-")


def _example(name: str, counts: "Counts") -> str:
    if name == "matrix":
        size = len(counts)
        rows = [[0 if i == j else 1 for j in range(min(size, 3))] for i in range(min(size, 3))]
        return f"the cost of each answer (column) for each class (row), such as --matrix '{json.dumps(rows)}'"
    if name == "prior":
        share = ",".join(f"{1 / len(counts):.3g}" for _ in counts.classes[:4])
        return f"the share of each class ({', '.join(counts.classes[:4])}) where the model will be used, such as --prior {share}"
    return f"such as --{_flag(name)} 0.1"
