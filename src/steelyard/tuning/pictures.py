"""The curves that pictures are made of, from out-of-fold predictions."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..calibrate.groups import cut, told
from .weights import Weights

POINTS = 200
SCORE_BINS = 40


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
    """Out-of-fold predictions of one arm, [repetitions, rows(, C)]: undone, as trained, recalibrated after the undo, and
    labels by the moved threshold; of more than two classes also what those are decided by: log-probabilities less the steps of
    each row's fold."""

    undone: np.ndarray
    trained: np.ndarray
    recalibrated: np.ndarray
    decided: np.ndarray
    shifted: np.ndarray | None = None

    def map(self, function: Callable[..., np.ndarray], *others: "Predictions") -> "Predictions":
        """function(array, *the same array of others) for each that is there."""
        names = [field.name for field in dataclasses.fields(self) if getattr(self, field.name) is not None]
        return Predictions(**{n: function(getattr(self, n), *(getattr(o, n) for o in others)) for n in names})


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Predictions of plain and of the best other arm on the judged rows, by the arm's name; `y` are the labels and `weights` what each
    row counts, or None. All that is counted in rows is then a sum of weights, whose mean is 1."""

    y: np.ndarray
    arms: dict[str, Predictions]
    weights: Weights = None

    @property
    def times(self) -> np.ndarray:
        return np.ones(len(self.y)) if self.weights is None else self.weights


def probability(log_odds: np.ndarray | float) -> np.ndarray:
    return np.exp(-np.logaddexp(0.0, -np.asarray(log_odds, dtype=np.float64)))


def per_class(pictures: Pictures, names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Precision, recall and F1 of each class, decided by the moved threshold: means over repetitions, by arm."""
    y, w, out = pictures.y, pictures.times, {}
    for name, predictions in pictures.arms.items():
        decided = predictions.decided
        rows = []
        for c, label in enumerate(names):
            said, truth = decided == c, y == c
            hit = float(((said & truth) @ w).mean())
            called, there = float((said @ w).mean()), float(w[truth].sum())
            rows.append(
                {
                    "class": label,
                    "rows": there if pictures.weights is not None else int(there),
                    "precision": hit / called if called else 0.0,
                    "recall": hit / there if there else 0.0,
                    "f1": 2 * hit / (called + there) if called + there else 0.0,
                }
            )
        out[name] = rows
    return out


def curves(pictures: Pictures, classes: int, *thresholds: float) -> dict[str, Any]:
    """By arm (plain and the best other one). Repetitions are laid together, so counts are means over repetitions.

    Two classes: reliability before and after the undo and after recalibration, precision-recall, confusion counts by
    threshold, scores by class. More: reliability of the largest probability, and the confusion matrix of the decisions.
    """
    y, w, out = pictures.y, pictures.times, {}
    for name, arm in pictures.arms.items():
        undone, trained, again, decided = arm.undone, arm.trained, arm.recalibrated, arm.decided
        if classes == 2:
            before, after, recalibrated = probability(trained), probability(undone), probability(again)
            hit = np.broadcast_to(y, undone.shape)
            out[name] = {
                "reliability": reliability(before, after, hit, w),
                "recalibrated": groups_of(recalibrated, hit, w),
                "scores": histogram(undone, y, w),
                **sweep(after, y, thresholds, w),
            }
            continue
        table = np.zeros((classes, classes))
        np.add.at(table, (np.broadcast_to(y, decided.shape), decided), np.broadcast_to(w / len(decided), decided.shape))
        top = again.argmax(axis=-1)
        out[name] = {
            "reliability": _top(softmax(trained), np.exp(undone), y, w),
            "recalibrated": groups_of(np.exp(again).max(axis=-1), top == y, w),
            "confusion": table.tolist(),
        }
    return out


def promised(undone: np.ndarray, y: np.ndarray, w: np.ndarray) -> list[dict[str, float]]:
    """Reliability of one arm's undone scores [repetitions, rows(, C)]: of the positive class, or of the largest probability."""
    if undone.ndim == 2:
        return groups_of(probability(undone), np.broadcast_to(y, undone.shape), w)
    return groups_of(np.exp(undone).max(axis=-1), undone.argmax(axis=-1) == y, w)


