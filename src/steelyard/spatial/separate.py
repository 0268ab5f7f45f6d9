"""Objects that touch: where they do, and a gap of one pixel between them."""

import dataclasses
import warnings
from itertools import product

import numpy as np

from .images import Mask, read

TOUCH = (
    "border: objects touch without a pixel of background between them, and there the map adds nothing, where it matters most;"
    " spatial.separate(instances) cuts a gap of one pixel, from the masks that the network learns, too."
)


def separate(instances: Mask, *, connectivity: int = 1, batch: bool = False, ignore: int | None = None) -> Mask:
    """The same objects with a pixel of background between any two that touch, taken from the larger of the two.

    `border` weighs the background between objects, so those that touch need one; as in U-Net's data, the network then learns the gap.
    An object that would vanish stays as it is, with a warning.

    instances     integers [H, W] or [D, H, W] (batch: [N, ...]): 0 background, every object its own number
    connectivity  1: objects touch by an edge (a face); up to the number of axes: by a corner, too
    ignore        a label that is no object; it stays

    Returns int64 in the shape and kind of `instances`. ValueError for other masks.

    >>> import numpy as np
    >>> separate(np.array([[1, 1, 1, 2, 2, 0, 3]])).tolist()
    [[1, 1, 0, 2, 2, 0, 3]]
    """
    images = read("separate", instances, None, batch, ignore)
    dims = len(images.spacing)
    if connectivity not in range(1, dims + 1):
        raise ValueError(f"separate: connectivity must be from 1 to {dims}, got {connectivity!r}.")
    cut = [_cut(labels, connectivity) for labels in images.labels]
    if images.ignored is not None and ignore is not None:
        cut = [np.where(void, ignore, labels) for void, labels in zip(images.ignored, cut, strict=True)]
    return dataclasses.replace(images, ignored=None).out(cut, np.int64)


def touch(instances: np.ndarray) -> bool:
    """Whether two different objects share an edge."""
    for axis in range(instances.ndim):
        low, high = (np.moveaxis(instances, axis, 0)[part] for part in (slice(None, -1), slice(1, None)))
        if bool(np.any((low != high) & (np.minimum(low, high) > 0))):
            return True
    return False


def _cut(labels: np.ndarray, connectivity: int) -> np.ndarray:
    names, dense, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    dense = dense.reshape(labels.shape)
    rank = np.empty(len(names), np.int64)
    rank[np.lexsort((names, sizes))] = np.arange(1, len(names) + 1)  # by size, equal ones by number
    rank[names == 0] = 0
    order = rank[dense]
    gap = np.zeros(labels.shape, bool)
    for step in product((-1, 0, 1), repeat=labels.ndim):
        if not 0 < sum(map(abs, step)) <= connectivity:
            continue
        here = tuple(slice(max(0, -s), -s if s > 0 else None) for s in step)
        there = tuple(slice(max(0, s), s if s < 0 else None) for s in step)
        gap[here] |= (order[there] > 0) & (order[there] < order[here])
    left = np.bincount(dense[~gap], minlength=len(names))
    lost = (left == 0) & (names > 0)
    if bool(lost.any()):
        gap &= ~lost[dense]
        warnings.warn(
            f"separate: {int(lost.sum())} objects, such as {int(names[lost][0])}, touch others with every pixel; they stay as they are, and"
            " touch still.",
            stacklevel=3,
        )
    return np.where(gap, 0, labels)
