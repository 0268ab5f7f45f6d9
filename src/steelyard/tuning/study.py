"""tune: from a table to weights, a threshold and the evidence for them."""

import dataclasses
import difflib
import time
from typing import Any

import numpy as np

from ..recipe import Recipe
from . import honesty, space, split, threads
from .crossfit import Choice, probability, threshold_metric
from .engines import fit_linear
from .evidence import compare
from .honesty import Comparison, Gate
from .metrics import Metric, others
from .metrics import metric as metric_named
from .problem import Problem, problem
from .search import Engine, Progress, Search
from .sentences import Facts, sentence

MODELS: dict[str, Engine] = {"linear": fit_linear}


@dataclasses.dataclass(frozen=True)
class Judged:
    """One arm: its recipe on all rows, and what every metric says about it.

    metrics    {metric: {"value", "difference", "low", "high"}}; a positive difference is better than plain
    strengths  {strength: in how many of the folds it was chosen} for the verdict's metric
    strength   chosen on all rows; `threshold` likewise, a probability on plain scale (tau for more than two classes)
    equals     why it is plain by construction and was not compared, or ""
    """

    name: str
    recipe: Recipe
    metrics: dict[str, dict[str, float]]
    strengths: dict[float, int]
    strength: float
    threshold: float
    equals: str = ""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`winner` names an arm, or is None: no weighting was shown to beat plain training with a moved threshold."""

    case: str
    winner: str | None
    best: str | None
    threshold: float
    sentence: str
    ties: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Final:
    """The winner, or plain, refitted on all rows. `threshold_rule` is the metric that the threshold optimises."""

    arm: str
    recipe: Recipe
    strength: float
    threshold: float
    threshold_rule: str
    coefficients: dict[str, list[float]]
    intercept: list[float]


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Out-of-fold predictions of plain and of the best other arm: undone and as trained, [repetitions, rows(, C)]."""

    names: tuple[str, ...]
    undone: tuple[np.ndarray, ...]
    trained: tuple[np.ndarray, ...]


@dataclasses.dataclass(frozen=True)
class Study:
    """The answer and the evidence, as plain data. `to_dict()` is report.json."""

    problem: Problem
    model: str
    metric: Metric
    cost: Metric | None
    seed: int
    folds: int
    repeats: int
    bootstrap: int
    arms: tuple[Judged, ...]
    verdict: Verdict
    gate: Gate
    margin: float
    final: Final
    pictures: Pictures
    strengths: tuple[float, ...]
    fits: dict[str, int]
    seconds: float
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        from .document import document  # it reads this class

        return document(self)

    def __str__(self) -> str:
        return self.verdict.sentence


