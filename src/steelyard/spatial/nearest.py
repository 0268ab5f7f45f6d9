"""Distances from every pixel to the nearest and the second nearest object, exact: in C++ (native/nearest.cpp), or by scipy.

By scipy, one distance transform tells every pixel its nearest object; the second nearest of the pixels that share a nearest object
is a transform without that object, in a window around them. A window is large enough once no answer in it is longer than the way out
of it, and grows until it is.
"""

import numpy as np

from . import transforms
from .transforms import Spacing, nearest, to_nearest, windows

# Where the owner changes from a to b on the way from p to its second nearest object, b is as near as a: so the way out of a's pixels
# that is worth looking at is as long as their largest d1, and a step. Twice that leaves nothing to rounding.
MARGIN = 2.0
WIDER = 2.0  # what a window that was too small would grow by


def two_nearest(instances: np.ndarray, spacing: Spacing) -> tuple[np.ndarray, np.ndarray]:
    """(d1, d2), float64, from pixel to pixel in the unit of `spacing`; d1 = 0 on objects, inf where there are too few objects.

    instances  [H, W] or [D, H, W], 0 is the background
    """
    if transforms._native is None:
        return by_windows(instances, spacing)
    first, second = transforms.native_distances(instances, spacing, "first", "second")
    return first, second


def to_both(instances: np.ndarray, spacing: Spacing) -> np.ndarray:
    """d1 + d2 on the background, inf on objects."""
    if transforms._native is not None:
        return transforms.native_distances(instances, spacing, "both")[0]
    first, second = by_windows(instances, spacing)
    return np.where(instances > 0, np.inf, first + second)


def by_windows(instances: np.ndarray, spacing: Spacing) -> tuple[np.ndarray, np.ndarray]:
    """The same by scipy."""
    far = np.full(instances.shape, np.inf)
    objects = instances > 0
    if not objects.any():
        return far, far.copy()
    first, at = nearest(objects, spacing)
    owner, second = instances[at], far
    names = np.unique(owner)
    if len(names) == 1:
        return first, second
    for name, window in zip(names, windows(_dense(owner)), strict=True):
        second_nearest(instances, owner, name, window, first, second, spacing)
    return first, second


def _dense(labels: np.ndarray) -> np.ndarray:
    """Labels 1..K in place of whatever they are."""
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.int32) + 1


def second_nearest(
    instances: np.ndarray,
    owner: np.ndarray,
    name: int,
    window: tuple[slice, ...],
    first: np.ndarray,
    second: np.ndarray,
    spacing: Spacing,
) -> None:
    """Fill `second` where the nearest object is `name`; `window` holds all of these pixels."""
    margin = MARGIN * (float(first[window].max()) + max(spacing))
    mine = owner[window] == name
    while True:
        wide = tuple(
            slice(max(0, w.start - int(np.ceil(margin / s))), min(n, w.stop + int(np.ceil(margin / s))))
            for w, n, s in zip(window, instances.shape, spacing, strict=True)
        )
        others = (instances[wide] > 0) & (instances[wide] != name)
        whole = all(w.start == 0 and w.stop == n for w, n in zip(wide, instances.shape, strict=True))
        if others.any():
            found = to_nearest(others, spacing)
            inside = tuple(slice(w.start - o.start, w.stop - o.start) for w, o in zip(window, wide, strict=True))
            found = found[inside][mine]
            if whole or (found <= _way_out(window, wide, instances.shape, spacing)[mine]).all():
                second[window][mine] = found
                return
        margin *= WIDER


def _way_out(
    window: tuple[slice, ...], wide: tuple[slice, ...], shape: tuple[int, ...], spacing: Spacing
) -> np.ndarray:
    """From each pixel of the window, how far the nearest pixel outside the wider one is; inf at the edge of the image."""
    found = np.full([w.stop - w.start for w in window], np.inf)
    for axis, (w, o, n, s) in enumerate(zip(window, wide, shape, spacing, strict=True)):
        at = np.arange(w.start, w.stop)
        steps = np.minimum(
            (at - o.start + 1) * s if o.start > 0 else np.inf, (o.stop - at) * s if o.stop < n else np.inf
        )
        view = np.broadcast_to(steps, at.shape).reshape([-1 if i == axis else 1 for i in range(len(shape))])
        found = np.minimum(found, view)
    return found
