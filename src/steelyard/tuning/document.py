"""report.json: a study as plain data, and the curves that pictures are made of."""

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import __version__
from .validation.crossfit import probability

if TYPE_CHECKING:
    from .answer import Study

FORMAT = "steelyard.report/1"
POINTS = 200
BINS = 10
SCORE_BINS = 40


def document(study: "Study") -> dict[str, Any]:
    """JSON-ready; numbers that are not finite become null."""
    task, verdict, final = study.problem, study.verdict, study.final
    data = {
        "format": FORMAT,
        "version": __version__,
        "data": {
            "path": task.path,
            "rows": len(task.y),
            "rows_read": task.read[0],
            "columns": task.read[1],
            "label": task.label,
            "classes": list(task.counts.classes),
            "counts": task.counts.per_class.tolist(),
            "digest": {"labels": task.labels_digest()[:32], "all": task.digest()[:32]},
            "notes": list(study.notes),
        },
        "positive": task.positive,
        "metric": study.metric.name,
        "metric_title": study.metric.title,
        "metric_higher": study.metric.higher,
        "costs": _costs(study),
        "capacity": None if study.capacity is None else {"rows": study.capacity[0], "per": study.capacity[1]},
        "model": study.model,
        "axis": {"name": study.axis.name, "title": study.axis.title},
        "seed": study.seed,
        "splits": {
            "kind": study.kind,
            "by": task.group or task.time,
            "folds": study.folds,
            "repeats": study.repeats,
            "judged": study.judged,
        },
        "bootstrap": study.bootstrap,
        "strengths": list(study.settings),
        "margin": study.margin,
        "gate": {
            "name": study.gate.name,
            "value": study.gate.value,
            "low": study.gate.low,
            "chance": study.gate.chance,
            "open": study.gate.open,
        },
        "arms": [
            {
                "name": arm.name,
                "recipe": json.loads(arm.recipe.to_json()),
                "metrics": arm.metrics,
                "strengths": {f"{s:.4g}": n for s, n in arm.settings.items()},
                "strength": arm.setting,
                "threshold": arm.threshold,
                "equals_plain": arm.equals or None,
            }
            for arm in study.arms
        ],
        "baselines": [{"name": b.name, "note": b.note, "metrics": b.metrics} for b in study.baselines],
        "skipped": [{"name": name, "reason": reason} for name, reason in study.skipped.items()],
        "paths": paths(study),
        "search": None
        if study.trace is None
        else {
            "ingredient": study.trace.point.ingredient,
            "parameter": study.trace.point.parameter,
            "trials": [{"x": x, "value": value} for x, value in study.trace.trials],
            "best": study.trace.point.x,
        },
        "verdict": {
            "case": verdict.case,
            "winner": verdict.winner,
            "best": verdict.best,
            "ties": list(verdict.ties),
            "threshold": verdict.threshold,
            "threshold_is": "probability" if task.classes == 2 else "prior shift",
            "sentence": verdict.sentence,
            "remarks": list(verdict.remarks),
        },
        "final": {
            "arm": final.arm,
            "recipe": json.loads(final.recipe.to_json()),
            "strength": final.setting,
            "threshold": final.threshold,
            "threshold_rule": final.threshold_rule,
            **final.model,
        },
        "stopped": None
        if study.stopped is None
        else {
            "why": study.stopped.why,
            "repeats_done": study.stopped.done,
            "repeats_planned": study.stopped.planned,
        },
        "fits": study.fits,
        "curves": curves(study),
        "per_class": per_class(study) if task.classes > 2 else None,
        "warnings": list(study.warnings),
        "seconds": study.seconds,
    }
    return _finite(data)


def _costs(study: "Study") -> dict[str, Any] | None:
    cost = study.cost
    if cost is None:
        return None
    if cost.cost_matrix is not None:
        return {"matrix": [list(row) for row in cost.cost_matrix]}
    return {"fn": cost.cost_fn, "fp": cost.cost_fp}


def paths(study: "Study") -> list[dict[str, Any]]:
    """The metric against one option of an ingredient, where arms tried more than one value of it; plain stands at 0."""
    families: dict[tuple[str, str], list[Any]] = {}
    for arm in study.arms:
        if arm.point is not None and not arm.equals:
            families.setdefault((arm.point.ingredient, arm.point.parameter), []).append(arm)
    out = []
    for (ingredient, parameter), members in families.items():
        if len(members) < 2:
            continue
        points = [(0.0, study.arms[0]), *sorted(((a.point.x, a) for a in members), key=lambda p: p[0])]
        shown = [{"x": x, "arm": a.name, **a.metrics[study.metric.name]} for x, a in points]
        out.append({"ingredient": ingredient, "parameter": parameter, "points": shown})
    return out


def per_class(study: "Study") -> dict[str, list[dict[str, Any]]]:
    """Precision, recall and F1 of each class, decided by the moved threshold: means over repetitions, by arm."""
    y, names = study.pictures.y, study.problem.counts.classes
    out = {}
    for name, decided in zip(study.pictures.names, study.pictures.decided, strict=True):
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


def curves(study: "Study") -> dict[str, Any]:
    """By arm (plain and the best other one). Repetitions are laid together, so counts are means over repetitions.

    Two classes: reliability before and after the undo and after recalibration, precision-recall, confusion counts by
    threshold, scores by class. More: reliability of the largest probability, and the confusion matrix of the decisions.
    """
    y, shown = study.pictures.y, study.pictures
    out = {}
    for name, undone, trained, again, decided in zip(
        shown.names, shown.undone, shown.trained, shown.recalibrated, shown.decided, strict=True
    ):
        if study.problem.classes == 2:
            before, after, recalibrated = probability(trained), probability(undone), probability(again)
            hit = np.broadcast_to(y, undone.shape)
            out[name] = {
                "reliability": reliability(before, after, hit),
                "recalibrated": groups_of(recalibrated.reshape(-1), hit.reshape(-1)),
                "scores": histogram(undone, y),
                **sweep(after, y, study.final.threshold),
            }
            continue
        table = np.zeros((study.problem.classes,) * 2)
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


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
