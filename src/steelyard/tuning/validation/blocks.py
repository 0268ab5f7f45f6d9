"""Where to cut rows in order of time, so that no equal times are torn apart and no part lacks a class."""

import numpy as np

PER_BLOCK = 5  # rows of each class that a block should hold, where it can
LEARNED = 2  # rows of each class in every training part


def boundaries(y: np.ndarray, cuts: np.ndarray, folds: int, gap: int) -> np.ndarray | None:
    """Starts of at most `folds` test blocks after a first stretch as long as one of them; None if there are not even two.

    y     [rows] labels in order of time
    cuts  where a boundary may be, ascending: rows before it are earlier than rows from it on
    gap   rows before a block whose labels are not known when it begins

    Boundaries are shifted as little as needed for every block to hold rows of every class (5 of each where possible) and
    for every training part to hold 2; where that cannot be, there are fewer blocks.
    """
    reach = Reach(y, cuts, gap)
    for k in range(folds, 1, -1):
        for need in (PER_BLOCK, 1):
            starts = reach.boundaries(k, need)
            if starts is not None:
                return starts
    return None


class Reach:
    """How far boundaries may move. y [rows] in order of time, cuts where a boundary may be, ascending."""

    def __init__(self, y: np.ndarray, cuts: np.ndarray, gap: int):
        classes = int(y.max()) + 1
        self.rows, self.cuts, self.gap = len(y), cuts, gap
        self.at = [np.flatnonzero(y == c) for c in range(classes)]

    def up(self, p: float) -> int | None:
        """The first cut at p or later."""
        i = np.searchsorted(self.cuts, p)
        return int(self.cuts[i]) if i < len(self.cuts) else None

    def down(self, p: float) -> int | None:
        """The last cut at p or earlier."""
        i = np.searchsorted(self.cuts, p, side="right") - 1
        return int(self.cuts[i]) if i >= 0 else None

    def end(self, start: int, need: int, gap: int = 0) -> int | None:
        """The first cut with `need` rows of each class between `start` and `gap` rows before it."""
        last = 0
        for at in self.at:
            i = np.searchsorted(at, start) + need - 1
            if i >= len(at):
                return None
            last = max(last, int(at[i]))
        return self.up(last + 1 + gap)

    def start(self, end: int, need: int, gap: int = 0) -> int | None:
        """The last cut with `need` rows of each class between it and `gap` rows before `end`."""
        first = self.rows
        for at in self.at:
            i = np.searchsorted(at, end - gap) - need
            if i < 0:
                return None
            first = min(first, int(at[i]))
        return self.down(first)

    def boundaries(self, k: int, need: int) -> np.ndarray | None:
        """[k] starts of the test blocks, as near to equal stretches as they may be, or None.

        The first block, on which alone the second is tuned, has its classes before the gap.
        """
        latest: list[int] = []
        bound: int | None = self.rows
        for i in range(k, 0, -1):
            bound = self.start(bound, need, self.gap if i == 1 and k > 1 else 0)
            if bound is None:
                return None
            latest.append(bound)
        latest.reverse()
        starts: list[int] = []
        for i in range(k):
            low = (
                self.end(0, max(need, LEARNED), self.gap) if i == 0 else self.end(starts[-1], need, self.gap * (i == 1))
            )
            if low is None or low > latest[i]:
                return None
            target = self.rows * (i + 1) / (k + 1)
            below, above = self.down(target), self.up(target)
            near = [c for c in (below, above) if c is not None]
            nearest = min(near, key=lambda c: abs(c - target)) if near else low
            starts.append(int(np.clip(nearest, low, latest[i])))
        return np.array(starts)
