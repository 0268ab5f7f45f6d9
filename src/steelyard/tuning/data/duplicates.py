"""Rows that stand twice, and whether that is more than chance: what is learned by heart looks like skill."""

from collections.abc import Iterator

import numpy as np

from ..split import Split
from .features import Category, Number
from .problem import Problem

DUPLICATES = 0.001  # share of the rows (or a hundredth of the rarest class) from which duplicates are said
FINE = 50  # distinct numbers above which equal numbers are not expected


def duplicates(task: Problem, split: Split | None = None) -> list[str]:
    """Rows that equal another one in every column, where one of them is held out and the other is learned from."""
    n, (distinct, cell, times) = len(task.y), _equal_rows(task)
    if distinct == n or not len(task.features.columns):
        return []
    if split is None:
        apart = times[cell] > 1
    else:
        held = split.held[0] - split.held[0].min()
        lowest, highest = np.full(distinct, n), np.zeros(distinct, dtype=np.int64)
        np.minimum.at(lowest, cell, held)
        np.maximum.at(highest, cell, held)
        apart = (lowest < highest)[cell]
    rare = int(np.bincount(task.y).argmin())
    least = max(2, DUPLICATES * n), max(2, 10 * DUPLICATES * np.sum(task.y == rare))
    if np.sum(apart) < least[0] and np.sum(apart & (task.y == rare)) < least[1]:
        return []
    rows, by_chance = np.flatnonzero(apart), _twins_by_chance(task)
    unexpected = int(np.sum(times[cell[rows]] - 1 > 10 * by_chance[rows]))
    if unexpected < max(len(rows) / 2, 10 * by_chance[by_chance < 1].sum()):
        return []
    labels = np.zeros((distinct, 2), dtype=np.int64)
    labels[:, 0] = n
    np.minimum.at(labels[:, 0], cell, task.y)
    np.maximum.at(labels[:, 1], cell, task.y)
    contradict = int(np.sum((labels[:, 0] < labels[:, 1])[cell[rows]]))
    most = int(times[cell[rows]].max())
    whole = "" if split is None or split.groups is None else ", and in another group"
    sentence = (
        f"{len(rows):,} of {n:,} rows ({100 * len(rows) / n:.3g} %) equal another row in every column{whole}, so they are held"
        f" out while their twins are learned from{f'; one of them stands {most} times' if most > 2 else ''}. If twins are"
        " the same thing seen again (a patient, a machine, a customer), name the column that says so with --group; if they are copies, remove"
        " them."
    )
    if contradict:
        sentence += f" {contradict} of them have a twin with another label, which no model can tell apart."
    return [sentence]


def _equal_rows(task: Problem) -> tuple[int, np.ndarray, np.ndarray]:
    """(different rows, number [rows] of the different row that each is, how often each stands).

    By a hash of 64 bits: among 10^7 different rows two are taken for one with a probability of 3e-6.
    """
    total = np.zeros(len(task.y), dtype=np.uint64)
    for j, column in enumerate(task.features.columns):
        for bits in _bits(column):
            total = _mixed(total ^ (bits + np.uint64(j + 1)))
    _, cell, times = np.unique(total, return_inverse=True, return_counts=True)
    return len(times), cell, times


def _bits(column: object) -> Iterator[np.ndarray]:
    """uint64 [rows], equal where the values are."""
    if isinstance(column, Number):
        values = column.values + 0.0  # -0 is 0
        values[np.isnan(values)] = np.nan  # one kind of gap
        yield values.view(np.uint64)
    elif isinstance(column, Category):
        yield column.codes.astype(np.int64).view(np.uint64)
    else:
        rng = np.random.default_rng(0)
        counts = column.counts  # type: ignore[attr-defined]
        for _ in range(2):
            yield (counts @ rng.random(counts.shape[1]) + 0.0).view(np.uint64)


def _mixed(x: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): every bit of the input changes half of the output."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _twins_by_chance(task: Problem) -> np.ndarray:
    """[rows] how many twins each would have if the columns had nothing to do with each other.

    Only columns of many different numbers count: rows of a few categories equal each other by nature.
    """
    n = len(task.y)
    expected = np.full(n, float(n))
    for column in task.features.columns:
        if isinstance(column, Number):
            values, place, times = np.unique(column.values, return_inverse=True, return_counts=True)
            if len(values) > FINE:
                expected *= times[place] / n
    return expected
