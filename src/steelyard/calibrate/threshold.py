"""Where to cut: the threshold on held-out probabilities that serves a purpose best."""

from typing import Any

import numpy as np

from ..given import same_rows
from ..table import as_rows

METRICS = ("fbeta", "balanced_accuracy")


def threshold(
    p: Any,
    y: Any,
    *,
    cost_fn: float | None = None,
    cost_fp: float | None = None,
    metric: str | None = None,
    beta: float = 1.0,
    recall: float | None = None,
    precision: float | None = None,
    exchange: float | None = None,
    capacity: float | None = None,
    positive: Any = None,
    weight: Any = None,
) -> float:
    """The cut that is best on (p, y): predict positive where p >= cut. Exactly one purpose must be named.

    cost_fn, cost_fp  least total cost: cost_fn per missed positive, cost_fp per false alarm
    metric            "fbeta" (largest F-beta, with beta=) or "balanced_accuracy"
    precision         highest recall among cuts with at least this precision
    recall            highest precision among cuts with at least this recall
    exchange          false alarms that one more positive found is worth: cost_fn = exchange, cost_fp = 1
    capacity          highest recall among cuts that call at most this share of the rows: 200 of 10,000 is 0.02. Tied
                      rows stay together, so fewer may be called; to call exactly 200, take the first 200

    positive          which of two labels p is the probability of; of text without it the second in order, as p[:, 1] of
                      scikit-learn is
    weight            [N] >= 0: each row counts so many times, in shares too; 0 is absent. None: once

    p [N] probabilities of the positive class, y [N] 0 or 1, or two labels of text: arrays, lists or tensors, held out
    from training. Cuts lie midway between neighbouring scores, so rows with one score stay together; "everything" is
    -inf and "nothing" inf. Of equally good cuts the highest is taken: the fewest alarms. ValueError for no or several
    purposes, y of one class, a precision that no cut reaches, and scores outside [0, 1]: a cut of logits is no
    probability, and one of other scores means nothing where they are undone or recalibrated.

    Calibrated probabilities need no data: predict positive where p >= cost_fp / (cost_fp + cost_fn).

    Source: costs: Elkan 2001 (IJCAI), theorem 1.

    >>> threshold([0.1, 0.2, 0.3, 0.8], [0, 1, 0, 1], cost_fn=20, cost_fp=1).__round__(3)
    0.15
    """
    same_rows("threshold", p=p, y=y, weight=weight)
    weights = None if weight is None else _weights(weight)
    if weights is not None:
        p, y = as_rows(p), _labels(y)
        if weights.shape != p.shape or len(p) != len(y):
            raise ValueError(
                f"threshold: weight must have one number for each row, got {list(weights.shape)} for {list(p.shape)}."
            )
        kept = weights > 0
        p, y, weights = p[kept], y[kept], weights[kept]
    scores, is_positive = checked(p, y, positive=positive)
    if scores.min() < 0 or scores.max() > 1:
        low, high = scores.min(), scores.max()
        raise ValueError(
            f"threshold: p holds probabilities, in [0, 1], got {low:.4g} to {high:.4g}. Logits? Pass posterior(logits, loss), or"
            " their sigmoid. Other scores? Pass (score - low) / (high - low), with the low and the high of training."
        )
    costs = cost_fn is not None or cost_fp is not None
    purposes = {"metric": metric, "recall": recall, "precision": precision, "exchange": exchange, "capacity": capacity}
    named = [name for name, value in purposes.items() if value is not None]
    if costs + len(named) != 1:
        got = ", ".join((["costs"] if costs else []) + named) or "none"
        raise ValueError(
            f"threshold: name one purpose: cost_fn= and cost_fp=, metric= ({', '.join(METRICS)}), recall=,"
            f" precision=, exchange= or capacity=; got {got}."
        )
    cuts, hits, alarms = candidates(scores, is_positive, weights)
    near = 0.0 if weights is None else 1e-12  # sums of weights are rounded, those of rows are not
    misses, quiet = hits[-1] - hits, alarms[-1] - alarms
    found = np.divide(hits, hits + alarms, out=np.ones(len(cuts)), where=hits + alarms > 0)  # precision
    if costs:
        if cost_fn is None or cost_fp is None:
            raise ValueError("threshold: costs come in pairs; give cost_fn= (a miss) and cost_fp= (a false alarm).")
        if not (0 <= cost_fn < np.inf and 0 <= cost_fp < np.inf and cost_fn + cost_fp > 0):
            raise ValueError(f"threshold: costs must be >= 0 and not both 0, got {cost_fn} and {cost_fp}.")
        gain = -(cost_fn * misses + cost_fp * alarms)
    elif metric == "fbeta":
        if not 0 < beta < np.inf:
            raise ValueError(f"threshold: beta must be > 0, got {beta}.")
        gain = (1 + beta**2) * hits / ((1 + beta**2) * hits + beta**2 * misses + alarms)
    elif metric == "balanced_accuracy":
        gain = hits / hits[-1] + quiet / alarms[-1]
    elif metric is not None:
        raise ValueError(f"threshold: metric must be one of {', '.join(METRICS)}, got {metric!r}.")
    elif exchange is not None:
        if not 0 < exchange < np.inf:
            raise ValueError(f"threshold: exchange must be a number of false alarms > 0, got {exchange}.")
        gain = -(exchange * misses + alarms)
    elif capacity is not None:
        total = hits[-1] + alarms[-1]
        room = _share("capacity", capacity) * total + 1e-6 * min(
            1.0, total / len(scores)
        )  # 0.29 * 100 is 28.999999999999996
        gain = np.where(hits + alarms <= room, hits + alarms, -1.0)
    elif precision is not None:
        gain = np.where((found + near >= _share("precision", precision)) & (hits > 0), hits, -1.0)
        if gain.max() < 0:
            raise ValueError(
                f"threshold: no cut has a precision of {precision:g}; the highest here is {found[hits > 0].max():.4g}."
            )
    else:
        assert recall is not None
        gain = np.where(hits / hits[-1] + near >= _share("recall", recall), found, -1.0)
    return float(cuts[np.argmax(gain)])


