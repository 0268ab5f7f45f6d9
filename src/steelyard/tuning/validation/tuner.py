"""Which rows choose what is tuned for which fold, so that sums over all of these sets take one pass."""

import dataclasses

import numpy as np

from .folds import Split


@dataclasses.dataclass(frozen=True, eq=False)
class Tuner:
    """Which rows of one repetition choose for which fold.

    held    [rows] fold, or -1
    code    [rows] which pattern of membership a row has: there are few
    member  bool [folds + 1, patterns]: in the tuning rows of the fold; last: judged
    ready   bool [folds + 1]: those rows hold every class
    """

    held: np.ndarray
    code: np.ndarray
    member: np.ndarray
    ready: np.ndarray

    @classmethod
    def of(cls, split: Split, a: int, y: np.ndarray) -> "Tuner":
        masks = [split.tunes(a, f) for f in range(split.folds)] + [split.judged]
        code = np.zeros(len(y), dtype=np.int64)
        for i, mask in enumerate(masks):
            code = 2 * (code if i % 30 else np.unique(code, return_inverse=True)[1]) + mask
        _, first, code = np.unique(code, return_index=True, return_inverse=True)
        C = int(y.max()) + 1
        ready = np.array([np.all(np.bincount(y[mask], minlength=C) > 0) for mask in masks])
        small = code.astype(np.min_scalar_type(len(first)))
        return cls(split.held[a], small, np.stack([mask[first] for mask in masks]), ready)

    def rows(self, f: int) -> np.ndarray:
        """bool [rows]: those that choose for fold f; f = folds: the judged ones."""
        return self.member[f][self.code]

    def sums(self, cells: np.ndarray, size: int) -> np.ndarray:
        """How often each number below `size` stands in `cells` [rows], by fold and among the judged: [folds + 1, size]."""
        patterns = self.member.shape[1]
        counts = np.bincount(self.code * np.int64(size) + cells, minlength=patterns * size).reshape(patterns, size)
        return self.member.astype(np.float64) @ counts

    def mean(self, values: np.ndarray) -> np.ndarray:
        """[folds + 1]; 0 where there are no rows."""
        used, patterns = self.member.any(axis=0), self.member.shape[1]
        total = np.bincount(self.code, weights=values, minlength=patterns)
        total[~used] = 0.0  # never held out: NaN
        rows = self.member @ np.bincount(self.code, minlength=patterns)
        return self.member.astype(np.float64) @ total / np.maximum(rows, 1)
