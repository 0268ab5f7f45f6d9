"""Between the points of the grid: one option of the best arm, searched on a continuous scale.

The value is tuned like everything else: for each fold it is chosen on the other folds, among all values that were tried. So
what comes out is judged as one more arm and not as the best of many.
"""

import dataclasses
import warnings
from collections.abc import Callable, Mapping

import numpy as np

from .. import ingredients
from ..options import In, spec_of
from .arms import PLAIN, Arm, on_path
from .evaluator import Evaluator
from .fitted import FittedArm, members
from .metric import RANKING, Metric
from .pictures import Predictions
from .search import Search
from .stop import Unfinished
from .validation.outcomes import stretch
from .weights import take

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
    """One arm whose option is chosen, for each fold, on the other folds.

    xs       values that were tried; `fitted` are their arms
    picked   [repetitions, folds] which of them was chosen outside each fold; `final` on all rows
    values   [tried] the verdict's metric on all rows, mean over repetitions
    """

    range: Range
    xs: tuple[float, ...]
    fitted: tuple[FittedArm, ...]
    picked: np.ndarray
    final: int
    values: np.ndarray

    @property
    def name(self) -> str:
        return f"{self.range.ingredient}({self.range.parameter} searched)"

    @property
    def arm(self) -> Arm:
        """At the value chosen on all rows, under the name of what was searched."""
        return dataclasses.replace(self.range.arm(self.xs[self.final]), name=self.name)

    @property
    def best(self) -> FittedArm:
        """The value chosen on all rows: what the final model is made by."""
        return self.fitted[self.final]

    def undone(self, metric: Metric) -> np.ndarray:
        """As `FittedArm.undone`: each fold's rows from the value that was chosen for it."""
        return self.gather({int(i): self.fitted[int(i)].undone(metric) for i in np.unique(self.picked)})

    def predictions(self, metric: Metric, rule: Metric) -> Predictions:
        """As `FittedArm.predictions`: each fold's rows from the value that was chosen for it."""
        used = [int(i) for i in np.unique(self.picked)]
        first, *others = (self.fitted[i].predictions(metric, rule) for i in used)
        return first.map(lambda *arrays: self.gather(dict(zip(used, arrays, strict=True))), *others)

    def gather(self, by_value: Mapping[int, np.ndarray]) -> np.ndarray:
        """[repetitions, rows, ...]: each fold's rows from the value that was chosen for it."""
        split = self.best.search.split
        out = next(iter(by_value.values())).copy()
        for a, f in split.parts():
            rows = split.out(a, f)
            out[a, rows] = by_value[int(self.picked[a, f])][a, rows]
        return out

    def outcomes(self, metric: Metric, by: Metric | None = None) -> np.ndarray:
        """What the metric judges; settings chosen for `by`, the metric unless said. Scores that are ranked are brought from the
        scale of the value that was chosen for a fold to that of the best one, as `aligned` does with settings."""
        by_value = {int(i): self.fitted[int(i)].outcomes(metric, by) for i in {*np.unique(self.picked), self.final}}
        out = self.gather(by_value)
        if metric.kind == RANKING:
            split, goal, weights = self.best.search.split, by_value[self.final], self.best.search.task.weights
            for a, f in split.parts():
                if (i := int(self.picked[a, f])) != self.final and (tunes := split.tunes(a, f) & split.judged).any():
                    rows = split.out(a, f)
                    out[a, rows] = stretch(out[a, rows], by_value[i][a, tunes], goal[a, tunes], take(weights, tunes))
        return out


def explore(
    search: Search,
    metric: Metric,
    trials: int,
    seed: int,
    *,
    storage: str | None,
    name: str,
    tell: Callable[[str], None],
) -> Family | None:
    """Search around the best arm that lies on a path; None where none does, or the search was stopped before.

    trials   values to try beside those of the grid
    storage  of the trials, or None to keep them in memory; `name` of them there
    tell     is told where they could not be kept there: the search begins anew in memory, with the same values
    """
    where = promising(search, metric)
    if where is None or search.stopped:
        return None
    tried = {
        point.x: fitted
        for fitted in members(search)
        if (point := fitted.arm.point) is not None
        and (point.ingredient, point.parameter) == (where.ingredient, where.parameter)
    }
    settings = _around(min(tried.values(), key=lambda fitted: -_value(fitted, metric)), metric)

    def value(x: float) -> float | None:
        """None: stopped before its fits were done."""
        if x not in tried:
            try:
                one = search.beside([where.arm(x)], settings)
            except Unfinished:
                return None
            if one.stopped:
                return None
            (tried[x],) = members(one)
        return _value(tried[x], metric)

    ask(value, where, trials, seed, storage, name, tell)
    return _family(where, dict(sorted(tried.items())), metric)


