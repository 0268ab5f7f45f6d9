"""Groups of rows by probability, to hold what was promised against what came true."""

import numpy as np

BINS = 10


def cut(p: np.ndarray, times: np.ndarray) -> list[np.ndarray]:
    """Ten groups of rows by probability that expect equally many hits each. Groups of equal size would put nine of ten where
    nothing happens when hits are rare.

    p, times  [rows]; what each row counts
    """
    order = np.argsort(p, kind="stable")
    promised = np.cumsum((p * times)[order])
    edges = np.searchsorted(promised, promised[-1] * np.arange(1, BINS) / BINS)
    return [part for part in np.split(order, edges) if len(part)]


def told(p: np.ndarray, hit: np.ndarray, parts: list[np.ndarray], times: np.ndarray) -> list[dict[str, float]]:
    """Of each group the mean probability, the share that came true, and rows."""
    groups = []
    for part in parts:
        w = times[part]
        predicted, observed = float(np.average(p[part], weights=w)), float(np.average(hit[part], weights=w))
        groups.append({"predicted": predicted, "observed": observed, "rows": float(w.sum())})
    return groups
