"""Numbers that stand for missing: -999, 9999, 99 beside answers of 0 to 10, a date of the year 9999, a blood pressure of 0.

A linear model takes them for sizes: they stretch a column's scale until everything else in it is one point. Trees and categories do
not mind much, which is why nobody notices. The signs, all of which have to hold: the number is the least or the largest of its column
(or among the last few, as 97, 98 and 99 are), stands there several times, is whole, and lies apart from the rest.
"""

from collections.abc import Iterator

import numpy as np

from .columns import Column, Number

ROWS = 30  # known ones below which nothing is said
TIMES = 3  # that the number stands there: an outlier rarely comes back to the digit
FEW = 4  # numbers at one end that may be codes together
SPANS = 2.0  # of the rest's whole range, that any whole number which comes back is apart by
DEVIATIONS = 3.0  # of the rest (by its quartiles), that a number is apart by which looks like a code
MEASURED = 2.0  # the same for a 0 below numbers of which none comes near it
ZEROS = 0.005, 0.5  # shares of a 0 that stands for missing: below, a rare true one; above, what most rows are
DISTINCT = 6  # values of the rest below which a column is a code itself, and only nines are suspected
EXTREMES = {s * 2.0**k - d for k in (15, 16, 31, 32) for s, d in ((1, 1), (-1, 0))}  # of 16 and 32 bits


def stand_ins(columns: tuple[Column, ...], labels: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(column, sentence) of numeric columns in which some number seems to stand for missing. `labels` are the classes' names."""
    for column in columns:
        if not isinstance(column, Number) or not column.scaled:
            continue
        known = column.values[~np.isnan(column.values)]
        if len(known) >= ROWS and (found := apart(known)):
            yield column.name, _sentence(column, known, found, columns, labels)


def apart(known: np.ndarray) -> list[float]:
    """The numbers in `known` [rows] (none missing) that seem to stand for missing, the least first."""
    if all(np.count_nonzero(known == end) < TIMES for end in (known.min(), known.max())):
        return []  # most columns of measurements, without sorting them
    values, times = np.unique(known, return_counts=True)
    low = _codes(values, times)
    rest, again = values[low:], times[low:]
    high = _codes(-rest[::-1], again[::-1])
    if high and not low:  # what is apart at one end hides the other behind its range
        low = _codes(rest[: len(rest) - high], again[: len(rest) - high])
        rest = values[low:]
    return [*values[:low].tolist(), *rest[len(rest) - high :].tolist()]


def _codes(values: np.ndarray, times: np.ndarray) -> int:
    """How many of the least `values` are apart from the others; they are turned round for the largest."""
    for count in range(1, min(FEW, len(values) - 2) + 1):
        ends, rest = values[:count], values[count:]
        if np.any(times[:count] < TIMES) or np.any(ends != np.floor(ends)):
            return 0
        if _is_apart(ends, rest, times[:count].sum() / times.sum(), times[count:]):
            return count
    return 0


def _is_apart(ends: np.ndarray, rest: np.ndarray, share: float, times: np.ndarray) -> bool:
    gap, span = float(rest[0] - ends[-1]), float(rest[-1] - rest[0])
    coded = _are_nines(ends) or all(v in EXTREMES for v in ends)
    if len(rest) < DISTINCT:
        return coded and gap >= span
    if gap > SPANS * span or (coded and gap > span):
        return True
    if (coded or np.all(ends == -1)) and ends[-1] < 0 <= rest[0] and np.all(rest == np.floor(rest)):
        return True  # the only negative of what counts
    if len(ends) > 1 and not coded:
        return False
    quartiles = np.searchsorted(np.cumsum(times), np.array([0.25, 0.75]) * times.sum())
    deviation = float(rest[quartiles[1]] - rest[quartiles[0]]) / 1.349  # of a normal column
    if coded:
        return gap > DEVIATIONS * deviation > 0
    return bool(ends[0] == 0) and ZEROS[0] <= share <= ZEROS[1] and gap >= MEASURED * deviation > 0


def _are_nines(ends: np.ndarray) -> bool:
    """9, 99, 999, ... and their negatives; 7 and 8 in the last place beside one of them, as surveys have them; 77 and 888."""
    digits = [f"{abs(v):.0f}" for v in ends]
    beside = any(set(d) == {"9"} for d in digits) and all(set(d[:-1]) <= {"9"} and d[-1] in "789" for d in digits)
    return beside or all(len(d) > 1 and len(set(d)) == 1 and d[0] in "789" for d in digits)


def _sentence(
    column: Number, known: np.ndarray, found: list[float], columns: tuple[Column, ...], labels: tuple[str, ...]
) -> str:
    rows = np.isin(known, found)
    rest = known[~rows]
    texts = [_text(v, dated=column.dated) for v in found]
    among = " or ".join(texts)
    said = (
        f"column {column.name!r} is {among} in {int(rows.sum()):,} of {len(known):,} rows, and lies between"
        f" {_text(rest.min(), dated=column.dated)} and {_text(rest.max(), dated=column.dated)} in the others. If that stands for"
        " missing, a linear model takes it for a size: "
    )
    if not column.dated and not _elsewhere(found, column, columns) and not set(texts) & set(labels):
        marks = " ".join(f"--missing={t}" for t in texts)
        return f"{said}say {marks} (missing=[{', '.join(texts)}]) and run again."
    return f"{said}leave those cells empty and run again."


def _elsewhere(found: list[float], column: Number, columns: tuple[Column, ...]) -> bool:
    """Whether a number of `found` stands in another column too, where saying that it is missing would take it as well."""
    others = (c for c in columns if isinstance(c, Number) and c.name != column.name)
    return any(bool(np.isin(found, apart_of).any()) for apart_of in map(_not_apart, others))


def _not_apart(column: Number) -> np.ndarray:
    """Its numbers that stand for themselves."""
    known = column.values[~np.isnan(column.values)]
    return known if len(known) < ROWS else known[~np.isin(known, apart(known))]


def _text(value: float, *, dated: bool) -> str:
    return str(np.datetime64(int(value), "s")).removesuffix("T00:00:00") if dated else f"{value:.12g}"
