"""What a study found, as plain data: the answer and the evidence, and report.json made of them."""

import dataclasses
import importlib
import math
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import marks, notebook
from ..class_order import at_places
from ..counts import Counts
from ..explain.summary import weights_and_losses
from ..files import remove_ours
from ..recipe import Recipe
from ..shown import clean
from ..version import __version__
from .answer_parts import Baseline, Final, Judged, Priced, Stopped, Threshold, Trace, Verdict
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
        """To train with: the winner's, else plain. Classes 0 and 1 stand at those places, whichever is the positive one; of other names
        the positive is last."""
        return at_places(self.final.recipe)

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
        task = self.problem
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
            "arms": [arm.to_dict() | {"outcomes": _outcomes(arm.recipe, task)} for arm in self.arms],
            "baselines": [dataclasses.asdict(baseline) for baseline in self.baselines],
            "skipped": [{"name": name, "reason": reason} for name, reason in self.skipped.items()],
            "paths": _paths(self),
            "search": None if self.trace is None else self.trace.to_dict(),
            "verdict": self.verdict.to_dict() | {"threshold_is": "probability" if task.classes == 2 else "factors"},
            "final": self.final.to_dict(),
            "practice": self.practice.to_dict(),
            "better_without_weights": [one.to_dict() for one in self.better],
            "stopped": None if self.stopped is None else self.stopped.to_dict(),
            "priced": [dataclasses.asdict(one) for one in self.priced],
            "fits": self.fits,
            "curves": curves(
                self.pictures,
                task.classes,
                *(t for t in (self.final.threshold, self.arms[0].threshold) if isinstance(t, float)),
                *(one.threshold for one in self.priced),
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
