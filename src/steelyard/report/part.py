"""A JSON object of a report, whose form was checked: what is absent or null in it is None, "" or empty."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AGAIN = "run `steelyard tune` again to make it whole"


@dataclass(frozen=True)
class Part:
    """An object of the kind that form.py declares for its place, `where` in the file."""

    values: Mapping[str, Any]
    where: str = ""

    def __bool__(self) -> bool:
        return bool(self.values)

    def has(self, key: str) -> bool:
        return self.values.get(key) is not None

    def number(self, key: str) -> float | None:
        return self.values.get(key)

    def the_number(self, key: str) -> float:
        """One that the form asks for."""
        return self.values[key]

    def whole(self, key: str) -> int | None:
        return int(self.values[key]) if self.has(key) else None

    def flag(self, key: str) -> bool | None:
        return self.values.get(key)

    def text(self, key: str) -> str:
        return str(self.values[key]) if self.has(key) else ""

    def part(self, key: str) -> "Part":
        return Part(self.values.get(key) or {}, f"{self.where}{key}.")

    def parts(self, key: str) -> list["Part"]:
        return [Part(value, f"{self.where}{key}[{i}].") for i, value in enumerate(self.values.get(key) or ())]

    def named(self, key: str) -> dict[str, "Part"]:
        return {name: self.part(key).part(name) for name in self.part(key).values}

    def numbers(self, key: str) -> tuple[float, ...]:
        return tuple(self.values.get(key) or ())

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(map(str, self.numbers(key)))

    def rows(self, key: str) -> tuple[tuple[float, ...], ...]:
        return tuple(map(tuple, self.values.get(key) or ()))
