"""Tables in memory: pandas, polars and Arrow tables, and Hugging Face datasets."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..counts import Counts
from ..progress import counted
from . import arrays, labels
from .classes import BOOLEAN, NOTHING, NUMBER, TEXT, TIME, Cells, classes_of, of_arrow
from .column_names import find_column, label_columns
from .gather import ONE_EACH, Gather, refuse_options
from .notes import Scope, ignored
from .pandas_types import note_on_codes, plain, unique
from .sequences import ASK
from .several import count_parts, hinting, in_order, note_on_parts
from .tally import holds_label_lists
from .tokens import Reader
from .yes_no import YesNo, answered, answers_of

ROWS = 1 << 16


def is_frame(data: Any) -> bool:
    return hasattr(data, "column_names") or (hasattr(data, "columns") and not isinstance(data, np.ndarray))


def is_dataset(data: Any) -> bool:
    """A Hugging Face Dataset or IterableDataset, told by its methods, so that nothing is imported."""
    return all(hasattr(data, name) for name in ("features", "with_format", "iter"))


def count_frame(data: Any, label: Any, *, kind: str | None = None, **options: Any) -> Counts:
    """Counts of a column; of several columns of 0 and 1, multi-label Counts. `options` are those of `classes_of`."""
    names = [str(c) for c in getattr(data, "column_names", None) or list(data.columns)]
    _need_label(label, names)
    label, _ = label_columns(names, label, "count")
    originals = dict(zip(names, getattr(data, "column_names", None) or list(data.columns), strict=True))
    unique(names, f"count: the {type(data).__name__}")
    if not isinstance(label, (str, int)):
        refuse_several(kind, "count")
        picked = [find_column(names, one, "count") for one in label]
        answers = answers_of({name: _as_column(data[originals[name]], name) for name in picked}, options["ignore"])
        return answered(answers, options["classes"], kind=kind)
    name = find_column(names, label, "count")
    column, what = plain(data[originals[name]]), f"count: column {name!r}"
    array = _as_arrow(column)
    into = _gather(kind, options)
    if array is not None and holds_label_lists(array.type):
        into.add_lists(array, what)
    else:
        into.add_cells(_in_memory(column, what) if array is None else of_arrow(array, what), what)
    counts = _counts(into, name, kind, options)
    return counts if options["classes"] is not None else counts.noted(note_on_codes(column, counts.classes))


def count_ordered(data: Any, classes: Any, ignore: Any) -> Counts | None:
    """Counts of one column in memory whose type fixes its classes and their order: ordered categories of pandas or Arrow, an Enum of
    polars; None of anything else."""
    kind = getattr(data, "dtype", getattr(data, "type", None))
    if not (getattr(kind, "ordered", False) or type(kind).__name__ == "Enum"):
        return None
    array = _as_arrow(data)
    cells = None if array is None else of_arrow(array, "count: the column")
    if cells is None or not cells.levels:
        return None
    kept, missing = labels.drop(cells.times, ignore)
    labels.refuse_missing(missing, ignore)
    notes = ignored(cells.times, kept, "rows")
    if missing:
        notes.append(Scope(f"{missing:,} missing labels left out, as was said"))
    order = cells.levels if classes is None else classes
    return labels.by_value(kept, classes=order, source="", unit="rows").noted(notes)


def count_dataset(data: Any, label: Any, *, kind: str | None = None, progress: bool = False, **options: Any) -> Counts:
    """Counts of a column of a Hugging Face dataset, streamed as Arrow. A ClassLabel brings its names: classes that do not
    occur count 0, and -1 is no label. A column of lists is multi-label."""
    names = list(data.column_names or next(iter(data), {}))
    _need_label(label, names)
    label, _ = label_columns(names, label, "count")
    if not isinstance(label, (str, int)):
        refuse_several(kind, "count")
        picked = [find_column(names, one, "count") for one in label]
        total: YesNo | None = None
        for table in in_batches(data, picked, progress):
            answers = answers_of({name: _as_column(table[name], name) for name in picked}, options["ignore"])
            total = answers if total is None else (total.add(answers) or total)
        if total is None:
            raise ValueError("count: the dataset has no rows, so there is nothing to count.")
        return answered(total, options["classes"], kind=kind)
    name = find_column(names, label, "count")
    what = f"count: column {name!r}"
    known = class_names(data, name)
    batches = (table[name].combine_chunks() for table in in_batches(data, [name], progress))
    first = next(batches, None)
    if first is None or not len(first):
        raise ValueError(f"count: the dataset has no rows, so there is nothing to count in column {name!r}.")
    arrays = itertools.chain([first], batches)
    into = _gather(kind, options, known)
    for array in arrays:
        if holds_label_lists(array.type):
            into.add_lists(array, what)
        else:
            cells = of_arrow(array, what)
            into.add_cells(cells if known is None else named(cells, known), what)
    return _counts(into, name, kind, options, known)


def named(cells: Cells, known: Sequence[str]) -> Cells:
    """The cells of a ClassLabel by their names; -1 is no label."""
    times = Counter[Any]()
    for index, n in cells.times.items():
        times[None if index is None or index < 0 else known[index]] += n
    return Cells(times, TEXT, tuple(known))


def in_batches(data: Any, names: list[str], progress: bool = False) -> Iterator[Any]:
    """Arrow tables of these columns, in the order and choice of rows that the dataset shows."""
    chosen = data.select_columns(names) if data.column_names else data
    total = -(-len(data) // ROWS) if hasattr(data, "__len__") else None
    yield from counted(
        chosen.with_format("arrow").iter(batch_size=ROWS), "counting", "batches", shown=progress, total=total
    )


def class_names(data: Any, name: str) -> list[str] | None:
    """The names of a ClassLabel, also inside a list."""
    feature = (data.features or {}).get(name)
    feature = getattr(feature, "feature", feature)
    names = getattr(feature, "names", None)
    return None if names is None else list(names)


def _need_label(label: Any, names: list[str]) -> None:
    if label is None:
        raise ValueError(f"count: say which column holds the labels with label=. The columns are {labels.some(names)}.")


def refuse_several(kind: str | None, where: str) -> None:
    """ValueError where several columns cannot be of that kind."""
    if kind == "exclusive":
        raise ValueError(
            f"{where}: several columns are yes-or-no labels; kind='exclusive' (--kind exclusive) is for one column. Leave it out, or name one."
        )


def _gather(kind: str | None, options: dict[str, Any], names: Sequence[str] | None = None) -> Gather:
    read = Reader(ignore=options["ignore"], missing=options["missing"], classes=options["classes"], names=names)
    return Gather(read, options["separator"] if kind == "exclusive" else None)


def _counts(
    into: Gather, name: str, kind: str | None, options: dict[str, Any], known: Sequence[str] | None = None
) -> Counts:
    """Of the cells, of which each is one label; or multi-label Counts of lists and of cells with a separator, whose elements all count
    where the kind is "exclusive"."""
    what, separator = f"column {name!r}", options["separator"]
    same_case, ignore, missing = options["same_case"], options["ignore"], options["missing"]
    if not into.lists and separator is None:
        if kind == "multilabel":
            raise ValueError(f"count: {what}{ONE_EACH}")
        plain = {n: v for n, v in options.items() if n != "separator"}
        with hinting(lambda: into.cells.times):
            read = classes_of(into.cells, what, name=name, **plain)
        parts = note_on_parts(dict.fromkeys(read.counts.classes, 1))
        return read.counts.noted((*read.notes, *([parts] if parts else [])))
    refuse_options(f"count: {what}", same_case=same_case, separator=separator, lists=into.lists)
    classes = known if options["classes"] is None else options["classes"]
    if not into.lists and into.separator is None:
        counts, notes = count_parts(into.cells, separator, what, classes=classes, ignore=ignore, missing=missing)
        return counts.noted(notes)
    if not into.lists and classes is None:
        classes = in_order(into.tokens.times, ignore)
    if kind is None and into.tokens.recurring:
        raise ValueError(
            f"count: {what} has rows that hold a label more than once, {into.tokens.recurring:,} times too often.{ASK}"
        )
    counts, notes = into.tokens.counts(kind, what, classes=classes, ignore=ignore)
    return counts.noted(notes)


def _as_arrow(column: Any) -> Any:
    """The column as an Arrow array; None where pyarrow is not installed or cannot hold it."""
    try:
        import pyarrow as pa
    except ModuleNotFoundError:
        return None
    try:
        if isinstance(column, (pa.Array, pa.ChunkedArray)):
            return column
        return pa.chunked_array(column) if hasattr(column, "__arrow_c_stream__") else pa.array(column)
    except (pa.ArrowException, TypeError, ValueError):
        return None


def _in_memory(column: Any, what: str) -> Cells:
    """The same of what Arrow cannot hold, or without pyarrow."""
    try:
        array = arrays.as_array(column)
    except ValueError:
        array = None
    if array is not None and array.dtype.kind == "f":
        values, n = np.unique(array, return_counts=True, equal_nan=True)
        times = dict(zip(values.tolist(), n.tolist(), strict=True))
    else:
        times, _ = arrays.tally_labels(column)
    values = [v for v in times if not labels.is_missing(v)]
    for kind, types in ((BOOLEAN, bool), (NUMBER, (int, float)), (TEXT, (str, bytes))):
        if values and all(isinstance(v, types) for v in values):
            return Cells(Counter(times), kind)
    return Cells(
        Counter({v if labels.is_missing(v) else str(v): n for v, n in times.items()}), TIME if values else NOTHING
    )


def _as_column(column: Any, name: str) -> np.ndarray:
    try:
        return arrays.as_array(column)
    except (TypeError, ValueError):
        raise ValueError(
            f"count: several label columns are multi-label, yes or no, but column {name!r} is none."
        ) from None
