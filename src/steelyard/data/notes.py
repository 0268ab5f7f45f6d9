"""What a reader says beside its answer. Notes are text; two kinds of them mean more: what was not counted, and what may have been misread."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from .labels import ascending, label_name

SHOWN = 4  # ignored labels that are named


class Doubt(str):
    """A note on what may have been read otherwise than its owner means. In Python it is a ReadingWarning, too."""

    __slots__ = ()


class Scope(str):
    """A note on what was read and what was not: part of the first line of an answer."""

    __slots__ = ()


class ReadingWarning(UserWarning):
    """Data may have been read otherwise than their owner means; the text says how, and what to write.

    `warnings.simplefilter("error", steelyard.ReadingWarning)` makes errors of them.
    """


def warn(notes: Iterable[str], stacklevel: int) -> None:
    """A ReadingWarning for every doubt. `stacklevel` is that of the caller: 1 is the line that calls this function."""
    for note in notes:
        if isinstance(note, Doubt):
            warnings.warn(f"{note.rstrip('.')}.", ReadingWarning, stacklevel=stacklevel + 1)


def ignored(times: Mapping[Any, int], kept: Mapping[Any, int], unit: str) -> list[str]:
    """A note on what `ignore` left out, and how much of it."""
    gone = {value: n for value, n in times.items() if value is not None and value == value and value not in kept}
    if not gone:
        return []
    names = [f"{label_name(value)!r} {gone[value]:,}" for value in ascending(gone)]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return [Scope(f"{unit} ignored, as was said: {', '.join(names[:SHOWN])}{more}")]
