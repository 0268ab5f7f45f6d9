"""The form of a saved file, declared once: what does not fit it is refused by its place, in one sentence.

    COUNTS = Record({"per_class": Many(Number(low=0, whole=True)), "unit": Text(), "digest": Maybe(Text())}, optional={"digest"})
    data = checked("Counts", parsed(text), COUNTS, do="save one with counts.save(path)")

A form is anything with `what`, in words, and `check(value, at)`.
"""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

SHOWN = 60  # letters of what is wrong


class Misfit(ValueError):
    """What stands where, and what should."""

    def __init__(self, at: str, what: str, got: str):
        super().__init__(f"{at or 'it'} must be {what}, got {got}")


class Form(Protocol):
    @property
    def what(self) -> str: ...

    def check(self, value: Any, at: str) -> None:
        """Misfit where the value at this place is something else."""
        ...


@dataclass(frozen=True)
class Text:
    """Text; `choices` are the only ones."""

    choices: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        return f"one of {', '.join(self.choices)}" if self.choices else "text"

    def check(self, value: Any, at: str) -> None:
        if not isinstance(value, str) or (self.choices and value not in self.choices):
            raise Misfit(at, self.what, brief(value))


@dataclass(frozen=True)
class Number:
    """A finite number; `whole`: without a fraction; `named` are texts that stand for one, such as "-inf"."""

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    named: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        low, high = (f"{end:,.0f}" if abs(end) > 1 else f"{end:g}" for end in (self.low, self.high))
        ends = "" if math.isinf(self.low) and math.isinf(self.high) else f" from {low}"
        ends += "" if math.isinf(self.high) else f" to {high}"
        names = f" or {', '.join(map(repr, self.named))}" if self.named else ""
        return f"{'a whole number' if self.whole else 'a number'}{ends}{names}"

    def check(self, value: Any, at: str) -> None:
        if isinstance(value, str) and value in self.named:
            return
        is_one = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_one or not self._fits(value):
            raise Misfit(at, self.what, brief(value))

    def _fits(self, value: Any) -> bool:
        if isinstance(value, float) and (not math.isfinite(value) or (self.whole and not value.is_integer())):
            return False
        return self.low <= value <= self.high and abs(value) <= LARGEST


LARGEST = int(1.7e308)  # of a number that is a float64


@dataclass(frozen=True)
class Flag:
    what = "true or false"

    def check(self, value: Any, at: str) -> None:
        if not isinstance(value, bool):
            raise Misfit(at, self.what, brief(value))


@dataclass(frozen=True)
class Many:
    """A list of one form; `some`: of one at least."""

    of: Form
    some: bool = False

    @property
    def what(self) -> str:
        return f"a list, each of it {self.of.what}"

    def check(self, value: Any, at: str) -> None:
        if not isinstance(value, (list, tuple)) or (self.some and not value):
            raise Misfit(at, f"a list{' that is not empty' if self.some else ''}", brief(value))
        for i, one in enumerate(value):
            self.of.check(one, f"{at}[{i}]")


@dataclass(frozen=True)
class Numbers:
    """A number, a list of numbers, or a table of them, whose rows are of one length."""

    of: Number
    axes: int = 2

    @property
    def what(self) -> str:
        return "numbers: one, a list, or a list of rows of one length"

    def check(self, value: Any, at: str) -> None:
        self._shape(value, at, self.axes)

    def _shape(self, value: Any, at: str, axes: int) -> tuple[int, ...]:
        if not isinstance(value, list):
            self.of.check(value, at)
            return ()
        if not axes:
            raise Misfit(at, self.of.what, brief(value))
        shapes = {self._shape(one, f"{at}[{i}]", axes - 1) for i, one in enumerate(value)}
        if len(shapes) > 1:
            raise Misfit(at, self.what, "rows of several lengths")
        return (len(value), *next(iter(shapes), ()))


@dataclass(frozen=True)
class ByName:
    """An object with any names, each of one form."""

    of: Form
    what = "an object {name: value}"

    def check(self, value: Any, at: str) -> None:
        if not isinstance(value, Mapping):
            raise Misfit(at, self.what, brief(value))
        for name, one in value.items():
            self.of.check(one, f"{at}.{brief(name)}" if at else str(name))


@dataclass(frozen=True)
class Maybe:
    """null, or this form."""

    of: Form

    @property
    def what(self) -> str:
        return f"{self.of.what}, or null"

    def check(self, value: Any, at: str) -> None:
        if value is not None:
            self.of.check(value, at)


@dataclass(frozen=True)
class Either:
    """The first of these forms that fits."""

    forms: tuple[Form, ...]

    @property
    def what(self) -> str:
        return " or ".join(form.what for form in self.forms)

    def check(self, value: Any, at: str) -> None:
        for form in self.forms:
            try:
                return form.check(value, at)
            except Misfit:
                continue
        raise Misfit(at, self.what, brief(value))


@dataclass(frozen=True)
class Record:
    """An object with these names; those in `optional` may be absent. Other names are left alone: a newer version may write more."""

    of: Mapping[str, Form]
    optional: Collection[str] = ()

    @property
    def what(self) -> str:
        return f"an object {{{', '.join(self.of)}}}"

    def check(self, value: Any, at: str) -> None:
        if not isinstance(value, Mapping):
            raise Misfit(at, self.what, brief(value))
        missing = [name for name in self.of if name not in value and name not in self.optional]
        if missing:
            raise Misfit(at, self.what, f"one that lacks {', '.join(missing)}")
        for name, form in self.of.items():
            if name in value:
                form.check(value[name], f"{at}.{name}" if at else name)


def parsed(text: str | bytes) -> Any:
    """The value of a JSON text. ValueError, in a few words, for what is none, a key twice, NaN, and what is nested too deep."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start:,} is not UTF-8") from None


def checked(what: str, value: Any, form: Form, do: str) -> Any:
    """The value. ValueError, in the name of `what` and with what to do, where it has another form."""
    try:
        form.check(value, "")
    except Misfit as misfit:
        raise ValueError(f"{what}: {misfit}; {do}.") from None
    return value


def brief(value: Any) -> str:
    """A value in a few letters."""
    if isinstance(value, (list, dict)):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value):,}"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 1000:
        return "a number of hundreds of digits"
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {brief(twice)} stands twice")
    return made


def _constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")
