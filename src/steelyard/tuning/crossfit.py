"""Everything tuned is chosen on the other folds: regularisation strength first, then the threshold. Plain gets the same.

For repetition a and fold f the choice is made from the out-of-fold scores of repetition a on the rows outside f, and
applied to f. Arrays are [arms, repetitions, ...]; scores are on plain scale (see engines.undo).
"""

import dataclasses
import functools

import numpy as np

from .metrics import METRICS, Evaluator, Metric, from_confusion

SHIFTS = np.linspace(0.0, 1.5, 31)  # more than two classes: decide by log p_c - tau log pi_c, tau from here


@dataclasses.dataclass(frozen=True)
class OutOfFold:
    """Scores of every arm at every strength for rows its model has not seen.

    scores     [arms, strengths, repetitions, rows] log-odds, or [..., rows, C] log-probabilities
    held       [repetitions, rows]: the fold that held each row out
    strengths  ascending
    """

    scores: np.ndarray
    y: np.ndarray
    held: np.ndarray
    strengths: np.ndarray
    classes: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """arms, repetitions, folds"""
        return self.scores.shape[0], self.scores.shape[2], int(self.held.max()) + 1

    def choose(self, criterion: Metric) -> "Choice":
        """The best strength by `criterion`, on the rows outside each fold and on all rows."""
        arms, repetitions, k = self.shape
        sign = 1.0 if criterion.higher else -1.0
        outside = np.stack([self.held != f for f in range(k)])  # [k, repetitions, rows]
        near = np.argsort(np.abs(np.log(self.strengths)), kind="stable")  # among equals the nearest to the default
        picked = np.empty((arms, repetitions, k), dtype=np.int64)
        overall = np.zeros((arms, len(self.strengths)))
        for j in range(arms):
            for a in range(repetitions):
                weights = np.column_stack([outside[:, a].T, np.ones(len(self.y))]).astype(np.float32)
                value = sign * Evaluator(criterion, self.scores[j, :, a], self.y, self.classes)(weights)
                picked[j, a] = near[np.argmax(value[near, :k], axis=0)]
                overall[j] += value[:, k] / repetitions
        pooled = np.empty((arms, repetitions, *self.scores.shape[3:]))
        for j in range(arms):
            for a in range(repetitions):
                pooled[j, a] = self.scores[j, picked[j, a][self.held[a]], a, np.arange(len(self.y))]
        return Choice(self, picked, near[np.argmax(overall[:, near], axis=1)], overall, pooled)


