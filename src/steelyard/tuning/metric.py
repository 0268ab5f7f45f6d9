"""Metrics: what is judged, and all that judging by it takes.

A draw is a column of multiplicities, weights [rows, draws]: a metric of a draw is the metric of the table in which every row
stands that many times. Row weights multiply them, so they need not be whole. Three kinds of prediction are judged: a ranking (scores), a decision (labels) and a
probability (log-probabilities).
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from .costs import Matrix
from .ranked import Ranked

RANKING, DECISION, PROBABILITY = "ranking", "decision", "probability"
ROUNDING = 1e-14  # of sums of weights, relative
FLOOR = float(np.log(np.finfo(np.float64).tiny))  # log-probability of what was called impossible


@dataclasses.dataclass(frozen=True)
class Metric:
    """What is judged, how it is computed, and how large a difference matters.

    margin        smallest difference that makes a winner; `tie` the largest that still counts as no difference.
                  Both are shares of plain's value where `relative`.
    of            of a ranking: (Ranked, weights) -> [draws]. Of all others: (self, sums, totals) -> [models, draws] from sums
                  [models, q, draws] of its columns, and rows by class, totals [C, draws]. Finite whatever is absent: a share of
                  nothing is 0
    loss          of a probability: (logits, y, classes) -> what each row adds, [rows] in float64
    hull          no cut inside the hull of (alarms, hits) can be best: it rises with hits and falls with alarms, and is linear
                  (balanced accuracy, costs), linear over linear (F1), or convex over concave where it is positive (MCC)
    recalibrated  judged after the scores were recalibrated on the other folds
    cost_fn, cost_fp   of a missed positive and a false alarm: two classes
    cost_matrix   what a decision costs over the right one, [truth][decision] with a diagonal of 0: more than two classes
    capacity      share of rows that can be acted upon
    """

    name: str
    title: str
    kind: str
    of: Callable[..., np.ndarray]
    higher: bool = True
    margin: float = 0.005
    tie: float = 0.02
    relative: bool = False
    two_classes: bool = False
    hull: bool = False
    loss: Callable[[np.ndarray, np.ndarray, int], np.ndarray] | None = None
    recalibrated: bool = False
    cost_fn: float = 1.0
    cost_fp: float = 1.0
    cost_matrix: Matrix | None = None
    capacity: float | None = None

    def gain(self, arm: np.ndarray, plain: np.ndarray) -> np.ndarray:
        """How much better the arm is than plain: positive is better, whichever way the metric points."""
        return arm - plain if self.higher else plain - arm

    def unit(self, plain: float) -> float:
        """What margin and tie are multiples of, for this value of plain."""
        return abs(plain) if self.relative else 1.0

    def columns(self, kept: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
        """[models, q, rows] numbers whose weighted sums the metric is made of, of losses or labels [models, rows]; whole numbers
        as float32. Of labels: hit of each class, then said of each, unless a cost matrix asks for less."""
        if self.kind == PROBABILITY:
            return kept[:, None].astype(np.float64, copy=False)
        if self.cost_matrix is not None:
            return np.asarray(self.cost_matrix)[y, kept][:, None]
        return np.stack([_hits_and_said(labels, y, classes) for labels in kept])

    def of_cuts(self, hit: np.ndarray, said: np.ndarray, totals: np.ndarray) -> np.ndarray:
        """Of decisions of two classes, from true positives, rows called positive and class totals, elementwise."""
        hit, said, totals = (np.asarray(t, dtype=np.float64) for t in (hit, said, totals))
        negatives_called, right_negatives = totals.sum() - said, totals[0] - (said - hit)
        sums = np.stack([right_negatives, hit, negatives_called, said])[None]
        return self.of(self, sums, np.broadcast_to(totals[:, None], (2, sums.shape[-1])))[0]

    def of_tables(self, tables: np.ndarray) -> np.ndarray:
        """Of decisions, from confusion tables [n, truth, decision], [n]."""
        tables = tables.astype(np.float64)
        totals = tables.sum(axis=2).T
        if self.cost_matrix is not None:
            sums = np.einsum("nyc,yc->n", tables, np.asarray(self.cost_matrix))[None, None]
        else:
            sums = np.concatenate([np.diagonal(tables, axis1=1, axis2=2), tables.sum(axis=1)], axis=1).T[None]
        return self.of(self, sums, totals)[0]


def log_loss(logits: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    """[rows], float64; of log-odds [rows] or log-probabilities [rows, C]."""
    if classes == 2:
        return softplus(np.where(y == 1, -logits, logits).astype(np.float64))
    return -np.maximum(np.take_along_axis(logits, y[:, None], axis=1)[:, 0].astype(np.float64), FLOOR)


def brier(logits: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    """Squared error of the positive's probability for two classes, of all C probabilities for more: [rows], float64."""
    if classes == 2:
        return np.exp(-2 * softplus(np.where(y == 1, logits, -logits).astype(np.float64)))
    p = np.exp(logits.astype(np.float64))
    p[np.arange(len(y)), y] -= 1
    return np.einsum("nc,nc->n", p, p)


