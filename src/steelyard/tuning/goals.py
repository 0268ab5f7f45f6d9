"""What decides, what is printed beside it, and what the threshold is for."""

import dataclasses
import difflib
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from .costs import by_place, net, of_two, read
from .data.problem import Problem
from .metric import DECISION, METRICS, Metric, others
from .request import Goal

SHORT = {
    "ap": "average_precision",
    "pr_auc": "average_precision",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "cost": "expected_cost",
    "capacity": "recall_at_capacity",
}


@dataclasses.dataclass(frozen=True)
class Goals:
    """metric decides; cost and capacity, where they were given, are judged too. `capacity_said` is (rows, per)."""

    metric: Metric
    cost: Metric | None
    capacity: Metric | None
    capacity_said: tuple[float, float] | None

    def every(self, classes: int) -> list[Metric]:
        return [self.metric, *others(classes, self.metric, self.cost, self.capacity)]

    def threshold_rule(self, classes: int) -> Metric:
        """What the moved threshold maximises: the verdict's own metric, else the costs, else the capacity, else the nearest
        decision metric."""
        if self.metric.kind == DECISION:
            return self.metric
        if self.cost is not None or self.capacity is not None:
            return self.cost or self.capacity  # type: ignore[return-value]
        return METRICS["balanced_accuracy" if classes > 2 or self.metric.name == "roc_auc" else "f1"]


def goals(task: Problem, goal: Goal) -> Goals:
    """Read what the user said. ValueError where it makes no sense for these classes."""
    names, matrix = task.counts.classes, goal.cost_matrix
    if isinstance(matrix, (str, os.PathLike)):
        matrix = _text(matrix)
    if matrix is not None:
        if task.turned and by_place(matrix, names):
            negative, positive = names
            raise ValueError(
                f"tune: the cost matrix names no classes, and the positive, {positive!r}, comes first among the labels and second here, so"
                f" its rows could mean either. Say --cost-fn and --cost-fp (cost_fn=, cost_fp=): a missed {positive!r}, and a {negative!r}"
                f" taken for it; or name rows and columns: ',{positive},{negative};{positive},0,5;{negative},1,0'."
            )
        matrix = read(matrix, names)
    share, wording = _share(goal.capacity)

    def named(which: str | None) -> Metric:
        return metric(
            which,
            task.classes,
            goal.cost_fn,
            goal.cost_fp,
            cost_matrix=matrix,
            exchange=goal.exchange,
            capacity=share,
            names=names,
        )

    priced = any(number is not None for number in (goal.cost_fn, goal.cost_fp, goal.cost_matrix, goal.exchange))
    return Goals(
        named(goal.metric),
        named("expected_cost") if priced else None,
        named("recall_at_capacity") if share is not None else None,
        wording,
    )


def _text(matrix: str | os.PathLike[str]) -> str:
    """The matrix itself, or the text of the file that is named."""
    if isinstance(matrix, str) and not os.path.exists(matrix):
        if matrix.lower().endswith((".csv", ".txt", ".tsv")):
            raise ValueError(f"tune: the cost matrix: there is no file {matrix!r}.")
        return matrix
    try:
        with open(matrix, encoding="utf-8-sig") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"tune: the cost matrix: {str(matrix)!r} cannot be read ({error}).") from None


def _share(capacity: float | str | None) -> tuple[float | None, tuple[float, float] | None]:
    """The share of rows that can be acted upon, and how it was said: "200/10000" or 0.02."""
    if capacity is None:
        return None, None
    try:
        rows, _, per = str(capacity).partition("/")
        ratio = float(rows), float(per) if per else 1.0
        return ratio[0] / ratio[1], ratio
    except (ValueError, ZeroDivisionError):
        raise ValueError(
            f"tune: capacity must be rows of rows, such as 200/10000, or a share, got {capacity!r}."
        ) from None


