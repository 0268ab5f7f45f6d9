"""Recalibration: a slope and an intercept per class that make held-out logits say how often they come true."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from ..given import same_rows
from ..table import as_rows

RIDGE = 0.1  # times half the mean squared change of a logit: keeps separable data and absent classes finite
STEPS = 60
MANY = 2**17  # rows
CLOSE = 1e-6  # a promised gain, in log loss of one row, below which Newton's step is the last: it squares the error
CERTAIN = -float(np.log(np.finfo(np.float64).eps))  # log-odds of a probability of 1 or 0, as in scikit-learn's log loss


@dataclasses.dataclass(frozen=True, eq=False)
class Scaling:
    """logits -> slope * logits + bias. Scores keep their order: slope >= 0.

    slope      one number for all classes
    bias       [1] for one logit per row, else [C] with sum 0
    low, high  what infinite logits are taken for: the ends of the finite ones it was fitted on, at least -+36
    """

    slope: float
    bias: np.ndarray
    low: float
    high: float

    def apply(self, logits: Any) -> Any:
        """Recalibrated log-odds [N], or log-probabilities [N, C]: tensors or NumPy, as they came, in float32 or wider.

        Not probabilities, whose ranks are lost where they round to 0 or 1; take sigmoid or exp of them.
        """
        z = _checked("scaling", logits)
        classes = 1 if z.ndim == 1 else z.shape[1]
        if classes != len(self.bias):
            raise ValueError(
                f"scaling: fitted on {_shape(len(self.bias))} logits, got shape {list(z.shape)}; apply it to the same kind."
            )
        return _like(self.rows(z), logits)

    def rows(self, z: np.ndarray) -> np.ndarray:
        """The same for float64 rows without checks."""
        z = self.slope * np.nan_to_num(z, nan=np.nan, posinf=self.high, neginf=self.low)
        return z + self.bias[0] if z.ndim == 1 else log_softmax(z + self.bias)


def scaling(logits: Any, y: Any) -> Scaling:
    """Fit slope and bias on held-out rows by maximum likelihood.

    one logit per row  [N] log-odds of class 1, y 0 or 1: Platt scaling, slope * z + bias
    C logits           [N, C] logits or log-probabilities, y 0..C-1: slope * z_c + bias_c, that is a temperature and a bias
                       for each class. A slope for each class as well (vector scaling) has twice the parameters, and the
                       slope of a rare class rests on its few rows alone; for two classes this is Platt scaling again.

        minimises  sum_i l_i + RIDGE / 2 * mean_i |z'_i - z_i|^2,   slope >= 0

    The second term is a tenth of half a squared change of one logit, whatever the number of rows: nothing beside the data
    where they decide, a bound where they do not (separable rows, absent classes). Newton's method with halved steps.

    Logits as trained or undone by `posterior` (log of it); tensors or NumPy. ValueError for NaN and for labels that are no
    classes of the logits.

    Source: Platt 1999; Guo et al. 2017, arXiv:1706.04599, section 4.2 (temperature), with a bias per class.

    >>> scale = scaling([-4.0, -2.0, -2.0, 0.0, 2.0, 4.0], [0, 0, 1, 0, 1, 1])  # too sure
    >>> 0.1 < scale.slope < 1
    True
    """
    same_rows("scaling", logits=logits, y=y)
    z = _checked("scaling", logits)
    labels = as_rows(y)
    C = 2 if z.ndim == 1 else z.shape[1]
    if labels.shape != z.shape[:1] or not len(z):
        raise ValueError(
            f"scaling: y must hold one label per row of logits, at least one; got {list(labels.shape)} for {list(z.shape)}."
        )
    if not (np.isin(labels, np.arange(C))).all():
        raise ValueError(
            f"scaling: y must be 0..{C - 1} for {_shape(1 if z.ndim == 1 else C)} logits, got {np.unique(labels)[:5].tolist()}."
        )
    return fit(z, labels.astype(np.int64))


def fit(z: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> Scaling:
    """`scaling` without checks, for float64 logits and int64 labels. weights [N] multiply the losses of the rows."""
    finite = np.isfinite(z)
    known = z if finite.all() else z[finite]
    low, high = float(known.min(initial=-CERTAIN)), float(known.max(initial=CERTAIN))
    if known.size < z.size:
        z = np.nan_to_num(z, posinf=high, neginf=low)
    two = z.ndim == 1
    # about the mean, so that slope and bias hardly depend on each other; a softmax does not see the mean over classes
    level = z if two else z - z.mean(axis=1, keepdims=True)
    middle = np.atleast_1d(np.average(level, axis=0, weights=weights))
    centred = level - middle
    times = np.ones(()) if weights is None else weights
    model = _platt(centred, middle, y, times) if two else _temperature(centred, middle, y, times)
    theta = np.append(1.0, middle)
    if len(z) > MANY:  # a sample says about where to start, which leaves one or two steps over all rows
        some = slice(None, None, len(z) // (MANY // 8))
        near = fit(z[some], y[some], None if weights is None else weights[some])
        theta = np.append(near.slope, near.bias + near.slope * middle)
    theta = _newton(model, theta, np.ones(len(theta), dtype=bool))
    if theta[0] < 0:  # worse than no score at all
        theta = _newton(model, np.append(0.0, theta[1:]), np.arange(len(theta)) > 0)
    return Scaling(float(theta[0]), theta[1:] - theta[0] * middle, low, high)


Model = Callable[[np.ndarray, bool], tuple[float, np.ndarray, np.ndarray]]


def _platt(x: np.ndarray, middle: np.ndarray, y: np.ndarray, times: np.ndarray) -> Model:
    """theta = (slope, log-odds at the mean); times [N] or a scalar."""
    hit, variance = (y == 1).astype(np.float64), float(np.average(x * x, weights=_of_rows(times)))
    hit = hit * times
    tops = np.array([hit @ x, hit.sum()])

    def of(theta: np.ndarray, curved: bool) -> tuple[float, np.ndarray, np.ndarray]:
        u = theta[0] * x + theta[1]
        e = np.exp(-np.abs(u))
        value = float((times * (np.maximum(u, 0) + np.log1p(e))).sum() - tops @ theta)
        pull, bend = _ridge(theta, middle, variance)
        if not curved:
            return value + pull[0], pull[1], bend
        p = times * np.where(u >= 0, 1.0, e) / (1 + e)
        w = times * e / (1 + e) ** 2
        wx = w * x
        slope = np.array([p @ x, p.sum()]) - tops
        return value + pull[0], slope + pull[1], np.array([[wx @ x, wx.sum()], [wx.sum(), w.sum()]]) + bend

    return of


def _temperature(x: np.ndarray, middle: np.ndarray, y: np.ndarray, times: np.ndarray) -> Model:
    """theta = (slope, logits at the mean [C]); times [N] or a scalar."""
    C, x = x.shape[1], np.ascontiguousarray(x.T)  # class by class: sums over few classes that lie side by side are slow
    squares = x * x
    variance = float(np.average(squares.sum(axis=0), weights=_of_rows(times)))
    per_class = np.bincount(y, weights=np.broadcast_to(times, y.shape), minlength=C)
    tops = np.append((times * x[y, np.arange(len(y))]).sum(), per_class)

    def of(theta: np.ndarray, curved: bool) -> tuple[float, np.ndarray, np.ndarray]:
        p = theta[0] * x + theta[1:, None]
        top = p.max(axis=0)
        p -= top
        np.exp(p, out=p)
        total = p.sum(axis=0)
        value = float((times * (np.log(total) + top)).sum() - tops @ theta)
        pull, bend = _ridge(theta, middle, variance)
        if not curved:
            return value + pull[0], pull[1], bend
        p /= total
        mean = (p * x).sum(axis=0)
        counted = p * times
        per = counted.sum(axis=1)
        slope = np.append((times * mean).sum(), per) - tops
        H = np.empty((C + 1, C + 1))
        H[0, 0] = np.vdot(counted, squares) - (times * mean) @ mean
        H[0, 1:] = H[1:, 0] = (counted * x).sum(axis=1) - counted @ mean
        H[1:, 1:] = np.diag(per) - counted @ p.T
        return value + pull[0], slope + pull[1], H + bend

    return of


def _of_rows(times: np.ndarray) -> np.ndarray | None:
    return times if times.ndim else None


def _ridge(theta: np.ndarray, middle: np.ndarray, variance: float) -> tuple[tuple[float, np.ndarray], np.ndarray]:
    """RIDGE / 2 * mean |z' - z|^2, its slope, and its curvature."""
    away = theta - np.append(1.0, middle)
    weight = RIDGE * np.append(variance + 1e-12, np.ones(len(middle)))  # a constant score has no slope to speak of
    return (float(weight @ away**2) / 2, weight * away), np.diag(weight)


