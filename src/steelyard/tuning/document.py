"""report.json: a study as plain data, and the curves that pictures are made of."""

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import __version__
from .crossfit import probability

if TYPE_CHECKING:
    from .study import Study

FORMAT = "steelyard.report/1"
POINTS = 200
BINS = 10


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
            "notes": list(study.notes),
        },
        "positive": task.positive,
        "metric": study.metric.name,
        "metric_title": study.metric.title,
        "metric_higher": study.metric.higher,
        "costs": None if study.cost is None else {"fn": study.cost.cost_fn, "fp": study.cost.cost_fp},
        "model": study.model,
        "seed": study.seed,
        "splits": {"folds": study.folds, "repeats": study.repeats},
        "bootstrap": study.bootstrap,
        "strengths": list(study.strengths),
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
                "strengths": {f"{s:.4g}": n for s, n in arm.strengths.items()},
                "strength": arm.strength,
                "threshold": arm.threshold,
                "equals_plain": arm.equals or None,
            }
            for arm in study.arms
        ],
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
            "strength": final.strength,
            "threshold": final.threshold,
            "threshold_rule": final.threshold_rule,
            "coefficients": final.coefficients,
            "intercept": final.intercept,
        },
        "fits": study.fits,
        "curves": curves(study),
        "warnings": list(study.warnings),
        "seconds": study.seconds,
    }
    return _finite(data)


def curves(study: "Study") -> dict[str, Any]:
    """By arm (plain and the best other one). Repetitions are laid together, so counts are means over repetitions.

    Two classes: reliability before and after the undo, precision-recall, confusion counts by threshold.
    More: reliability of the largest probability, and the confusion matrix of the largest probability.
    """
    y = study.problem.y
    if study.problem.classes == 2:
        return {
            name: {
                "reliability": reliability(probability(trained), probability(undone), np.broadcast_to(y, undone.shape)),
                **sweep(probability(undone), y, study.final.threshold),
            }
            for name, undone, trained in _pictures(study)
        }
    out = {}
    for name, undone, trained in _pictures(study):
        said = undone.argmax(axis=-1)
        table = np.zeros((study.problem.classes,) * 2)
        np.add.at(table, (np.broadcast_to(y, said.shape), said), 1 / len(said))
        shifted = np.exp(trained - trained.max(axis=-1, keepdims=True))
        raw = shifted / shifted.sum(axis=-1, keepdims=True)
        out[name] = {
            "reliability": _top(raw, np.exp(undone), y),
            "confusion": table.tolist(),
        }
    return out


def reliability(before: np.ndarray, after: np.ndarray, hit: np.ndarray) -> dict[str, list[dict[str, float]]]:
    """Ten groups of rows, alike for both: mean probability, share that came true, rows.

    The groups follow the undone probability and expect equally many hits each. Groups of equal size would put nine of
    ten where nothing happens when hits are rare.
    """
    before, after, hit = before.reshape(-1), after.reshape(-1), hit.reshape(-1)
    order = np.argsort(after, kind="stable")
    promised = np.cumsum(after[order])
    edges = np.searchsorted(promised, promised[-1] * np.arange(1, BINS) / BINS)
    groups = [part for part in np.split(order, edges) if len(part)]
    return {
        name: [
            {"predicted": float(p[part].mean()), "observed": float(hit[part].mean()), "rows": len(part)}
            for part in groups
        ]
        for name, p in (("before", before), ("after", after))
    }


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


def _pictures(study: "Study") -> list[tuple[str, np.ndarray, np.ndarray]]:
    return list(zip(study.pictures.names, study.pictures.undone, study.pictures.trained, strict=True))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
