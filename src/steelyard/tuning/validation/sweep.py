"""All thresholds of one score vector at once, and the one that serves a metric best."""

import dataclasses
from typing import NamedTuple

import numpy as np

from ...calibrate.exchange import hull
from ...calibrate.threshold import candidates, steps
from ..metric import Metric
from ..weights import Weights


@dataclasses.dataclass(frozen=True)
class Sweep:
    """Thresholds of one score vector: cut i calls `said[i]` rows positive, of which `hit[i]` are; `totals` by class. Rows count 1, or
    their weights."""

    cuts: np.ndarray
    hit: np.ndarray
    said: np.ndarray
    totals: np.ndarray

    @classmethod
    def of(cls, score: np.ndarray, y: np.ndarray) -> "Sweep":
        """Cuts lie midway between neighbouring distinct scores; the ends call every row, or none, positive."""
        return cls.made(*candidates(score.astype(np.float64, copy=False), y == 1))

    @classmethod
    def descending(cls, score: np.ndarray, positive: np.ndarray, weights: Weights = None) -> "Sweep":
        """The same of scores that fall already, of rows that count for their weights."""
        return cls.made(*steps(score, positive, weights))

    @classmethod
    def made(cls, cuts: np.ndarray, hits: np.ndarray, alarms: np.ndarray) -> "Sweep":
        """Of cuts with their positives and negatives, the last of which calls every row positive."""
        return cls(cuts, hits, hits + alarms, np.array([alarms[-1], hits[-1]]))

    def hull(self) -> "Sweep":
        """Only the cuts that can be best for a metric with `hull`: a few dozen of a million."""
        at = hull(self.hit, self.said - self.hit)
        return Sweep(self.cuts[at], self.hit[at], self.said[at], self.totals)

    def value(self, metric: Metric) -> np.ndarray:
        return metric.of_cuts(self.hit, self.said, self.totals)

    def best(self, metric: Metric) -> float:
        """The highest among equally good cuts: the fewest alarms."""
        value = self.value(metric)
        return float(self.cuts[np.argmax(value if metric.higher else -value)])


class Room(NamedTuple):
    """The best rows up to a capacity: all at or above `sure`; of the tied ones from `maybe` up to it, the share `lot`."""

    sure: float
    maybe: float
    lot: float

    @classmethod
    def of(cls, score: np.ndarray, capacity: float, weights: Weights = None) -> "Room":
        """Filled exactly by the rows of `score`, if a share of tied rows is drawn. NaN counts as no row. With weights it is filled by
        what the rows count for: 200 of 10,000 that they stand for."""
        if weights is not None:
            return cls._weighted(score, capacity, weights)
        ranked = np.sort(score[~np.isnan(score)]).astype(np.float64)
        room = capacity * len(ranked)
        if not len(ranked) or room >= len(ranked):
            return cls(-np.inf, -np.inf, 0.0)
        last = ranked[len(ranked) - 1 - int(room + 1e-6)]  # the first that may no longer fit
        low, high = np.searchsorted(ranked, last), np.searchsorted(ranked, last, side="right")
        sure = (last + ranked[high]) / 2 if high < len(ranked) else np.inf
        maybe = (last + ranked[low - 1]) / 2 if low > 0 else -np.inf
        return cls(sure, maybe, max(0.0, room - (len(ranked) - high)) / (high - low))

    @classmethod
    def _weighted(cls, score: np.ndarray, capacity: float, weights: np.ndarray) -> "Room":
        known = ~np.isnan(score)
        level, at = np.unique(-score[known].astype(np.float64), return_inverse=True)
        mass, level = np.bincount(at, weights=weights[known]), -level  # from the top down
        filled = np.cumsum(mass)
        if not len(level) or capacity * filled[-1] >= filled[-1]:
            return cls(-np.inf, -np.inf, 0.0)
        room = capacity * filled[-1]
        last = int(np.searchsorted(filled, room * (1 + 1e-9), side="right"))  # the first that may no longer fit
        sure = (level[last] + level[last - 1]) / 2 if last > 0 else np.inf
        maybe = (level[last] + level[last + 1]) / 2 if last + 1 < len(level) else -np.inf
        return cls(sure, maybe, max(0.0, room - (filled[last] - mass[last])) / mass[last])

    def says(self, score: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """drawn [rows] in [0, 1): whoever draws less than `lot` is taken."""
        return (score >= self.sure) | ((score >= self.maybe) & (drawn < self.lot))
