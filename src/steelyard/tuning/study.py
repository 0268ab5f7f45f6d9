"""tune: from a table to weights, a threshold and the evidence for them."""

import dataclasses
import os
import time as clock
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import engine as engines
from . import threads
from .answer import Study
from .arms import Arm, arms, equals_plain
from .baselines import resampled
from .contest import Contest
from .continuous import explore
from .data import checks
from .data.arrays import problem_of
from .data.features import Features
from .data.problem import Problem, problem
from .evaluator import Evaluator
from .goals import goals
from .metric import METRICS, Metric
from .models.by_name import named
from .models.function import FunctionModel
from .models.model import Model
from .search import Progress, Search, Tools
from .stop import Stop
from .stop import seconds as seconds_of
from .store.fits import Memory, Store
from .validation import folds as split
from .validation.outcomes import outcomes

__all__ = ["Study", "tune"]

FORMAT = 1  # of what a stored fit means
LARGE = 50_000  # rows above which fewer repetitions and draws are enough (see docs/tuner.md)
RESAMPLED = 20_000  # rows up to which resampling is tried


def tune(
    source: Any = None,
    /,
    *,
    data: Any = None,
    label: Any = None,
    positive: Any = None,
    group: Any = None,
    time: Any = None,
    gap: int = 0,
    recipes: Any = None,
    metric: str | None = None,
    cost_fn: float | None = None,
    cost_fp: float | None = None,
    cost_matrix: Any = None,
    exchange: float | None = None,
    capacity: float | str | None = None,
    model: str = "linear",
    epochs: int | None = None,
    search: int = 0,
    folds: int = 5,
    repeats: int | None = None,
    bootstrap: int | None = None,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    storage: str | Store | None = None,
    resume: bool = False,
    budget: float | str | None = None,
    engine: str = "local",
    baselines: bool = True,
    progress: Progress | None = None,
) -> Study:
    """Compare loss weightings with plain training and a moved threshold, and say what the data can tell.

    source      path of a CSV or Parquet file, a Table, a DataFrame, or a Problem made of them; `label` is its column of classes.
                Or a function fit(recipe, X, y) -> model(X) -> logits, with data=(X, y): see tuning/models/function.py
    positive    the positive of two classes; the rarer one unless said
    group       column (with a function: values) of rows that belong together; `time` to order them by, with `gap` rows between
                training and test whose labels are not known in time
    recipes     {name: Recipe or function of Counts}; None compares the usual strategies
    metric      decides alone; average precision for two classes, balanced accuracy for more, unless said
    cost_fn     cost of a missed positive, cost_fp of a false alarm; or cost_matrix [truth, decision], also as text or the path
                of a CSV file; or exchange, the false alarms that one more positive is worth
    capacity    how many rows can be acted upon: a share, or "200/10000"
    model       linear, mlp, boosting, lightgbm, or the import path of a scikit-learn classifier
    epochs      with a function that yields its model after every epoch
    search      values to try between the grid's, around the best strategy
    folds       of each of `repeats` cross-validations; fewer where the rarer class is small
    bootstrap   draws of rows behind the intervals
    folder      finished fits are kept in its study.db, and `resume` goes on with them; it is made if it is missing
    storage     sqlite:///FILE or postgresql://... to keep them in instead, or a Store, which serves several calls on the same data
    budget      seconds, or "10m", after which no fit is started; what is done is reported
    engine      "local" or "ray"
    baselines   False leaves out resampling, the only baselines that cost fits
    progress    called with (fits done, fits in all)

    Every arm has unit mass, the same folds, and setting and threshold chosen on the other folds; scores are undone to
    plain scale before they are pooled. ValueError, in one paragraph, for data that cannot be learned from.
    """
    started = clock.perf_counter()
    kind, task = _task(source, data, label, positive, group, time, model, epochs)
    rows = len(task.y)
    repeats = (3 if rows > LARGE else 5) if repeats is None else repeats
    bootstrap = (400 if rows > LARGE else 1000) if bootstrap is None else bootstrap
    _check(
        folds=(folds, 2),
        repeats=(repeats, 1),
        bootstrap=(bootstrap, 100),
        seed=(seed, 0),
        gap=(gap, 0),
        search=(search, 0),
    )
    aims = goals(task, metric, cost_fn, cost_fp, cost_matrix, exchange, capacity)
    execute = engines.named(engine)
    stop = Stop(seconds_of(budget) if isinstance(budget, str) else budget)

    every = [(arm, arm.recipe(task.counts)) for arm in arms(recipes)]
    equal = {a.name: why for a, r in every[1:] if (why := equals_plain(r, kind.free_intercept))}
    skipped = {a.name: why for a, r in every if a.name not in equal and (why := kind.refuses(r, task.classes))}
    entered = [arm for arm, _ in every if arm.name not in equal and arm.name not in skipped]
    parts = split.split(
        task.y,
        folds=folds,
        repeats=repeats,
        seed=seed,
        groups=task.groups,
        time=task.order,
        gap=gap,
        classes=task.counts.classes,
    )

    if storage is None and folder is not None:
        os.makedirs(folder, exist_ok=True)
        storage = f"sqlite:///{os.path.join(folder, 'study.db')}"
    fingerprint = _fingerprint(task, kind, parts, seed, gap)
    store, own = _opened(storage, fingerprint, resume)
    url = storage if isinstance(storage, str) else None
    try:
        tools = Tools(store, execute, progress or (lambda done, total: None), stop)
        warnings = [*task.warnings, *_suspects(task, parts), *_judged_before(store, aims.metric)]
        with threads.single(), stop.listening():
            entered, pruned, spent = _prune(task, entered, parts, kind, aims.metric, tools, seed)
            beside = _resampled(task, parts, kind) if baselines else []
            held = Search(task, [*entered, *beside], parts, kind, aims.metric, tools, seed)
            family = None
            if search:
                name = f"{task.digest()[:16]} {kind.name} {aims.metric.name} {seed} {repeats}"
                family = explore(held, aims.metric, search, seed, storage=url, name=name)
            if held.unsettled:
                done = held.new + held.reused
                warnings.append(f"{held.unsettled} of {done} fits did not converge; their scores are used as they are")
            skipped |= pruned
            warnings += store.warnings()
            found = Contest(task, held, len(entered), family, aims, bootstrap, seed).study(
                listed=[(arm, r) for arm, r in every if arm.name not in skipped],
                equal=equal,
                skipped=skipped,
                fits={how: n + spent[how] for how, n in held.fits.items()},
                warnings=warnings,
            )
        store.note("metric", aims.metric.name)
        return dataclasses.replace(found, seconds=clock.perf_counter() - started)
    finally:
        if own:
            store.close()


