"""How well scores rank: average precision and ROC AUC under many weightings of the rows, sorted once.

Only positives matter for where anything can change, so negatives are counted between the distinct scores of positives. By the C++
core where it is there (native/ranked.cpp), else by NumPy and scipy.
"""

import dataclasses

import numpy as np

from .. import core

_native = core.load()
THERE = hasattr(_native, "cut_corners")  # a core that was built before it lacks it
FEW = 2**26  # rows whose counts multiply without rounding
MOST = 2**30  # rows that the core's numbers hold
EXACT = 2**24  # sums of whole numbers that float32 holds


@dataclasses.dataclass(frozen=True)
class Ranked:
    """One score vector, sorted once.

    height  G, how many distinct scores the positives have
    slot    [rows] int32. g is the g-th largest of these scores, from 0 on: a positive has slot g, a negative with that score G + g,
            one between it and the next larger one 2 G + g, one below them all 3 G
    """

    height: int
    slot: np.ndarray

    @classmethod
    def of(cls, score: np.ndarray, y: np.ndarray) -> "Ranked":
        positive = y == 1
        if not positive.any():
            raise ValueError("metrics: a ranking needs at least one positive row.")
        return cls(*slots(score, positive))

    def average_precision(self, weights: np.ndarray) -> np.ndarray:
        """sum_g (R_g - R_{g-1}) P_g over distinct scores, [draws]; 0 without positives, as in scikit-learn."""
        if THERE:
            return self._drawn(weights, 0)
        step, tied, between = self._sums(weights)
        return _average_precision(step, np.cumsum(tied + between[:-1], axis=0))

    def roc_auc(self, weights: np.ndarray) -> np.ndarray:
        """Share of pairs ranked right, ties half, [draws]; 0.5 where there is no pair."""
        if THERE:
            return self._drawn(weights, 1)
        step, tied, between = self._sums(weights)
        fp = np.cumsum(tied + between[:-1], axis=0)
        return _roc_auc(step, fp, tied, fp[-1] + between[-1])

    def _drawn(self, weights: np.ndarray, which: int) -> np.ndarray:
        """[draws] of the first metric or the second, for weights [rows, draws]."""
        small = weights.dtype == np.float32 and len(weights) < EXACT
        weights = np.ascontiguousarray(weights, np.float32 if small else np.float64)
        out = np.empty(weights.shape[1])
        addresses = [self.slot.ctypes.data, weights.ctypes.data, 0, 0]
        addresses[2 + which] = out.ctypes.data
        _native.rank_draws(addresses, [*weights.shape, self.height], not small)
        return out

    def _sums(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Positives of each score and negatives with it [G, draws], negatives between it and the next larger one [G + 1, draws]."""
        from scipy import sparse  # who only reads a report has the names of metrics from beside this

        rows, G = len(self.slot), self.height
        ones = np.ones(rows, np.float32 if rows < EXACT else np.float64)
        summed = sparse.csr_matrix((ones, (self.slot, np.arange(rows))), shape=(3 * G + 1, rows)) @ weights
        return _kinds(summed.astype(np.float64), G)


def _kinds(summed: np.ndarray, G: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of [3 G + 1, ...] by slot."""
    return summed[:G], summed[G : 2 * G], summed[2 * G :]


def _average_precision(step: np.ndarray, fp: np.ndarray) -> np.ndarray:
    """step, fp [G, ...]: positives at each level, negatives at or above it."""
    tp = np.cumsum(step, axis=0)
    shown = tp + fp
    precision = np.divide(tp, shown, out=np.zeros_like(tp), where=shown > 0)
    return (step * precision).sum(axis=0) / np.where(tp[-1] > 0, tp[-1], 1.0)


def _roc_auc(step: np.ndarray, fp: np.ndarray, tied: np.ndarray, negatives: np.ndarray | float) -> np.ndarray:
    pairs = np.asarray(step.sum(axis=0) * negatives)
    right = np.asarray((step * (negatives - fp + tied / 2)).sum(axis=0))
    return np.divide(right, pairs, out=np.full(pairs.shape, 0.5), where=pairs > 0)


def of_subsets(
    score: np.ndarray, y: np.ndarray, code: np.ndarray, member: np.ndarray, weights: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Average precision and ROC AUC of many subsets of the rows from one sort, {name: [subsets]}.

    code     [rows] which pattern of membership a row has
    member   bool [subsets, patterns]
    weights  [rows] how much each row counts; 1 unless given
    """
    G, slot = slots(score, y == 1)
    patterns = member.shape[1]
    if not G:
        return {"average_precision": np.zeros(len(member)), "roc_auc": np.full(len(member), 0.5)}
    at = slot.astype(np.int64) * patterns + code
    counts = np.bincount(at, weights=weights, minlength=(3 * G + 1) * patterns).reshape(-1, patterns)
    step, tied, between = _kinds(counts @ member.T.astype(np.float64), G)
    # what lies between two levels counts for the lower one, as do negatives with its score
    fp = np.cumsum(tied + between[:-1], axis=0)
    return {
        "average_precision": _average_precision(step, fp),
        "roc_auc": _roc_auc(step, fp, tied, fp[-1] + between[-1]),
    }


def slots(score: np.ndarray, positive: np.ndarray) -> tuple[int, np.ndarray]:
    """height and slot of a Ranked, for positive bool [rows]; 0 and zeros where there is none. NaN stands above all others."""
    if THERE and len(score) < MOST:
        score, slot = _numbers(score), np.empty(len(score), np.int32)
        marks = np.ascontiguousarray(positive).view(np.uint8)
        addresses = [score.ctypes.data, marks.ctypes.data, slot.ctypes.data]
        return _native.rank_slots(addresses, len(score), score.dtype == np.float64), slot
    order = descending(score)
    ranked = score[order]
    same = (ranked[1:] == ranked[:-1]) | (np.isnan(ranked[1:]) & np.isnan(ranked[:-1]))
    level = np.cumsum(np.append(False, ~same), dtype=np.int64)  # the distinct score each sorted row has, from 0 on
    holds = np.zeros(int(level[-1]) + 1, dtype=bool)
    holds[level[positive[order]]] = True
    G = int(holds.sum())
    group = (np.cumsum(holds) - holds)[level]  # positive levels above; for a positive's own level its index
    slot = np.empty(len(score), np.int32)
    slot[order] = group + np.where(positive[order], 0, np.where(holds[level], G, 2 * G))
    return G, slot


def descending(score: np.ndarray) -> np.ndarray:
    """Rows by falling score, NaN first; rows of one score as they stood."""
    if THERE and len(score) < MOST:
        score, order = _numbers(score), np.empty(len(score), np.int64)
        _native.rank_falling([score.ctypes.data, order.ctypes.data], len(score), score.dtype == np.float64)
        return order
    # NaN is the largest; the reverse of a stable order of what is reversed is stable, too
    return len(score) - 1 - np.argsort(score[::-1].astype(np.float64, copy=False), kind="stable")[::-1]


def corners(
    score: np.ndarray, order: np.ndarray, positive: np.ndarray, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Of the rows that are kept, bool [rows]: the cuts that are corners of the convex hull of hits and alarms, with these numbers, as
    calibrate.exchange.hull finds them among the steps of calibrate.threshold. None where that is left to them.

    order  of `descending`, over all rows
    """
    if not THERE or len(score) >= FEW:
        return None
    score, most = _numbers(score), int(np.count_nonzero(positive & kept)) + 2
    marks = [np.ascontiguousarray(mask).view(np.uint8) for mask in (positive, kept)]
    out = np.empty((3, most))
    addresses = [a.ctypes.data for a in (score, order, *marks, *out)]
    found = _native.cut_corners(addresses, len(score), score.dtype == np.float64)
    cuts, hits, alarms = out[:, :found].copy()
    return cuts, hits, alarms


def _numbers(score: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(score, None if score.dtype in (np.float32, np.float64) else np.float64)
