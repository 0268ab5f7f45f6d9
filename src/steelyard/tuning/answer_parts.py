"""The parts of a study's answer, and what each is in report.json."""

import dataclasses
import json
from typing import Any

from ..recipe import Recipe
from .arms import Point

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

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "recipe": json.loads(self.recipe.to_json()),
            "metrics": self.metrics,
            "at_cut": self.at_cut,
            "reliability": self.reliability,
            "strengths": {f"{s:.4g}": n for s, n in self.settings.items()},
            "strength": self.setting,
            **_threshold(self.threshold),
            "equals_plain": self.equals or None,
        }


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

    def to_dict(self) -> dict[str, Any]:
        return {
            "case": self.case,
            "winner": self.winner,
            "best": self.best,
            "ties": list(self.ties),
            **_threshold(self.threshold),
            "headline": self.headline,
            "sentence": self.sentence,
            "remarks": list(self.notes),
        }


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

    def to_dict(self) -> dict[str, Any]:
        return {
            "arm": self.arm,
            "recipe": json.loads(self.recipe.to_json()),
            "strength": self.setting,
            **_threshold(self.threshold),
            "threshold_rule": self.threshold_rule,
            **self.model,
        }


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

    def to_dict(self) -> dict[str, Any]:
        return {
            "ingredient": self.point.ingredient,
            "parameter": self.point.parameter,
            "trials": [{"x": x, "value": value} for x, value in self.trials],
            "best": self.point.x,
        }


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

    def to_dict(self) -> dict[str, Any]:
        done = {"why": self.why, "repeats_done": self.done, "repeats_planned": self.planned}
        for name, (some, of) in (("weightings", self.weightings), ("settings", self.settings)):
            done |= {f"{name}_done": some, f"{name}_planned": of}
        return done


def _threshold(value: Threshold) -> dict[str, Any]:
    """More than two classes have `factors`, in their order, and no threshold."""
    if isinstance(value, tuple):
        return {"threshold": None, "factors": list(value)}
    return {"threshold": value}