def candidates(
    scores: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every cut that can differ, highest first, with the positives and the negatives at or above it."""
    order = np.argsort(scores)[::-1]
    return steps(scores[order], positive[order], None if weights is None else weights[order])


def steps(
    ranked: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same for scores that fall already; each row counts 1, or its weight."""
    if not len(ranked):
        return np.array([np.inf]), np.zeros(1), np.zeros(1)
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # of each run of one score
    high, low = (ranked[i].astype(np.float64) for i in (last[:-1], last[:-1] + 1))
    with np.errstate(invalid="ignore"):  # infinite scores have no middle
        middle = low + (high - low) / 2
    middle = np.where(middle > low, middle, high)  # neighbouring floats have nothing between them
    cuts = np.concatenate([[np.inf], middle, [-np.inf]])
    if weights is not None:
        hits, alarms = (
            np.append(0.0, np.cumsum(np.where(which, weights, 0.0))[last]) for which in (positive, ~positive)
        )
        return cuts, hits, alarms
    hits = np.append(0, np.cumsum(positive)[last]).astype(np.float64)
    return cuts, hits, np.append(0, last + 1) - hits


def checked(p: Any, y: Any, who: str = "threshold", *, positive: Any = None) -> tuple[np.ndarray, np.ndarray]:
    same_rows(who, p=p, y=y)
    scores, labels = as_rows(p), _labels(y)
    if scores.ndim != 1 or labels.shape != scores.shape:
        raise ValueError(
            f"{who}: p and y must be two vectors of one length, got {list(scores.shape)} and {list(labels.shape)};"
            " p is the probability of the positive class alone, p[:, 1]."
        )
    if np.isnan(scores).any():
        raise ValueError(f"{who}: p holds NaN.")
    is_positive = _positive(scores, labels, who, positive)
    if is_positive.all() or not is_positive.any():
        raise ValueError(f"{who}: y has only one class, so no cut is better than another; give data with both.")
    return scores, is_positive


def _weights(weight: Any) -> np.ndarray:
    found = as_rows(weight).astype(np.float64)
    if not (np.isfinite(found) & (found >= 0)).all():
        raise ValueError("threshold: weight must be finite and >= 0.")
    return found


def _labels(y: Any) -> np.ndarray:
    """Numbers as float64, text as it is."""
    if not hasattr(y, "detach"):
        array = np.asarray(y)
        if array.dtype.kind in "USO" and any(isinstance(v, (str, bytes)) for v in array.ravel()[:1].tolist()):
            return array.astype(str)
    return as_rows(y)


def _positive(scores: np.ndarray, labels: np.ndarray, who: str, positive: Any) -> np.ndarray:
    """Which rows are positive."""
    names = np.unique(labels)
    text = labels.dtype.kind == "U"
    if positive is not None:
        wanted = str(positive) if text else positive
        if wanted not in names.tolist() or len(names) > 2:
            raise ValueError(f"{who}: positive={positive!r} must be one of the two labels of y, {names.tolist()[:5]}.")
        return labels == wanted
    if not text:
        if not np.isin(labels, (0, 1)).all():
            raise ValueError(f"{who}: y must be 0 or 1, got {names.tolist()[:5]}; of two other labels say positive=.")
        return labels == 1
    if len(names) != 2:
        if len(names) == 1:
            return np.ones(len(labels), bool)
        raise ValueError(f"{who}: y must hold two labels, got {len(names)}: {names.tolist()[:5]}.")
    second = labels == names[1]
    if scores[second].mean() < scores[~second].mean():
        raise ValueError(
            f"{who}: p is lower on average where y is {str(names[1])!r} than where it is {str(names[0])!r}, so whose probability it is"
            f" is not clear; say positive={str(names[0])!r} or positive={str(names[1])!r}."
        )
    return second


def _share(name: str, value: float) -> float:
    if not 0 < value <= 1:
        raise ValueError(f"threshold: {name} must be in (0, 1], got {value}.")
    return value
