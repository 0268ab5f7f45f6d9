"""Options of an ingredient: one signature gives validation, the CLI flag, the search range and the docs row."""

import dataclasses
import functools
import inspect
import math
import typing
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


@dataclasses.dataclass(frozen=True)
class In:
    """A real number between `low` and `high`; `log` says that a search should walk it on a log scale."""

    low: float
    high: float
    log: bool = False
    open_low: bool = False
    open_high: bool = False

    def check(self, value: Any) -> bool:
        if isinstance(value, bool) or (not isinstance(value, (int, float)) and not hasattr(value, "__float__")):
            return False
        number = float(value)
        above = number > self.low if self.open_low else number >= self.low
        below = number < self.high if self.open_high else number <= self.high
        return above and below  # NaN fails both

    def __str__(self) -> str:
        low = "(" if self.open_low or math.isinf(self.low) else "["
        high = ")" if self.open_high or math.isinf(self.high) else "]"
        return f"in {low}{self.low:g}, {self.high:g}{high}"


@dataclasses.dataclass(frozen=True, init=False)
class OneOf:
    """One of a few names."""

    choices: tuple[str, ...]

    def __init__(self, *choices: str):
        object.__setattr__(self, "choices", choices)

    def check(self, value: Any) -> bool:
        return isinstance(value, str) and value in self.choices

    def __str__(self) -> str:
        return "one of " + ", ".join(repr(c) for c in self.choices)


@dataclasses.dataclass(frozen=True)
class Option:
    """One keyword option: its default and, where it has one, its rule."""

    name: str
    default: Any
    rule: In | OneOf | None


@dataclasses.dataclass(frozen=True)
class Spec:
    """What an ingredient takes: `argument` is its positional one ("counts", "matrix", ...) or None."""

    name: str
    argument: str | None
    options: dict[str, Option]
    summary: str
    source: str

    @property
    def cli_name(self) -> str:
        return self.name.replace("_", "-")


def spec_of(function: Callable[..., Any]) -> Spec:
    """Read the Spec from a signature annotated with `Annotated[float, In(...)]`."""
    hints = typing.get_type_hints(function, include_extras=True)
    argument, options = None, {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and argument is None:
            argument = name
        rules = [m for m in getattr(hints.get(name), "__metadata__", ()) if isinstance(m, (In, OneOf))]
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY or rules:
            options[name] = Option(name, parameter.default, rules[0] if rules else None)
    text = inspect.getdoc(function) or ""
    source = " ".join(line.strip() for line in text.partition("Source:")[2].partition("\n\n")[0].splitlines())
    return Spec(function.__name__, argument, options, text.partition("\n")[0], source.strip())


def ingredient(function: Callable[P, R]) -> Callable[P, R]:
    """Check the options, then stamp the returned Recipe with the call that made it.

    ValueError  effective-number: beta must be in [0, 1), got 1.5.
    TypeError   effective-number: unknown option 'bta'; it takes beta.
    """
    spec, signature = spec_of(function), inspect.signature(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        unknown = [name for name in kwargs if name not in signature.parameters]
        if unknown:
            takes = ", ".join(spec.options) or "no options"
            raise TypeError(f"{spec.cli_name}: unknown option {unknown[0]!r}; it takes {takes}.")
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{spec.cli_name}: {error}; write {spec.name}{signature}.") from None
        for name, option in spec.options.items():
            value = bound.arguments.get(name, option.default)
            if option.rule is not None and not option.rule.check(value):
                raise ValueError(f"{spec.cli_name}: {name} must be {option.rule}, got {value!r}.")
        recipe = function(*args, **kwargs)
        bound.apply_defaults()
        told = [f"{n}={v:g}" if isinstance(v, float) else f"{n}={v!r}" for n, v in bound.arguments.items() if _short(v)]
        return recipe.named(f"{spec.name}({', '.join(told)})")  # type: ignore[attr-defined]  # a Recipe, one layer up

    call.spec = spec  # type: ignore[attr-defined]
    return call


def _short(value: Any) -> bool:
    return isinstance(value, (str, bool, int, float))
