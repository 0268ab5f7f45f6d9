"""The exchange curve: how many false alarms each further positive costs, threshold by threshold."""

import dataclasses
from typing import Any

import numpy as np

from .. import notebook
from .threshold import candidates, checked

SHOWN = 12  # steps in a notebook and at the prompt
ROUNDS = 64  # of vectorised pruning before the rest is walked one by one


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Exchange:
    """Steps down the ranking that are worth taking: the corners of the ROC curve's convex hull, from "nobody" to "everybody".

    threshold  [steps] call rows with p >= threshold; inf calls nobody
    hits       [steps] positives called, `alarms` [steps] negatives called
    marginal   [steps] false alarms per further positive on the way here from the step before; 0 at the first. It never
               falls, and inf means that only false alarms were added
    average    [steps] false alarms per positive called so far; 0 where nobody is called
    """

    threshold: np.ndarray
    hits: np.ndarray
    alarms: np.ndarray
    marginal: np.ndarray
    average: np.ndarray

    def at(self, rate: float) -> float:
        """The threshold for someone who accepts `rate` false alarms for one more positive: the same as that of the costs
        cost_fn = rate, cost_fp = 1, because cost is least where every step taken cost fewer than `rate` alarms per positive
        and no further one does."""
        if not 0 < rate < np.inf:
            raise ValueError(f"exchange: rate must be a number of false alarms > 0, got {rate}.")
        return float(self.threshold[np.flatnonzero(self.marginal < rate)[-1]])

    def __repr__(self) -> str:
        head, rows, said = self._said()
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in (head, *rows)]
        return "\n".join([said, *lines])

    def _repr_html_(self) -> str:
        head, rows, said = self._said()
        return notebook.words(said) + notebook.table(head, rows)

    def _said(self) -> tuple[tuple[str, ...], list[tuple[str, ...]], str]:
        """Head and rows of a table of some of the steps, and a sentence."""
        n = len(self.threshold)
        picked = range(n) if n <= SHOWN else sorted({round(i * (n - 1) / (SHOWN - 1)) for i in range(SHOWN)})
        head = ("threshold", "found", "false alarms", "per further positive")
        rows = [
            (f"{t:.4g}", f"{h:,.0f}", f"{a:,.0f}", f"{m:.4g}" if i else "")
            for i in picked
            for t, h, a, m in [(self.threshold[i], self.hits[i], self.alarms[i], self.marginal[i])]
        ]
        shown = f", {len(rows)} of them shown" if len(rows) < n else ""
        return head, rows, f"Exchange of {n:,} steps from nobody to everybody{shown}"

    def to_dict(self) -> dict[str, list[float]]:
        """Plain lists, ready for JSON except for infinite thresholds and rates."""
        return {field.name: getattr(self, field.name).tolist() for field in dataclasses.fields(self)}


def exchange(p: Any, y: Any) -> Exchange:
    """What positives cost in false alarms, on held-out rows.

    p [N] probabilities (or scores, ascending) of the positive class, y [N] 0 or 1: arrays, lists or tensors. Rows of one
    score stay together; thresholds lie midway between neighbouring scores. A threshold off the convex hull is left out:
    some other one, or a lottery between two, finds as many positives with fewer false alarms.

    Source: Provost and Fawcett 2001, "Robust classification for imprecise environments", arXiv:cs/0009007.

    >>> curve = exchange([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [1, 0, 1, 0, 0, 0])
    >>> curve.marginal.tolist(), curve.hits.tolist()
    ([0.0, 0.0, 1.0, inf], [0.0, 1.0, 2.0, 2.0])
    """
    scores, positive = checked(p, y, "exchange")
    cuts, hits, alarms = candidates(scores, positive)
    at = hull(hits, alarms)
    cuts, hits, alarms = cuts[at], hits[at], alarms[at]
    further, paid = np.diff(hits), np.diff(alarms)
    marginal = np.append(0.0, np.divide(paid, further, out=np.full(len(paid), np.inf), where=further > 0))
    average = np.divide(alarms, hits, out=np.where(alarms > 0, np.inf, 0.0), where=hits > 0)
    return Exchange(cuts, hits, alarms, marginal, average)


def hull(hits: np.ndarray, alarms: np.ndarray) -> np.ndarray:
    """Indices of the corners of the upper convex hull of a ROC curve whose counts never fall, both ends included.

    Counts are whole numbers, so that below 2^26 rows nothing is rounded. A point on or below the chord of two others is
    no corner whatever else is left out, so whole rounds can be left out at once.
    """
    gains = np.append(False, hits[1:] > hits[:-1])  # a cut that finds nobody new is no corner, but for the ends
    gains[[0, -1]] = True
    at = np.flatnonzero(gains)
    for _ in range(ROUNDS):
        keep = _above(hits[at], alarms[at])
        if keep.all():
            return at
        at = at[keep]
    corners: list[int] = []
    for i in at.tolist():
        while len(corners) > 1 and not _turns(hits, alarms, corners[-2], corners[-1], i):
            corners.pop()
        corners.append(i)
    return np.array(corners)


def _above(h: np.ndarray, a: np.ndarray) -> np.ndarray:
    """Whether each point lies above the chord of its neighbours; the ends do."""
    rise = (h[1:-1] - h[:-2]) * (a[2:] - a[1:-1]) - (h[2:] - h[1:-1]) * (a[1:-1] - a[:-2])
    return np.concatenate([[True], rise > 0, [True]]) if len(h) > 1 else np.ones(len(h), dtype=bool)


def _turns(hits: np.ndarray, alarms: np.ndarray, i: int, j: int, k: int) -> bool:
    return bool(_above(hits[[i, j, k]], alarms[[i, j, k]])[1])
