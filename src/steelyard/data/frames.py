"""Tables in memory: pandas, polars and Arrow tables, and Hugging Face datasets."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..counts import Counts
from . import arrays, labels
from .column_names import find_column
from .columns import indicator_counts, indicators
from .progress import counted
from .tally import holds_label_lists, refuse_too_many, tally_lists

ROWS = 1 << 16


def is_frame(data: Any) -> bool:
    return hasattr(data, "column_names") or (hasattr(data, "columns") and not isinstance(data, np.ndarray))


def is_dataset(data: Any) -> bool:
    """A Hugging Face Dataset or IterableDataset, told by its methods, so that nothing is imported."""
    return all(hasattr(data, name) for name in ("features", "with_format", "iter"))


def count_frame(data: Any, label: Any, classes: Any, ignore: Any) -> Counts:
    """Counts of a column; of several columns of 0 and 1, multi-label Counts."""
    names = [str(c) for c in getattr(data, "column_names", None) or list(data.columns)]
    _need_label(label, names)
    originals = dict(zip(names, getattr(data, "column_names", None) or list(data.columns), strict=True))
    if not isinstance(label, (str, int)):
        picked = [find_column(names, one, "count") for one in label]
        columns = {name: _as_floats(data[originals[name]], name) for name in picked}
        return indicator_counts(*indicators(columns, ignore), classes, "")[0]
    name = find_column(names, label, "count")
    return _of_values(_values_of_column(data[originals[name]]), name, classes, ignore)


def count_dataset(data: Any, label: Any, classes: Any, ignore: Any, progress: bool = False) -> Counts:
    """Counts of a column of a Hugging Face dataset, streamed as Arrow. A ClassLabel brings its names: classes that do not
    occur count 0, and -1 is no label. A column of lists is multi-label."""
    names = list(data.column_names or next(iter(data), {}))
    _need_label(label, names)
    if not isinstance(label, (str, int)):
        columns: dict[str, list[np.ndarray]] = {find_column(names, one, "count"): [] for one in label}
        for table in _batches(data, list(columns), progress):
            for name, parts in columns.items():
                parts.append(_as_floats(table[name], name))
        whole = {name: np.concatenate([np.empty(0), *parts]) for name, parts in columns.items()}
        return indicator_counts(*indicators(whole, ignore), classes, "")[0]
    name = find_column(names, label, "count")
    times: Counter[Any] = Counter()
    lists, rows, holds_lists = 0, 0, False
    for table in _batches(data, [name], progress):
        column = table[name].combine_chunks()
        if holds_label_lists(column.type):
            part, some = tally_lists(column)
            lists, holds_lists = lists + some, True
        else:
            part = _values_of_column(column)
        times.update(part)
        refuse_too_many(times, f"count: column {name!r}")
        rows += len(column)
    if not rows:
        raise ValueError(f"count: the dataset has no rows, so there is nothing to count in column {name!r}.")
    known = _class_names(data, name)
    if known is not None:
        times = Counter({None if v is None or v < 0 else known[v]: n for v, n in times.items()})
        classes = known if classes is None else classes
    if not holds_lists:
        return _of_values(times, name, classes, ignore)
    kept, _ = labels.drop(times, ignore)
    source = f"column {name!r}"
    return labels.by_value(kept, classes=classes, source=source, unit="rows", kind="multilabel", items=lists)


def _batches(data: Any, names: list[str], progress: bool) -> Iterator[Any]:
    """Arrow tables of these columns, in the order and choice of rows that the dataset shows."""
    chosen = data.select_columns(names) if data.column_names else data
    total = -(-len(data) // ROWS) if hasattr(data, "__len__") else None
    yield from counted(
        chosen.with_format("arrow").iter(batch_size=ROWS), "counting", "batches", shown=progress, total=total
    )


def _class_names(data: Any, name: str) -> list[str] | None:
    """The names of a ClassLabel, also inside a list."""
    feature = (data.features or {}).get(name)
    feature = getattr(feature, "feature", feature)
    names = getattr(feature, "names", None)
    return None if names is None else list(names)


def _need_label(label: Any, names: list[str]) -> None:
    if label is None:
        raise ValueError(f"count: say which column holds the labels with label=. The columns are {labels.some(names)}.")


def _of_values(times: dict[Any, int], name: str, classes: Any, ignore: Any) -> Counts:
    kept, missing = labels.drop(times, ignore)
    if classes is None:
        labels.refuse_continuous(kept, f"count: column {name!r}")
    source = f"column {name!r}" + (f" ({labels.left_out(missing)})" if missing else "")
    return labels.by_value(kept, classes=classes, source=source, unit="rows")


def _values_of_column(column: Any) -> dict[Any, int]:
    """Like `tally_labels`, but fractions are values too: a table may hold grades such as 2.5."""
    try:
        array = arrays.as_array(column)
    except ValueError:
        array = None
    if array is not None and array.dtype.kind == "f":
        values, times = np.unique(array, return_counts=True, equal_nan=True)
        return dict(zip(values.tolist(), times.tolist(), strict=True))
    return arrays.tally_labels(column)[0]


def _as_floats(column: Any, name: str) -> np.ndarray:
    try:
        return np.asarray(arrays.as_array(column), dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"count: several label columns are multi-label, 0 or 1, but {name!r} holds text.") from None