def _newton(model: Model, theta: np.ndarray, free: np.ndarray) -> np.ndarray:
    for _ in range(STEPS):
        value, slope, H = model(theta, True)
        step = np.zeros(len(theta))
        step[free] = np.linalg.solve(H[np.ix_(free, free)], slope[free])
        promise = float(step @ slope)
        if promise < CLOSE:
            return theta - step
        size = 1.0
        while size > 1e-4 and model(theta - size * step, False)[0] > value - 1e-4 * size * promise:
            size /= 2
        theta = theta - size * step
    return theta


def log_softmax(z: np.ndarray) -> np.ndarray:
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def _checked(who: str, logits: Any) -> np.ndarray:
    try:
        z = as_rows(logits)
    except (TypeError, ValueError):
        raise ValueError(f"{who}: logits must be numbers, got {type(logits).__name__}.") from None
    if z.ndim not in (1, 2) or (z.ndim == 2 and z.shape[1] < 2):
        raise ValueError(
            f"{who}: logits must be [N], one log-odds per row, or [N, C] with C >= 2, got shape {list(z.shape)}; for [N, 1]"
            " write logits[:, 0], for more axes move the classes last and reshape to [-1, C]."
        )
    if np.isnan(z).any():
        raise ValueError(f"{who}: {int(np.isnan(z).sum())} of {z.size} logits are NaN; leave those rows out.")
    return z


def _like(z: np.ndarray, given: Any) -> Any:
    if hasattr(given, "detach"):
        import torch

        wide = torch.promote_types(given.dtype, torch.float32) if given.is_floating_point() else torch.float32
        return torch.from_numpy(z).to(device=given.device, dtype=wide)
    return z.astype(np.float32) if getattr(given, "dtype", None) in (np.float16, np.float32) else z


def _shape(width: int) -> str:
    return "[N]" if width == 1 else f"[N, {width}]"