def softplus(z: np.ndarray) -> np.ndarray:
    """log(1 + e^z), three times as fast as logaddexp."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def _hits_and_said(labels: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    """[2 C, rows]: hit of class c, then said c."""
    said = labels == np.arange(classes)[:, None]
    return np.concatenate([said & (y == labels), said]).astype(np.float32)


def _mean(metric: Metric, sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    return _share(sums[:, 0], totals.sum(axis=0))


def _share(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """top / bottom, 0 where there is nothing to share."""
    return np.divide(top, bottom, out=np.zeros(np.broadcast_shapes(top.shape, bottom.shape)), where=bottom > 0)


def _parts(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """hit, said: [models, C, draws]"""
    return sums[:, : sums.shape[1] // 2], sums[:, sums.shape[1] // 2 :]


def _balanced(metric: Metric, sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Over the classes that have rows, as in scikit-learn."""
    return _share(_share(_parts(sums)[0], totals).sum(axis=1), np.sum(totals > 0, axis=0))


def _f1(metric: Metric, sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    hit, said = _parts(sums)
    return _share(2 * hit[:, 1], said[:, 1] + totals[1])


def _macro_f1(metric: Metric, sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Over the classes that have rows or are said of one, as in scikit-learn."""
    hit, said = _parts(sums)
    return _share(_share(2 * hit, said + totals).sum(axis=1), np.sum(said + totals > 0, axis=1))


def _recall(metric: Metric, sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    return _share(_parts(sums)[0][:, 1], totals[1])


def _mcc(metric: Metric, sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    hit, said = _parts(sums)
    n, right = totals.sum(axis=0), hit.sum(axis=1)
    top = right * n - (said * totals).sum(axis=1)
    called, there = n**2 - (said**2).sum(axis=1), n**2 - (totals**2).sum(axis=0)
    mixed = (called > ROUNDING * n**2) & (there > ROUNDING * n**2)  # of whole rows both are 0 or above 2 n - 2
    return np.divide(
        top, np.sqrt(called * there, where=mixed, out=np.ones_like(top)), out=np.zeros_like(top), where=mixed
    )


def _cost(metric: Metric, sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    if metric.cost_matrix is not None:
        return 1000 * _mean(metric, sums, totals)
    hit, said = _parts(sums)
    missed, false = totals[1] - hit[:, 1], said[:, 1] - hit[:, 1]
    return 1000 * _share(metric.cost_fn * missed + metric.cost_fp * false, totals.sum(axis=0))


def _loss(
    name: str, title: str, loss: Callable[[np.ndarray, np.ndarray, int], np.ndarray], *, recalibrated: bool = False
) -> Metric:
    return Metric(
        name, title, PROBABILITY, _mean, False, 0.01, 0.05, relative=True, loss=loss, recalibrated=recalibrated
    )


METRICS = {
    m.name: m
    for m in (
        Metric("average_precision", "average precision", RANKING, Ranked.average_precision, two_classes=True),
        Metric("roc_auc", "ROC AUC", RANKING, Ranked.roc_auc, tie=0.01, two_classes=True),
        Metric("balanced_accuracy", "balanced accuracy", DECISION, _balanced, hull=True),
        Metric("f1", "F1", DECISION, _f1, two_classes=True, hull=True),
        Metric("macro_f1", "macro F1", DECISION, _macro_f1),
        Metric("mcc", "MCC", DECISION, _mcc, hull=True),
        Metric("recall_at_capacity", "recall at capacity", DECISION, _recall, two_classes=True),
        _loss("log_loss", "log loss", log_loss),
        _loss("brier", "Brier score", brier),
        _loss("log_loss_recalibrated", "log loss after recalibration", log_loss, recalibrated=True),
        _loss("brier_recalibrated", "Brier score after recalibration", brier, recalibrated=True),
        Metric(
            "expected_cost", "expected cost per 1000 rows", DECISION, _cost, False, 0.01, 0.05, relative=True, hull=True
        ),
    )
}
ASKED = ("expected_cost", "recall_at_capacity")  # they need a number from the user


def others(classes: int, chosen: Metric, cost: Metric | None = None, capacity: Metric | None = None) -> list[Metric]:
    """The metrics printed beside the chosen one, without a verdict."""
    every = [m for m in METRICS.values() if m.name not in ASKED and not (m.two_classes and classes > 2)]
    if classes == 2:
        every = [m for m in every if m.name != "macro_f1"]
    every += [m for m in (cost, capacity) if m is not None]
    return [m for m in every if m.name != chosen.name]
