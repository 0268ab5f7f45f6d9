"""Every object the same weight, however small."""

import numpy as np

from .images import Images, Mask, number, read
from .share import Parts, weigh


def lesion(
    instances: Mask,
    *,
    power: float = 1.0,
    w0: float = 1.0,
    base: float = 1.0,
    share: float | None = None,
    batch: bool = False,
    ignore: int | None = None,
) -> Mask:
    """base on the background, w0 c n_k^-power on an object of n_k pixels, with c such that objects have mean w0.

    power 1: all objects of an image have the same sum of weights, so that a small lesion counts like a large one.
    Source: Shirokikh et al. 2020, arXiv:2007.10033: weights inverse to the volume; that their mean is w0 is ours.

    instances  integers [H, W] or [D, H, W] (batch: [N, ...]): 0 background, every object its own number; semantic masks
               become such by `objects`
    power      from 0 (no difference) up
    share      instead of w0: the part of the weight that objects carry, in [0, 1)
    ignore     a label whose pixels get weight 0 and are no object

    Returns float32 like `instances`. ValueError for other masks and numbers out of range.

    >>> import numpy as np
    >>> lesion(np.array([[1, 1, 1, 0, 2]])).round(3)
    array([[0.667, 0.667, 0.667, 1.   , 2.   ]], dtype=float32)
    """
    images = read("lesion", instances, None, batch, ignore)
    return weigh(parts(images, power=power, base=base), w0, share)


def parts(images: Images, *, power: float, base: float) -> Parts:
    base, power = number("lesion", "base", base), number("lesion", "power", power)
    floors = [np.where(labels > 0, 0.0, base) for labels in images.labels]
    return Parts("lesion", images, floors, [_inverse_size(labels, power) for labels in images.labels])


def _inverse_size(labels: np.ndarray, power: float) -> np.ndarray:
    out = np.zeros(labels.shape)
    there = labels > 0
    if there.any():
        _, at, sizes = np.unique(labels[there], return_inverse=True, return_counts=True)
        inverse = sizes.astype(np.float64) ** -power
        out[there] = inverse[at.reshape(-1)] * (sizes.sum() / (inverse * sizes).sum())
    return out
