"""Options of an ingredient or a rule: one signature gives validation, the CLI flag, the search range and the docs row."""

import dataclasses
import functools
import inspect
import math
import numbers
import typing
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound=type)


@dataclasses.dataclass(frozen=True)
class In:
    """A real number between `low` and `high`; infinite ends are never reached.

    log        a search should walk it on a log scale
    search     (low, high) worth searching, where the domain itself is wider
    per_label  one number per label is fine too: a sequence, or {class: number}
    whole      a whole number, and not a float that happens to be one
    aside      at its default it is not worth a word in the source of a recipe
    """

    low: float
    high: float
    log: bool = False
    open_low: bool = False
    open_high: bool = False
    search: tuple[float, float] | None = None
    per_label: bool = False
    whole: bool = False
    aside: bool = False

    @property
    def bounds(self) -> tuple[float, float]:
        """The closed interval that a search walks."""
        return self.search or (self.low, self.high)

    def check(self, value: Any) -> bool:
        if self.per_label and isinstance(value, Mapping):
            value = list(value.values())
        elif self.per_label and getattr(value, "ndim", 0) == 1 and not getattr(value, "requires_grad", False):
            value = value.tolist()
        if self.per_label and isinstance(value, (list, tuple)):
            return len(value) > 0 and all(self._holds(v) for v in value)
        return self._holds(value)

    def _holds(self, value: Any) -> bool:
        number = _number(value)
        if number is None or not math.isfinite(number) or (self.whole and not isinstance(value, numbers.Integral)):
            return False
        above = number > self.low if self.open_low else number >= self.low
        below = number < self.high if self.open_high else number <= self.high
        return above and below

    def __str__(self) -> str:
        low = "(" if self.open_low or math.isinf(self.low) else "["
        high = ")" if self.open_high or math.isinf(self.high) else "]"
        return f"{'a whole number ' if self.whole else ''}in {low}{self.low:g}, {self.high:g}{high}"


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
    title: str = ""  # in errors; by default the name on the command line

    @property
    def cli_name(self) -> str:
        return self.name.replace("_", "-")

    def at_rest(self, name: str, value: Any) -> bool:
        """Whether an option is at a default that is not worth a word."""
        option = self.options.get(name)
        return option is not None and bool(getattr(option.rule, "aside", False)) and value == option.default

    def read(self, name: str, value: Any) -> Any:
        """The value of option `name`, checked; a NumPy or 0-d tensor number becomes a plain one, which JSON can hold."""
        option = self.options.get(name)
        if option is None or option.rule is None or (value is None and option.default is None):
            return value
        if not option.rule.check(value):
            raise ValueError(f"{self.title or self.cli_name}: {name} must be {option.rule}, got {_said(value)}.")
        number = _number(value) if isinstance(option.rule, In) else None
        return value if number is None else int(number) if isinstance(option.rule, In) and option.rule.whole else number


_MADE_BY: dict[type, str] = {}


def made_by(how: str) -> Callable[[T], T]:
    """Over a class: arguments that are annotated with it are checked, and the error says how to make one."""

    def remember(kind: T) -> T:
        _MADE_BY[kind] = how
        return kind

    return remember


def spec_of(function: Callable[..., Any]) -> Spec:
    """Read the Spec from a signature annotated with `Annotated[float, In(...)]`."""
    of_init = inspect.isclass(function) and not dataclasses.is_dataclass(function)
    hints = typing.get_type_hints(function.__init__ if of_init else function, include_extras=True)
    argument, options = None, {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "self":
            continue
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and argument is None:
            argument = name
        rules = [m for m in getattr(hints.get(name), "__metadata__", ()) if isinstance(m, (In, OneOf))]
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY or rules:
            options[name] = Option(name, parameter.default, rules[0] if rules else None)
    text = inspect.getdoc(function) or ""
    source = " ".join(line.strip() for line in text.partition("Source:")[2].partition("\n\n")[0].splitlines())
    return Spec(function.__name__, argument, options, text.partition("\n")[0], source.strip())


def check_fields(instance: Any) -> None:
    """Hold the fields of a frozen dataclass to their `In(...)`, from its __post_init__."""
    spec = _spec_of_class(type(instance))
    for name in spec.options:
        object.__setattr__(instance, name, spec.read(name, getattr(instance, name)))


@functools.cache
def _spec_of_class(kind: type) -> Spec:
    return spec_of(kind)


def ingredient(function: Callable[P, R]) -> Callable[P, R]:
    """Check the options, then stamp the returned Recipe with the call that made it.

    ValueError  effective-number: beta must be in [0, 1), got 1.5.
    TypeError   effective-number: unknown option 'bta'; it takes beta.
    """
    spec = spec_of(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = _bound(spec, function, args, kwargs)
        recipe = function(*bound.args, **bound.kwargs)
        shown = [
            f"{name}={_said(v)}"
            for name, v in bound.arguments.items()
            if isinstance(v, (str, bool, int, float)) and not spec.at_rest(name, v)
        ]
        return recipe.named(f"{spec.name}({', '.join(shown)})")  # type: ignore[attr-defined]  # a Recipe, one layer up

    call.spec = spec  # type: ignore[attr-defined]
    return call


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Check the options of a function, or of a class by its __init__, as an `ingredient`'s are checked.

    Its annotations are read at the first call, when everything they name is there.
    """
    title = function.__qualname__.removesuffix(".__init__").rpartition(".")[2]
    spec = functools.cache(lambda: dataclasses.replace(spec_of(function), name=title, title=title))

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = _bound(spec(), function, args, kwargs)
        return function(*bound.args, **bound.kwargs)

    return call


def _bound(spec: Spec, function: Callable[..., Any], args: Any, kwargs: Any) -> inspect.BoundArguments:
    """The arguments of one call, checked."""
    title, (signature, hints) = spec.title or spec.cli_name, _signature(function)
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature.parameters.values())
    unknown = [] if takes_any else [name for name in kwargs if name not in signature.parameters]
    if unknown:
        takes = ", ".join(spec.options) or "no options"
        raise TypeError(f"{title}: unknown option {unknown[0]!r}; it takes {takes}.")
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{title}: {error}; write {spec.name}{_bare(signature)}.") from None
    bound.apply_defaults()
    for name, value in bound.arguments.items():
        wanted = hints.get(name)
        if isinstance(wanted, type) and wanted in _MADE_BY and not isinstance(value, wanted):
            how = _MADE_BY[wanted]
            raise TypeError(f"{title}: {name} must be {wanted.__name__}, got {type(value).__name__}; {how}.")
        bound.arguments[name] = spec.read(name, value)
    return bound


@functools.cache
def _signature(function: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    return inspect.signature(function), typing.get_type_hints(function)


def _number(value: Any) -> int | float | None:
    """`value` as a plain number, or None. A tensor being learned is none: float() would cut its gradient."""
    if isinstance(value, (bool, str)) or getattr(value, "requires_grad", False) or getattr(value, "ndim", 0):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if type(value) in (int, float) else number


def _said(value: Any) -> str:
    """2.0 as "2", 0.9999 with all its digits, NumPy's numbers without their type."""
    number = _number(value)
    return repr(value) if number is None else repr(number).removesuffix(".0")


def _bare(signature: inspect.Signature) -> str:
    """(counts, *, beta=0.999): the signature without annotations."""
    parameters = [p for name, p in signature.parameters.items() if name != "self"]
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))
