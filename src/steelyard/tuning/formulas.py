"""What metrics are made of: columns of numbers by row whose weighted sums they need, and what they make of the sums."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .metric import Metric

FLOOR = float(np.log(np.finfo(np.float64).tiny))  # log-probability of what was called impossible


def decision_columns(decision: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    """[2 C, rows]: hit of class c, then said c."""
    said = decision == np.arange(classes)[:, None]
    return np.concatenate([said & (y == decision), said]).astype(np.float32)


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


LOSSES: dict[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]] = {"log_loss": log_loss, "brier": brier}


def finish(metric: "Metric", sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """The metric [models, draws] from sums [models, q, draws] of its columns and rows by class, totals [C, draws].

    Finite whatever is absent: a share of nothing is 0.
    """
    return _FINISH[metric.name](metric, sums, totals)


def _mean(metric: "Metric", sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    return _share(sums[:, 0], totals.sum(axis=0))


def _share(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """top / bottom, 0 where there is nothing to share."""
    return np.divide(top, bottom, out=np.zeros(np.broadcast_shapes(top.shape, bottom.shape)), where=bottom > 0)


def _parts(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """hit, said: [models, C, draws]"""
    return sums[:, : sums.shape[1] // 2], sums[:, sums.shape[1] // 2 :]


def _balanced(metric: "Metric", sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Over the classes that have rows, as in scikit-learn."""
    return _share(_share(_parts(sums)[0], totals).sum(axis=1), np.sum(totals > 0, axis=0))


def _f1(metric: "Metric", sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    hit, said = _parts(sums)
    return _share(2 * hit[:, 1], said[:, 1] + totals[1])


def _macro_f1(metric: "Metric", sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Over the classes that have rows or are said of one, as in scikit-learn."""
    hit, said = _parts(sums)
    return _share(_share(2 * hit, said + totals).sum(axis=1), np.sum(said + totals > 0, axis=1))


def _recall(metric: "Metric", sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    return _share(_parts(sums)[0][:, 1], totals[1])


def _mcc(metric: "Metric", sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    hit, said = _parts(sums)
    n, right = totals.sum(axis=0), hit.sum(axis=1)
    top = right * n - (said * totals).sum(axis=1)
    spread = (n**2 - (said**2).sum(axis=1)) * (n**2 - (totals**2).sum(axis=0))
    return np.divide(top, np.sqrt(spread), out=np.zeros_like(top), where=spread > 0)


def _cost(metric: "Metric", sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    if metric.cost_matrix is not None:
        return 1000 * _mean(metric, sums, totals)
    hit, said = _parts(sums)
    missed, false = totals[1] - hit[:, 1], said[:, 1] - hit[:, 1]
    return 1000 * _share(metric.cost_fn * missed + metric.cost_fp * false, totals.sum(axis=0))


_FINISH: dict[str, Callable[["Metric", np.ndarray, np.ndarray], np.ndarray]] = {
    "balanced_accuracy": _balanced,
    "f1": _f1,
    "macro_f1": _macro_f1,
    "mcc": _mcc,
    "recall_at_capacity": _recall,
    "log_loss": _mean,
    "brier": _mean,
    "log_loss_recalibrated": _mean,
    "brier_recalibrated": _mean,
    "expected_cost": _cost,
}


def from_confusion(metric: "Metric", hit: np.ndarray, said: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """A decision metric of two classes from true positives, rows called positive and class totals, elementwise."""
    hit, said, totals = (np.asarray(t, dtype=np.float64) for t in (hit, said, totals))
    negatives_called, right_negatives = totals.sum() - said, totals[0] - (said - hit)
    sums = np.stack([right_negatives, hit, negatives_called, said])[None]
    return finish(metric, sums, np.broadcast_to(totals[:, None], (2, sums.shape[-1])))[0]


def from_tables(metric: "Metric", tables: np.ndarray) -> np.ndarray:
    """A decision metric of confusion tables [n, truth, decision], [n]."""
    tables = tables.astype(np.float64)
    totals = tables.sum(axis=2).T
    if metric.cost_matrix is not None:
        sums = np.einsum("nyc,yc->n", tables, np.asarray(metric.cost_matrix))[None, None]
    else:
        sums = np.concatenate([np.diagonal(tables, axis1=1, axis2=2), tables.sum(axis=1)], axis=1).T[None]
    return finish(metric, sums, totals)[0]
