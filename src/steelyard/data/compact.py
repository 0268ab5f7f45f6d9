"""Whole numbers that are dates, 31012024, 013124, 012024, and out of order as they stand. 20240131 is in order as a number."""

import datetime
from typing import NamedTuple

import numpy as np

from .date_forms import DAY, EPOCH, full
from .dates import SPREAD

FEWEST = {8: 3, 6: 4}  # different numbers that chance does not make dates of
ERA = range(1900, 2100)
FORMS = {  # digits -> {order: where day, month and year stand}; those that are in order as numbers are first
    8: {"ymd": (slice(6, 8), slice(4, 6), slice(0, 4)), "dmy": (slice(0, 2), slice(2, 4), slice(4, 8)), "mdy": (slice(2, 4), slice(0, 2), slice(4, 8))},
    6: {
        "ym": (None, slice(4, 6), slice(0, 4)),
        "ymd": (slice(4, 6), slice(2, 4), slice(0, 2)),
        "my": (None, slice(0, 2), slice(2, 6)),
        "dmy": (slice(0, 2), slice(2, 4), slice(4, 6)),
        "mdy": (slice(2, 4), slice(0, 2), slice(4, 6)),
    },
}  # fmt: skip
NAMES = {"dmy": "day, month, year", "mdy": "month, day, year", "my": "month, year", "ymd": "year, month, day"}


class Compact(NamedTuple):
    """
    seconds  float64, since 1970, of each number
    note     how they were read
    unsure   why they cannot be put in order; ""
    """

    seconds: np.ndarray
    note: str
    unsure: str


def compact(numbers: np.ndarray) -> Compact | None:
    """The dates that different whole numbers spell, or None if not all do, or if they are in order as they stand."""
    texts = [str(n) for n in numbers.tolist()]
    width = max(map(len, texts))
    width += width % 2  # a zero in front is lost
    if width not in FORMS or len(texts) < FEWEST[width]:
        return None
    texts = [t.zfill(width) for t in texts]
    read = {order: seconds for order, at in FORMS[width].items() if (seconds := _read(texts, *at)) is not None}
    years = {order: len({t[FORMS[width][order][2]] for t in texts}) for order in read}
    read = {order: s for order, s in read.items() if years[order] < SPREAD * max(2, min(years.values()))}
    if "my" in read and len({t[:2] for t in texts}) < 2:
        return None
    if not read or "ym" in read:
        return None
    order, seconds = next(iter(read.items()))
    shown = f"{texts[0]!r} ({NAMES[order]})"
    others = [
        o
        for o, s in read.items()
        if not np.array_equal(np.argsort(s, kind="stable"), np.argsort(seconds, kind="stable"))
    ]
    unsure = (
        f"{texts[0]} may be {NAMES[order]} or {NAMES[others[0]]}, and nothing in the column tells which"
        if others
        else ""
    )
    if not unsure and np.all(np.diff(seconds) > 0):
        return None  # in order as numbers
    return Compact(seconds, f"numbers such as {shown} were read as dates", unsure)


def _read(texts: list[str], day: slice | None, month: slice, year: slice) -> np.ndarray | None:
    seconds = np.empty(len(texts))
    for i, text in enumerate(texts):
        y = int(text[year])
        y = full(y) if year.stop - year.start == 2 else y
        if y not in ERA:
            return None
        try:
            date = datetime.date(y, int(text[month]), 1 if day is None else int(text[day]))
        except ValueError:
            return None
        seconds[i] = (date.toordinal() - EPOCH) * DAY
    return seconds
