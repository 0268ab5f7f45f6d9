"""Between the points of the grid: one option of the best strategy, searched on a continuous scale.

The value is tuned like everything else: for each fold it is chosen on the other folds, among all values that were tried. So
what comes out is judged as one more strategy and not as the best of many.
"""

import dataclasses
import warnings
from collections.abc import Callable, Mapping

import numpy as np

from .. import ingredients
from ..options import In, spec_of
from .arms import PLAIN, Arm, on_path
from .metric import RANKING, Evaluator, Metric
from .search import Search
from .stop import Unfinished
from .validation.crossfit import Choice, outcomes
from .validation.outcomes import stretch

START_TRIALS = 4  # spread evenly before the sampler models what it has seen


@dataclasses.dataclass(frozen=True)
class Range:
    """Where to search: between the neighbours of the best point on its path, or to the end of what the option allows."""

    ingredient: str
    parameter: str
    low: float
    high: float

    def arm(self, x: float) -> Arm:
        return on_path(getattr(ingredients, self.ingredient), self.parameter, x)


@dataclasses.dataclass(frozen=True)
class Family:
    """One strategy whose option is chosen, for each fold, on the other folds.

    xs       values that were tried, with the search that holds each one's fits and the arm's number in it
    picked   [repetitions, folds] which of them was chosen outside each fold; `best` on all rows
    values   [tried] the verdict's metric on all rows, mean over repetitions
    """

    range: Range
    xs: tuple[float, ...]
    searches: tuple[tuple[Search, int], ...]
    picked: np.ndarray
    best: int
    values: np.ndarray

    @property
    def name(self) -> str:
        return f"{self.range.ingredient}({self.range.parameter} searched)"

    @property
    def arm(self) -> Arm:
        """At the value chosen on all rows, under the name of what was searched."""
        return dataclasses.replace(self.range.arm(self.xs[self.best]), name=self.name)

    @property
    def search(self) -> tuple[Search, int]:
        return self.searches[self.best]

    def gather(self, of: Callable[[Search, int], np.ndarray]) -> np.ndarray:
        """[repetitions, rows, ...]: each fold's rows from the value that was chosen for it."""
        return self._gathered({int(i): of(*self.searches[i]) for i in np.unique(self.picked)})

    def _gathered(self, found: Mapping[int, np.ndarray]) -> np.ndarray:
        split = self.searches[0][0].split
        out = next(iter(found.values())).copy()
        for a, f in split.parts():
            rows = split.out(a, f)
            out[a, rows] = found[int(self.picked[a, f])][a, rows]
        return out

    def outcomes(self, metric: Metric, by: Metric | None = None) -> np.ndarray:
        """What the metric judges; settings chosen for `by`, the metric unless said. Scores that are ranked are brought from the
        scale of the value that was chosen for a fold to that of the best one, as `align` does with settings."""
        found = {int(i): self._of(int(i), metric, by) for i in {*np.unique(self.picked), self.best}}
        out = self._gathered(found)
        if metric.kind == RANKING:
            split, goal = self.searches[0][0].split, found[self.best]
            for a, f in split.parts():
                if (i := int(self.picked[a, f])) != self.best and (tunes := split.tunes(a, f) & split.judged).any():
                    rows = split.out(a, f)
                    out[a, rows] = stretch(out[a, rows], found[i][a, tunes], goal[a, tunes])
        return out

    def _of(self, i: int, metric: Metric, by: Metric | None) -> np.ndarray:
        search, j = self.searches[i]
        return outcomes(search.choice(by or metric), metric)[j]


def explore(search: Search, metric: Metric, trials: int, seed: int, *, storage: str | None, name: str) -> Family | None:
    """Search around the best strategy that lies on a path; None where none does, or the search was stopped before.

    trials   values to try beside those of the grid
    storage  of the trials, or None to keep them in memory; `name` of them there
    """
    where = promising(search, metric)
    if where is None or search.stopped:
        return None
    tried = {
        arm.point.x: (search, j)
        for j, arm in enumerate(search.arms)
        if arm.point is not None and (arm.point.ingredient, arm.point.parameter) == (where.ingredient, where.parameter)
    }
    nearest = min(tried.values(), key=lambda held: -_value(held, metric))
    settings = _around(search, nearest[1], metric)

    def value(x: float) -> float | None:
        """None: stopped before its fits were done."""
        if x not in tried:
            try:
                made = search.beside([where.arm(x)], settings)
            except Unfinished:
                return None
            if made.stopped:
                return None
            tried[x] = made, 0
        return _value(tried[x], metric)

    _ask(value, where, trials, seed, metric.higher, storage, name)
    xs = sorted(tried)
    return _family(where, [(x, tried[x]) for x in xs], metric)


