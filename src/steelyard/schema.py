"""The form of a saved file, declared once: what does not fit it is refused by its place, in one sentence.

    COUNTS = Record({"per_class": Many(Number(low=0, whole=True)), "unit": Text(), "digest": Maybe(Text())}, optional={"digest"})
    data = checked("Counts", parsed(text), COUNTS, do="save one with counts.save(path)")

A form is anything with `what`, in words, and `check(value)`.
"""

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

SHOWN = 60  # letters of what is wrong


class Misfit(ValueError):
    """What stands where, and what should; whoever holds the value puts its own step in front of the place."""

    def __init__(self, what: str, got: str):
        self.place, self.what, self.got = "", what, got

    def within(self, step: str) -> "Misfit":
        self.place = step + self.place
        return self

    def __str__(self) -> str:
        return f"{self.place.removeprefix('.') or 'it'} must be {self.what}, got {self.got}"


class Missing(Misfit):
    """Names that an object lacks."""

    def __init__(self, names: Sequence[str]):
        super().__init__("there", "nothing")
        self.names = names

    def __str__(self) -> str:
        at = self.place.removeprefix(".")
        names = ", ".join(f"{at}.{name}" if at else name for name in self.names)
        return f"{names} {'is' if len(self.names) == 1 else 'are'} missing"


class Form(Protocol):
    @property
    def what(self) -> str: ...

    def check(self, value: Any) -> None:
        """Misfit where the value is something else."""
        ...


@dataclass(frozen=True)
class Anything:
    """What is handed on as it is, or has a form of its own."""

    what = "anything"

    def check(self, value: Any) -> None:
        pass


@dataclass(frozen=True)
class Text:
    """Text; `choices` are the only ones; `some`: of one letter at least."""

    choices: tuple[str, ...] = ()
    some: bool = False

    @property
    def what(self) -> str:
        return (
            f"one of {', '.join(self.choices)}" if self.choices else f"text{' that is not empty' if self.some else ''}"
        )

    def check(self, value: Any) -> None:
        if not isinstance(value, str) or (self.choices and value not in self.choices) or (self.some and not value):
            raise Misfit(self.what, brief(value))


@dataclass(frozen=True)
class Number:
    """A finite number; `whole`: without a fraction; `named` are texts that stand for one, such as "-inf"."""

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    named: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        low, high = (f"{end:,.0f}" if 1 < abs(end) < 1e16 else f"{end:g}" for end in (self.low, self.high))
        ends = "" if math.isinf(self.low) and math.isinf(self.high) else f" from {low}"
        ends += "" if math.isinf(self.high) else f" to {high}"
        names = f" or {', '.join(map(repr, self.named))}" if self.named else ""
        return f"{'a whole number' if self.whole else 'a number'}{ends}{names}"

    def check(self, value: Any) -> None:
        if isinstance(value, (int, float)) and not isinstance(value, bool):  # of NaN no comparison holds
            inside = self.low <= value <= self.high and -LARGEST <= value <= LARGEST
            if inside and not (self.whole and isinstance(value, float) and not value.is_integer()):
                return
        elif isinstance(value, str) and value in self.named:
            return
        raise Misfit(self.what, brief(value))


LARGEST = int(1.7e308)  # of a number that is a float64


@dataclass(frozen=True)
class Flag:
    what = "true or false"

    def check(self, value: Any) -> None:
        if not isinstance(value, bool):
            raise Misfit(self.what, brief(value))


@dataclass(frozen=True)
class Many:
    """A list of one form; `some`: of one at least."""

    of: Form
    some: bool = False

    @property
    def what(self) -> str:
        return f"a list, each of it {self.of.what}"

    def check(self, value: Any) -> None:
        if not isinstance(value, (list, tuple)) or (self.some and not value):
            raise Misfit(f"a list{' that is not empty' if self.some else ''}", brief(value))
        i = 0
        try:
            for i, one in enumerate(value):  # noqa: B007  # the place of a misfit
                self.of.check(one)
        except Misfit as misfit:
            raise misfit.within(f"[{i}]") from None


@dataclass(frozen=True)
class Row:
    """A list with a form for each of its places."""

    of: tuple[Form, ...]

    @property
    def what(self) -> str:
        return f"a list of {len(self.of)}: {', '.join(form.what for form in self.of)}"

    def check(self, value: Any) -> None:
        if not isinstance(value, (list, tuple)) or len(value) != len(self.of):
            raise Misfit(self.what, brief(value))
        for i, (form, one) in enumerate(zip(self.of, value, strict=True)):
            try:
                form.check(one)
            except Misfit as misfit:
                raise misfit.within(f"[{i}]") from None


