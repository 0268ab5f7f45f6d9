"""One piece of work: some arms at some settings on one training part, scored on the rows that it holds out.

A job is plain data, so that a piece can run in a thread, in another process or on another machine.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..counts import Counts
from ..recipe import Recipe
from .arms import Arm
from .data.features import Scaling
from .data.problem import Problem
from .models.model import Fit, Fitted, Model
from .resampling import repeated, resample
from .split import Split
from .store.fits import Arrays, Key, Part
from .weights import Weights, take

Todo = tuple[Part, tuple[Key, ...]]

ALL_ROWS: Part = (-1, -1)


@dataclasses.dataclass(frozen=True)
class Start:
    """Models on all rows to start from: theta [arms, settings, C, p + 1] for columns as `columns` says. Zeros: no model.

    balanced  the arm that is most like training on resampled rows, which starts there
    """

    theta: np.ndarray
    columns: Scaling
    settings: tuple[float, ...]
    balanced: int = 0

    def of(self, arms: Sequence[int], settings: Sequence[float], columns: Scaling) -> dict[str, np.ndarray]:
        at = [self.settings.index(s) for s in settings]
        return {"theta": carry(self.theta[np.ix_(arms, at)], self.columns, columns)}


@dataclasses.dataclass(frozen=True)
class Job:
    task: Problem
    split: Split
    arms: tuple[Arm, ...]
    keys: tuple[str, ...]
    model: Model
    seed: int
    start: Start | None = None

    def __call__(self, todo: Todo) -> dict[Key, Arrays]:
        """{key: scores of the held-out rows as trained, float32 [rows] or [rows, C], and whether the fit converged}.

        On all rows: whatever a later fit may start from instead of the scores.
        """
        part, keys = todo
        train, out = self.rows(part)
        encode = self.encoder(train)
        X, y, held_out = encode(train), self.task.y[train], encode(out) if len(out) else None
        weights = take(self.task.weights, train)
        fits: dict[Key, Arrays] = {}
        for group, settings in self._groups(keys):
            fitted = self._fit(part, group, settings, X, y, weights, encode)
            kept = fitted.arrays() if held_out is None else {"scores": fitted.logits(held_out).astype(np.float32)}
            for i, j in enumerate(group):
                for k, setting in enumerate(settings):
                    arrays = {name: np.ascontiguousarray(a[i, k]) for name, a in kept.items()}
                    fits[self.keys[j], setting] = {**arrays, "converged": np.array([fitted.converged[i, k]])}
        return fits

    def _groups(self, keys: Sequence[Key]) -> list[tuple[list[int], tuple[float, ...]]]:
        """Arms that are fitted in one call, at the same settings; resampled rows and rules are an arm's own."""
        wanted: dict[int, list[float]] = {}
        for key, setting in keys:
            wanted.setdefault(self.keys.index(key), []).append(setting)
        groups: dict[tuple[Any, ...], list[int]] = {}
        for j, settings in wanted.items():
            alone = j if self.arms[j].resample or self.arms[j].rule(self.task.masses) is not None else -1
            groups.setdefault((alone, *sorted(settings)), []).append(j)
        return [(arms, tuple(settings)) for (_, *settings), arms in groups.items()]

    def _fit(
        self,
        part: Part,
        group: list[int],
        settings: tuple[float, ...],
        X: Any,
        y: np.ndarray,
        weights: Weights,
        encode: Any,
    ) -> Fitted:
        classes, counts = self.task.classes, self.counts(self.rows(part)[0])
        seed = int(np.random.default_rng([self.seed, 3, part[0] + 1, part[1] + 1]).integers(2**31))
        recipes = [self.arms[j].recipe(counts) for j in group]
        start = None
        if how := self.arms[group[0]].resample:
            # to a model that is fitted to its optimum, rows that are the same row are one that counts as often
            merge = how == "random oversampling" and self.model.continues
            X, y, weights = (repeated if merge else functools.partial(resample, how))(X, y, seed, weights)
            recipes, group = [Recipe(classes=counts.classes)], [0 if self.start is None else self.start.balanced]
        if self.start is not None and part != ALL_ROWS:
            start = self.start.of(group, settings, encode.scaling)
            if how and not start["theta"].any():
                start = None
        categorical = encode.categorical if self.model.encoding == "raw" else None
        rule = self.arms[group[0]].rule(counts)
        return self.model.fit(Fit(X, y, recipes, np.array(settings), classes, start, seed, categorical, weights, rule))

    def whole(self, j: int, setting: float) -> tuple[Fitted, Any]:
        """One arm at one setting on all rows, and what encoded them."""
        train, _ = self.rows(ALL_ROWS)
        encode = self.encoder(train)
        task = self.task
        return self._fit(ALL_ROWS, [j], (setting,), encode(train), task.y, task.weights, encode), encode

    def encoder(self, train: np.ndarray) -> Any:
        features = self.task.features
        return features.raw() if self.model.encoding == "raw" else features.encode(train)

    def rows(self, part: Part) -> tuple[np.ndarray, np.ndarray]:
        """(training rows, held-out rows)"""
        if part == ALL_ROWS:
            return np.arange(len(self.task.y)), np.arange(0)
        return self.split.train(*part), self.split.out(*part)

    def counts(self, train: np.ndarray) -> Counts:
        return self.task.masses_of(train)


def carry(theta: np.ndarray, columns: Scaling, wanted: Scaling) -> np.ndarray:
    """The same function of the columns as they are in the table, for another training part's mean and deviation; a column
    that was not there has 0. The intercept is last."""
    at = {name: i for i, name in enumerate(columns.names)}
    out = np.zeros((*theta.shape[:-1], len(wanted.names) + 1))
    out[..., -1] = theta[..., -1]
    known = [(i, at[name]) for i, name in enumerate(wanted.names) if name in at]
    if known:
        to, source = np.array(known).T
        slope = theta[..., source] / columns.deviation[source]
        out[..., to] = slope * wanted.deviation[to]
        out[..., -1] += slope @ (wanted.mean[to] - columns.mean[source])
    return out
