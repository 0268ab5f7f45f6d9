"""Labels in batches: a DataLoader, or anything that yields them."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..counts import Counts
from .memory import Found, describe, dimensions, look
from .progress import counted


def count_batches(data: Any, key: Any, classes: Any, ignore: Any, kind: str | None, progress: bool = False) -> Counts:
    """Counts of batch[key] over all batches; one batch is held at a time."""
    if isinstance(data, Mapping):
        raise ValueError(
            "count: a dictionary is not data; if it holds counts, write Counts(list(d.values()), list(d))."
        )
    if not isinstance(data, Iterable):
        raise ValueError(f"count: key= is for a DataLoader or an iterable of batches, got {type(data).__name__}.")
    total: Found | None = None
    for number, batch in enumerate(counted(data, "counting", "batches", shown=progress)):
        found = labels_of(batch, key, number)
        part = look(found if dimensions(found) else [found], kind)
        if total is None:
            total = part
        else:
            total.add(part)
    if total is None:
        raise ValueError("count: there is no label to count; the data holds no batch.")
    return total.counts(classes, ignore)


def labels_of(batch: Any, key: Any, number: int) -> Any:
    """batch[key]. ValueError if there is none, or no key was given."""
    if key is None:
        if dimensions(batch) == 0:
            raise ValueError("count: the data is an iterator of single values; pass a list of them.")
        raise ValueError(
            f"count: batch {number} is {describe(batch)}; say with key= where its labels are, such as key=1 or key='label'."
        )
    try:
        return batch[key]
    except (KeyError, IndexError, TypeError):
        raise ValueError(
            f"count: batch {number} is {describe(batch)} and has no [{key!r}]; choose another key=."
        ) from None
