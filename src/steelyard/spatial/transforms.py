"""What scipy does for the maps: exact distance transforms, components, means. The one place that imports it."""

from typing import Any

import numpy as np

Spacing = tuple[float, ...]


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