def _task(
    source: Any, data: Any, label: Any, positive: Any, group: Any, time: Any, model: str, epochs: int | None
) -> tuple[Model, Problem]:
    function = callable(source) and not hasattr(source, "__arrow_c_stream__")
    if not function:
        if data is not None or epochs is not None:
            raise ValueError("tune: data= and epochs= belong to a function that trains, as in tune(fit, data=(X, y)).")
        engine = named(model)  # an unknown model is said before anything is read
        if isinstance(source, Problem):
            return engine, source
        if label is None:
            raise ValueError("tune: label= must name the column of classes.")
        return engine, problem(source, label, positive, group=group, time=time)
    if data is None:
        raise ValueError("tune: a function needs data to train on: data=(X, y), or data=X and label=y.")
    return FunctionModel(source, epochs), problem_of(data, label, positive, group, time)


def _opened(storage: str | Store | None, fingerprint: dict[str, Any], resume: bool) -> tuple[Store, bool]:
    """The store, and whether it is this call's to close."""
    if storage is None:
        return Memory(), True
    if not isinstance(storage, str):
        return storage, False
    from .store.database import Database  # SQLAlchemy is slow to import

    return Database(storage, fingerprint, resume=resume), True


def _fingerprint(task: Problem, kind: Model, parts: split.Split, seed: int, gap: int) -> dict[str, Any]:
    """All that a stored fit depends on, but for its part and its arm; more repetitions or another metric reuse what is there."""
    return {
        "format": FORMAT,
        "data": {
            "rows": len(task.y),
            "columns": task.read[1],
            "label": task.label,
            "classes": list(task.counts.classes),
            "content": task.digest(),
        },
        "model": kind.name,
        "splits": {"kind": parts.kind, "by": task.group or task.time, "folds": parts.folds, "gap": gap},
        "seed": seed,
    }


def _judged_before(store: Store, metric: Metric) -> list[str]:
    before = [METRICS[name].title for name in store.notes("metric") if name != metric.name and name in METRICS]
    if not before:
        return []
    return [
        f"these fits were judged before by {' and '.join(before)}: to judge the same rows by more than one metric and keep the"
        " verdict one likes is several tests, not one; name the metric before the run"
    ]


def _suspects(task: Problem, parts: split.Split) -> list[str]:
    return checks.warnings(task, parts) if isinstance(task.features, Features) else []


def _prune(
    task: Problem,
    arms: Sequence[Arm],
    parts: split.Split,
    kind: Model,
    metric: Metric,
    tools: Tools,
    seed: int,
) -> tuple[list[Arm], dict[str, str], dict[str, int]]:
    """After the first repetition, arms of a user's function that are far behind plain and behind most others are given up:
    their fits are dear. Plain stays. The arms that stay, why the others do not, and the fits that the others took."""
    if kind.encoding != "rows" or parts.repetitions < 2 or len(arms) < 3:
        return list(arms), {}, {"new": 0, "reused": 0}
    first = Search(task, arms, dataclasses.replace(parts, held=parts.held[:1]), kind, metric, tools, seed, widen=False)
    found = outcomes(first.choice(metric), metric)[:, 0, first.split.judged]
    value = Evaluator(metric, found, task.y[first.split.judged], task.classes)()
    gain = metric.gain(value, value[:1])
    behind = -2 * metric.tie * metric.unit(value[0])
    given_up = {
        arm.name: f"given up after the first of {parts.repetitions} repetitions: {metric.title} {v:.3f} against {value[0]:.3f}"
        for arm, g, v in zip(arms, gain, value, strict=True)
        if g < behind and g < np.median(gain)
    }
    stay = len(arms) - len(given_up)
    # those that stay are found in the store again: what was new for them must not count as reused
    again = stay * len(first.settings) * first.split.folds
    spent = {"new": first.new, "reused": first.reused - again}
    return [a for a in arms if a.name not in given_up], given_up, spent


def _resampled(task: Problem, parts: split.Split, kind: Model) -> list[Arm]:
    if kind.encoding == "rows" or len(task.y) > RESAMPLED:
        return []
    rare = min(int(np.bincount(task.y[parts.train(a, f)], minlength=task.classes).min()) for a, f in parts.parts())
    return resampled(rare, gaps=kind.encoding == "raw")


def _check(**least: tuple[int, int]) -> None:
    for name, (value, low) in least.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
            raise ValueError(f"tune: {name} must be a whole number, at least {low}, got {value!r}.")
