"""Which rows are held out together, as data: what models, choices and draws agree on. Made by validation/folds.py."""

import dataclasses
import functools

import numpy as np

from .weights import Weights

PER_FOLD = 4  # rows of the rarest class (or groups that contain it) that each fold should hold
STRATIFIED, GROUPED, TIME = "stratified", "grouped", "time"


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Which rows train, which are held out, and which choose what is tuned.

    held     [repetitions, rows] int64: the fold that holds the row out; -1 = never held out
    groups   [rows] int64 codes for "grouped", and for "time" where groups stay whole too
    order    [rows] int64 rank in time for "time": a permutation, equal times in the order of the rows
    gap      rows between a training part and its test block, for "time"
    block    for "time" the test block of each fold, ascending, if several folds (of different groups) share a block; () where each
             fold is one
    notes    what was lowered or shifted, for the reader
    """

    kind: str
    held: np.ndarray
    groups: np.ndarray | None = None
    order: np.ndarray | None = None
    gap: int = 0
    block: tuple[int, ...] = ()
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
            return self.block_of > 0
        return np.ones(self.held.shape[1], dtype=bool)

    @property
    def blocks(self) -> list[np.ndarray]:
        """The judged rows of each test block in time, as masks [judged rows]; [] for the other kinds."""
        if self.order is None:
            return []
        block = self.block_of[self.judged]
        return [block == b for b in range(1, self._block[-1] + 1)]

    @functools.cached_property
    def block_of(self) -> np.ndarray:
        """[rows] the test block in time of each row, -1 before the first."""
        return np.append(self._block, -1)[self.held[0]]

    @property
    def _block(self) -> np.ndarray:
        return np.array(self.block) if self.block else np.arange(self.folds)

    def parts(self) -> list[tuple[int, int]]:
        """(repetition, fold), repetition by repetition."""
        return [(a, f) for a in range(self.repetitions) for f in range(self.folds)]

    def train(self, a: int, f: int) -> np.ndarray:
        """Rows that the model of fold f learns from, ascending: all others, or in time all before the gap, and of other groups."""
        if self.order is None:
            return np.flatnonzero(self.held[a] != f)
        return np.flatnonzero(self._known(f))

    def out(self, a: int, f: int) -> np.ndarray:
        """Rows that fold f holds out, ascending."""
        return np.flatnonzero(self.held[a] == f)

    def tunes(self, a: int, f: int) -> np.ndarray:
        """bool [rows]: rows whose out-of-fold scores choose setting and threshold for fold f.

        All other folds; in time earlier test blocks, as far as their labels are known before the gap and their groups are
        others: none for the first block.
        """
        if self.order is None:
            return self.held[a] != f
        return (self.block_of >= 0) & (self.block_of < self._block[f]) & self._known(f)

    def _known(self, f: int) -> np.ndarray:
        """bool [rows]: in time, rows whose label is known when the block of fold f begins, of groups that f does not hold out."""
        assert self.order is not None
        known = self.order < int(self.order[self.block_of == self._block[f]].min()) - self.gap
        if self.groups is not None:
            known &= ~np.isin(self.groups, self.groups[self.held[0] == f])
        return known


def by_group(y: np.ndarray, groups: np.ndarray, weights: Weights = None, *, classes: int | None = None) -> np.ndarray:
    """[groups, classes]: rows of each class in each group, or the sums of their weights."""
    classes = int(y.max()) + 1 if classes is None else classes
    at, size = groups * classes + y, (int(groups.max()) + 1) * classes
    return np.bincount(at, weights=weights, minlength=size).reshape(-1, classes)