def promising(search: Search, metric: Metric) -> Range | None:
    """The path of the arm that does best, and the gap around it."""
    on = [(fitted, fitted.arm.point) for fitted in members(search) if fitted.arm.point and fitted.arm.name != PLAIN]
    if not on:
        return None
    _, best = max(on, key=lambda one: _value(one[0], metric))
    rule = spec_of(getattr(ingredients, best.ingredient)).options[best.parameter].rule
    assert isinstance(rule, In)
    mates = {p.x for _, p in on if (p.ingredient, p.parameter) == (best.ingredient, best.parameter)} | {0.0}
    low = max((x for x in mates if x < best.x), default=rule.bounds[0])
    high = min((x for x in mates if x > best.x), default=max(rule.bounds[1], best.x))
    return Range(best.ingredient, best.parameter, float(low), float(high)) if high > low else None


def _value(fitted: FittedArm, metric: Metric) -> float:
    """The metric of one arm, larger is better, mean over repetitions."""
    search = fitted.search
    judged = search.split.judged
    weights = take(search.task.weights, judged)
    value = Evaluator(metric, fitted.outcomes(metric)[:, judged], search.task.y[judged], search.task.classes)(weights)
    return float(value.mean()) if metric.higher else -float(value.mean())


def _around(fitted: FittedArm, metric: Metric) -> tuple[float, ...]:
    """The settings that the nearest arm of the grid uses, from its lowest to its highest."""
    choice, j = fitted.search.choice(metric), fitted.index
    used = {*choice.picked[j].reshape(-1).tolist(), int(choice.final[j])}
    has = fitted.search.out.fitted[j]
    return tuple(s for i, s in enumerate(fitted.search.settings) if min(used) <= i <= max(used) and has[i])


def ask(
    value: Callable[[float], float | None],
    where: Range,
    trials: int,
    seed: int,
    storage: str | None,
    name: str,
    tell: Callable[[str], None],
) -> None:
    """Ask for so many values and judge them; in memory where the storage of trials is lost."""
    if storage is None:
        return _ask(value, where, trials, seed, None, name)
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    class OfAFit(Exception):
        """An error that is none of the storage's."""

        def __init__(self, inner: Exception) -> None:
            self.inner = inner

    def judged(x: float) -> float | None:
        try:
            return value(x)
        except Exception as error:
            raise OfAFit(error) from error

    try:
        _ask(judged, where, trials, seed, storage, name)
    except OfAFit as error:
        raise error.inner from None
    except (StorageInternalError, SQLAlchemyError, KeyError, ValueError) as error:  # KeyError: its tables were emptied
        why = " ".join(str(error).removeprefix("tune: ").split())[:160].rstrip(".")
        tell(
            f"the trials of the search could not be kept ({why}); they were made again in memory, and the same command makes them anew"
        )
        _ask(value, where, trials, seed, None, name)
    return None


def _ask(
    value: Callable[[float], float | None],
    where: Range,
    trials: int,
    seed: int,
    storage: str | None,
    name: str,
) -> None:
    """Ask Optuna for values until there are so many; a trial that ended without a value is asked again first."""
    import optuna

    from .store.trials import trials_in

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        # asking and telling ends a trial as surely as optimising does; what died is asked for again below
        warnings.filterwarnings("ignore", message="Heartbeat of storage", category=UserWarning)
        study = optuna.create_study(
            storage=None if storage is None else trials_in(storage),
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
            result = value(trial.params["x"])
            if result is None:
                return  # left running: the next run asks for it again
            study.tell(trial, result)


def _family(where: Range, tried: dict[float, FittedArm], metric: Metric) -> Family:
    search = next(iter(tried.values())).search
    split, y, classes, weights = search.split, search.task.y, search.task.classes, search.task.weights
    judged = split.judged
    judged_by = np.stack([fitted.outcomes(metric) for fitted in tried.values()])  # [tried, repetitions, rows(, C)]
    sign = 1.0 if metric.higher else -1.0
    picked = np.zeros((split.repetitions, split.folds), dtype=np.int64)
    for a, f in split.parts():
        rows = split.tunes(a, f) & judged
        if rows.any() and len(np.unique(y[rows])) == classes:
            value = Evaluator(metric, judged_by[:, a, rows], y[rows], classes)(take(weights, rows))
            picked[a, f] = np.argmax(sign * value)
    here = take(weights, judged)
    values = np.stack(
        [Evaluator(metric, judged_by[:, a, judged], y[judged], classes)(here) for a in range(split.repetitions)]
    )
    mean = values.mean(axis=0)
    return Family(where, tuple(tried), tuple(tried.values()), picked, int(np.argmax(sign * mean)), mean)
