"""Draws of rows with replacement: the same draw for every arm and every repetition.

A draw resamples what the split kept together: rows within each class, whole groups, or stretches of time that hold whole events.
"""

from collections.abc import Callable, Iterator

import numpy as np

from ..events import units
from ..split import Split

CHUNK = 2**23  # numbers in one [rows, draws] array,
MOST = 128  # draws in it, between which one can stop,
WIDE = 16  # but so many draws even if they are four times as many: whoever gathers rows gets a cache line of each
PAGE = 2**16  # rows that are drawn together; the counts of a page stay in the cache

Draw = Callable[[np.random.Generator], np.ndarray]


def draws(y: np.ndarray, count: int, seed: int, split: Split | None = None) -> Iterator[np.ndarray]:
    """Multiplicities float32 [judged rows, some draws], `count` columns in all; how they are cut does not change them.

    y      [rows] labels of the whole table; in time only the judged rows of the split are drawn from and returned
    split  None and "stratified": rows within each class, which keeps its number of rows. "grouped": whole groups, as many as
           there are. "time": stretches of consecutive rows that tear no event apart (see events.units), or whole groups where
           there are groups too. The last two are drawn again where a class is missing. Multiplicities are 1 on average, but for that.
    """
    rng = np.random.default_rng([seed, 2])
    if split is not None and split.order is not None:
        judged = split.judged
        y, order = y[judged], split.order[judged]
        if split.groups is None:
            together = units(y, order, split.gap)
        else:
            together = np.unique(split.groups[judged], return_inverse=True)[1]
        one = _groups(y, together)
    elif split is not None and split.groups is not None:
        one = _groups(y, split.groups)
    else:
        one = _rows(y)
    size = min(MOST, max(1, CHUNK // len(y), min(WIDE, 4 * CHUNK // len(y))))
    for start in range(0, count, size):
        drawn = np.stack([one(rng) for _ in range(min(size, count - start))])
        yield drawn.T.astype(np.float32, order="C")


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
    """Groups, or stretches of time, are not stratified: how many of them hold a rare row is part of what chance decides."""
    classes, n = int(y.max()) + 1, int(groups.max()) + 1
    within = np.bincount(groups * classes + y, minlength=n * classes).reshape(n, classes)

    def draw(rng: np.random.Generator) -> np.ndarray:
        times = _multiplicities(n, rng)
        while not np.all(times @ within > 0):
            times = _multiplicities(n, rng)
        return times.astype(np.uint8)[groups]

    return draw
