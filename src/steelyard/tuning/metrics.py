"""Metrics of pooled predictions, for all bootstrap draws at once.

A draw is a column of whole multiplicities, weights [rows, draws]: a metric of a draw is the metric of the table in
which every row stands that many times. Three kinds of prediction are judged: a ranking (scores), a decision (labels) and a
probability (log-probabilities).
"""

import dataclasses
import difflib
import functools
from collections.abc import Callable

import numpy as np
from scipy import sparse

RANKING, DECISION, PROBABILITY = "ranking", "decision", "probability"


@dataclasses.dataclass(frozen=True)
class Metric:
    """What is judged, and how large a difference matters.

    margin  smallest difference that makes a winner; `tie` the largest that still counts as no difference.
            Both are shares of plain's value where `relative`.
    """

    name: str
    title: str
    kind: str
    higher: bool = True
    margin: float = 0.005
    tie: float = 0.02
    relative: bool = False
    two_classes: bool = False
    cost_fn: float = 1.0
    cost_fp: float = 1.0

    def gain(self, arm: np.ndarray, plain: np.ndarray) -> np.ndarray:
        """How much better the arm is than plain: positive is better, whichever way the metric points."""
        return arm - plain if self.higher else plain - arm


METRICS = {
    m.name: m
    for m in (
        Metric("average_precision", "average precision", RANKING, two_classes=True),
        Metric("roc_auc", "ROC AUC", RANKING, tie=0.01, two_classes=True),
        Metric("balanced_accuracy", "balanced accuracy", DECISION),
        Metric("f1", "F1", DECISION, two_classes=True),
        Metric("macro_f1", "macro F1", DECISION),
        Metric("mcc", "MCC", DECISION),
        Metric("log_loss", "log loss", PROBABILITY, False, 0.01, 0.05, True),
        Metric("brier", "Brier score", PROBABILITY, False, 0.01, 0.05, True),
        Metric(
            "expected_cost", "expected cost per 1000 rows", DECISION, False, 0.01, 0.05, relative=True, two_classes=True
        ),
    )
}
SHORT = {"ap": "average_precision", "pr_auc": "average_precision", "auc": "roc_auc", "auroc": "roc_auc"}


def metric(
    name: str | None, classes: int, cost_fn: float | None = None, cost_fp: float | None = None, *, who: str = "tune"
) -> Metric:
    """The named metric, or the default: average precision for two classes, balanced accuracy for more.

    ValueError for an unknown name (with the nearest one), a metric of two classes for more, or costs that are missing.
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
        if cost_fn is None and cost_fp is None:
            raise ValueError(
                f"{who}: expected_cost needs to know what mistakes cost; give cost_fn (a missed positive) and"
                " cost_fp (a false alarm), e.g. 20 and 1."
            )
        for which, cost in (("cost_fn", cost_fn), ("cost_fp", cost_fp)):
            if cost is not None and not 0 < cost < np.inf:
                raise ValueError(f"{who}: {which} must be a number > 0, got {cost!r}.")
        return dataclasses.replace(found, cost_fn=cost_fn or 1.0, cost_fp=cost_fp or 1.0)
    return found


def others(classes: int, chosen: Metric, cost: Metric | None = None) -> list[Metric]:
    """The metrics printed beside the chosen one, without a verdict."""
    every = [m for m in METRICS.values() if m.name != "expected_cost" and not (m.two_classes and classes > 2)]
    if classes == 2:
        every = [m for m in every if m.name != "macro_f1"]
    every += [cost] if cost is not None else []
    return [m for m in every if m.name != chosen.name]


@dataclasses.dataclass(frozen=True)
class Ranked:
    """One score vector, sorted once: negatives are binned between the distinct scores of the positives.

    inside  sparse [G, rows]: row g sums the positives whose score is the g-th largest distinct one
    at      sparse [G, rows]: the negatives with exactly that score
    above   sparse [G, rows]: the negatives between it and the next larger one, those with that score included
    """

    inside: sparse.csr_matrix
    at: sparse.csr_matrix
    above: sparse.csr_matrix
    positive: np.ndarray

    @classmethod
    def of(cls, score: np.ndarray, y: np.ndarray) -> "Ranked":
        positive = y == 1
        levels = np.unique(score[positive])
        G, rows = len(levels), len(score)
        if not G:
            raise ValueError("metrics: a ranking needs at least one positive row.")
        level = np.searchsorted(levels, score, side="right") - 1  # the largest positive score not above the row's
        group = G - 1 - level
        known = level >= 0
        tied = known & (levels[np.maximum(level, 0)] == score)

        def pick(mask: np.ndarray) -> sparse.csr_matrix:
            at = mask.nonzero()[0]
            return sparse.csr_matrix((np.ones(len(at), np.float32), (group[at], at)), shape=(G, rows))

        return cls(pick(positive), pick(tied & ~positive), pick(known & ~positive), positive)

    def counts(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(positives at each level, false positives at its threshold), [G, draws]."""
        tp = (self.inside @ weights).astype(np.float64)
        return tp, np.cumsum(self.above @ weights, axis=0, dtype=np.float64)

    def average_precision(self, weights: np.ndarray) -> np.ndarray:
        """sum_g (R_g - R_{g-1}) P_g over distinct scores, [draws]."""
        step, fp = self.counts(weights)
        tp = np.cumsum(step, axis=0)
        shown = tp + fp
        precision = np.divide(tp, shown, out=np.zeros_like(tp), where=shown > 0)
        return (step * precision).sum(axis=0) / tp[-1]

    def roc_auc(self, weights: np.ndarray) -> np.ndarray:
        """Share of pairs ranked right, ties half, [draws]."""
        step, fp = self.counts(weights)
        negatives = weights[~self.positive].sum(axis=0, dtype=np.float64)
        wins = negatives - fp + (self.at @ weights) / 2
        return (step * wins).sum(axis=0) / (step.sum(axis=0) * negatives)


