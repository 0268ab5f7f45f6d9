"""What a study found, as plain data: the answer and the evidence."""

import dataclasses
from typing import Any

import numpy as np

from ..recipe import Recipe
from .arms import Point
from .data.problem import Problem
from .metric import Metric
from .models.model import Axis
from .verdict.decision import Gate


@dataclasses.dataclass(frozen=True)
class Judged:
    """One arm: its recipe on all rows, and what every metric says about it.

    metrics    {metric: {"value", "difference", "low", "high"}}; a positive difference is better than plain
    settings   {setting of the axis: in how many of the folds it was chosen} for the verdict's metric
    setting    chosen on all rows; `threshold` likewise, a probability on plain scale (tau for more than two classes)
    equals     why it is plain by construction and was not compared, or ""
    """

    name: str
    recipe: Recipe
    metrics: dict[str, dict[str, float]]
    settings: dict[float, int]
    setting: float
    threshold: float
    equals: str = ""
    point: Point | None = None


@dataclasses.dataclass(frozen=True)
class Baseline:
    """What people do without weights, beside plain training with a moved threshold. Never a winner; its intervals stand alone."""

    name: str
    note: str
    metrics: dict[str, dict[str, float]]


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
    """The winner, or plain, refitted on all rows. `threshold_rule` is the metric that the threshold optimises; `model` is what
    the engine has to show of it: coefficients by column, and the intercept, for a linear one."""

    arm: str
    recipe: Recipe
    setting: float
    threshold: float
    threshold_rule: str
    model: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Out-of-fold predictions of plain and of the best other arm on the judged rows, [repetitions, rows(, C)]: undone, as
    trained, and recalibrated after the undo; `y` are their labels and `decided` their labels by the moved threshold."""

    names: tuple[str, ...]
    y: np.ndarray
    undone: tuple[np.ndarray, ...]
    trained: tuple[np.ndarray, ...]
    recalibrated: tuple[np.ndarray, ...]
    decided: tuple[np.ndarray, ...]


@dataclasses.dataclass(frozen=True)
class Trace:
    """The continuous search of one option: what was tried, with the verdict's metric, and where it ended."""

    point: Point
    trials: tuple[tuple[float, float], ...]


@dataclasses.dataclass(frozen=True)
class Stopped:
    """Why the fits ended early, and how many repetitions are whole."""

    why: str
    done: int
    planned: int


@dataclasses.dataclass(frozen=True)
class Study:
    """The answer and the evidence, as plain data. `to_dict()` is report.json."""

    problem: Problem
    model: str
    axis: Axis
    settings: tuple[float, ...]
    metric: Metric
    cost: Metric | None
    seed: int
    kind: str
    folds: int
    repeats: int
    judged: int
    bootstrap: int
    arms: tuple[Judged, ...]
    baselines: tuple[Baseline, ...]
    skipped: dict[str, str]
    verdict: Verdict
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

    def to_dict(self) -> dict[str, Any]:
        from .document import document  # it reads this class

        return document(self)

    def __str__(self) -> str:
        return self.verdict.sentence
