"""Data in memory that only the user's own training function reads, and the problem behind it."""

import dataclasses
from typing import Any

import numpy as np
import torch

from ...counts import Counts
from ...data.classes import look_alikes
from ...data.labels import ascending, is_missing, label_name
from ...data.several import note_on_parts
from ...given import same_rows
from .. import weights as row_weights
from . import weight as weighing
from .problem import Problem


@dataclasses.dataclass(frozen=True)
class OwnRows:
    """Data that only the user's function reads: an array, a sparse matrix, a tensor, a DataFrame, a list or a Dataset, taken by rows."""

    data: Any
    notes: tuple[str, ...] = ()
    columns: tuple = ()
    names: tuple[str, ...] = ()

    def encode(self, train: np.ndarray) -> "OwnRows":
        return self

    def __call__(self, rows: np.ndarray) -> Any:
        data = self.data
        if isinstance(data, np.ndarray):
            return data[rows]
        if isinstance(data, torch.Tensor):
            return data[torch.from_numpy(rows)]
        if hasattr(data, "iloc"):  # pandas; polars takes rows by []
            return data.iloc[rows]
        if isinstance(data, torch.utils.data.Dataset):
            return torch.utils.data.Subset(data, rows.tolist())
        if hasattr(data, "column_names") and hasattr(data, "take"):  # an Arrow table
            return data.take(rows)
        if isinstance(data, (list, tuple)):
            return [data[i] for i in rows]
        return data[rows]

    def digest(self, into: Any) -> None:
        """Into a hash: all of an array or a DataFrame; of anything else only what it is and how long."""
        data = self.data.detach().cpu().numpy() if isinstance(self.data, torch.Tensor) else self.data
        if isinstance(data, np.ndarray) and data.dtype != object:
            into.update(np.ascontiguousarray(data).tobytes())
        elif (stream := _as_bytes(data)) is not None:
            into.update(stream)
        else:
            into.update(f"{type(data).__name__} of {size(data)}".encode())


def size(data: Any) -> int:
    """How many rows."""
    return int(data.shape[0]) if hasattr(data, "shape") else len(data)


def _as_bytes(data: Any) -> Any:
    """All of a DataFrame, an Arrow table or a sparse matrix; None for anything else, and for what Arrow cannot hold."""
    if hasattr(data, "tocsr"):
        csr = data.tocsr()
        return b"".join(np.ascontiguousarray(part).tobytes() for part in (csr.data, csr.indices, csr.indptr))
    if not hasattr(data, "__arrow_c_stream__"):
        return None
    import pyarrow as pa

    try:
        table = pa.table(data).replace_schema_metadata().combine_chunks()
    except (pa.ArrowException, TypeError):
        return None
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return memoryview(sink.getvalue())


def problem_of(
    data: Any, label: Any, positive: Any, groups: Any = None, time: Any = None, weight: Any = None
) -> Problem:
    """The problem behind `data=(X, y)`, or `data=X, label=y`. ValueError where rows and labels do not fit together.

    weight  [rows] how much each counts; rows of weight 0 take no part
    """
    if label is None:
        if not (isinstance(data, tuple) and len(data) == 2):
            raise ValueError(
                "tune: with a function give data=(X, y), or data=X and label=y: y [rows] holds the labels, X anything that"
                " can be taken by rows (array, tensor, DataFrame, list, Dataset)."
            )
        data, label = data
    same_rows("tune", X=data, y=label, group=groups, time=time, weight=weight)
    labels = label.detach().cpu().numpy() if isinstance(label, torch.Tensor) else np.asarray(label)
    if labels.ndim != 1 or len(labels) != size(data):
        raise ValueError(
            f"tune: labels of shape {labels.shape} do not fit {size(data)} rows of data; one label per row is needed."
        )
    raw, zeros = None if weight is None else weighing.given(weight, len(labels)), 0
    if raw is not None and (zeros := int(np.sum(raw == 0))):
        part = np.flatnonzero(raw)
        data, labels, raw = OwnRows(data)(part), labels[part], raw[part]
        groups, time = (None if codes is None else np.asarray(codes)[part] for codes in (groups, time))
    values, y = _distinct(labels)
    names = [label_name(v) for v in values]
    if len(names) < 2:
        raise ValueError(f"tune: the labels have one class only, {names[0]!r}; two are needed to tell apart.")
    turned = False
    if len(names) == 2:
        n = row_weights.masses(y, None if raw is None else raw / raw.max(), 2)
        if positive is not None and str(positive) not in names:
            raise ValueError(f"tune: there is no class {str(positive)!r}; the classes are {', '.join(names)}.")
        if names[0] == str(positive) or (positive is None and n[0] < n[1]):
            y, names, turned = 1 - y, names[::-1], True
    counts = Counts(np.bincount(y), names, "rows", "data")
    if counts.per_class.min() < 2:
        raise ValueError(f"tune: class {names[int(counts.per_class.argmin())]!r} has a single row.")
    weights = None if raw is None else row_weights.relative(raw)
    notes, warnings = ([], []) if raw is None else weighing.notes(weights, "weight=", zeros)
    warnings = [*warnings, *filter(None, [look_alikes(names, of_table=False), note_on_parts(dict.fromkeys(names, 1))])]
    return Problem(
        "data",
        "label",
        (len(y), 0),
        y,
        counts,
        names[1] if len(names) == 2 else None,
        OwnRows(data),  # type: ignore[arg-type]  # it offers what a model of rows asks for
        tuple(notes),
        tuple(warnings),
        None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1],
        None if time is None else np.unique(np.asarray(time), return_inverse=True)[1],
        None if groups is None else "groups",
        None if time is None else "time",
        weights,
        None if weights is None else "weight",
        turned=turned,
    )


def _distinct(labels: np.ndarray) -> tuple[list[Any], np.ndarray]:
    """(the labels that occur, ascending; the number of each row's one). ValueError for labels that are missing or of several kinds."""
    if labels.dtype.kind in "biuUS":
        values, y = np.unique(labels, return_inverse=True)
        return values.tolist(), y
    cells = labels.tolist()
    if missing := sum(map(is_missing, cells)):
        raise ValueError(
            f"tune: {missing:,} of {len(cells):,} labels {'is' if missing == 1 else 'are'} missing (NaN or None); leave their rows out."
        )
    if any(isinstance(v, float) and not v.is_integer() for v in cells):
        odd = next(v for v in cells if isinstance(v, float) and not v.is_integer())
        raise ValueError(
            f"tune: the labels look continuous: {odd:g} is not a whole number; give one class for each row."
        )
    if len({str if isinstance(v, str) else bool if isinstance(v, bool) else int for v in cells}) > 1:
        raise ValueError("tune: the labels are of mixed kinds; use one kind, such as text for all.")
    values = ascending(set(cells))
    at = {value: i for i, value in enumerate(values)}
    return values, np.array([at[v] for v in cells])
