"""What others do for the maps: exact distance transforms by the C++ core, or by scipy where that is not built; components and means
by scipy, which is imported here alone.
"""

from typing import Any

import numpy as np

from .. import core

Spacing = tuple[float, ...]
LARGE = (
    2**24
)  # a larger label is renumbered: the core compares labels in float where it can, which knows no larger ones


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
    found = np.full(labels.shape, np.inf)
    names = np.unique(labels)
    for name in names if len(names) > 1 else ():
        mine = labels == name
        found[mine] = to_nearest(~mine, spacing)[mine]
    return found


def nearest(there: np.ndarray, spacing: Spacing) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """The same with where it is; there must be one."""
    found, at = scipy_ndimage().distance_transform_edt(~there, sampling=spacing, return_indices=True)
    return found, tuple(at)


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
    found = {name: np.empty(flat.shape) for name in wanted}
    addresses = [found[name].ctypes.data if name in found else 0 for name in ("first", "second", "both")]
    _native.nearest(flat.ctypes.data, *addresses, list(flat.shape), list(spacing), 1)
    return [found[name] for name in wanted]
