"""Classes that are ignored keep their place where the number of a class is its label, so that no other class moves."""

from collections.abc import Iterable
from typing import Any

from .labels import is_missing, label_name, listed


def in_place(values: Iterable[Any], ignore: Any) -> list[int] | None:
    """The classes with the ignored ones between and before them, where all are whole numbers >= 0; None where that changes nothing.

    What lies above the largest class that counts, as 255 does, has no place.

    >>> in_place([1, 2, 4], [0, 3, 255])
    [0, 1, 2, 3, 4]
    """
    kept = [v.item() if hasattr(v, "item") else v for v in values]
    if not kept or not all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in kept):
        return None
    names = (label_name(v) for v in listed(ignore) if not is_missing(v))
    numbers = {int(name) for name in names if name.isdecimal()}
    between = {n for n in numbers if n < max(kept)} - set(kept)
    return sorted({*kept, *between}) if between else None


def without_a_place(before: Iterable[Any], classes: Iterable[str], ignore: Any) -> str | None:
    """A note on the ignored labels that occur and that a network could yet have a place for: text, and the number behind the last class."""
    known = list(classes)
    names = {label_name(v) for v in listed(ignore) if not is_missing(v)}
    gone = [name for name in map(label_name, before) if name in names and name not in known]
    gone = [name for name in gone if not name.removeprefix("-").isdecimal() or name == str(len(known))]
    if not gone:
        return None
    return f"{' and '.join(map(repr, gone))} was left out and has no place among the classes; --classes (classes=) that names it keeps one"
