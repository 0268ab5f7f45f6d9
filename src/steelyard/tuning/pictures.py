"""The curves that pictures are made of, from out-of-fold predictions."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

POINTS = 200
BINS = 10
SCORE_BINS = 40


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
    """Out-of-fold predictions of one arm, [repetitions, rows(, C)]: undone, as trained, recalibrated after the undo, and
    labels by the moved threshold."""

    undone: np.ndarray
    trained: np.ndarray
    recalibrated: np.ndarray
    decided: np.ndarray

    def map(self, function: Callable[..., np.ndarray], *others: "Predictions") -> "Predictions":
        """function(array, *the same array of others) for each of the four."""
        names = [field.name for field in dataclasses.fields(self)]
        return Predictions(*(function(getattr(self, n), *(getattr(o, n) for o in others)) for n in names))


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Predictions of plain and of the best other arm on the judged rows, by the arm's name; `y` are the labels."""

    y: np.ndarray
    arms: dict[str, Predictions]


def probability(log_odds: np.ndarray | float) -> np.ndarray:
    return np.exp(-np.logaddexp(0.0, -np.asarray(log_odds, dtype=np.float64)))


def per_class(pictures: Pictures, names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Precision, recall and F1 of each class, decided by the moved threshold: means over repetitions, by arm."""
    y, out = pictures.y, {}
    for name, predictions in pictures.arms.items():
        decided = predictions.decided
        rows = []
        for c, label in enumerate(names):
            said, truth = decided == c, y == c
            hit = float((said & truth).sum(axis=1).mean())
            called, there = float(said.sum(axis=1).mean()), int(truth.sum())
            rows.append(
                {
                    "class": label,
                    "rows": there,
                    "precision": hit / called if called else 0.0,
                    "recall": hit / there if there else 0.0,
                    "f1": 2 * hit / (called + there) if called + there else 0.0,
                }
            )
        out[name] = rows
    return out


def curves(pictures: Pictures, classes: int, threshold: float) -> dict[str, Any]:
    """By arm (plain and the best other one). Repetitions are laid together, so counts are means over repetitions.

    Two classes: reliability before and after the undo and after recalibration, precision-recall, confusion counts by
    threshold, scores by class. More: reliability of the largest probability, and the confusion matrix of the decisions.
    """
    y, out = pictures.y, {}
    for name, arm in pictures.arms.items():
        undone, trained, again, decided = arm.undone, arm.trained, arm.recalibrated, arm.decided
        if classes == 2:
            before, after, recalibrated = probability(trained), probability(undone), probability(again)
            hit = np.broadcast_to(y, undone.shape)
            out[name] = {
                "reliability": reliability(before, after, hit),
                "recalibrated": groups_of(recalibrated.reshape(-1), hit.reshape(-1)),
                "scores": histogram(undone, y),
                **sweep(after, y, threshold),
            }
            continue
        table = np.zeros((classes, classes))
        np.add.at(table, (np.broadcast_to(y, decided.shape), decided), 1 / len(decided))
        top = again.argmax(axis=-1)
        out[name] = {
            "reliability": _top(softmax(trained), np.exp(undone), y),
            "recalibrated": groups_of(np.exp(again).max(axis=-1).reshape(-1), (top == y).reshape(-1)),
            "confusion": table.tolist(),
        }
    return out


def histogram(log_odds: np.ndarray, y: np.ndarray) -> dict[str, list[float]]:
    """Rows of each class by log-odds [repetitions, rows], means over repetitions; the outermost 0.1 % share the end bins."""
    low, high = np.quantile(log_odds, [0.001, 0.999])
    edges = np.linspace(low, max(high, low + 1e-9), SCORE_BINS + 1)
    inside = np.clip(log_odds, edges[0], edges[-1])
    counts = {
        name: np.histogram(inside[:, y == label], edges)[0] / len(log_odds)
        for name, label in (("positive", 1), ("negative", 0))
    }
    return {"edges": edges.tolist(), **{name: n.tolist() for name, n in counts.items()}}


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def reliability(before: np.ndarray, after: np.ndarray, hit: np.ndarray) -> dict[str, list[dict[str, float]]]:
    """The same groups of rows for both: those of `after`, the undone probability."""
    before, after, hit = before.reshape(-1), after.reshape(-1), hit.reshape(-1)
    parts = cut(after)
    return {"before": _groups(before, hit, parts), "after": _groups(after, hit, parts)}


def groups_of(p: np.ndarray, hit: np.ndarray) -> list[dict[str, float]]:
    return _groups(p, hit, cut(p))


def cut(p: np.ndarray) -> list[np.ndarray]:
    """Ten groups of rows by probability that expect equally many hits each. Groups of equal size would put nine of ten where
    nothing happens when hits are rare."""
    order = np.argsort(p, kind="stable")
    promised = np.cumsum(p[order])
    edges = np.searchsorted(promised, promised[-1] * np.arange(1, BINS) / BINS)
    return [part for part in np.split(order, edges) if len(part)]


def _groups(p: np.ndarray, hit: np.ndarray, parts: list[np.ndarray]) -> list[dict[str, float]]:
    """Mean probability, share that came true, rows."""
    return [
        {"predicted": float(p[part].mean()), "observed": float(hit[part].mean()), "rows": len(part)} for part in parts
    ]


def sweep(p: np.ndarray, y: np.ndarray, chosen: float) -> dict[str, Any]:
    """Precision-recall points and confusion counts at some 200 thresholds of p [repetitions, rows], row called at p >= t.

    The thresholds step evenly through the ranks of the positives and of all rows, so both ends are drawn finely; the
    `chosen` one is among them.
    """
    repetitions = len(p)
    flat, labels = p.reshape(-1), np.tile(y, repetitions)
    half = POINTS // 2 - 1
    at = np.linspace(0, 1, half)
    t = np.unique(np.concatenate([np.quantile(flat[labels == 1], at), np.quantile(flat, at), [0.0, chosen, 1.0]]))
    positives, negatives = np.sort(flat[labels == 1]), np.sort(flat[labels == 0])
    tp = (len(positives) - np.searchsorted(positives, t)) / repetitions
    fp = (len(negatives) - np.searchsorted(negatives, t)) / repetitions
    P, N = len(positives) / repetitions, len(negatives) / repetitions
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


def _top(before: np.ndarray, after: np.ndarray, y: np.ndarray) -> dict[str, list[dict[str, float]]]:
    """Of the largest undone probability, and what the model as trained gave that class."""
    top = after.argmax(axis=-1)
    raw = np.take_along_axis(before, top[..., None], axis=-1)[..., 0]
    return reliability(raw, after.max(axis=-1), top == y)