def promising(search: Search, metric: Metric) -> Range | None:
    """The path of the arm that does best, and the gap around it."""
    on = [(j, arm.point) for j, arm in enumerate(search.arms) if arm.point is not None and arm.name != PLAIN]
    if not on:
        return None
    _, best = max(on, key=lambda one: _value((search, one[0]), metric))
    rule = spec_of(getattr(ingredients, best.ingredient)).options[best.parameter].rule
    assert isinstance(rule, In)
    mates = {p.x for _, p in on if (p.ingredient, p.parameter) == (best.ingredient, best.parameter)} | {0.0}
    low = max((x for x in mates if x < best.x), default=rule.bounds[0])
    high = min((x for x in mates if x > best.x), default=max(rule.bounds[1], best.x))
    return Range(best.ingredient, best.parameter, float(low), float(high)) if high > low else None


def _value(held: tuple[Search, int], metric: Metric) -> float:
    """The metric of one arm, larger is better, mean over repetitions."""
    search, j = held
    judged = search.split.judged
    found = outcomes(search.choice(metric), metric)[j][:, judged]
    value = float(Evaluator(metric, found, search.task.y[judged], search.task.classes)().mean())
    return value if metric.higher else -value


def _around(search: Search, j: int, metric: Metric) -> tuple[float, ...]:
    """The settings that the nearest arm of the grid uses, from its lowest to its highest."""
    choice: Choice = search.choice(metric)
    used = {*choice.picked[j].reshape(-1).tolist(), int(choice.final[j])}
    return search.settings[min(used) : max(used) + 1]


def _ask(
    value: Callable[[float], float | None],
    where: Range,
    trials: int,
    seed: int,
    higher: bool,
    storage: str | None,
    name: str,
) -> None:
    """Ask Optuna for values until there are so many; a trial that ended without a value is asked again first."""
    import optuna

    from .store.fits import optuna_storage

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        # asking and telling ends a trial as surely as optimising does; what died is asked for again below
        warnings.filterwarnings("ignore", message="Heartbeat of storage", category=UserWarning)
        study = optuna.create_study(
            storage=None if storage is None else optuna_storage(storage),
            study_name=f"{name} {where.ingredient} {where.parameter} {where.low:g} {where.high:g}",
            direction="maximize",
            load_if_exists=True,
        )
        finished = optuna.trial.TrialState.COMPLETE
        for trial in study.get_trials(deepcopy=False):
            if trial.state == finished:
                value(trial.params["x"])
            elif trial.state == optuna.trial.TrialState.RUNNING and trial.params:
                study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
                study.enqueue_trial(trial.params)
        axis: dict[str, optuna.distributions.BaseDistribution] = {
            "x": optuna.distributions.FloatDistribution(where.low, where.high)
        }
        while (number := len(study.get_trials(deepcopy=False, states=(finished,)))) < trials:
            # seeded by the number of the trial, so that a resumed search goes on as it would have
            study.sampler = optuna.samplers.TPESampler(seed=seed + number, n_startup_trials=START_TRIALS)
            if number < START_TRIALS:
                study.enqueue_trial(
                    {"x": where.low + (where.high - where.low) * (2 * number + 1) / (2 * START_TRIALS)},
                    skip_if_exists=True,
                )
            trial = study.ask(axis)
            found = value(trial.params["x"])
            if found is None:
                return  # left running: the next run asks for it again
            study.tell(trial, found)


def _family(where: Range, tried: list[tuple[float, tuple[Search, int]]], metric: Metric) -> Family:
    searches = tuple(held for _, held in tried)
    search = searches[0][0]
    split, y, classes = search.split, search.task.y, search.task.classes
    judged = split.judged
    found = np.stack([outcomes(s.choice(metric), metric)[j] for s, j in searches])  # [tried, repetitions, rows(, C)]
    sign = 1.0 if metric.higher else -1.0
    picked = np.zeros((split.repetitions, split.folds), dtype=np.int64)
    for a, f in split.parts():
        rows = split.tunes(a, f) & judged
        if rows.any() and len(np.unique(y[rows])) == classes:
            picked[a, f] = np.argmax(sign * Evaluator(metric, found[:, a, rows], y[rows], classes)())
    values = np.stack([Evaluator(metric, found[:, a, judged], y[judged], classes)() for a in range(split.repetitions)])
    mean = values.mean(axis=0)
    return Family(where, tuple(x for x, _ in tried), searches, picked, int(np.argmax(sign * mean)), mean)
