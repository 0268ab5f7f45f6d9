"""Masks to try maps on, and distances on them, the slow way."""

import numpy as np
from scipy.spatial.distance import cdist

from steelyard.spatial import separate


def discs(many, size=96, seed=0, radius=(2, 8), dims=2):
    """Instances that overlap, touch and leave the image as they come; up to `many`, with gaps in their numbers."""
    rng = np.random.default_rng(seed)
    out = np.zeros((size,) * dims, np.int64)
    grid = np.indices(out.shape)
    for k in range(many):
        centre = rng.uniform(0, size, dims).reshape(-1, *[1] * dims)
        out[((grid - centre) ** 2).sum(axis=0) <= rng.uniform(*radius) ** 2] = 3 * k + 1
    return out


MASKS = {
    "none": np.zeros((7, 9), np.int64),
    "one": discs(1),
    "two": discs(2, seed=1),
    "many": discs(40, seed=2),
    "all object": np.ones((5, 6), np.int64),
    "all objects": np.arange(1, 31).reshape(5, 6),
    "touching": np.repeat([[1, 1, 2, 2, 0, 0, 0, 5]], 4, axis=0),
    "corners": np.array([[1, 0, 0, 2], [0, 0, 0, 0], [3, 0, 0, 4]]),
    "one pixel": np.array([[4]]),
    "a line": discs(4, seed=3)[40:41],
    "volume": discs(6, size=20, seed=4, dims=3),
    "empty": np.zeros((0, 4), np.int64),
}
APART = {name: separate(MASKS[name]) for name in ("many", "volume")}  # no two objects touch
SPACINGS = {2: [None, (2.0, 0.7)], 3: [None, (3.0, 1.0, 0.5)]}
CASES = [(name, spacing) for name, mask in MASKS.items() for spacing in SPACINGS[mask.ndim]]
SMALL = [(name, spacing) for name, spacing in CASES if MASKS[name].size < 1000 and MASKS[name].size]


def brute(there, spacing):
    """From every pixel to the nearest that is `there`, pair by pair."""
    at = np.argwhere(np.ones(there.shape, bool)) * np.array(spacing)
    if not there.any():
        return np.full(there.shape, np.inf)
    return cdist(at, np.argwhere(there) * np.array(spacing)).min(axis=1).reshape(there.shape)
