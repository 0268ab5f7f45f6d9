"""Decisions and predictions that need no weighting and no tuning: what a study is compared with besides its arms.

Each returns what a metric judges, [repetitions, rows(, C)] by the metric's kind, as `crossfit.outcomes` does for arms.
Rows that are never held out are NaN, or UNJUDGED as decisions. Where a capacity is given, a rule that calls more rows of a
fold than that keeps the highest of them.
"""

from collections.abc import Callable

import numpy as np

from ..calibrate.scaling import log_softmax
from .metric import DECISION, PROBABILITY, RANKING, Metric
from .validation.crossfit import UNJUDGED, OutOfFold
from .validation.cuts import decisions, lots
from .validation.sweep import Room


def majority(out: OutOfFold, metric: Metric) -> np.ndarray:
    """No model: every row gets the class shares of the training part; decided, its most frequent class, for costs the
    cheapest one, for a capacity as many rows at random. As a ranking all rows tie."""
    if metric.kind == RANKING:  # between folds too: the more positives a fold holds, the fewer its training part has
        return np.zeros(out.split.held.shape, np.float32)

    def one(a: int, f: int, rows: np.ndarray) -> np.ndarray:
        log_p = np.log(_shares(out, a, f))
        if metric.capacity is not None:
            return lots(len(out.y))[rows] < metric.capacity
        if metric.kind == PROBABILITY:
            return log_p[1] - log_p[0] if out.classes == 2 else log_p
        if metric.name == "expected_cost" and out.classes == 2:
            log_p = log_p + np.log([metric.cost_fp, metric.cost_fn])
        return decisions(metric, log_p[None], np.zeros(out.classes), 0.0)

    return _by_part(out, metric, one)


def at_half(out: OutOfFold, scores: np.ndarray, metric: Metric) -> np.ndarray:
    """Scores [repetitions, rows(, C)], undone (recalibrated for a metric that is), as they are; decided by the largest
    probability: two classes at 0.5."""
    if metric.kind != DECISION:
        return np.asarray(scores)

    def one(a: int, f: int, rows: np.ndarray) -> np.ndarray:
        return _largest(metric, scores[a, rows], np.zeros(out.classes), lots(len(out.y))[rows])

    return _by_part(out, metric, one)


def prior_shift(out: OutOfFold, scores: np.ndarray, metric: Metric) -> np.ndarray:
    """The same with the class shares of the training part divided out: the largest of log p_c - log pi_c; two classes are
    cut at the share of positives. The probabilities are those of equally frequent classes."""

    def one(a: int, f: int, rows: np.ndarray) -> np.ndarray:
        shift = np.log(_shares(out, a, f))
        z = np.asarray(scores[a, rows], dtype=np.float64)
        if metric.kind == DECISION:
            return _largest(metric, z, shift, lots(len(out.y))[rows])
        return z - (shift[1] - shift[0]) if out.classes == 2 else log_softmax(z - shift)

    return np.asarray(scores) if metric.kind == RANKING else _by_part(out, metric, one)


Part = Callable[[int, int, np.ndarray], np.ndarray]


def _by_part(out: OutOfFold, metric: Metric, one: Part) -> np.ndarray:
    held = out.split.held
    if metric.kind == DECISION:
        found = np.full(held.shape, UNJUDGED, np.int8 if out.classes < 128 else np.int32)
    else:
        wide = () if out.classes == 2 else (out.classes,)
        found = np.full((*held.shape, *wide), np.nan, np.float32)
    for a, f in out.split.parts():
        rows = out.split.out(a, f)
        found[a, rows] = one(a, f, rows)
    return found


def _shares(out: OutOfFold, a: int, f: int) -> np.ndarray:
    """Of the classes in the training part [C], an absent one counted as half a row."""
    counts = np.bincount(out.y[out.split.train(a, f)], minlength=out.classes)
    return np.maximum(counts, 0.5) / np.maximum(counts, 0.5).sum()


def _largest(metric: Metric, z: np.ndarray, shift: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    if z.ndim == 2:
        return np.argmax(z - shift, axis=1)
    said = z >= shift[1] - shift[0]
    return said if metric.capacity is None else said & Room.of(z, metric.capacity).says(z, drawn)
