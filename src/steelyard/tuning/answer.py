"""What a study found, as plain data: the answer and the evidence, and report.json made of them."""

import dataclasses
import importlib
import json
import math
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import marks, notebook
from ..counts import Counts
from ..explain.summary import weights_and_losses
from ..files import remove_ours
from ..recipe import Recipe
from ..shown import clean
from ..version import __version__
from .arms import Point
from .data.problem import Problem
from .final import NAME, FinalModel, Refit
from .metric import Metric
from .models.model import Axis
from .pictures import Pictures, curves, per_class
from .rarity import Events
from .sampled import sampled
from .verdict.decision import Gate
from .verdict.practice import Beside, Practice
from .weights import effective_rows

FORMAT = "steelyard.report/1"
SHOWN = 40  # classes in a notebook

Threshold = float | tuple[float, ...]  # of two classes, and of more


@dataclasses.dataclass(frozen=True)
class Judged:
    """One arm: its recipe on all rows, and what every metric says about it.

    metrics    {metric: {"value", "difference", "low", "high"}}; a positive difference is better than plain
    settings   {setting of the axis: in how many of the folds it was chosen} for the verdict's metric
    setting    chosen on all rows; `threshold` likewise, a probability on plain scale, or for more than two classes what each one's
               probability is divided by before the largest decides
    equals     why it is plain by construction and was not compared, or ""
    at_cut     {metric of decisions: value} of those that the threshold of the verdict makes; in `metrics` stands the best that
               the metric's own threshold reaches
    reliability  groups of held-out rows by undone probability: the mean that was given, the share that came true, the rows
    """

    name: str
    recipe: Recipe
    metrics: dict[str, dict[str, float]]
    settings: dict[float, int]
    setting: float
    threshold: Threshold
    equals: str = ""
    point: Point | None = None
    at_cut: dict[str, float] = dataclasses.field(default_factory=dict)
    reliability: list[dict[str, float]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Baseline:
    """What people do without weights, beside plain training with a moved threshold. Never a winner; its intervals stand alone."""

    name: str
    note: str
    metrics: dict[str, dict[str, float]]
    at_cut: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`winner` names an arm, or is None: no weighting was shown to beat plain training with a moved threshold.
    `headline` says it in at most twelve words."""

    case: str
    winner: str | None
    best: str | None
    threshold: Threshold
    sentence: str
    headline: str = ""
    ties: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Final:
    """The winner, or plain, refitted on all rows. `threshold_rule` is the metric that the threshold optimises; `model` is what
    the kind of model has to show of it: coefficients by column, and the intercept, for a linear one."""

    arm: str
    recipe: Recipe
    setting: float
    threshold: Threshold
    threshold_rule: str
    model: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Priced:
    """Where a missed positive costs so many false alarms: the cut on all rows, and what cross-fitted cuts find, in rows."""

    miss: float
    threshold: float
    found: float
    missed: float
    alarms: float


@dataclasses.dataclass(frozen=True)
class Trace:
    """The continuous search of one option: what was tried, with the verdict's metric, and where it ended."""

    point: Point
    trials: tuple[tuple[float, float], ...]


@dataclasses.dataclass(frozen=True)
class Stopped:
    """Why the fits ended early, and how many repetitions are whole; 0: some weightings at some settings in one of them are.

    weightings, settings  (done, planned) of those that are compared
    """

    why: str
    done: int
    planned: int
    weightings: tuple[int, int] = (0, 0)
    settings: tuple[int, int] = (0, 0)


@dataclasses.dataclass(frozen=True, repr=False)
class Study:
    """The answer and the evidence, as plain data. `to_dict()` is report.json.

    priced  two classes, where no costs and no capacity were named: what a missed positive may cost, and the cut that this asks for
    """

    problem: Problem
    model_name: str
    axis: Axis
    settings: tuple[float, ...]
    metric: Metric
    cost: Metric | None
    seed: int
    kind: str
    folds: int
    repeats: int
    judged: int
    events: Events | None
    bootstrap: int
    arms: tuple[Judged, ...]
    baselines: tuple[Baseline, ...]
    skipped: dict[str, str]
    verdict: Verdict
    practice: Practice
    better: tuple[Beside, ...]
    gate: Gate
    margin: float
    final: Final
    pictures: Pictures
    trace: Trace | None
    stopped: Stopped | None
    capacity: tuple[float, float] | None
    fits: dict[str, int]
    seconds: float
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    refit: Refit = dataclasses.field(repr=False, compare=False)
    priced: tuple[Priced, ...] = ()

    @property
    def recipe(self) -> Recipe:
        """To train with: the winner's, else plain."""
        return self.final.recipe

    @property
    def threshold(self) -> Threshold:
        """To decide at: a probability of the positive class. For more than two classes what each one's probability is divided by
        before the largest decides, 1 for the most common; all 1 where dividing is not worth it. See `FinalModel`."""
        return self.final.threshold

    @property
    def model(self) -> FinalModel:
        """The winner, or plain, fitted on all rows: `predict_proba`, `predict`, `save`. Fitted when it is first asked for, if the study
        did not need it."""
        return self.refit.model

    def report(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> list[Path]:
        """Write report.json, recipe.json, model.json and report.html into `folder`, as `steelyard tune` does; their paths. Without
        model.json where the kind of model has no plain form. OSError where something that is not ours stands in the way."""
        # what is above reads a study's answer as plain data, and is not known here but by its name
        page = importlib.import_module("steelyard.report")
        document = self.stamped()
        paths = page.write_answer(document, folder, overwrite=overwrite)
        paths += self.write_model(folder, overwrite=overwrite)
        return [*paths, page.write_page(page.Report.from_json(document), folder, overwrite=overwrite)]

    def write_model(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> list[Path]:
        """Write model.json into `folder`; [] where there is no plain form, and then that of an earlier study goes, as it would be taken
        for this one's."""
        path = Path(folder) / NAME
        if (
            self.refit.unsaved or not self.refit.job.model.readable
        ):  # or while it is fitted, the old one would stand beside the new answer
            remove_ours(path, marks.MODEL)
        if not self.refit.unsaved:
            return [self.model.save(path, overwrite=overwrite)]
        return []

    def stamped(self, command: str = "") -> dict[str, Any]:
        """`to_dict()`, with the time of now and the command line that made it."""
        return self.to_dict() | {"made": datetime.now().astimezone().isoformat(timespec="minutes"), "command": command}

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; numbers that are not finite become null."""
        task, verdict, final = self.problem, self.verdict, self.final
        data = {
            "format": FORMAT,
            "version": __version__,
            "data": {
                "path": task.path,
                "rows": len(task.y),
                "rows_read": task.read[0],
                "columns": task.read[1],
                "label": task.label,
                "classes": list(task.counts.classes),
                "counts": task.counts.per_class.tolist(),
                "weight": _weight(task),
                "digest": {"labels": task.labels_digest()[:32], "all": task.digest()[:32]},
                "notes": list(self.notes),
            },
            "positive": task.positive,
            "metric": self.metric.name,
            "metric_title": self.metric.title,
            "metric_higher": self.metric.higher,
            "costs": _costs(self.cost),
            "capacity": None if self.capacity is None else {"rows": self.capacity[0], "per": self.capacity[1]},
            "model": self.model_name,
            "axis": {"name": self.axis.name, "title": self.axis.title},
            "seed": self.seed,
            "splits": {
                "kind": self.kind,
                "by": task.group if self.events is None else task.time,
                "group": task.group,
                "folds": self.folds,
                "repeats": self.repeats,
                "judged": self.judged,
                "events": _events(self.events, task),
            },
            "bootstrap": self.bootstrap,
            "strengths": list(self.settings),
            "margin": self.margin,
            "gate": {
                "name": self.gate.name,
                "value": self.gate.value,
                "low": self.gate.low,
                "chance": self.gate.chance,
                "open": self.gate.open,
            },
            "arms": [
                {
                    "name": arm.name,
                    "recipe": json.loads(arm.recipe.to_json()),
                    "outcomes": _outcomes(arm.recipe, task),
                    "metrics": arm.metrics,
                    "at_cut": arm.at_cut,
                    "reliability": arm.reliability,
                    "strengths": {f"{s:.4g}": n for s, n in arm.settings.items()},
                    "strength": arm.setting,
                    **_threshold(arm.threshold),
                    "equals_plain": arm.equals or None,
                }
                for arm in self.arms
            ],
            "baselines": [
                {"name": b.name, "note": b.note, "metrics": b.metrics, "at_cut": b.at_cut} for b in self.baselines
            ],
            "skipped": [{"name": name, "reason": reason} for name, reason in self.skipped.items()],
            "paths": _paths(self),
            "search": None
            if self.trace is None
            else {
                "ingredient": self.trace.point.ingredient,
                "parameter": self.trace.point.parameter,
                "trials": [{"x": x, "value": value} for x, value in self.trace.trials],
                "best": self.trace.point.x,
            },
            "verdict": {
                "case": verdict.case,
                "winner": verdict.winner,
                "best": verdict.best,
                "ties": list(verdict.ties),
                **_threshold(verdict.threshold),
                "threshold_is": "probability" if task.classes == 2 else "factors",
                "headline": verdict.headline,
                "sentence": verdict.sentence,
                "remarks": list(verdict.notes),
            },
            "final": {
                "arm": final.arm,
                "recipe": json.loads(final.recipe.to_json()),
                "strength": final.setting,
                **_threshold(final.threshold),
                "threshold_rule": final.threshold_rule,
                **final.model,
            },
            "practice": self.practice.to_dict(),
            "better_without_weights": [one.to_dict() for one in self.better],
            "stopped": None
            if self.stopped is None
            else {
                "why": self.stopped.why,
                "repeats_done": self.stopped.done,
                "repeats_planned": self.stopped.planned,
                "weightings_done": self.stopped.weightings[0],
                "weightings_planned": self.stopped.weightings[1],
                "settings_done": self.stopped.settings[0],
                "settings_planned": self.stopped.settings[1],
            },
            "priced": [dataclasses.asdict(one) for one in self.priced],
            "fits": self.fits,
            "curves": curves(
                self.pictures,
                task.classes,
                *(t for t in (final.threshold, self.arms[0].threshold) if isinstance(t, float)),
            ),
            "per_class": per_class(self.pictures, task.counts.classes) if task.classes > 2 else None,
            "sampled": sampled(self.pictures, task.classes),
            "warnings": list(self.warnings),
            "seconds": self.seconds,
        }
        return _finite(data)

    def __repr__(self) -> str:
        return f"Study of {clean(str(self.problem.path))}\n{self.verdict.headline}\n{self.verdict.sentence}"

    def _repr_html_(self) -> str:
        """The verdict, the forest plot and the cut."""
        page = importlib.import_module("steelyard.report")
        shown = page.fragment(page.Report.from_json(self.to_dict()))
        if isinstance(self.threshold, tuple):
            rows = list(zip(self.problem.counts.classes, (f"{v:.4g}" for v in self.threshold), strict=True))
            shown += notebook.table(("class", "its probability is divided by"), rows[:SHOWN])
            shown += notebook.words(f"… {len(rows) - SHOWN:,} more") if len(rows) > SHOWN else ""
        return shown

    def __str__(self) -> str:
        return self.verdict.sentence


def _threshold(value: Threshold) -> dict[str, Any]:
    """More than two classes have `factors`, in their order, and no threshold."""
    if isinstance(value, tuple):
        return {"threshold": None, "factors": list(value)}
    return {"threshold": value}


def _outcomes(recipe: Recipe, task: Problem) -> list[dict[str, float | None]] | None:
    """What the recipe does to each class, for who reads the report without torch; None where that cannot be said."""
    try:
        told = weights_and_losses(recipe, Counts(task.counts.per_class, task.counts.classes))
    except (ValueError, TypeError, ArithmeticError):
        return None
    return [{"weight": weight, "loss_share": share} for weight, share in told]


def _weight(task: Problem) -> dict[str, Any] | None:
    """`effective` is Kish's number of rows, `masses` what each class counts for, in rows of mean weight."""
    if task.weights is None:
        return None
    masses = task.masses.per_class.tolist()
    return {"column": task.weight, "effective": effective_rows(task.weights), "masses": masses}


def _events(events: Events | None, task: Problem) -> dict[str, Any] | None:
    if events is None:
        return None
    return {
        "class": task.counts.classes[events.label],
        "all": events.everywhere,
        "judged": events.judged,
        "by_block": list(events.by_block),
        "groups": events.groups,
    }


def _costs(cost: Metric | None) -> dict[str, Any] | None:
    if cost is None:
        return None
    if cost.cost_matrix is not None:
        return {"matrix": [list(row) for row in cost.cost_matrix]}
    return {"fn": cost.cost_fn, "fp": cost.cost_fp}


def _paths(study: Study) -> list[dict[str, Any]]:
    """The metric against one option of an ingredient, where arms tried more than one value of it; plain stands at 0."""
    families: dict[tuple[str, str], list[Any]] = {}
    for arm in study.arms:
        if arm.point is not None and not arm.equals:
            families.setdefault((arm.point.ingredient, arm.point.parameter), []).append(arm)
    out = []
    for (ingredient, parameter), members in families.items():
        if len(members) < 2:
            continue
        points = [(0.0, study.arms[0]), *sorted(((a.point.x, a) for a in members), key=lambda p: p[0])]
        shown = [{"x": x, "arm": a.name, **a.metrics[study.metric.name]} for x, a in points]
        out.append({"ingredient": ingredient, "parameter": parameter, "points": shown})
    return out


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
