"""Fits of a made-up study, for the tests of what keeps them."""

import numpy as np

TASK = {
    "format": 1,
    "table": {"rows": 11183, "columns": 6, "label": "ill"},
    "data": "9b1c" * 16,
    "positive": "yes",
    "model": "linear",
    "splits": {"kind": "stratified", "folds": 5, "repeats": 5, "by": None},
    "seed": 0,
}
PART, OTHER = (0, 1), (1, 0)
KEYS = [("plain", 1.0), ("plain", 0.1), ("inverse frequency", 1.0)]


def scores(seed=0):
    rng = np.random.default_rng(seed)
    return {"scores": rng.normal(size=40).astype(np.float32), "converged": np.array([True])}


def same(a, b):
    return a.keys() == b.keys() and all(
        a[name].dtype == b[name].dtype and a[name].shape == b[name].shape and a[name].tobytes() == b[name].tobytes()
        for name in a
    )
