"""What others do for the maps: exact distance transforms by the C++ core, or by scipy where that is not built; components and means
by scipy, which is imported here alone.
"""

from typing import Any

import numpy as np

from .. import core

Spacing = tuple[float, ...]
LARGE = 2**16  # a larger label is renumbered: the core keeps a place for each up to the largest, on every thread


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
        return native_distances(there, spacing, second=False)[0]
    if not there.any():
        return np.full(there.shape, np.inf)
    return scipy_ndimage().distance_transform_edt(~there, sampling=spacing)


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


def native_distances(labels: np.ndarray, spacing: Spacing, *, second: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """(d1, d2) to the nearest and second nearest label above 0, float64, inf where there is none; in C++, on this thread alone: maps are
    made by the workers of a DataLoader."""
    most = int(labels.max()) if labels.size else 0
    if most > LARGE:
        names = np.unique(labels[labels > 0])
        labels = np.where(labels > 0, np.searchsorted(names, labels) + 1, 0)
        most = len(names)
    flat = np.ascontiguousarray(labels, np.int32)
    first = np.empty(flat.shape)
    other = np.empty(flat.shape) if second else None
    addresses = flat.ctypes.data, first.ctypes.data, other.ctypes.data if other is not None else 0
    _native.nearest(*addresses, list(flat.shape), list(spacing), most, 1)
    return first, other
