"""Which rows are held out together, as data: what models, choices and draws agree on. Made by validation/folds.py."""

import dataclasses

import numpy as np

from .weights import Weights, effective, masses, take, whole

PER_FOLD = 4  # rows of the rarest class (or groups that contain it) that each fold should hold
STRATIFIED, GROUPED, TIME = "stratified", "grouped", "time"


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Which rows train, which are held out, and which choose what is tuned.

    held     [repetitions, rows] int64: the fold (in time: the test block) that holds the row out; -1 = never held out
    groups   [rows] int64 codes for "grouped"
    order    [rows] int64 rank in time for "time": a permutation, equal times in the order of the rows
    gap      rows between a training part and its test block, for "time"
    notes  what was lowered or shifted, for the reader
    """

    kind: str
    held: np.ndarray
    groups: np.ndarray | None = None
    order: np.ndarray | None = None
    gap: int = 0
    notes: tuple[str, ...] = ()

    @property
    def repetitions(self) -> int:
        return len(self.held)

    @property
    def folds(self) -> int:
        return int(self.held.max()) + 1

    @property
    def judged(self) -> np.ndarray:
        """bool [rows]: rows that a metric may look at. In time neither the first stretch, which is only learned from, nor
        the first test block, on which only settings and thresholds are chosen."""
        if self.order is not None:
            return self.held[0] > 0
        return np.ones(self.held.shape[1], dtype=bool)

    @property
    def blocks(self) -> list[np.ndarray]:
        """The judged rows of each test block in time, as masks [judged rows]; [] for the other kinds."""
        if self.order is None:
            return []
        block = self.held[0][self.judged]
        return [block == f for f in range(1, self.folds)]

    def parts(self) -> list[tuple[int, int]]:
        """(repetition, fold), repetition by repetition."""
        return [(a, f) for a in range(self.repetitions) for f in range(self.folds)]

    def train(self, a: int, f: int) -> np.ndarray:
        """Rows that the model of fold f learns from, ascending: all others, or in time all before the gap."""
        if self.order is None:
            return np.flatnonzero(self.held[a] != f)
        return np.flatnonzero(self.order < self._known(f))

    def out(self, a: int, f: int) -> np.ndarray:
        """Rows that fold f holds out, ascending."""
        return np.flatnonzero(self.held[a] == f)

    def tunes(self, a: int, f: int) -> np.ndarray:
        """bool [rows]: rows whose out-of-fold scores choose setting and threshold for fold f.

        All other folds; in time earlier test blocks, as far as their labels are known before the gap: none for f = 0.
        """
        if self.order is None:
            return self.held[a] != f
        return (self.held[a] >= 0) & (self.held[a] < f) & (self.order < self._known(f))

    def _known(self, f: int) -> int:
        """The rank up to which labels are known when block f begins."""
        assert self.order is not None
        return int(self.order[self.held[0] == f].min()) - self.gap


def rare(y: np.ndarray, split: Split, weights: Weights = None) -> int:
    """What the verdict counts of the rarest class: its rows, in time its judged rows, or the groups that contain it; where rows are
    weighted, so many of equal weight as vary alike."""
    return int(_containing(y, split, weights).min())


def rarest(y: np.ndarray, split: Split, weights: Weights = None) -> int:
    """The class that `rare` counts; the last among equals, which of two classes is the positive one."""
    counts = _containing(y, split, weights)
    return int(np.flatnonzero(counts == counts.min())[-1])


def rare_by_block(y: np.ndarray, split: Split, weights: Weights = None) -> tuple[int, ...]:
    """The same in each judged block in time; () for the other kinds."""
    judged, classes = split.judged, int(y.max()) + 1
    return tuple(int(_rows(y[judged][b], take(take(weights, judged), b), classes).min()) for b in split.blocks)


def _containing(y: np.ndarray, split: Split, weights: Weights) -> np.ndarray:
    """[classes]"""
    if split.groups is None:
        return _rows(y[split.judged], take(weights, split.judged), int(y.max()) + 1)
    if weights is None:
        return (by_group(y, split.groups) > 0).sum(axis=0)
    mass = by_group(y, split.groups, weights)
    return whole(effective(mass.sum(axis=0), np.square(mass).sum(axis=0)))


def _rows(y: np.ndarray, weights: Weights, classes: int) -> np.ndarray:
    sums = masses(y, weights, classes)
    return sums if weights is None else whole(effective(sums, masses(y, np.square(weights), classes)))


def by_group(y: np.ndarray, groups: np.ndarray, weights: Weights = None) -> np.ndarray:
    """[groups, classes]: rows of each class in each group, or the sums of their weights."""
    classes = int(y.max()) + 1
    at, size = groups * classes + y, (int(groups.max()) + 1) * classes
    return np.bincount(at, weights=weights, minlength=size).reshape(-1, classes)