class Evaluator:
    """One metric of many predictions under many weightings of the rows; sorting is done once, here.

    outcomes  [models, rows] scores or labels, or log-probabilities: log-odds [models, rows] for two classes, else [models, rows, C]
    y         [rows] labels 0..classes-1
    """

    def __init__(self, metric: Metric, outcomes: np.ndarray, y: np.ndarray, classes: int):
        self.metric, self.classes, self.y = metric, classes, y
        self.models = len(outcomes)
        if metric.kind == RANKING:
            self.ranked = [Ranked.of(score, y) for score in outcomes]
        else:
            columns = _decision_columns if metric.kind == DECISION else _probability_columns[metric.name]
            self.columns = np.stack([columns(o, y, classes) for o in outcomes])  # [models, q, rows]

    def __call__(self, weights: np.ndarray | None = None) -> np.ndarray:
        """[models, draws] for weights [rows, draws]; [models] for None, every row once."""
        if weights is None:
            return self(np.ones((len(self.y), 1), np.float32))[:, 0]
        if self.metric.kind == RANKING:
            return np.stack([getattr(r, self.metric.name)(weights) for r in self.ranked])
        models, q, rows = self.columns.shape
        # whole numbers below 2^24 are exact in float32; sums of losses are not
        exact = self.columns.dtype == np.float32 and rows < 2**24
        w = weights if exact else weights.astype(np.float64)
        sums = (self.columns.reshape(-1, rows) @ w).reshape(models, q, -1).astype(np.float64)
        totals = np.stack([weights[self.y == c].sum(axis=0, dtype=np.float64) for c in range(self.classes)])
        return _finish[self.metric.name](self.metric, sums, totals)


def _decision_columns(decision: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    """[2 C, rows]: hit of class c, then said c."""
    said = decision == np.arange(classes)[:, None]
    return np.concatenate([said & (y == decision), said]).astype(np.float32)


def _log_loss_column(logits: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    if classes == 2:
        return np.logaddexp(0, np.where(y == 1, -logits, logits))[None]
    return -np.take_along_axis(logits, y[:, None], axis=1).T


def _brier_column(logits: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    """Squared error of the positive's probability for two classes, of all C probabilities for more."""
    if classes == 2:
        wrong = np.exp(-np.logaddexp(0, np.where(y == 1, logits, -logits)))
        return (wrong**2)[None]
    return ((np.exp(logits) - np.eye(classes)[y]) ** 2).sum(axis=1)[None]


_probability_columns: dict[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]] = {
    "log_loss": _log_loss_column,
    "brier": _brier_column,
}


def _mean(metric: Metric, sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    return sums[:, 0] / totals.sum(axis=0)


def _parts(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """hit, said: [models, C, draws]"""
    return sums[:, : sums.shape[1] // 2], sums[:, sums.shape[1] // 2 :]


def _balanced(metric: Metric, sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    return (_parts(sums)[0] / totals).mean(axis=1)


def _f1(metric: Metric, sums: np.ndarray, totals: np.ndarray, *, macro: bool) -> np.ndarray:
    hit, said = _parts(sums)
    each = 2 * hit / (said + totals)  # totals > 0: every class has rows in every draw
    return each.mean(axis=1) if macro else each[:, 1]


def _mcc(metric: Metric, sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    hit, said = _parts(sums)
    n, right = totals.sum(axis=0), hit.sum(axis=1)
    top = right * n - (said * totals).sum(axis=1)
    spread = (n**2 - (said**2).sum(axis=1)) * (n**2 - (totals**2).sum(axis=0))
    return np.divide(top, np.sqrt(spread), out=np.zeros_like(top), where=spread > 0)


def _cost(metric: Metric, sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    hit, said = _parts(sums)
    missed, false = totals[1] - hit[:, 1], said[:, 1] - hit[:, 1]
    return 1000 * (metric.cost_fn * missed + metric.cost_fp * false) / totals.sum(axis=0)


_finish: dict[str, Callable[[Metric, np.ndarray, np.ndarray], np.ndarray]] = {
    "balanced_accuracy": _balanced,
    "f1": functools.partial(_f1, macro=False),
    "macro_f1": functools.partial(_f1, macro=True),
    "mcc": _mcc,
    "log_loss": _mean,
    "brier": _mean,
    "expected_cost": _cost,
}


def from_confusion(metric: Metric, hit: np.ndarray, said: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """A decision metric of two classes from true positives, rows called positive and class totals, elementwise."""
    hit, said, totals = (np.asarray(t, dtype=np.float64) for t in (hit, said, totals))
    negatives_called, right_negatives = totals.sum() - said, totals[0] - (said - hit)
    sums = np.stack([right_negatives, hit, negatives_called, said])[None]
    return _finish[metric.name](metric, sums, np.broadcast_to(totals[:, None], (2, sums.shape[-1])))[0]
