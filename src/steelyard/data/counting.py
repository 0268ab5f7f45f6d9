"""count: from data of many kinds to Counts."""

import functools
import operator
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np

from ..counts import Counts
from . import arrays, labels

KINDS = (None, "exclusive", "multilabel")


def count(
    data: Any,
    *,
    label: str | int | Sequence[str | int] | None = None,
    key: Any = None,
    classes: Any = None,
    ignore: Any = None,
    kind: str | None = None,
) -> Counts:
    """Count how often each class occurs.

    data     labels in a list, array, tensor or Series; a DataFrame or Arrow table with label=; a CSV, TSV or Parquet
             file, folder or glob with label= (streamed); a DataLoader or other iterable of batches with key=
    label    the column of a table, by name or number (1 is the first, -1 the last); several columns of 0 and 1 are
             multi-label
    key      where the labels are in a batch: batch[key], such as 1 for (input, label)
    classes  names, order and number of the classes; a label that is not among them is an error
    ignore   a value, or several, that do not count, such as -100 or 255; NaN stands for missing labels
    kind     "multilabel" is what a 2-D array of 0 and 1 is; "exclusive" counts every element of an array instead

    Integers in memory are logit indices: classes "0" to the largest, gaps count 0, `classes` names them in order (whole
    numbers as `classes` are matched by value). Text, booleans and the columns of a table: the distinct values ascending,
    numbers as numbers. A missing label in memory is an error unless `ignore` holds NaN; rows of a table without a label
    are left out, and the source of the Counts says how many.

    ValueError, saying what to pass, for negative integers, numbers that look continuous, and data that is none of these;
    FileNotFoundError with the nearest name.

    >>> count([0, 0, 3, 0]).per_class.tolist()
    [3, 0, 0, 1]
    >>> count(["ill", "well", "well"], classes=["well", "ill"]).per_class.tolist()
    [2, 1]
    """
    if kind not in KINDS:
        raise ValueError(f"count: kind must be 'exclusive' or 'multilabel', got {kind!r}.")
    if isinstance(data, (str, PathLike)):
        return count_path(data, label, classes=classes, ignore=ignore)[0]
    if _is_frame(data):
        return _count_frame(data, label, classes, ignore)
    if label is not None:
        raise ValueError(
            f"count: label= names a column of a table, but the data is {type(data).__name__}; leave it out."
        )
    if key is not None or _is_stream(data):
        return _count_batches(data, key, classes, ignore, kind)
    return _count_memory(data, classes, ignore, kind)


def count_path(
    path: str | PathLike[str],
    label: str | int | Sequence[str | int] | None,
    *,
    classes: Any = None,
    ignore: Any = None,
) -> tuple[Counts, list[str]]:
    """`count` of a file, folder or glob, with the notes of what was repaired or left out on the way."""
    from .tables import column_names, count_column, read_table

    if label is None:
        names = labels.some(column_names(path))
        raise ValueError(f"{path}: say which column holds the labels, with --label or label=. The columns are {names}.")
    if isinstance(label, (str, int)):
        return count_column(path, label, classes=classes, ignore=ignore)
    table = read_table(path, columns=list(label))
    columns = {name: table.column(name) for name in table.names}
    counts, left_out = _count_columns(columns, classes, ignore, str(path))
    return counts, [*table.notes, *left_out]


def _count_memory(data: Any, classes: Any, ignore: Any, kind: str | None) -> Counts:
    if kind != "exclusive":
        array = _maybe_indicators(data)
        if array is not None or kind == "multilabel":
            if ignore is not None:
                raise ValueError("count: ignore= is for one label per item; multi-label data is 0 or 1 everywhere.")
            array = arrays.as_array(data) if array is None else array
            return arrays.count_indicators(array, classes=classes, source="")
    found, indices = arrays.find_values(data)
    return _finish(found, indices, classes, ignore, unit="rows" if _dimensions(data) < 2 else "elements")


def _finish(found: Mapping[Any, int], indices: bool, classes: Any, ignore: Any, *, unit: str) -> Counts:
    if indices:
        return labels.from_indices(found, classes=classes, ignore=ignore, source="", unit=unit)
    kept, missing = labels.drop(found, ignore)
    labels.refuse_missing(missing, ignore)
    return labels.by_value(kept, classes=classes, ignore=None, source="", unit=unit)


def _count_batches(data: Any, key: Any, classes: Any, ignore: Any, kind: str | None) -> Counts:
    if isinstance(data, Mapping):
        raise ValueError(
            "count: a dictionary is not data; if it holds counts, write Counts(list(d.values()), list(d))."
        )
    if not isinstance(data, Iterable):
        raise ValueError(f"count: key= is for a DataLoader or an iterable of batches, got {type(data).__name__}.")
    found: Counter[Any] = Counter()
    parts: list[Counts] = []
    indices = True
    for number, batch in enumerate(data):
        batch = _labels_of(batch, key, number)
        array = arrays.as_array(batch) if kind == "multilabel" else None if kind else _maybe_indicators(batch)
        if array is not None:
            part = arrays.count_indicators(array, classes=classes, source="")
            parts = [functools.reduce(operator.add, [*parts, part])]
            continue
        part_found, part_indices = arrays.find_values(batch if _dimensions(batch) else [batch])
        found.update(part_found)
        indices = indices and part_indices
    if parts and found:
        raise ValueError("count: some batches hold one label per item and others are multi-label; count them apart.")
    return parts[0] if parts else _finish(found, indices, classes, ignore, unit="rows")


