"""What people do without weights: the majority, plain training as it comes, its prior divided out, resampled rows.

The first three need no fits of their own. Each gives what a metric judges, [repetitions, rows(, C)] by the metric's kind, as
`outcomes` does for arms. Rows that are never held out are NaN, or UNJUDGED as decisions. Where a capacity is given, one that
calls more rows of a fold than that keeps the highest of them.
"""

from collections.abc import Callable

import numpy as np

from ..calibrate.scaling import log_softmax
from ..ingredients import inverse_frequency
from .arms import Arm
from .metric import DECISION, PROBABILITY, RANKING, Metric
from .resampling import NAMES, NEIGHBOURS
from .search import Search
from .validation.crossfit import Choice, OutOfFold
from .validation.cuts import UNJUDGED, lots
from .validation.outcomes import recalibrated
from .validation.steps import decisions
from .validation.sweep import Room
from .verdict.comparisons import Shown
from .weights import Weights, take

NOTES = {
    "majority": "no model: every row gets the class shares of the training part",
    "plain at 0.5": "plain training, decided by the largest probability",
    "plain, largest probability": "plain training, decided by the largest probability",
    "plain, prior shift": "plain training with the class shares divided out, as if all classes were equally frequent",
    "random oversampling": "rows of the rarer classes repeated until the classes are even, then trained as plain",
    "random undersampling": "rows of the larger classes left out until the classes are even, then trained as plain",
    "SMOTE": "rows of the rarer classes made up between neighbours until the classes are even, then trained as plain",
}


def resampled(rare: int, *, gaps: bool = False, weighted: bool = False) -> list[Arm]:
    """The resamplings that can be done: SMOTE only without gaps, without row weights, which a row that is made up has none of, and with
    enough rows.

    Balancing the rows asks the model for what inverse-frequency weights ask for, so its scores are undone alike.

    rare  rows of the rarest class in the smallest training part
    """
    smote = not gaps and not weighted and rare > NEIGHBOURS
    return [Arm(name, inverse_frequency, resample=name) for name in NAMES if name != "SMOTE" or smote]


def shown(search: Search) -> list[Shown]:
    """Those that need no fits beyond plain's, which is the search's first arm."""

    def scores(metric: Metric) -> np.ndarray:
        choice = search.choice(metric)
        pool = recalibrated if metric.recalibrated else Choice.pool
        return np.stack([pool(choice, 0, a) for a in range(search.split.repetitions)])

    def half(metric: Metric) -> np.ndarray | None:
        # as a ranking and as probabilities it is plain itself
        return at_half(search.out, scores(metric), metric) if metric.kind == DECISION else None

    def shifted(metric: Metric) -> np.ndarray | None:
        return None if metric.recalibrated else prior_shift(search.out, scores(metric), metric)

    return [
        Shown("majority", lambda metric: majority(search.out, metric)),
        Shown("plain at 0.5" if search.task.classes == 2 else "plain, largest probability", half),
        Shown("plain, prior shift", shifted),
    ]


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
        return decisions(metric, log_p[None], np.zeros(out.classes))

    return _by_part(out, metric, one)


def at_half(out: OutOfFold, scores: np.ndarray, metric: Metric) -> np.ndarray:
    """Scores [repetitions, rows(, C)], undone (recalibrated for a metric that is), as they are; decided by the largest
    probability: two classes at 0.5. Under a cost matrix the cheapest class by these probabilities."""
    if metric.kind != DECISION:
        return np.asarray(scores)

    def one(a: int, f: int, rows: np.ndarray) -> np.ndarray:
        nothing, drawn = np.zeros(out.classes), lots(len(out.y))[rows]
        if metric.cost_matrix is not None:
            return decisions(metric, np.asarray(scores[a, rows], dtype=np.float64), nothing)
        return _largest(metric, scores[a, rows], nothing, drawn, take(out.weights, rows))

    return _by_part(out, metric, one)


def prior_shift(out: OutOfFold, scores: np.ndarray, metric: Metric) -> np.ndarray:
    """The same with the class shares of the training part divided out: the largest of log p_c - log pi_c; two classes are
    cut at the share of positives. The probabilities are those of equally frequent classes."""

    def one(a: int, f: int, rows: np.ndarray) -> np.ndarray:
        shift = np.log(_shares(out, a, f))
        z = np.asarray(scores[a, rows], dtype=np.float64)
        if metric.kind == DECISION:
            return _largest(metric, z, shift, lots(len(out.y))[rows], take(out.weights, rows))
        return z - (shift[1] - shift[0]) if out.classes == 2 else log_softmax(z - shift)

    return np.asarray(scores) if metric.kind == RANKING else _by_part(out, metric, one)


Part = Callable[[int, int, np.ndarray], np.ndarray]


def _by_part(out: OutOfFold, metric: Metric, one: Part) -> np.ndarray:
    held = out.split.held
    if metric.kind == DECISION:
        outcome = np.full(held.shape, UNJUDGED, np.int8 if out.classes < 128 else np.int32)
    else:
        wide = () if out.classes == 2 else (out.classes,)
        outcome = np.full((*held.shape, *wide), np.nan, np.float32)
    for a, f in out.split.parts():
        rows = out.split.out(a, f)
        outcome[a, rows] = one(a, f, rows)
    return outcome


def _shares(out: OutOfFold, a: int, f: int) -> np.ndarray:
    """Of the classes in the training part [C], an absent one counted as half a row."""
    counts = out.masses(out.split.train(a, f))
    counts = np.where(counts > 0, counts, 0.5)
    return counts / counts.sum()


def _largest(metric: Metric, z: np.ndarray, shift: np.ndarray, drawn: np.ndarray, weights: Weights) -> np.ndarray:
    if z.ndim == 2:
        return np.argmax(z - shift, axis=1)
    positive = z >= shift[1] - shift[0]
    return positive if metric.capacity is None else positive & Room.of(z, metric.capacity, weights).says(z, drawn)
