"""What others do for the maps: exact distances by the C++ core (native/nearest.cpp), or by scipy where that is not built; components
and means by scipy, which is imported here alone.

By scipy, one distance transform tells every pixel its nearest object; the second nearest of the pixels that share a nearest object
is a transform without that object, in a window around them. A window is large enough once no answer in it is longer than the way out
of it, and grows until it is.
"""

from typing import Any

import numpy as np

from .. import core

Spacing = tuple[float, ...]
LARGE = (
    2**24
)  # larger labels are renumbered: the core compares labels in float where it can, which knows no larger ones
# Where the owner changes from a to b on the way from p to its second nearest object, b is as near as a: so the way out of a's pixels
# that is worth looking at is as long as their largest d1, and a step. Twice that leaves nothing to rounding.
MARGIN = 2.0
WIDER = 2.0  # what a window that was too small would grow by

_native: Any = core.load()


def scipy_ndimage() -> Any:
    try:
        from scipy import ndimage
    except ImportError:
        raise ModuleNotFoundError(
            "steelyard.spatial: distances need scipy, which is not installed. pip install 'steelyard[spatial]' brings it."
        ) from None
    return ndimage


def to_nearest(there: np.ndarray, spacing: Spacing) -> np.ndarray:
    """From every pixel to the nearest one that is `there`, float64; inf without any."""
    if _native is not None:
        return native_distances(there, spacing, "first")[0]
    if not there.any():
        return np.full(there.shape, np.inf)
    return scipy_ndimage().distance_transform_edt(~there, sampling=spacing)


def to_another(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """From every pixel to the nearest one of another label, float64; inf where there is no other. 0 is a label too."""
    if _native is not None:
        if labels.size and labels.max() >= LARGE:
            labels = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
        return native_distances(np.add(labels, 1, dtype=np.int32), spacing, "second")[0]
    distances = np.full(labels.shape, np.inf)
    names = np.unique(labels)
    for name in names if len(names) > 1 else ():
        here = labels == name
        distances[here] = to_nearest(~here, spacing)[here]
    return distances


def to_both(instances: np.ndarray, spacing: Spacing) -> np.ndarray:
    """d1 + d2, the distances to the nearest and the second nearest object, on the background; inf on objects and where there are too
    few. float64, from pixel to pixel in the unit of `spacing`.

    instances  [H, W] or [D, H, W], 0 is the background
    """
    if _native is not None:
        return native_distances(instances, spacing, "both")[0]
    first, second = _by_windows(instances, spacing)
    return np.where(instances > 0, np.inf, first + second)


def nearest(there: np.ndarray, spacing: Spacing) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """`to_nearest` by scipy, with where it is; there must be one."""
    distances, at = scipy_ndimage().distance_transform_edt(~there, sampling=spacing, return_indices=True)
    return distances, tuple(at)


def windows(labels: np.ndarray) -> list[tuple[slice, ...]]:
    """The smallest window around each of the labels, which are 1..K."""
    return scipy_ndimage().find_objects(labels)


def connected(there: np.ndarray, connectivity: int) -> tuple[np.ndarray, int]:
    """(0 or the number of the component, how many)."""
    ndimage = scipy_ndimage()
    return ndimage.label(there, ndimage.generate_binary_structure(there.ndim, connectivity))


def local_mean(values: np.ndarray, sides: list[int]) -> np.ndarray:
    """Over a box around every pixel; outside the image is 0."""
    return scipy_ndimage().uniform_filter(values, size=sides, mode="constant")


def native_distances(labels: np.ndarray, spacing: Spacing, *wanted: str) -> list[np.ndarray]:
    """float64 distances to the `first` nearest label above 0, to the `second` nearest, and `both` together, which is inf on objects; inf
    where there is none. In C++, on this thread alone: maps are made by the workers of a DataLoader."""
    if labels.size and labels.max() > LARGE:
        names = np.unique(labels[labels > 0])
        labels = np.where(labels > 0, np.searchsorted(names, labels) + 1, 0)
    flat = np.ascontiguousarray(labels, np.int32)
    distances = {name: np.empty(flat.shape) for name in wanted}
    addresses = [distances[name].ctypes.data if name in distances else 0 for name in ("first", "second", "both")]
    _native.nearest(flat.ctypes.data, *addresses, list(flat.shape), list(spacing), 1)
    return [distances[name] for name in wanted]


def _by_windows(instances: np.ndarray, spacing: Spacing) -> tuple[np.ndarray, np.ndarray]:
    """(d1, d2) by scipy: d1 = 0 on objects, inf where there are too few objects."""
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
        _second_nearest(instances, owner, name, window, first, second, spacing)
    return first, second


def _dense(labels: np.ndarray) -> np.ndarray:
    """Labels 1..K in place of whatever they are."""
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.int32) + 1


def _second_nearest(
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
    owned = owner[window] == name
    while True:
        wide = tuple(
            slice(max(0, w.start - int(np.ceil(margin / s))), min(n, w.stop + int(np.ceil(margin / s))))
            for w, n, s in zip(window, instances.shape, spacing, strict=True)
        )
        others = (instances[wide] > 0) & (instances[wide] != name)
        whole = all(w.start == 0 and w.stop == n for w, n in zip(wide, instances.shape, strict=True))
        if others.any():
            inside = tuple(slice(w.start - o.start, w.stop - o.start) for w, o in zip(window, wide, strict=True))
            distances = to_nearest(others, spacing)[inside][owned]
            if whole or (distances <= _way_out(window, wide, instances.shape, spacing)[owned]).all():
                second[window][owned] = distances
                return
        margin *= WIDER


def _way_out(
    window: tuple[slice, ...], wide: tuple[slice, ...], shape: tuple[int, ...], spacing: Spacing
) -> np.ndarray:
    """From each pixel of the window, how far the nearest pixel outside the wider one is; inf at the edge of the image."""
    way = np.full([w.stop - w.start for w in window], np.inf)
    for axis, (w, o, n, s) in enumerate(zip(window, wide, shape, spacing, strict=True)):
        at = np.arange(w.start, w.stop)
        steps = np.minimum(
            (at - o.start + 1) * s if o.start > 0 else np.inf, (o.stop - at) * s if o.stop < n else np.inf
        )
        view = np.broadcast_to(steps, at.shape).reshape([-1 if i == axis else 1 for i in range(len(shape))])
        way = np.minimum(way, view)
    return way