def _labels_of(batch: Any, key: Any, number: int) -> Any:
    if key is None:
        if _dimensions(batch) == 0:
            raise ValueError("count: the data is an iterator of single values; pass a list of them.")
        raise ValueError(
            f"count: batch {number} is {_describe(batch)}; say with key= where its labels are, such as key=1 or key='label'."
        )
    try:
        return batch[key]
    except (KeyError, IndexError, TypeError):
        raise ValueError(
            f"count: batch {number} is {_describe(batch)} and has no [{key!r}]; choose another key=."
        ) from None


def _count_frame(data: Any, label: Any, classes: Any, ignore: Any) -> Counts:
    from .find import find_column

    names = [str(c) for c in getattr(data, "column_names", None) or list(data.columns)]
    if label is None:
        raise ValueError(f"count: say which column holds the labels with label=. The columns are {labels.some(names)}.")
    originals = dict(zip(names, getattr(data, "column_names", None) or list(data.columns), strict=True))
    if not isinstance(label, (str, int)):
        picked = [find_column(names, one, "count") for one in label]
        columns = {name: _as_floats(data[originals[name]], name) for name in picked}
        return _count_columns(columns, classes, ignore, "")[0]
    name = find_column(names, label, "count")
    found, _ = _values_of_column(data[originals[name]])
    kept, missing = labels.drop(found, ignore)
    if classes is None:
        labels.refuse_continuous(kept, f"count: column {name!r}")
    source = f"column {name!r}" + (f" ({labels.left_out(missing)})" if missing else "")
    return labels.by_value(kept, classes=classes, ignore=None, source=source, unit="rows")


def _values_of_column(column: Any) -> tuple[dict[Any, int], bool]:
    """Like `find_values`, but fractions are values too: a table may hold grades such as 2.5."""
    try:
        array = arrays.as_array(column)
    except ValueError:
        array = None
    if array is not None and array.dtype.kind == "f":
        values, times = np.unique(array, return_counts=True, equal_nan=True)
        return dict(zip(values.tolist(), times.tolist(), strict=True)), False
    return arrays.find_values(column)


def _count_columns(
    columns: Mapping[str, np.ndarray], classes: Any, ignore: Any, source: str
) -> tuple[Counts, list[str]]:
    """Multi-label counts of columns of 0 and 1, float64 with NaN; rows with any of them missing are left out."""
    if ignore is not None:
        raise ValueError("count: ignore= is for one label per row; multi-label columns are 0 or 1 everywhere.")
    for name, column in columns.items():
        odd = [v for v in column[:10_000].tolist() if not labels.is_missing(v) and v not in (0, 1)]
        if column.dtype == object or odd:
            example = odd[0] if odd else "text"
            raise ValueError(f"count: several label columns are multi-label, 0 or 1, but {name!r} holds {example!r}.")
    array = np.stack(list(columns.values()), axis=1)
    keep = ~np.isnan(array).any(axis=1)
    missing = int(len(array) - keep.sum())
    if missing == len(array):
        raise ValueError(
            f"count: no row has a value in all of {labels.some(list(columns))}, so there is nothing to count."
        )
    said = labels.left_out(missing)
    where = source + (f" ({said})" if missing else "")
    counts = arrays.count_indicators(array[keep], classes=list(columns) if classes is None else classes, source=where)
    return counts, [said] if missing else []


def _as_floats(column: Any, name: str) -> np.ndarray:
    try:
        return np.asarray(arrays.as_array(column), dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"count: several label columns are multi-label, 0 or 1, but {name!r} holds text.") from None


def _maybe_indicators(data: Any) -> np.ndarray | None:
    """The array, if it has two dimensions or more; those are multi-label unless kind says otherwise."""
    return arrays.as_array(data) if _dimensions(data) >= 2 else None


def _dimensions(data: Any) -> int:
    if hasattr(data, "ndim"):
        return int(data.ndim)
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return 1 + max((_dimensions(v) for v in data[:1]), default=0)
    return 1 if hasattr(data, "__len__") and not isinstance(data, (str, bytes)) else 0


def _is_frame(data: Any) -> bool:
    return hasattr(data, "column_names") or (hasattr(data, "columns") and not isinstance(data, np.ndarray))


def _is_stream(data: Any) -> bool:
    """An iterable that is neither a sequence nor an array: batches."""
    if isinstance(data, (Sequence, Mapping, np.ndarray)):
        return isinstance(data, Mapping)
    array_like = any(hasattr(data, a) for a in ("detach", "to_numpy", "__array__", "__arrow_c_array__"))
    return isinstance(data, Iterable) and not array_like


def _describe(batch: Any) -> str:
    if isinstance(batch, Mapping):
        return f"a dictionary with {labels.some([str(k) for k in batch])}"
    if isinstance(batch, (list, tuple)):
        return f"a {type(batch).__name__} of {len(batch)}"
    return f"a {type(batch).__name__}"
