"""A JSON object that is being read: every value is checked, and what is wrong is refused with its place in the file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..schema import LARGEST, brief

AGAIN = "run `steelyard tune` again to make it whole."
NUMBER, TEXT = (int, float), (str, int, float)  # a class or a column may be called 1


@dataclass(frozen=True)
class Part:
    """A JSON object that is being read, and where it stands in the file. ValueError, with the place, for what is of the wrong
    kind; `the_...` for what is absent, too."""

    values: Mapping[str, Any]
    where: str = ""

    def __bool__(self) -> bool:
        return bool(self.values)

    def has(self, key: str) -> bool:
        return self.values.get(key) is not None

    def number(self, key: str) -> float | None:
        return self._one(key, NUMBER, "a number")

    def the_number(self, key: str) -> float:
        return self.needed(key, self.number(key))

    def whole(self, key: str) -> int | None:
        return self._one(key, int, "a whole number")

    def flag(self, key: str) -> bool | None:
        return self._one(key, bool, "true or false")

    def text(self, key: str) -> str:
        value = self._one(key, TEXT, "text")
        return "" if value is None else str(value)

    def the_text(self, key: str) -> str:
        return self.needed(key, self.text(key))

    def part(self, key: str) -> "Part":
        return Part(self._one(key, Mapping, "an object") or {}, f"{self.where}{key}.")

    def the_part(self, key: str) -> "Part":
        return self.needed(key, self.part(key) if self.has(key) else None)

    def parts(self, key: str) -> list["Part"]:
        return [Part(v, f"{self.where}{key}[{i}].") for i, v in enumerate(self._all(key, Mapping, "objects"))]

    def named(self, key: str) -> dict[str, "Part"]:
        return {name: self.part(key).part(name) for name in self.part(key).values}

    def numbers(self, key: str) -> tuple[float, ...]:
        return self._all(key, NUMBER, "numbers")

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(map(str, self._all(key, TEXT, "texts")))

    def rows(self, key: str) -> tuple[tuple[float, ...], ...]:
        rows = tuple(map(tuple, self._all(key, list, "rows")))
        for row in rows:
            if not all(_is(value, NUMBER) for value in row) or len(row) != len(rows[0]):
                raise ValueError(f"report: {self.where}{key} must be rows of numbers, all of one length; {AGAIN}")
        return rows

    def needed(self, key: str, value: Any) -> Any:
        """The value that was read for this key."""
        if value is None or value in ("", ()):
            raise ValueError(f"report: {self.where}{key} is missing from this report; {AGAIN}")
        return value

    def _one(self, key: str, kind: Any, what: str) -> Any:
        value = self.values.get(key)
        if value is not None and not _is(value, kind):
            raise ValueError(f"report: {self.where}{key} must be {what}, got {brief(value)}; {AGAIN}")
        return value

    def _all(self, key: str, kind: Any, what: str) -> tuple[Any, ...]:
        values = self._one(key, (list, tuple), f"a list of {what}") or ()
        for value in values:
            if not _is(value, kind):
                raise ValueError(f"report: {self.where}{key} must be a list of {what}, got {brief(value)}; {AGAIN}")
        return tuple(values)


def _is(value: Any, kind: Any) -> bool:
    """Whether it is of this kind; true is no number, and neither is one too large to be computed with."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, kind) and not (isinstance(value, (int, float)) and not abs(value) <= LARGEST)
