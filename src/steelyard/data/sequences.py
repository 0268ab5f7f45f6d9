"""Sequences of labels, such as the tags of tokens: every element counts, and the sequences that hold a class are known."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import arrays, labels
from .tokens import Reader, Tokens

ASK = (
    " If they are sequences, such as the tags of tokens, pass kind='exclusive', and every element counts; if each row holds its labels,"
    " pass kind='multilabel', and each counts once in a row."
)


def sequences_in(data: Any, ignore: Any = None) -> list[list[Any]] | None:
    """The sequences of a list of lists (arrays, tensors) of one axis, of an object array, a Series or an Arrow array of lists, of a nested
    or packed tensor; None of anything else. ValueError for a row that is missing, unless `ignore` holds NaN."""
    if hasattr(data, "batch_sizes") and hasattr(data, "data"):
        return _unpacked(data)
    if getattr(data, "is_nested", False):
        return [row.tolist() for row in data.unbind()]
    if isinstance(data, np.ndarray) and (data.dtype != object or data.ndim != 1 or np.ma.is_masked(data)):
        return None
    items = data
    if isinstance(data, Sequence) and not isinstance(data, (list, tuple, str, bytes)):
        items = data if len(data) and isinstance(data[0], (list, tuple)) else []  # a column of a dataset
        items = list(items)
    elif not isinstance(data, (list, tuple)):
        if not (isinstance(data, np.ndarray) or _holds_lists(data)):
            return None
        array = arrays.as_array(data)
        if array.ndim != 1 or array.dtype != object:
            return None
        items = array.tolist()
    held = [row for row in items if row is not None]
    if not held or not all(_is_flat(row) for row in held):
        return None
    labels.refuse_missing(len(items) - len(held), ignore)
    return [[_plain(v) for v in _listed(row)] for row in held]


def tokens_of(sequences: Sequence[Sequence[Any]], ignore: Any, classes: Any = None) -> tuple[Tokens, bool]:
    """(their elements, whether those are whole numbers, so logit indices). `times` holds ignored and missing ones too."""
    flat = [value for row in sequences for value in row]
    tally, indices = arrays.tally_labels(flat) if flat else ({}, False)
    tokens, read = Tokens(), Reader(ignore=ignore, classes=classes)
    for row in sequences:
        tokens.add_row(row, read)
    tokens.times = Counter(tally)
    return tokens, indices


def refuse_recurring(sequences: Sequence[Sequence[Any]]) -> None:
    """ValueError where a row holds a label more than once: then these may be sequences."""
    for number, row in enumerate(sequences):
        if len(set(row)) < len(row):
            value = next(v for v, n in Counter(row).items() if n > 1)
            raise ValueError(f"count: item {number} holds {value!r} more than once.{ASK}")


def _holds_lists(data: Any) -> bool:
    """Whether a Series or an Arrow array holds lists, by its first value."""
    if not hasattr(data, "to_numpy") or getattr(data, "ndim", 1) != 1 or not len(data):
        return False
    first = data.iloc[0] if hasattr(data, "iloc") else data[0]
    first = first.as_py() if hasattr(first, "as_py") else first
    return _is_flat(first) if first is not None else False


def _is_flat(row: Any) -> bool:
    if isinstance(row, (list, tuple)):
        return not any(isinstance(v, (list, tuple)) or getattr(v, "ndim", 0) for v in row)
    return getattr(row, "ndim", 1) == 1 and any(hasattr(row, name) for name in ("tolist", "to_list"))


def _listed(row: Any) -> Any:
    return row.tolist() if hasattr(row, "tolist") else row.to_list() if hasattr(row, "to_list") else row


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _unpacked(data: Any) -> list[list[Any]]:
    """The sequences of a PackedSequence, which holds the first elements of all of them, then the second ones, ..."""
    sizes, flat, at = data.batch_sizes.tolist(), data.data.tolist(), 0
    rows: list[list[Any]] = [[] for _ in range(sizes[0] if sizes else 0)]
    for size in sizes:
        for row, value in zip(rows, flat[at : at + size], strict=False):
            row.append(value)
        at += size
    return rows