def histogram(log_odds: np.ndarray, y: np.ndarray, w: np.ndarray) -> dict[str, list[float]]:
    """Rows, weighed by w [rows], of each class by log-odds [repetitions, rows], means over repetitions; the outermost 0.1 % share the end bins."""
    low, high = np.quantile(log_odds, [0.001, 0.999])
    edges = np.linspace(low, max(high, low + 1e-9), SCORE_BINS + 1)
    inside = np.clip(log_odds, edges[0], edges[-1])
    counts = {
        name: np.histogram(inside[:, y == label], edges, weights=np.tile(w[y == label], (len(inside), 1)))[0]
        / len(log_odds)
        for name, label in (("positive", 1), ("negative", 0))
    }
    return {"edges": edges.tolist(), **{name: n.tolist() for name, n in counts.items()}}


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def reliability(
    before: np.ndarray, after: np.ndarray, hit: np.ndarray, w: np.ndarray
) -> dict[str, list[dict[str, float]]]:
    """The same groups of rows for both: those of `after`, the undone probability. All [repetitions, rows], w [rows]."""
    times = np.broadcast_to(w, after.shape).reshape(-1)
    before, after, hit = before.reshape(-1), after.reshape(-1), hit.reshape(-1)
    parts = cut(after, times)
    return {"before": told(before, hit, parts, times), "after": told(after, hit, parts, times)}


def groups_of(p: np.ndarray, hit: np.ndarray, w: np.ndarray) -> list[dict[str, float]]:
    times = np.broadcast_to(w, p.shape).reshape(-1)
    p, hit = p.reshape(-1), hit.reshape(-1)
    return told(p, hit, cut(p, times), times)


def sweep(p: np.ndarray, y: np.ndarray, chosen: Sequence[float], w: np.ndarray) -> dict[str, Any]:
    """Precision-recall points and confusion counts at some 200 thresholds of p [repetitions, rows], row called at p >= t.

    The thresholds step evenly through the ranks of the positives and of all rows, so both ends are drawn finely; the
    `chosen` ones are among them, and 0.5, which they are compared with.
    """
    repetitions = len(p)
    flat, labels, times = p.reshape(-1), np.tile(y, repetitions), np.tile(w, repetitions)
    half = POINTS // 2 - 3
    at = np.linspace(0, 1, half)
    t = np.unique(np.concatenate([np.quantile(flat[labels == 1], at), np.quantile(flat, at), [0.0, 0.5, *chosen, 1.0]]))

    def called_at(label: int) -> np.ndarray:
        """What rows of the class at or above each threshold count for, and last all of them."""
        scores, mass = flat[labels == label], times[labels == label]
        order = np.argsort(scores)
        above = np.append(np.cumsum(mass[order][::-1])[::-1], 0.0)
        return np.append(above[np.searchsorted(scores[order], t)], above[0]) / repetitions

    (*tp, P), (*fp, N) = called_at(1), called_at(0)
    tp, fp = np.array(tp), np.array(fp)
    called = tp + fp > 0
    return {
        "precision_recall": {
            "threshold": t[called].tolist(),
            "recall": (tp / P)[called].tolist(),
            "precision": (tp / np.where(called, tp + fp, 1))[called].tolist(),
        },
        "thresholds": {
            "threshold": t.tolist(),
            "tp": tp.tolist(),
            "fp": fp.tolist(),
            "fn": (P - tp).tolist(),
            "tn": (N - fp).tolist(),
        },
    }


def _top(before: np.ndarray, after: np.ndarray, y: np.ndarray, w: np.ndarray) -> dict[str, list[dict[str, float]]]:
    """Of the largest undone probability, and what the model as trained gave that class."""
    top = after.argmax(axis=-1)
    raw = np.take_along_axis(before, top[..., None], axis=-1)[..., 0]
    return reliability(raw, after.max(axis=-1), top == y, w)
