"""Metrics of pooled predictions, for all bootstrap draws at once.

A draw is a column of whole multiplicities, weights [rows, draws]: a metric of a draw is the metric of the table in
which every row stands that many times. Three kinds of prediction are judged: a ranking (scores), a decision (labels) and a
probability (log-probabilities).
"""

import dataclasses
import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np

from .costs import Matrix, net, of_two
from .formulas import LOSSES, decision_columns, finish, from_confusion, from_tables
from .ranked import Ranked
from .threads import in_order

__all__ = ["LOSSES", "METRICS", "Evaluator", "Metric", "from_confusion", "from_tables", "metric", "others"]

RANKING, DECISION, PROBABILITY = "ranking", "decision", "probability"
BLOCK = 2**23  # numbers in one [models, columns, rows] array of an Evaluator
WORTH_A_THREAD = 2**22  # multiplicities from which models are ranked side by side
WORKING, ROOM = (
    48,
    2**29,
)  # bytes per level and draw while a model is ranked, and bytes for all that are ranked at a time


@dataclasses.dataclass(frozen=True)
class Metric:
    """What is judged, and how large a difference matters.

    margin        smallest difference that makes a winner; `tie` the largest that still counts as no difference.
                  Both are shares of plain's value where `relative`.
    recalibrated  judged after the scores were recalibrated on the other folds
    cost_fn, cost_fp   of a missed positive and a false alarm: two classes
    cost_matrix   what a decision costs over the right one, [truth][decision] with a diagonal of 0: more than two classes
    capacity      share of rows that can be acted upon
    """

    name: str
    title: str
    kind: str
    higher: bool = True
    margin: float = 0.005
    tie: float = 0.02
    relative: bool = False
    two_classes: bool = False
    recalibrated: bool = False
    cost_fn: float = 1.0
    cost_fp: float = 1.0
    cost_matrix: Matrix | None = None
    capacity: float | None = None

    def gain(self, arm: np.ndarray, plain: np.ndarray) -> np.ndarray:
        """How much better the arm is than plain: positive is better, whichever way the metric points."""
        return arm - plain if self.higher else plain - arm


def _loss(name: str, title: str, *, recalibrated: bool = False) -> Metric:
    return Metric(name, title, PROBABILITY, False, 0.01, 0.05, relative=True, recalibrated=recalibrated)


METRICS = {
    m.name: m
    for m in (
        Metric("average_precision", "average precision", RANKING, two_classes=True),
        Metric("roc_auc", "ROC AUC", RANKING, tie=0.01, two_classes=True),
        Metric("balanced_accuracy", "balanced accuracy", DECISION),
        Metric("f1", "F1", DECISION, two_classes=True),
        Metric("macro_f1", "macro F1", DECISION),
        Metric("mcc", "MCC", DECISION),
        Metric("recall_at_capacity", "recall at capacity", DECISION, two_classes=True),
        _loss("log_loss", "log loss"),
        _loss("brier", "Brier score"),
        _loss("log_loss_recalibrated", "log loss after recalibration", recalibrated=True),
        _loss("brier_recalibrated", "Brier score after recalibration", recalibrated=True),
        Metric("expected_cost", "expected cost per 1000 rows", DECISION, False, 0.01, 0.05, relative=True),
    )
}
ASKED = ("expected_cost", "recall_at_capacity")  # they need a number from the user
SHORT = {
    "ap": "average_precision",
    "pr_auc": "average_precision",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "cost": "expected_cost",
    "capacity": "recall_at_capacity",
}


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
    found = METRICS[key]
    if found.two_classes and classes > 2:
        fit = ", ".join(m.name for m in METRICS.values() if not m.two_classes)
        raise ValueError(f"{who}: {found.name} is for two classes but the label has {classes}; choose one of {fit}.")
    if found.name == "expected_cost":
        return _costed(found, classes, cost_fn, cost_fp, cost_matrix, exchange, names, who)
    if found.name == "recall_at_capacity":
        if capacity is None:
            raise ValueError(
                f"{who}: recall_at_capacity needs to know how many rows can be acted upon; give capacity, a share of the"
                " rows: 200 of 10,000 a day is 0.02."
            )
        if not 0 < capacity < 1:
            raise ValueError(f"{who}: capacity is a share of the rows between 0 and 1, got {capacity!r}.")
        title = f"{found.title} ({100 * capacity:.3g} % of rows)"
        return dataclasses.replace(found, title=title, capacity=float(capacity))
    return found


