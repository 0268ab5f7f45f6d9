"""tune: from a table to weights, a threshold and the evidence for them."""

import dataclasses
import os
import time as clock
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..data.notes import warn
from ..files import make_folder
from ..progress import bar
from ..recipe import Recipe
from ..rule.protocol import Rule
from . import engine as engines
from . import opening, threads
from .answer import Study
from .answer_parts import Stopped
from .arms import Arm, arms, equals_plain
from .baselines import resampled
from .contest import Contest
from .continuous import explore
from .data import checks
from .data.arrays import problem_of
from .data.features import Features, breadth
from .data.pairs import ROLES, together
from .data.problem import Problem, problem
from .goals import goals
from .models import by_name
from .models.function import FunctionModel
from .models.model import Model
from .models.own_estimator import OwnEstimator, is_estimator
from .models.ruled import by_the_call
from .pruning import prune
from .request import Data, Fits, Goal, Run
from .search import Progress, Search, Tools
from .split import Split
from .stop import Stop, seconds
from .store.fits import Store
from .validation import folds as splits

__all__ = ["Study", "tune"]

LARGE = 50_000  # rows above which fewer repetitions and draws are enough (see docs/evidence/tuner.md)
READING = ("classes", "ignore", "missing", "same_case", "drop", "categorical")  # of the fields of Data
NOT_REACHED = "not fitted in full before the study stopped"
PER_THREAD = 250_000  # numbers of a table, times the logits of more than two classes, that keep a thread busy
RESAMPLED = 20_000  # rows up to which resampling is tried


def tune(
    source: Any = None,
    y: Any = None,
    /,
    *,
    data: Any = None,
    label: Any = None,
    positive: Any = None,
    group: Any = None,
    time: Any = None,
    gap: int = 0,
    classes: Any = None,
    ignore: Any = None,
    missing: Any = None,
    same_case: bool = False,
    drop: Any = None,
    categorical: Any = None,
    weight: Any = None,
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
    fresh: bool = False,
    budget: float | str | None = None,
    engine: str = "local",
    baselines: bool = True,
    progress: Progress | bool | None = False,
    stage: Callable[[str], None] | None = None,
) -> Study:
    """Compare loss weightings with plain training and a moved threshold, and say what the data can tell.

    source      path of a CSV or Parquet file, a DataFrame (pandas, polars, Arrow), a Dataset of Hugging Face, a dictionary of columns,
                or a Problem made of them; `label` is its column of classes.
                Or X [rows, p] with `y` [rows], as scikit-learn takes them; group, time and weight may then be values [rows] too.
                Or a function fit(recipe, X, y) -> model(X) -> logits, with data=(X, y): see tuning/models/function.py; or a
                scikit-learn classifier or pipeline with data=(X, y), which it is given as they are
    positive    the positive of two classes; the rarer one unless said
    group       column (with a function: values) of rows that belong together; `time` to order them by, with `gap` rows between
                training and test whose labels are not known in time. Both together: later rows of other groups are judged
    drop        columns that are not learned from; `categorical` those of categories that are spelled as numbers
    weight      column (with a function: values) of how much each row counts, as in a survey; only ratios mean anything
    classes     how the labels are read, with `ignore`, `missing` and `same_case`: see `steelyard.count`
    recipes     {name: weighting}, a list of weightings, or one: a Recipe, a function of Counts that gives one (with mlp and functions also
                a new rule of sy.adaptive), a strategy's name such as "inverse_frequency(beta=0.5)", the path of a recipe.json, or a
                weight for each class, {class: weight}; "usual" and None compare the usual weightings
    metric      decides alone; average precision for two classes, balanced accuracy for more, unless said
    cost_fn     cost of a missed positive, cost_fp of a false alarm; or cost_matrix [truth, decision], also as text or the path
                of a CSV file; or exchange, the false alarms that one more positive is worth
    capacity    how many rows can be acted upon: a share, or "200/10000"
    model       linear, mlp, boosting, lightgbm, or the import path of a scikit-learn classifier
    epochs      with a function that yields its model after every epoch
    search      values to try between the grid's, around the best weighting
    folds       of each of `repeats` cross-validations; fewer where the rarer class is small
    bootstrap   draws of rows behind the intervals
    folder      finished fits are kept in its study.db, and a later call goes on with them; it is made if it is missing. Another
                table's study in it is an error
    storage     sqlite:///FILE or postgresql://... to keep them in instead, or a Store, which serves several calls on the same data
    fresh       delete the fits that are kept there and start anew
    budget      seconds, or "10m", for all of this; what of the fits is done by then is judged, and the answer says so
    engine      "local" or "ray"
    baselines   False leaves out resampling, the only baselines that cost fits
    progress    True: a bar on stderr. Or what is called with (fits done, fits in all); the second grows where the grid is widened
    stage       called with what is done now: "fitting", then "bootstrap"

    Every arm has unit mass, the same folds, and setting and threshold chosen on the other folds; scores are undone to
    plain scale before they are pooled. ValueError, in one paragraph, for data that cannot be learned from. What may have been
    misread is a steelyard.ReadingWarning before anything is fitted, and stands in the study's warnings or notes.
    """
    started = clock.perf_counter()
    stop = Stop(seconds(budget) if isinstance(budget, str) else budget)
    with bar("fitting", None, shown=progress is True, unit="fits") as tell:
        told = tell if progress is True else progress or None
        study = _study(
            source,
            y,
            data,
            recipes,
            Data(label, positive, group, time, gap, classes, ignore, missing, same_case, drop, categorical, weight),
            Goal(metric, cost_fn, cost_fp, cost_matrix, exchange, capacity),
            Fits(model, search, folds, repeats, bootstrap, seed, epochs, baselines),
            Run(folder, fresh, budget, storage, engine, told, stage),
            stop,
        )
    return dataclasses.replace(study, seconds=clock.perf_counter() - started)


