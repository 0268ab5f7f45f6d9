"""Found boxes against true ones: average precision of each class, and recall where all classes together have one false alarm per image."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .cells import NAMES, Photo

OVERLAP = 0.5  # from which a box is found
ALARMS = 1.0  # false boxes per image, under one cut for all classes


@dataclass(frozen=True)
class Found:
    """Of one image: boxes [N, 4], labels [N], scores [N]."""

    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class Matched:
    """All found boxes of the test images, the surest first, and the true ones.

    image, label, score, right  [N] each: the place of its image, its class, its score, whether it is the first to find a true box
    true                        [images, classes], true boxes
    """

    image: np.ndarray
    label: np.ndarray
    score: np.ndarray
    right: np.ndarray
    true: np.ndarray


def match(found: list[Found], photos: list[Photo]) -> Matched:
    rows: list[tuple[int, int, float, bool]] = []
    for place, (ours, photo) in enumerate(zip(found, photos, strict=True)):
        for label in range(len(NAMES)):
            mine = np.flatnonzero(ours.labels == label)
            mine = mine[np.argsort(-ours.scores[mine], kind="stable")]
            theirs = photo.boxes[photo.labels == label]
            free = np.ones(len(theirs), dtype=bool)
            for i in mine:
                over = overlaps(ours.boxes[i], theirs) if len(theirs) else np.zeros(0)
                best = int(over.argmax()) if len(over) else -1
                right = best >= 0 and over[best] >= OVERLAP and bool(free[best])
                if right:
                    free[best] = False
                rows.append((place, label, float(ours.scores[i]), right))
    rows.sort(key=lambda row: -row[2])
    image, label, score, right = (
        (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.zeros(0, int),) * 4
    )
    true = np.array([np.bincount(p.labels, minlength=len(NAMES)) for p in photos])
    return Matched(image, label, score, right.astype(bool), true)


def overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union [M]."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    inner = (high - low).clip(min=0).prod(axis=1)
    return inner / ((box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(axis=1) - inner)


def measures(m: Matched, images: np.ndarray | None = None) -> dict[str, float]:
    """Of the test images, or of a draw of them with repetition: `images` says how often each is taken."""
    times = np.ones(len(m.true)) if images is None else images
    true = times @ m.true
    weight = times[m.image] if len(m.image) else np.zeros(0)
    out: dict[str, Any] = {}
    for k, name in enumerate(NAMES):
        mine = m.label == k
        out[f"AP {name}"] = average_precision(weight[mine], m.right[mine], true[k])
    out["AP mean"] = float(np.mean([out[f"AP {name}"] for name in NAMES]))
    wrong = np.cumsum(weight * ~m.right)
    kept = wrong <= ALARMS * times.sum()
    for k, name in enumerate(NAMES):
        out[f"recall {name}"] = float((weight * (m.right & kept & (m.label == k))).sum() / max(true[k], 1))
    return out


def average_precision(weight: np.ndarray, right: np.ndarray, true: float) -> float:
    """Area under precision over recall, precision made falling from the right (as VOC counts since 2010)."""
    hits, all_ = np.cumsum(weight * right), np.cumsum(weight)
    some = all_ > 0
    precision = np.maximum.accumulate((hits[some] / all_[some])[::-1])[::-1]
    return float((precision * (weight * right)[some]).sum() / max(true, 1))