def _costed(
    found: Metric,
    classes: int,
    cost_fn: float | None,
    cost_fp: float | None,
    matrix: Any,
    exchange: float | None,
    names: Sequence[str] | None,
    who: str,
) -> Metric:
    given = [
        said
        for said, there in (
            ("cost_fn and cost_fp", cost_fn is not None or cost_fp is not None),
            ("cost_matrix", matrix is not None),
            ("exchange", exchange is not None),
        )
        if there
    ]
    if len(given) > 1:
        raise ValueError(f"{who}: {' and '.join(given)} say the same thing in different ways; give one of them.")
    if classes > 2 and given != ["cost_matrix"]:
        raise ValueError(
            f"{who}: expected_cost of {classes} classes needs a cost matrix, {classes} x {classes}: rows are the truth,"
            f" columns the decision{'; ' + given[0] + ' is for two classes' if given else ''}."
        )
    if not given:
        raise ValueError(
            f"{who}: expected_cost needs to know what mistakes cost; give cost_fn (a missed positive) and"
            " cost_fp (a false alarm), e.g. 20 and 1, a cost_matrix, or exchange (false alarms per positive found)."
        )
    if matrix is not None:
        over = net(matrix, classes, names, who=who)
        if classes > 2:
            return dataclasses.replace(found, cost_matrix=over)
        cost_fn, cost_fp = of_two(over, names, who=who)
    for which, cost in (("cost_fn", cost_fn), ("cost_fp", cost_fp), ("exchange", exchange)):
        if cost is not None and not 0 < cost < np.inf:
            raise ValueError(f"{who}: {which} must be a number > 0, got {cost!r}.")
    missed = exchange if exchange is not None else cost_fn
    return dataclasses.replace(
        found, cost_fn=1.0 if missed is None else float(missed), cost_fp=1.0 if cost_fp is None else float(cost_fp)
    )


def others(classes: int, chosen: Metric, cost: Metric | None = None, capacity: Metric | None = None) -> list[Metric]:
    """The metrics printed beside the chosen one, without a verdict."""
    every = [m for m in METRICS.values() if m.name not in ASKED and not (m.two_classes and classes > 2)]
    if classes == 2:
        every = [m for m in every if m.name != "macro_f1"]
    every += [m for m in (cost, capacity) if m is not None]
    return [m for m in every if m.name != chosen.name]


class Evaluator:
    """One metric of many predictions under many weightings of the rows; sorting is done once, here.

    outcomes  [models, rows] scores or labels, or log-probabilities: log-odds [models, rows] for two classes, else [models, rows, C]
    y         [rows] labels 0..classes-1

    Where all columns do not fit into one block, labels are kept as they come, losses in float32, and every call widens
    them model by model.
    """

    def __init__(self, metric: Metric, outcomes: np.ndarray, y: np.ndarray, classes: int):
        self.metric, self.classes, self.y = metric, classes, y
        self.models = len(outcomes)
        if metric.kind == RANKING:
            ones = np.ones(len(y), np.float32)
            self.ranked = [Ranked.of(score, y, ones) for score in outcomes]
            return
        small = self.models * 2 * classes * len(y) <= BLOCK
        if metric.kind == DECISION:
            kept = outcomes
        else:
            losses = LOSSES[metric.name.removesuffix("_recalibrated")]
            kept = np.stack([losses(o, y, classes).astype(np.float64 if small else np.float32) for o in outcomes])
        self.blocks = [self._columns(kept)] if small else [kept[[i]] for i in range(self.models)]
        self.small = small

    def _columns(self, kept: np.ndarray) -> np.ndarray:
        """[models, q, rows] numbers whose weighted sums the metric is made of; whole numbers as float32."""
        if self.metric.kind == PROBABILITY:
            return kept[:, None].astype(np.float64, copy=False)
        if self.metric.cost_matrix is not None:
            return np.asarray(self.metric.cost_matrix)[self.y, kept][:, None]
        return np.stack([decision_columns(o, self.y, self.classes) for o in kept])

    def __call__(self, weights: np.ndarray | None = None) -> np.ndarray:
        """[models, draws] for weights [rows, draws]; [models] for None, every row once."""
        if weights is None:
            return self(np.ones((len(self.y), 1), np.float32))[:, 0]
        if self.metric.kind == RANKING:
            name = self.metric.name
            room = max(r.height for r in self.ranked) * weights.shape[1] * WORKING
            width = max(1, ROOM // room) if weights.size >= WORTH_A_THREAD else 1
            return np.stack(in_order(lambda r: getattr(r, name)(weights), self.ranked, width))
        totals = np.stack([weights[self.y == c].sum(axis=0, dtype=np.float64) for c in range(self.classes)])
        wide = None
        found = []
        for block in self.blocks:
            columns = block if self.small else self._columns(block)
            models, q, rows = columns.shape
            # whole numbers below 2^24 are exact in float32; sums of losses are not
            if columns.dtype == np.float32 and rows < 2**24:
                w = weights
            else:
                w = wide = weights.astype(np.float64) if wide is None else wide
            sums = (columns.reshape(-1, rows) @ w).reshape(models, q, -1).astype(np.float64)
            found.append(finish(self.metric, sums, totals))
        return np.concatenate(found)
