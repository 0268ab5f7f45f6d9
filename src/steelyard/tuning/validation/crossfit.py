"""Everything tuned is chosen on the other folds: setting first, then the threshold. Plain gets the same.

For repetition a and fold f the choice is made from the out-of-fold scores of repetition a on the rows that `split.tunes`
names (all other folds; in time earlier blocks), and applied to f. Arrays are [arms, repetitions, ...]; scores are on
plain scale (see undo). Arm by arm and repetition by repetition, so that nothing as large as all scores is ever made.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...calibrate.scaling import CERTAIN
from .. import ranked
from ..metric import DECISION, LOSSES, METRICS, RANKING, Metric
from ..threads import cores, spread
from . import cuts, recalibrate
from . import outcomes as align
from .cuts import SHIFTS
from .folds import Split
from .sweep import Sweep
from .tuner import Tuner

__all__ = ["SHIFTS", "Choice", "OutOfFold", "Sweep", "criterion", "outcomes", "probability", "threshold_metric"]

AT_ONCE = 2**24  # rows that may be worked on at once: a hundred bytes each
UNJUDGED = -1  # decision about a row that is not judged: never held out, or with nothing to be tuned on


@dataclasses.dataclass(frozen=True, eq=False)
class OutOfFold:
    """Scores of every arm at every setting for rows its model has not seen.

    scores    [arms, settings, repetitions, rows] log-odds, or [..., rows, C] log-probabilities; float32 is enough. NaN for
              rows that are never held out
    settings  ascending; among equally good ones the nearest to `default` is taken, on the scale of logarithms
    """

    scores: np.ndarray
    y: np.ndarray
    split: Split
    settings: np.ndarray
    classes: int
    default: float = 1.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """arms, repetitions, folds"""
        return self.scores.shape[0], self.scores.shape[2], self.split.folds

    def score(self, arm: int, setting: int, a: int) -> np.ndarray:
        """[rows(, C)]; a probability of 0 or 1 counts as the furthest other one, at least as 2^-52 or 1 - 2^-52."""
        z = self.scores[arm, setting, a]
        endless = np.isinf(z)
        if not endless.any():
            return z
        far = max(CERTAIN, float(np.nanmax(np.abs(z), initial=0.0, where=~endless)))
        return np.clip(z, -far, far)

    def prior(self, a: int) -> np.ndarray:
        """[rows] log-odds of the positives in what each row's model was trained on; 0 where never held out. Two classes."""
        found = np.zeros(len(self.y), np.float32)
        for f in range(self.split.folds):
            if len(rows := self.split.out(a, f)):
                no, yes = np.bincount(self.y[self.split.train(a, f)], minlength=2)
                found[rows] = np.log(yes / no)
        return found

    def each(self, function: Callable[[Any], None], *shape: int) -> None:
        """function(index) for every index of an array of this shape, on as many cores as the working memory of each allows."""
        items = list(np.ndindex(*shape))
        _ = self.tuners  # once, not in every thread
        width = max(1, min(cores(), AT_ONCE // len(self.y)))
        for _ in spread(lambda part: [function(at) for at in part], [items[i::width] for i in range(width)]):
            pass

    @functools.cached_property
    def near(self) -> np.ndarray:
        """Settings in the order in which they are preferred."""
        if len(self.settings) == 1:
            return np.zeros(1, dtype=np.int64)
        return np.argsort(np.abs(np.log(np.asarray(self.settings) / self.default)), kind="stable")

    @functools.cached_property
    def tuners(self) -> list[Tuner]:
        """By repetition: which rows choose for which fold."""
        return [Tuner.of(self.split, a, self.y) for a in range(self.shape[1])]

    def choose(self, metric: Metric) -> "Choice":
        """The best setting by the metric (log loss where it judges decisions), on the tuning rows of each fold and on all
        judged rows. The nearest to the default where a class is absent from the tuning rows."""
        arms, repetitions, k = self.shape
        by = criterion(metric)
        picked = np.full((arms, repetitions, k), self.near[0])
        overall = np.zeros((arms, len(self.settings)))
        if len(self.settings) > 1:
            value = (1.0 if by.higher else -1.0) * self._values(by.kind)[by.name]
            best = self.near[np.argmax(value[:, self.near, :, :k], axis=1)]
            ready = np.stack([tuner.ready[:k] for tuner in self.tuners])
            picked = np.where(ready, best, picked)
            overall = value[..., k].mean(axis=2)
        return Choice(self, picked, self.near[np.argmax(overall[:, self.near], axis=1)], overall)

    def _values(self, kind: str) -> dict[str, np.ndarray]:
        return self.rankings if kind == RANKING else self.losses

    @functools.cached_property
    def rankings(self) -> dict[str, np.ndarray]:
        """{metric: [arms, settings, repetitions, folds + 1]}: on the tuning rows of each fold, and on the judged ones."""
        return self._measured(
            ("average_precision", "roc_auc"),
            lambda score, tuner: ranked.of_subsets(score, self.y, tuner.code, tuner.member),
        )

    @functools.cached_property
    def losses(self) -> dict[str, np.ndarray]:
        return self._measured(
            tuple(LOSSES),
            lambda score, tuner: {name: tuner.mean(loss(score, self.y, self.classes)) for name, loss in LOSSES.items()},
        )

    def _measured(
        self, names: Sequence[str], measure: Callable[[np.ndarray, Tuner], dict[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        arms, repetitions, k = self.shape
        out = {name: np.empty((arms, len(self.settings), repetitions, k + 1)) for name in names}

        def one(at: tuple[int, ...]) -> None:
            found = measure(self.score(*at), self.tuners[at[2]])
            for name in names:
                out[name][at] = found[name]

        self.each(one, arms, len(self.settings), repetitions)
        return out


@dataclasses.dataclass(frozen=True, eq=False)
class Choice:
    """Settings chosen by one criterion.

    picked   [arms, repetitions, folds] index of the setting chosen for each fold
    final    [arms] index of the setting chosen on all judged rows
    overall  [arms, settings] mean over repetitions of the criterion, larger is better
    """

    source: OutOfFold
    picked: np.ndarray
    final: np.ndarray
    overall: np.ndarray

    def edges(self, tolerance: float) -> tuple[bool, bool]:
        """Whether any arm still gains more than `tolerance` at the low end of the settings, and at the high end."""
        last = self.overall.shape[1] - 1
        low = (self.final == 0) & (self.overall[:, 0] - self.overall[:, min(1, last)] > tolerance)
        high = (self.final == last) & (self.overall[:, last] - self.overall[:, max(0, last - 1)] > tolerance)
        return bool(low.any()), bool(high.any())

    def at_edge(self, arm: int, tolerance: float) -> bool:
        one = dataclasses.replace(self, final=self.final[[arm]], overall=self.overall[[arm]])
        return any(one.edges(tolerance))

    def pool(self, arm: int, a: int) -> np.ndarray:
        """[rows(, C)] out-of-fold scores at the picked settings; NaN where never held out."""
        return self.by_fold(arm, a, self.source.score)

    def by_fold(self, arm: int, a: int, score: Callable[[int, int, int], np.ndarray]) -> np.ndarray:
        """The same of any score(arm, setting, repetition) -> [rows(, C)]."""
        held, chosen = self.source.split.held[a], self.picked[arm, a]
        found = np.full(self.source.scores.shape[3:], np.nan, np.float32)
        for setting in np.unique(chosen):
            rows = (chosen[held] == setting) & (held >= 0)
            found[rows] = score(arm, int(setting), a)[rows]
        return found

    @property
    def pooled(self) -> np.ndarray:
        """[arms, repetitions, rows(, C)] of `pool`: made anew whenever it is asked for."""
        return self._all(self.pool)

    @property
    def recalibrated(self) -> np.ndarray:
        """`pooled` after slope and bias were fitted on the tuning rows of each fold."""
        return self._all(lambda arm, a: recalibrate.pool(self, arm, a))

    @property
    def aligned(self) -> np.ndarray:
        """`pooled` with all folds on the scale of the final setting: what is ranked."""
        return self._all(lambda arm, a: align.pool(self, arm, a))

    def _all(self, one: Callable[[int, int], np.ndarray]) -> np.ndarray:
        arms, repetitions, _ = self.source.shape
        out = np.empty((arms, repetitions, *self.source.scores.shape[3:]), np.float32)

        def fill(at: tuple[int, ...]) -> None:
            out[at] = one(*at)

        self.source.each(fill, arms, repetitions)
        return out

    def decide(self, metric: Metric) -> tuple[np.ndarray, np.ndarray]:
        """Decisions [arms, repetitions, rows], each by a threshold from the other folds, and the thresholds on all judged
        rows [arms, repetitions]: log-odds, or tau for more than two classes. Rows that are not judged and have
        nothing to be tuned on get UNJUDGED."""
        arms, repetitions, _ = self.source.shape
        decided = np.empty((arms, repetitions, len(self.source.y)), np.int8 if self.source.classes < 128 else np.int32)
        final = np.empty((arms, repetitions))

        def one(at: tuple[int, ...]) -> None:
            tuner = self.source.tuners[at[1]]
            decided[at], final[at] = cuts.decide(self, metric, *at)
            tuned = np.logical_or.reduce(tuner.member[:-1], axis=1)
            decided[at][(~tuned[tuner.held] | (tuner.held < 0)) & ~tuner.rows(len(tuned))] = UNJUDGED

        self.source.each(one, arms, repetitions)
        return decided, final

    def sources(self, arm: int, a: int) -> list[np.ndarray]:
        """By fold the scores that choose for it, and last the pooled ones; one array for each picked setting."""
        by_setting = {int(s): self.source.score(arm, int(s), a) for s in np.unique(self.picked[arm, a])}
        return [by_setting[int(s)] for s in self.picked[arm, a]] + [self.pool(arm, a)]

    @functools.cached_property
    def hulls(self) -> dict[tuple[int, int], list[Sweep]]:
        """Where `cuts` keeps what the next metric can use."""
        return {}


def criterion(metric: Metric) -> Metric:
    """What chooses the setting: a ranking or probability metric itself (before recalibration), log loss for decisions."""
    if metric.kind == DECISION:
        return METRICS["log_loss"]
    return METRICS[metric.name.removesuffix("_recalibrated")] if metric.recalibrated else metric


def outcomes(choice: Choice, metric: Metric) -> np.ndarray:
    """What the metric judges, [arms, repetitions, rows(, C)]: scores on one scale, pooled or recalibrated ones, or decisions.
    Only the rows that `split.judged` names mean something."""
    if metric.kind == DECISION:
        return choice.decide(metric)[0]
    if metric.kind == RANKING:
        return choice.aligned
    return choice.recalibrated if metric.recalibrated else choice.pooled


def threshold_metric(metric: Metric, cost: Metric | None, classes: int, capacity: Metric | None = None) -> Metric:
    """What the moved threshold maximises: the verdict's own metric, else the costs, else the capacity, else the nearest
    decision metric."""
    if metric.kind == DECISION:
        return metric
    if cost is not None or capacity is not None:
        return cost or capacity  # type: ignore[return-value]
    if classes > 2 or metric.name == "roc_auc":
        return METRICS["balanced_accuracy"]
    return METRICS["f1"]


def probability(log_odds: np.ndarray | float) -> np.ndarray:
    return np.exp(-np.logaddexp(0.0, -np.asarray(log_odds, dtype=np.float64)))
