"""Row weights, as all of a study uses them: float64 [rows] with mean 1, or None where every row counts the same.

Only ratios of weights mean anything: a common factor is taken out, and equal weights are none at all. A row of weight 2 is judged
and learned from as two rows that are alike, but drawn by the bootstrap as the one row that it is.
"""

import numpy as np

Weights = np.ndarray | None
DIGITS = (
    24  # binary ones that are kept, as float32 has, so that no common factor leaves a trace and sums of many are exact
)


def relative(raw: np.ndarray) -> Weights:
    """Of weights [rows] > 0, as they were given."""
    if raw.min() == raw.max():
        return None
    share = raw / raw.max()  # the sum of huge ones is infinite
    fraction, power = np.frexp(share / share.mean())
    return np.ldexp(np.round(np.ldexp(fraction, DIGITS)), power - DIGITS)


def take(weights: Weights, rows: np.ndarray) -> Weights:
    return None if weights is None else weights[rows]


def masses(y: np.ndarray, weights: Weights, classes: int) -> np.ndarray:
    """[C]: the sum of the weights of each class; whole rows without weights."""
    return np.bincount(y, weights=weights, minlength=classes)


def total(weights: Weights, rows: int) -> float:
    return float(rows) if weights is None else float(weights.sum())


def effective(sums: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Kish's effective number, from sums of weights and of their squares: so many rows of equal weight vary as little. 0 of none.

    Source: Kish 1965, Survey Sampling, section 8.2.
    """
    return np.divide(np.square(sums), squares, out=np.zeros(np.shape(sums)), where=squares > 0)


def effective_rows(weights: np.ndarray) -> float:
    return float(effective(weights.sum(), np.square(weights).sum()))


def whole(number: np.ndarray) -> np.ndarray:
    """Rounded down, but for rounding."""
    return np.floor(number + 1e-6).astype(np.int64)