def _study(
    source: Any, y: Any, data: Any, recipes: Any, asked: Data, goal: Goal, fits: Fits, run: Run, stop: Stop
) -> Study:
    model, task = _task(source, y, data, asked, fits)
    fits = _counted(fits, len(task.y), asked.gap)
    assert fits.repeats is not None
    assert fits.bootstrap is not None
    aims = goals(task, goal)
    execute = engines.named(run.engine)

    every = [(arm, arm.recipe(task.masses)) for arm in arms(recipes, turned=task.turned)]
    rules = {a.name: rule for a, _ in every if (rule := a.rule(task.masses)) is not None}
    equal = {
        a.name: why for a, r in every[1:] if a.name not in rules and (why := equals_plain(r, model.free_intercept))
    }
    refused = {
        a.name: why
        for a, r in every
        if a.name not in equal and (why := _refusal(model, rules.get(a.name), r, task.classes))
    }
    entered = [arm for arm, _ in every if arm.name not in equal and arm.name not in refused]
    split = splits.split(
        task.y,
        folds=fits.folds,
        repeats=fits.repeats,
        seed=fits.seed,
        groups=task.groups,
        time=task.order,
        gap=asked.gap,
        classes=task.counts.classes,
    )

    storage = run.storage
    if storage is None and run.folder is not None:
        make_folder(Path(run.folder))
        storage = f"sqlite:///{os.path.join(run.folder, 'study.db')}"
    store = opening.opened(
        storage, opening.fingerprint(task, model, split, fits.seed, asked.gap), task.path, run.fresh, fits.search
    )
    try:
        tools = Tools(store, execute, run.progress or (lambda done, total: None), stop)
        warnings = [
            *task.warnings,
            *_unweighted(task, model),
            *_data_warnings(task, split),
            *opening.judged_before(store, aims.metric),
        ]
        stage = run.stage or (lambda what: None)
        with threads.single(), threads.at_most(_width(model, task)), stop.listening():
            stage("fitting")
            entered, given_up, spent = prune(task, entered, split, model, aims.metric, tools, fits.seed)
            beside = _resampled(task, split, model) if fits.baselines else []
            search = Search(task, [*entered, *beside], split, model, aims.metric, tools, fits.seed)
            family = None
            if fits.search:
                name = f"{task.digest()[:16]} {model.name} {aims.metric.name} {fits.seed} {fits.repeats}"
                trials = storage if isinstance(storage, str) else None
                family = explore(
                    search, aims.metric, fits.search, fits.seed, storage=trials, name=name, tell=warnings.append
                )
            if search.unsettled:
                done = search.new + search.reused
                warnings.append(
                    f"{search.unsettled} of {done} fits did not converge; their scores are used as they are"
                )
            if apart := search.apart:
                warnings.append(
                    f"{apart:,} {'fit was' if apart == 1 else 'fits were'} made apart from others of the same training part, which were"
                    " there already: single fits had been lost, or something was added to the study. They have the same minimum, and"
                    " scores may differ in their last places from those of a study that makes all of them together"
                )
            stage("bootstrap")
            fitted = {arm.name for arm in search.arms}
            early = {arm.name: NOT_REACHED for arm in [*entered, *beside] if arm.name not in fitted}
            skipped = refused | given_up | early
            compared = sum(arm.name in fitted for arm in entered)
            study = Contest(task, search, compared, family, aims, fits.bootstrap, fits.seed).study(
                listed=[(arm, recipe) for arm, recipe in every if arm.name not in skipped],
                equal=equal,
                skipped=skipped,
                fits={how: n + spent[how] for how, n in search.fits.items()},
                warnings=(),
            )
            store.note("metric", aims.metric.name)
            if stop.signal and study.stopped is None:  # after the last fit
                study = dataclasses.replace(study, stopped=Stopped(stop.signal, study.repeats, study.repeats))
            return dataclasses.replace(study, warnings=(*warnings, *store.warnings()))
    finally:
        if store is not run.storage:  # it is this call's own
            store.close()


