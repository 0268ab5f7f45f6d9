"""Columns that say how rows belong together or follow each other, as numbers for the splits."""

from typing import Any

import numpy as np

from ...data.cells import from_typed_text
from ...data.compact import compact
from ...data.kinds import BOOLEAN, CATEGORY, NUMBER, is_text
from ...data.labels import short, some
from ...data.tables import Table
from ...data.tally import arrow, without_views


def order_of(
    table: Table, name: str | int, *, rows: np.ndarray | None = None, notes: list[str] | None = None
) -> np.ndarray:
    """int64 [rows]: the rank of each row's time, equal where the times are equal, 0 the earliest.

    Numbers, durations and dates can be put in order, as docs/reference/reading.md lists them.

    rows   boolean, the rows that matter; all unless given
    notes  takes what a reader should know about how the times were read, beside the notes of the table
    ValueError for anything else, dates of which nothing tells the day from the month, missing values, or one time only.
    """
    name = table.resolve(name)
    where, values = f"{table.path}, column {short(name)}", _kept(table, name, rows)
    if missing := values.null_count:
        raise ValueError(
            f"tune: {where}: {missing:,} of {len(values):,} rows have no time{_odd(table, name, rows)}, so they cannot be put in"
            " order. Fill them in, or leave these rows out."
        )
    pa, pc = arrow()
    column = table.columns[name]
    kind, unsure, times = column.kind, column.unsure, values
    if kind == CATEGORY:  # ordered categories, codes with zeros in front
        read = from_typed_text(pc.cast(values, pa.string()))
        kind, unsure, times = read.kind, read.unsure, read.values
        if kind == CATEGORY and pc.all(pc.match_substring_regex(values, r"^[0-9]{1,18}$")).as_py():
            kind, times = NUMBER, pc.cast(values, pa.int64())
    if kind in (BOOLEAN, CATEGORY) or times.null_count:
        raise ValueError(
            f"tune: {where} cannot be put in order: it holds {_examples(_cells(table, name, rows))}. A time is a number or a date such as"
            " 2014-03-07, 2014-03-07 03:41:00 or 31/12/2014."
        )
    if unsure:
        raise ValueError(f"tune: {where} cannot be put in order: {unsure}. Write the dates as 2024-12-31.")
    distinct, ranks = np.unique(times.to_numpy(), return_inverse=True)
    if len(distinct) < 2:
        raise ValueError(
            f"tune: {where} has one time only, {_examples(_cells(table, name, rows))}; nothing can be tested later."
        )
    if distinct.dtype.kind == "i" and (dates := compact(distinct)) is not None:
        if dates.unsure:
            raise ValueError(f"tune: {where} cannot be put in order: {dates.unsure}. Write the dates as 2024-12-31.")
        if notes is not None:
            notes.append(f"{dates.note}: {name}")
        ranks = np.unique(dates.seconds, return_inverse=True)[1][ranks]
    return ranks.astype(np.int64)


def codes_of(table: Table, name: str | int, *, rows: np.ndarray | None = None) -> np.ndarray:
    """int64 [rows]: a number for the group of each row, in the order in which groups first occur.

    rows  boolean, the rows that matter; all unless given
    ValueError for missing values, or one group only.
    """
    name = table.resolve(name)
    where, values = f"{table.path}, column {short(name)}", _kept(table, name, rows)
    if missing := values.null_count:
        raise ValueError(
            f"tune: {where}: {missing:,} of {len(values):,} rows have no group. Give each its own if nothing is shared,"
            " or leave these rows out."
        )
    keys = table.keys(name) if rows is None else table.keys(name)[rows]
    groups = np.unique(keys)
    if len(groups) < 2:
        raise ValueError(
            f"tune: {where} has one group only, {_examples(_cells(table, name, rows))}; nothing can be held out."
        )
    first = dict.fromkeys(keys.tolist())
    place = np.empty(int(keys.max()) + 1, dtype=np.int64)
    place[list(first)] = np.arange(len(first))
    return place[keys]


def _kept(table: Table, name: str, rows: np.ndarray | None) -> Any:
    pa, _ = arrow()
    values = table.arrow(name)
    return values if rows is None else values.filter(pa.array(rows))


def _odd(table: Table, name: str, rows: np.ndarray | None) -> str:
    """ ", such as 'unknown'" of cells that say something and yet are missing."""
    pa, pc = arrow()
    raw = without_views(table.columns[name].raw)
    if not is_text(raw.type):
        return ""
    lost = table.arrow(name).is_null()
    lost = lost if rows is None else pc.and_(lost, pa.chunked_array([pa.array(rows)]))
    cells = [c for c in raw.filter(lost).unique().to_pylist() if c and c.strip()]
    return f", such as {some(cells[:3])}" if cells else ""


def _cells(table: Table, name: str, rows: np.ndarray | None) -> Any:
    """As the store holds them."""
    pa, _ = arrow()
    column = table.columns[name]
    cells = column.values if column.raw is None else column.raw
    return cells if rows is None else cells.filter(pa.array(rows))


def _examples(values: Any) -> str:
    return some([str(v) for v in values.unique().slice(0, 3).to_pylist()])