@dataclass(frozen=True)
class Numbers:
    """A number, a list of numbers, or a table of them, whose rows are of one length; of `axes` at most and of `least` at least."""

    of: Number
    axes: int = 2
    least: int = 0

    @property
    def what(self) -> str:
        if self.least == self.axes:
            return f"{'a list of rows of' if self.axes > 1 else 'a list of'} numbers{', all of one length' if self.axes > 1 else ''}"
        return "numbers: one, a list, or a list of rows of one length"

    def check(self, value: Any) -> None:
        self._shape(value, 0)

    def _shape(self, value: Any, deep: int) -> tuple[int, ...]:
        if not isinstance(value, (list, tuple)):
            if deep < self.least:
                raise Misfit(self.what if not deep else "a list of numbers", brief(value))
            self.of.check(value)
            return ()
        if deep == self.axes:
            raise Misfit(self.of.what, brief(value))
        shapes, i = set(), 0
        try:
            for i, one in enumerate(value):  # noqa: B007
                shapes.add(self._shape(one, deep + 1))
        except Misfit as misfit:
            raise misfit.within(f"[{i}]") from None
        if len(shapes) > 1:
            raise Misfit(self.what, "rows of several lengths")
        return (len(value), *next(iter(shapes), ()))


@dataclass(frozen=True)
class ByName:
    """An object with any names, each of one form."""

    of: Form
    what = "an object {name: value}"

    def check(self, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise Misfit(self.what, brief(value))
        for name, one in value.items():
            try:
                self.of.check(one)
            except Misfit as misfit:
                raise misfit.within(f".{name if PLAIN.fullmatch(str(name)) else brief(name)}") from None


PLAIN = re.compile(r"[\w-]{1,40}")  # a name that is its own quotation


@dataclass(frozen=True)
class Maybe:
    """null, or this form."""

    of: Form

    @property
    def what(self) -> str:
        return f"{self.of.what}, or null"

    def check(self, value: Any) -> None:
        if value is not None:
            self.of.check(value)


@dataclass(frozen=True)
class Either:
    """The first of these forms that fits."""

    forms: tuple[Form, ...]

    @property
    def what(self) -> str:
        return " or ".join(form.what for form in self.forms)

    def check(self, value: Any) -> None:
        for form in self.forms:
            try:
                return form.check(value)
            except Misfit:
                continue
        raise Misfit(self.what, brief(value))


@dataclass(frozen=True)
class Record:
    """An object with these names; those in `optional` may be absent. Other names are left alone: a newer version may write more."""

    of: Mapping[str, Form]
    optional: Collection[str] = ()

    @property
    def what(self) -> str:
        needed = [name for name in self.of if name not in self.optional]
        return f"an object{' with ' if needed else ''}{', '.join(needed)}"

    def check(self, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise Misfit(self.what, brief(value))
        for name, form in self.of.items():
            if name in value:
                try:
                    form.check(value[name])
                except Misfit as misfit:
                    raise misfit.within(f".{name}") from None
            elif name not in self.optional:
                raise Missing([name for name in self.of if name not in value and name not in self.optional])


@dataclass(frozen=True)
class Kinds:
    """An object whose text under `key` says which of these forms it has."""

    key: str
    forms: Mapping[str, Form]
    what = "an object"

    def check(self, value: Any) -> None:
        Record({self.key: Text(tuple(self.forms))}).check(value)
        self.forms[value[self.key]].check(value)


def record(needed: Mapping[str, Form], also: Mapping[str, Form]) -> Record:
    """An object with all of `needed`; each of `also` may be absent or null."""
    return Record({**needed, **{name: Maybe(form) for name, form in also.items()}}, optional=frozenset(also))


def parsed(text: str | bytes) -> Any:
    """The value of a JSON text. ValueError, in a few words, for what is none, a key twice, NaN, and what is nested too deep."""
    try:
        return json.loads(text, object_pairs_hook=distinct, parse_constant=_constant)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start:,} is not UTF-8") from None


def checked(what: str, value: Any, form: Form, do: str) -> Any:
    """The value. ValueError, in the name of `what` and with what to do, where it has another form."""
    try:
        form.check(value)
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


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. ValueError where a key stands twice: only one of its values would be seen."""
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {brief(twice)} stands twice")
    return made


def _constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")
