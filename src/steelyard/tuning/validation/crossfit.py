"""Everything tuned is chosen on the other folds: setting first, then the threshold (cuts.py). Plain gets the same.

For repetition a and fold f the choice is made from the out-of-fold scores of repetition a on the rows that `split.tunes`
names (all other folds; in time earlier blocks), and applied to f. Arrays are [arms, repetitions, ...]; scores are on
plain scale (see models/forms.undo). Arm by arm and repetition by repetition, so that nothing as large as all scores is ever made.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...calibrate.scaling import CERTAIN
from .. import ranked
from ..metric import DECISION, METRICS, RANKING, Metric
from ..split import Split
from ..threads import cores, spread
from ..weights import Weights, masses, take
from .sweep import Sweep

AT_ONCE = 2**24  # rows that may be worked on at once: a hundred bytes each
LOSSES = {m.name: m.loss for m in METRICS.values() if m.loss is not None and not m.recalibrated}


@dataclasses.dataclass(frozen=True, eq=False)
class Tuner:
    """Which rows of one repetition choose for which fold.

    held    [rows] fold, or -1
    code    [rows] which pattern of membership a row has: there are few
    member  bool [folds + 1, patterns]: in the tuning rows of the fold; last: judged
    ready   bool [folds + 1]: those rows hold every class
    weights [rows] how much each counts, or None
    """

    held: np.ndarray
    code: np.ndarray
    member: np.ndarray
    ready: np.ndarray
    weights: Weights = None

    @classmethod
    def of(cls, split: Split, a: int, y: np.ndarray, weights: Weights = None) -> "Tuner":
        masks = [split.tunes(a, f) for f in range(split.folds)] + [split.judged]
        code = np.zeros(len(y), dtype=np.int64)
        for i, mask in enumerate(masks):
            code = 2 * (code if i % 30 else np.unique(code, return_inverse=True)[1]) + mask
        _, first, code = np.unique(code, return_index=True, return_inverse=True)
        C = int(y.max()) + 1
        ready = np.array([np.all(np.bincount(y[mask], minlength=C) > 0) for mask in masks])
        small = code.astype(np.min_scalar_type(len(first)))
        return cls(split.held[a], small, np.stack([mask[first] for mask in masks]), ready, weights)

    def rows(self, f: int) -> np.ndarray:
        """bool [rows]: those that choose for fold f; f = folds: the judged ones."""
        return self.member[f][self.code]

    def mean(self, values: np.ndarray) -> np.ndarray:
        """[folds + 1]; 0 where there are no rows."""
        used, patterns = self.member.any(axis=0), self.member.shape[1]
        values = values if self.weights is None else values * self.weights
        total = np.bincount(self.code, weights=values, minlength=patterns)
        total[~used] = 0.0  # never held out: NaN
        rows = self.member @ np.bincount(self.code, weights=self.weights, minlength=patterns)
        return self.member.astype(np.float64) @ total / np.where(rows > 0, rows, 1)


@dataclasses.dataclass(frozen=True, eq=False)
class OutOfFold:
    """Scores of every arm at every setting for rows its model has not seen.

    scores    [arms, settings, repetitions, rows] log-odds, or [..., rows, C] log-probabilities; float32 is enough. NaN for
              rows that are never held out
    settings  ascending; among equally good ones the nearest to `default` is taken, on the scale of logarithms
    weights   [rows] how much each row counts in every choice, or None
    tried     bool [arms, settings]: where an arm was fitted, and so may choose; None: everywhere
    """

    scores: np.ndarray
    y: np.ndarray
    split: Split
    settings: np.ndarray
    classes: int
    default: float = 1.0
    weights: Weights = None
    tried: np.ndarray | None = None

    @functools.cached_property
    def fitted(self) -> np.ndarray:
        """bool [arms, settings]"""
        return np.ones(self.scores.shape[:2], dtype=bool) if self.tried is None else self.tried

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
        odds = np.zeros(len(self.y), np.float32)
        for f in range(self.split.folds):
            if len(rows := self.split.out(a, f)):
                no, yes = self.masses(self.split.train(a, f))
                odds[rows] = np.log(yes / no)
        return odds

    def masses(self, rows: np.ndarray) -> np.ndarray:
        """[C]: what these rows of each class count for."""
        return masses(self.y[rows], take(self.weights, rows), self.classes)

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
        return [Tuner.of(self.split, a, self.y, self.weights) for a in range(self.shape[1])]

    def choose(self, metric: Metric) -> "Choice":
        """The best setting by the metric (log loss where it judges decisions), on the tuning rows of each fold and on all
        judged rows. The nearest to the default where a class is absent from the tuning rows."""
        arms, repetitions, k = self.shape
        by = criterion(metric)
        picked = np.full((arms, repetitions, k), self.near[0])
        overall = np.zeros((arms, len(self.settings)))
        if len(self.settings) > 1:
            value = (1.0 if by.higher else -1.0) * self._values(by.kind)[by.name]
            value = np.where(self.fitted[:, :, None, None], value, -np.inf)
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
            lambda score, tuner: ranked.of_subsets(score, self.y, tuner.code, tuner.member, self.weights),
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
        out = {name: np.full((arms, len(self.settings), repetitions, k + 1), np.nan) for name in names}

        def one(at: tuple[int, ...]) -> None:
            if not self.fitted[at[0], at[1]]:
                return
            measured = measure(self.score(*at), self.tuners[at[2]])
            for name in names:
                out[name][at] = measured[name]

        self.each(one, arms, len(self.settings), repetitions)
        return out


@dataclasses.dataclass(frozen=True, eq=False)
class Choice:
    """Settings chosen by one criterion.

    picked   [arms, repetitions, folds] index of the setting chosen for each fold
    final    [arms] index of the setting chosen on all judged rows
    overall  [arms, settings] mean over repetitions of the criterion, larger is better; -inf where an arm was not fitted
    """

    source: OutOfFold
    picked: np.ndarray
    final: np.ndarray
    overall: np.ndarray

    def edges(self, tolerance: float) -> list[tuple[bool, bool]]:
        """By arm whether it still gains more than `tolerance` at the low end of the settings it was fitted at, and at the high end."""
        out = []
        for final, value, fitted in zip(self.final, self.overall, self.source.fitted, strict=True):
            at = np.flatnonzero(fitted)
            beside = [value[at[min(1, len(at) - 1)]], value[at[max(0, len(at) - 2)]]]
            gains = [
                bool(final == end and value[end] - b > tolerance) for end, b in zip(at[[0, -1]], beside, strict=True)
            ]
            out.append((gains[0], gains[1]))
        return out

    def at_edge(self, arm: int, tolerance: float) -> bool:
        return any(self.edges(tolerance)[arm])

    def pool(self, arm: int, a: int) -> np.ndarray:
        """[rows(, C)] out-of-fold scores at the picked settings; NaN where never held out."""
        return self.by_fold(arm, a, self.source.score)

    def by_fold(self, arm: int, a: int, score: Callable[[int, int, int], np.ndarray]) -> np.ndarray:
        """The same of any score(arm, setting, repetition) -> [rows(, C)]."""
        held, chosen = self.source.split.held[a], self.picked[arm, a]
        pooled = np.full(self.source.scores.shape[3:], np.nan, np.float32)
        for setting in np.unique(chosen):
            rows = (chosen[held] == setting) & (held >= 0)
            pooled[rows] = score(arm, int(setting), a)[rows]
        return pooled

    def every(self, one: Callable[["Choice", int, int], np.ndarray]) -> np.ndarray:
        """[arms, repetitions, rows(, C)] of one(choice, arm, repetition), float32."""
        arms, repetitions, _ = self.source.shape
        out = np.empty((arms, repetitions, *self.source.scores.shape[3:]), np.float32)

        def fill(at: tuple[int, ...]) -> None:
            out[at] = one(self, *at)

        self.source.each(fill, arms, repetitions)
        return out

    def sources(self, arm: int, a: int) -> list[np.ndarray]:
        """By fold the scores that choose for it, and last the pooled ones; one array for each picked setting."""
        by_setting = {int(s): self.source.score(arm, int(s), a) for s in np.unique(self.picked[arm, a])}
        return [by_setting[int(s)] for s in self.picked[arm, a]] + [self.pool(arm, a)]

    @functools.cached_property
    def hulls(self) -> dict[tuple[int, int], list[Sweep]]:
        """Where `cuts` keeps what the next metric can use."""
        return {}

    @functools.cached_property
    def steps(self) -> dict[tuple[Metric, int, int], np.ndarray]:
        """Where `cuts` keeps the steps of the classes, by metric, arm and repetition."""
        return {}


def criterion(metric: Metric) -> Metric:
    """What chooses the setting: a ranking or probability metric itself (before recalibration), log loss for decisions."""
    if metric.kind == DECISION:
        return METRICS["log_loss"]
    return METRICS[metric.name.removesuffix("_recalibrated")] if metric.recalibrated else metric
