"""The first line of every answer: what was read, what was not, and the classes in their order."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..counts import Counts

SHOWN = 8  # classes


def what_was_read(counts: "Counts") -> str:
    """Rows or images, the file and column, one label or several, the classes in order, and what was left out, in one line."""
    from ..data.notes import Scope

    names = [f"{i} = {name!r}" for i, name in enumerate(counts.classes)]
    kind = "labels, yes or no each" if counts.kind == "multilabel" else "classes"
    parts = [f"read: {_how_much(counts)} of {counts.source or 'the data'}", f"{kind}: {some(names)}"]
    parts += [
        note for note in counts.notes if isinstance(note, Scope) and note.partition(" of ")[0] not in counts.source
    ]
    return "; ".join(" ".join(part.split()) for part in parts)


def beside(notes: Sequence[str]) -> list[str]:
    """The notes that are not in that line."""
    from ..data.notes import Scope

    return [note for note in notes if not isinstance(note, Scope)]


def some(names: Sequence[str], most: int = SHOWN) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _how_much(counts: "Counts") -> str:
    """The items, and where one may hold several labels or none what was counted in them."""
    if counts.unit == "rows":
        return f"{counts.items:,} rows"
    holders = "sequences" if counts.unit == "tokens" else "images"
    total = int(counts.per_class.sum())
    if counts.kind == "multilabel" or (counts.items == total and holders not in counts.also):
        return f"{counts.items:,} {counts.unit}"
    return f"{counts.items:,} {holders} ({total:,} {counts.unit})"