def metric(
    name: str | None,
    classes: int,
    cost_fn: float | None = None,
    cost_fp: float | None = None,
    *,
    cost_matrix: Any = None,
    exchange: float | None = None,
    capacity: float | None = None,
    names: Sequence[str] | None = None,
    who: str = "tune",
) -> Metric:
    """The named metric, or the default: average precision for two classes, balanced accuracy for more.

    expected_cost takes one of
      cost_fn, cost_fp   of a missed positive and of a false alarm; one left out is 1 (two classes)
      cost_matrix        [C, C], rows the truth, columns the decision. Costs count over that of the right decision, the
                         diagonal; for two classes that leaves cost_fn = M[1, 0] - M[1, 1], cost_fp = M[0, 1] - M[0, 0]
      exchange           false alarms that one more positive found is worth. That is cost_fn = exchange, cost_fp = 1: where
                         exchange * missed + alarms is least, no further step down the ranking finds positives at a lower
                         price than `exchange` alarms each, and no step already taken paid more (two classes)
    recall_at_capacity takes
      capacity           the share of rows that can be acted upon: 200 of 10,000 a day is 0.02

    names   of the classes, for errors
    ValueError for an unknown name (with the nearest one), a metric of two classes for more, or numbers that are missing,
    contradict each other or make no sense.
    """
    if name is None:
        name = "average_precision" if classes == 2 else "balanced_accuracy"
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    key = SHORT.get(key, key)
    if key not in METRICS:
        near = difflib.get_close_matches(key, [*METRICS, *SHORT], 1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"{who}: unknown metric {name!r}. {hint}Known are {', '.join(METRICS)}.")
    known = METRICS[key]
    if known.two_classes and classes > 2:
        fit = ", ".join(m.name for m in METRICS.values() if not m.two_classes)
        raise ValueError(f"{who}: {known.name} is for two classes but the label has {classes}; choose one of {fit}.")
    if known.name == "expected_cost":
        return _costed(known, classes, cost_fn, cost_fp, cost_matrix, exchange, names, who)
    if known.name == "recall_at_capacity":
        if capacity is None:
            raise ValueError(
                f"{who}: recall_at_capacity needs to know how many rows can be acted upon; give capacity, a share of the"
                " rows: 200 of 10,000 a day is 0.02."
            )
        if not 0 < capacity < 1:
            raise ValueError(f"{who}: capacity is a share of the rows between 0 and 1, got {capacity!r}.")
        title = f"{known.title} ({100 * capacity:.3g} % of rows)"
        return dataclasses.replace(known, title=title, capacity=float(capacity))
    return known


def _costed(
    metric: Metric,
    classes: int,
    cost_fn: float | None,
    cost_fp: float | None,
    matrix: Any,
    exchange: float | None,
    names: Sequence[str] | None,
    who: str,
) -> Metric:
    ways = [
        said
        for said, there in (
            ("cost_fn and cost_fp", cost_fn is not None or cost_fp is not None),
            ("cost_matrix", matrix is not None),
            ("exchange", exchange is not None),
        )
        if there
    ]
    if len(ways) > 1:
        raise ValueError(f"{who}: {' and '.join(ways)} say the same thing in different ways; give one of them.")
    if classes > 2 and ways != ["cost_matrix"]:
        raise ValueError(
            f"{who}: expected_cost of {classes} classes needs a cost matrix, {classes} x {classes}: rows are the truth,"
            f" columns the decision{'; ' + ways[0] + ' is for two classes' if ways else ''}."
        )
    if not ways:
        raise ValueError(
            f"{who}: expected_cost needs to know what mistakes cost; give cost_fn (a missed positive) and"
            " cost_fp (a false alarm), e.g. 20 and 1, a cost_matrix, or exchange (false alarms per positive found)."
        )
    if matrix is not None:
        over = net(matrix, classes, names, who=who)
        if classes > 2:
            return dataclasses.replace(metric, cost_matrix=over)
        cost_fn, cost_fp = of_two(over, names, who=who)
    for which, cost in (("cost_fn", cost_fn), ("cost_fp", cost_fp), ("exchange", exchange)):
        if cost is not None and not 0 < cost < np.inf:
            raise ValueError(f"{who}: {which} must be a number > 0, got {cost!r}.")
    missed = exchange if exchange is not None else cost_fn
    return dataclasses.replace(
        metric, cost_fn=1.0 if missed is None else float(missed), cost_fp=1.0 if cost_fp is None else float(cost_fp)
    )
