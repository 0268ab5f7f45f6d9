"""Columns that say how rows belong together or follow each other, as numbers for the splits."""

import re
from typing import Any

import numpy as np

from ...data.cells import BOOLEAN, CATEGORY
from ...data.labels import some
from ...data.tables import Table
from ...data.tally import arrow

ISO = re.compile(r"\d{4}-\d\d-\d\d")  # most columns of words are told by their first, and casts that fail are slow
HEAD = 100


def order_of(table: Table, name: str | int, *, rows: np.ndarray | None = None) -> np.ndarray:
    """int64 [rows]: the rank of each row's time, equal where the times are equal, 0 the earliest.

    Numbers, dates, and text in ISO form (2014-03-07, 2014-03-07 03:41:00, with or without a zone) can be put in order.

    rows  boolean, the rows that matter; all unless given
    ValueError for anything else, missing values, or one time only.
    """
    name = table.resolve(name)
    where, values = f"{table.path}, column {name!r}", _kept(table, name, rows)
    if missing := values.null_count:
        raise ValueError(
            f"tune: {where}: {missing:,} of {len(values):,} rows have no time, so they cannot be put in order. Fill them"
            " in, or leave these rows out."
        )
    kind = table.kind(name)
    times = as_seconds(values) if kind == CATEGORY else values.to_numpy()
    if times is None or kind == BOOLEAN:
        raise ValueError(
            f"tune: {where} cannot be put in order: it holds {_examples(values)}. A time is a number or a date such as"
            " 2014-03-07 or 2014-03-07 03:41:00."
        )
    distinct, ranks = np.unique(times, return_inverse=True)
    if len(distinct) < 2:
        raise ValueError(f"tune: {where} has one time only, {_examples(values)}; nothing can be tested later.")
    return ranks.astype(np.int64)


def codes_of(table: Table, name: str | int, *, rows: np.ndarray | None = None) -> np.ndarray:
    """int64 [rows]: a number for the group of each row, in the order in which groups first occur.

    rows  boolean, the rows that matter; all unless given
    ValueError for missing values, or one group only.
    """
    name = table.resolve(name)
    where, values = f"{table.path}, column {name!r}", _kept(table, name, rows)
    if missing := values.null_count:
        raise ValueError(
            f"tune: {where}: {missing:,} of {len(values):,} rows have no group. Give each its own if nothing is shared,"
            " or leave these rows out."
        )
    keys = table.keys(name) if rows is None else table.keys(name)[rows]
    groups = np.unique(keys)
    if len(groups) < 2:
        raise ValueError(f"tune: {where} has one group only, {_examples(values)}; nothing can be held out.")
    first = dict.fromkeys(keys.tolist())
    place = np.empty(int(keys.max()) + 1, dtype=np.int64)
    place[list(first)] = np.arange(len(first))
    return place[keys]


def as_seconds(values: Any) -> np.ndarray | None:
    """Arrow text -> float64 seconds since 1970 (UTC where no zone is given), NaN where null; None if a text is no ISO
    date or there is none at all."""
    pa, pc = arrow()
    known = values.drop_null()
    if not len(known) or not ISO.match(known[0].as_py()):
        return None
    for unit, per_second, zone in (("us", 1e6, None), ("us", 1e6, "UTC"), ("ns", 1e9, None), ("ns", 1e9, "UTC")):
        kind = pa.timestamp(unit, zone)
        try:
            pc.cast(known.slice(0, HEAD), kind)
            ticks = pc.cast(pc.cast(values, kind), pa.int64())
        except pa.ArrowInvalid:
            continue
        return pc.divide(pc.cast(ticks, pa.float64(), safe=False), per_second).fill_null(float("nan")).to_numpy()
    return None


def _kept(table: Table, name: str, rows: np.ndarray | None) -> Any:
    pa, _ = arrow()
    values = table.arrow(name)
    return values if rows is None else values.filter(pa.array(rows))


def _examples(values: Any) -> str:
    return some([str(v) for v in values.unique().slice(0, 3).to_pylist()])