@dataclasses.dataclass(frozen=True)
class Choice:
    """Strengths chosen by one criterion.

    picked   [arms, repetitions, folds] index of the strength chosen outside each fold
    final    [arms] index of the strength chosen on all rows
    overall  [arms, strengths] mean over repetitions of the criterion, larger is better
    pooled   [arms, repetitions, rows(, C)] out-of-fold scores at the picked strengths
    """

    source: OutOfFold
    picked: np.ndarray
    final: np.ndarray
    overall: np.ndarray
    pooled: np.ndarray

    def edges(self, tolerance: float) -> tuple[bool, bool]:
        """Whether any arm still gains more than `tolerance` at the weakest, and at the strongest, regularisation."""
        last = self.overall.shape[1] - 1
        low = (self.final == 0) & (self.overall[:, 0] - self.overall[:, min(1, last)] > tolerance)
        high = (self.final == last) & (self.overall[:, last] - self.overall[:, max(0, last - 1)] > tolerance)
        return bool(low.any()), bool(high.any())

    def at_edge(self, arm: int, tolerance: float) -> bool:
        one = dataclasses.replace(self, final=self.final[[arm]], overall=self.overall[[arm]])
        return any(one.edges(tolerance))

    @functools.cached_property
    def ranks(self) -> "list[list[list[Sweep]]]":
        """Sweeps over the rows outside each fold, and last over all rows: [arms][repetitions][folds + 1]."""
        arms, repetitions, k = self.source.shape
        y, held = self.source.y, self.source.held
        return [
            [
                [
                    Sweep.of(self.source.scores[j, self.picked[j, a, f], a][held[a] != f], y[held[a] != f])
                    for f in range(k)
                ]
                + [Sweep.of(self.pooled[j, a], y)]
                for a in range(repetitions)
            ]
            for j in range(arms)
        ]

    def decide(self, metric: Metric) -> tuple[np.ndarray, np.ndarray]:
        """Decisions [arms, repetitions, rows], each by a threshold from the other folds, and the thresholds on all rows
        [arms, repetitions]: log-odds, or tau for more than two classes."""
        arms, repetitions, _ = self.source.shape
        held, prior = self.source.held, np.log(np.bincount(self.source.y) / len(self.source.y))
        decided = np.empty((arms, repetitions, held.shape[1]), dtype=np.int64)
        final = np.empty((arms, repetitions))
        for j in range(arms):
            for a in range(repetitions):
                if self.source.classes == 2:
                    *cuts, final[j, a] = [sweep.best(metric) for sweep in self.ranks[j][a]]
                    decided[j, a] = self.pooled[j, a] >= np.array(cuts)[held[a]]
                    continue
                value, said = self._shifts(metric, j, a, prior)
                *at, final_at = np.argmax(value, axis=0)
                final[j, a] = SHIFTS[final_at]
                for f, best in enumerate(at):
                    rows = held[a] == f
                    decided[j, a, rows] = said[self.picked[j, a, f]][best][rows]
        return decided, final

    def _shifts(self, metric: Metric, j: int, a: int, prior: np.ndarray) -> tuple[np.ndarray, dict[int, np.ndarray]]:
        """The metric of every tau, [taus, folds + 1], and by strength the decisions [taus, rows]."""
        scores, held = self.source.scores, self.source.held[a]
        said = {int(s): shifted(scores[j, s, a], prior) for s in {*self.picked[j, a].tolist()}}
        y, classes = self.source.y, self.source.classes
        columns = [
            Evaluator(metric, said[int(s)], y, classes)((held != f)[:, None].astype(np.float32))[:, 0]
            for f, s in enumerate(self.picked[j, a])
        ]
        everything = shifted(self.pooled[j, a], prior)
        return np.column_stack([*columns, Evaluator(metric, everything, y, classes)()]), said


def shifted(logp: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """[taus, rows]: the class with the largest log p_c - tau log pi_c."""
    return np.stack([np.argmax(logp - tau * prior, axis=1) for tau in SHIFTS])


@dataclasses.dataclass(frozen=True)
class Sweep:
    """All thresholds of one score vector: cut i calls `said[i]` rows positive, of which `hit[i]` are."""

    cuts: np.ndarray
    hit: np.ndarray
    said: np.ndarray
    totals: np.ndarray

    @classmethod
    def of(cls, score: np.ndarray, y: np.ndarray) -> "Sweep":
        """Cuts lie midway between neighbouring distinct scores; the ends call every row, or none, positive."""
        order = np.argsort(-score)
        s = score[order]
        hits = np.cumsum(y[order])
        last = np.append(np.flatnonzero(s[1:] != s[:-1]), len(s) - 1)  # the last row of each group of equal scores
        levels = s[last]
        cuts = np.concatenate([[np.inf], (levels[:-1] + levels[1:]) / 2, [-np.inf]])
        return cls(cuts, np.append(0, hits[last]), np.append(0, last + 1), np.bincount(y, minlength=2))

    def value(self, metric: Metric) -> np.ndarray:
        return from_confusion(metric, self.hit, self.said, self.totals)

    def best(self, metric: Metric) -> float:
        value = self.value(metric)
        return float(self.cuts[np.argmax(value if metric.higher else -value)])


def criterion(metric: Metric) -> Metric:
    """What chooses the strength: a ranking or probability metric itself, log loss for decisions."""
    return METRICS["log_loss"] if metric.kind == "decision" else metric


def outcomes(choice: Choice, metric: Metric) -> np.ndarray:
    """What the metric judges: pooled scores, or decisions, [arms, repetitions, rows(, C)]."""
    return choice.decide(metric)[0] if metric.kind == "decision" else choice.pooled


def threshold_metric(metric: Metric, cost: Metric | None, classes: int) -> Metric:
    """What the moved threshold maximises: the verdict's own metric, else the costs, else the nearest decision metric."""
    if metric.kind == "decision":
        return metric
    if cost is not None:
        return cost
    if classes > 2 or metric.name == "roc_auc":
        return METRICS["balanced_accuracy"]
    return METRICS["f1"]


def probability(log_odds: np.ndarray | float) -> np.ndarray:
    return np.exp(-np.logaddexp(0.0, -np.asarray(log_odds, dtype=np.float64)))