def _task(source: Any, y: Any, data: Any, asked: Data, fits: Fits) -> tuple[Model, Problem]:
    estimator = is_estimator(source)
    function = estimator or (callable(source) and not hasattr(source, "__arrow_c_stream__"))
    if y is not None:
        if function:
            raise ValueError("tune: data for a function or a classifier is said by name: tune(fit, data=(X, y)).")
        if asked.label is not None:
            raise ValueError("tune: y brings the labels, and label= names a column of them; give one of the two.")
        roles = {name: getattr(asked, name) for name in ROLES}
        source, label, roles = together(source, y, roles)
        asked = dataclasses.replace(asked, label=label, **roles)
    if not function:
        if data is not None or fits.epochs is not None:
            raise ValueError(
                "tune: data= and epochs= belong to a function that trains, as in tune(fit, data=(X, y)); a table is given alone, and arrays as tune(X, y)."
            )
        model = by_name.named(fits.model)  # an unknown model is said before anything is read
        if isinstance(source, Problem):
            return model, source
        if asked.label is None:
            raise ValueError("tune: label= must name the column of classes.")
        reading = {name: getattr(asked, name) for name in READING}
        roles = {"group": asked.group, "time": asked.time, "weight": asked.weight}
        task = problem(source, asked.label, asked.positive, **roles, **reading)
        warn((*task.warnings, *task.notes), 4)
        return model, task
    if wrong := [name for name in READING if getattr(asked, name)]:
        raise ValueError(
            f"tune: {wrong[0]}= says how a table is read; a function is given rows and labels as they are."
        )
    if data is None:
        raise ValueError("tune: a function needs data to train on: data=(X, y), or data=X and label=y.")
    task = problem_of(data, asked.label, asked.positive, asked.group, asked.time, asked.weight)
    warn(task.warnings, 4)
    if estimator and fits.epochs is not None:
        raise ValueError("tune: epochs= belongs to a function that yields its model; a classifier has none.")
    return (OwnEstimator(source) if estimator else FunctionModel(source, fits.epochs)), task


def _counted(fits: Fits, rows: int, gap: int) -> Fits:
    """With what is left to the number of rows filled in. ValueError for numbers that make no sense."""
    repeats = (3 if rows > LARGE else 5) if fits.repeats is None else fits.repeats
    bootstrap = (400 if rows > LARGE else 1000) if fits.bootstrap is None else fits.bootstrap
    fits = dataclasses.replace(fits, repeats=repeats, bootstrap=bootstrap)
    least = {"folds": 2, "repeats": 1, "bootstrap": 100, "seed": 0, "gap": 0, "search": 0}
    for name, low in least.items():
        value = gap if name == "gap" else getattr(fits, name)
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
            raise ValueError(f"tune: {name} must be a whole number, at least {low}, got {value!r}.")
    return fits


def _unweighted(task: Problem, model: Model) -> list[str]:
    """A warning where a function does not ask for the weights; ValueError for another model that cannot learn by them."""
    if task.weights is None or model.weighs:
        return []
    if isinstance(model, FunctionModel):
        return [
            "the function takes no weight=, so it was trained as if all rows counted the same, and judged by their weights; write"
            " def fit(recipe, X, y, weight) and multiply each row's loss by it"
        ]
    raise ValueError(
        f"tune: {model.name} takes no sample_weight, so its fits cannot follow the weights in {task.weight!r}. Take --model linear, or"
        " another classifier that does."
    )


def _refusal(model: Model, rule: Rule | None, recipe: Recipe, classes: int) -> str:
    """Why the model cannot train with a recipe, or in its place a rule, or ""."""
    if rule is None:
        return model.refuses(recipe, classes)
    if not model.ruled:
        return (
            f"a rule acts while training goes on, step by step, which {model.name} is not trained by; take --model mlp, or a function of"
            " your own"
        )
    if rule.held and not isinstance(model, FunctionModel):
        return "its numbers are moved by an outer step on held-out rows (adaptive.Bilevel), which belongs into a function of your own"
    return by_the_call(rule) or model.refuses(rule.recipe(), classes)


def _width(model: Model, task: Problem) -> int | None:
    """How many fits at a time are worth it, or None for as many as there are cores.

    A fit of the linear model or of a network is small calls of torch, between which threads wait for each other: of 11,183 rows x 6 two at a time
    took a fifth longer than one after the other and half as much CPU again, of 7,000 x 128 a fifth less.
    """
    if model.encoding != "scaled" or not isinstance(task.features, Features):
        return None
    numbers = len(task.y) * sum(map(breadth, task.features.columns)) * (1 if task.classes == 2 else task.classes)
    return 1 + numbers // PER_THREAD


def _data_warnings(task: Problem, split: Split) -> list[str]:
    return checks.warnings(task, split) if isinstance(task.features, Features) else []


def _resampled(task: Problem, split: Split, model: Model) -> list[Arm]:
    if model.encoding == "rows" or len(task.y) > RESAMPLED:
        return []
    rare = min(int(np.bincount(task.y[split.train(a, f)], minlength=task.classes).min()) for a, f in split.parts())
    return resampled(rare, gaps=model.encoding == "raw", weighted=task.weights is not None)
