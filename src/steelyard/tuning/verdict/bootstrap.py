"""Draws of rows with replacement: the same draw for every arm and every repetition.

A draw resamples what the split kept together: rows within each class, whole groups, or stretches of consecutive rows.
"""

from collections.abc import Callable, Iterator

import numpy as np

from ..split import Split

CHUNK = 2**23  # numbers in one [rows, draws] array,
WIDE = 16  # but so many draws even if they are four times as many: whoever gathers rows gets a cache line of each
FIRST = 1000  # rows of a class to look at before all of them
PAGE = 2**16  # rows that are drawn together; the counts of a page stay in the cache

Draw = Callable[[np.random.Generator], np.ndarray]


def draws(y: np.ndarray, count: int, seed: int, split: Split | None = None) -> Iterator[np.ndarray]:
    """Multiplicities float32 [judged rows, some draws], `count` columns in all; how they are cut does not change them.

    y      [rows] labels of the whole table; in time only the judged rows of the split are drawn from and returned
    split  None and "stratified": rows within each class, which keeps its number of rows. "grouped": whole groups, as many as
           there are. "time": stretches of consecutive rows (see `stretch`). The last two are drawn again where a class is
           missing. Multiplicities are 1 on average, but for that.
    """
    rng = np.random.default_rng([seed, 2])
    if split is not None and split.order is not None:
        judged = split.judged
        y, order = y[judged], split.order[judged]
    else:
        order = None
    if order is not None and split is not None:
        one = _stretches(y, np.argsort(order), stretch(len(y), split.gap))
    elif split is not None and split.groups is not None:
        one = _groups(y, split.groups)
    else:
        one = _rows(y)
    size = max(1, CHUNK // len(y), min(WIDE, 4 * CHUNK // len(y)))
    for start in range(0, count, size):
        drawn = np.stack([one(rng) for _ in range(min(size, count - start))])
        yield drawn.T.astype(np.float32, order="C")


def stretch(rows: int, gap: int) -> int:
    """Consecutive rows that are drawn together: rows^(1/3), at least the gap, as labels that are known late overlap that
    long; but never more than a fifth of the rows, or there would be nothing to draw."""
    return max(1, min(max(int(np.ceil(rows ** (1 / 3))), gap), rows // 5))


def _rows(y: np.ndarray) -> Draw:
    members = [np.flatnonzero(y == c) for c in range(int(y.max()) + 1)]

    def draw(rng: np.random.Generator) -> np.ndarray:
        row = np.empty(len(y), np.uint8)
        for rows in members:
            row[rows] = _multiplicities(len(rows), rng)
        return row

    return draw


def _multiplicities(n: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of n is drawn in n draws. Above a page first how many fall on each page, then where on it: the same
    distribution, a third of the time."""
    if n <= PAGE:
        return np.bincount(rng.integers(0, n, n), minlength=n)
    sizes = np.diff(np.append(np.arange(0, n, PAGE), n))
    out = np.empty(n, np.uint8)
    start = 0
    for size, times in zip(sizes.tolist(), rng.multinomial(n, sizes / n).tolist(), strict=True):
        out[start : start + size] = np.bincount(rng.integers(0, size, times, dtype=np.uint16), minlength=size)
        start += size
    return out


def _groups(y: np.ndarray, groups: np.ndarray) -> Draw:
    """Groups are not stratified: how many of them hold a rare row is part of what chance decides."""
    classes, n = int(y.max()) + 1, int(groups.max()) + 1
    within = np.bincount(groups * classes + y, minlength=n * classes).reshape(n, classes)

    def draw(rng: np.random.Generator) -> np.ndarray:
        times = _multiplicities(n, rng)
        while not np.all(times @ within > 0):
            times = _multiplicities(n, rng)
        return times.astype(np.uint8)[groups]

    return draw


def _stretches(y: np.ndarray, sequence: np.ndarray, length: int) -> Draw:
    """`sequence` lists the rows in order of time. The end joins the beginning, so that no row is drawn more rarely than
    others (the circular block bootstrap of Politis and Romano 1992)."""
    n = len(y)
    ordered = y[sequence]
    members = [np.flatnonzero(ordered == c) for c in range(int(y.max()) + 1)]
    pieces = -(-n // length)
    lengths = np.full(pieces, length)
    lengths[-1] = n - length * (pieces - 1)

    def draw(rng: np.random.Generator) -> np.ndarray:
        while True:
            starts = rng.integers(0, n, pieces)
            ends = starts + lengths
            change = np.zeros(n, np.int32)
            np.add.at(change, starts, 1)
            np.subtract.at(change, ends % n, 1)
            times = np.cumsum(change) + int(np.sum(ends >= n))  # stretches over the end are under way at the beginning
            if all(times[rows[:FIRST]].any() or times[rows].any() for rows in members):
                break
        out = np.empty(n, np.uint8)
        out[sequence] = times
        return out

    return draw