def tune(
    data: Any,
    *,
    label: str,
    positive: Any = None,
    metric: str | None = None,
    seed: int = 0,
    folds: int = 5,
    repeats: int = 5,
    bootstrap: int = 1000,
    arms: Any = None,
    progress: Progress | None = None,
    cost_fn: float | None = None,
    cost_fp: float | None = None,
    model: str = "linear",
) -> Study:
    """Compare loss weightings with plain training and a moved threshold, and say what the data can tell.

    data        path of a CSV or Parquet file, a Table, a DataFrame, or a Problem made of them; `label` is its column of classes
    positive    the positive of two classes; the rarer one unless said
    metric      decides alone; average precision for two classes, balanced accuracy for more, unless said
    folds       of each of `repeats` stratified cross-validations; fewer where the rarer class is small
    bootstrap   draws of rows behind the intervals
    arms        {name: Recipe or function of Counts}; None compares the usual strategies
    cost_fn     cost of a missed positive, cost_fp of a false alarm: for the expected cost and the threshold
    progress    called with (fits done, fits in all)

    Every arm has unit mass, the same folds, and strength and threshold chosen on the other folds; scores are undone to
    plain scale before they are pooled. ValueError, in one paragraph, for data that cannot be learned from.
    """
    started = time.perf_counter()
    _check(model, folds, repeats, bootstrap, seed)
    task = data if isinstance(data, Problem) else problem(data, label, positive)
    cost = None
    if task.classes == 2 and not (cost_fn is None and cost_fp is None):
        cost = metric_named("expected_cost", 2, cost_fn, cost_fp)
    chosen = metric_named(metric, task.classes, cost_fn, cost_fp)
    every = [(arm, arm.recipe(task.counts)) for arm in space.arms(arms)]
    equal = {arm.name: reason for arm, r in every[1:] if (reason := space.equals_plain(r))}
    compared_arms = [(arm, r) for arm, r in every if arm.name not in equal]
    recipes = [r for _, r in compared_arms]
    names = tuple(arm.name for arm, _ in compared_arms)
    distances = [space.distance(r) for r in recipes]

    held = split.folds(task.y, folds=folds, repeats=repeats, seed=seed)
    unheard = progress or (lambda done, total: None)
    metrics = [chosen, *others(task.classes, chosen, cost)]
    with threads.single():
        search = Search(task, [arm for arm, _ in compared_arms], recipes, held, MODELS[model], chosen, unheard)
        compared, gate = compare(task, search, chosen, metrics, distances, bootstrap, seed)

    choice, main = search.choice(chosen), compared[chosen.name]
    rule = threshold_metric(chosen, cost, task.classes)
    cuts = choice.decide(rule)[1]
    thresholds = (probability(cuts) if task.classes == 2 else cuts).mean(axis=1)
    at_edge = choice.at_edge(0, search.tolerance)
    decision = honesty.decide(main, gate, task.rare, distances, at_edge=at_edge)
    picked = decision.winner or 0
    final = _final(search, picked, float(thresholds[picked]), rule)
    rows = "positives" if task.classes == 2 and task.counts.per_class[1] == task.rare else "rows of the rarest class"
    facts = Facts(names, task.rare, rows, repeats, search.folds, final.threshold, task.classes > 2)
    remark = honesty.remark(task.rare, f"{task.rare} {rows}")
    shown = (0,) if decision.best is None else (0, decision.best)
    warnings = list(task.warnings)
    if search.unsettled:
        warnings.append(f"{search.unsettled} of {search.done} fits did not converge; their scores are used as they are")
    return Study(
        problem=task,
        model=model,
        metric=chosen,
        cost=cost,
        seed=seed,
        folds=search.folds,
        repeats=repeats,
        bootstrap=bootstrap,
        arms=tuple(
            _judged(
                arm.name, r, names.index(arm.name) if arm.name in names else 0, compared, search, choice, thresholds
            )
            for arm, r in every
        ),
        verdict=Verdict(
            case=decision.case,
            winner=None if decision.winner is None else names[decision.winner],
            best=None if decision.best is None else names[decision.best],
            threshold=final.threshold,
            sentence=sentence(decision, main, gate, facts),
            ties=tuple(names[j] for j in decision.ties),
            remarks=(remark,) if remark else (),
        ),
        gate=gate,
        margin=main.margin,
        final=final,
        pictures=Pictures(
            names=tuple(names[j] for j in shown),
            undone=tuple(choice.pooled[j] for j in shown),
            trained=tuple(search.trained(choice, j) for j in shown),
        ),
        strengths=tuple(search.strengths.tolist()),
        fits={"new": search.done, "reused": 0},
        seconds=time.perf_counter() - started,
        notes=task.notes,
        warnings=tuple(warnings),
    )


def _judged(
    name: str,
    recipe: Recipe,
    j: int,
    compared: dict[str, Comparison],
    search: Search,
    choice: Choice,
    thresholds: np.ndarray,
) -> Judged:
    """Arm j of the search under its name; one that equals plain shows plain's numbers."""
    numbers = {
        m: {"value": c.value[j], "difference": c.gain[j], "low": c.low[j], "high": c.high[j]}
        for m, c in compared.items()
    }
    times = np.bincount(choice.picked[j].reshape(-1), minlength=len(search.strengths))
    return Judged(
        name,
        recipe,
        {m: {k: float(v) for k, v in found.items()} for m, found in numbers.items()},
        {float(s): int(n) for s, n in zip(search.strengths, times, strict=True) if n},
        float(search.strengths[choice.final[j]]),
        float(thresholds[j]),
        "" if name == search.arms[j].name else space.equals_plain(recipe),
    )


def _final(search: Search, j: int, threshold: float, rule: Metric) -> Final:
    at = search.choice(search.metric).final[j]
    theta = search.fitted.theta[j, at]
    return Final(
        search.arms[j].name,
        search.recipes[j],
        float(search.strengths[at]),
        threshold,
        rule.name,
        dict(zip(search.fitted.names, theta[:, :-1].T.tolist(), strict=True)),
        theta[:, -1].tolist(),
    )


def _check(model: str, folds: int, repeats: int, bootstrap: int, seed: int) -> None:
    if model not in MODELS:
        near = difflib.get_close_matches(str(model), MODELS, 1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"tune: unknown model {model!r}. {hint}Known: {', '.join(MODELS)}.")
    for name, value, least in (
        ("folds", folds, 2),
        ("repeats", repeats, 1),
        ("bootstrap", bootstrap, 100),
        ("seed", seed, 0),
    ):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(f"tune: {name} must be a whole number, at least {least}, got {value!r}.")
