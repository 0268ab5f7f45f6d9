"""Truncated Newton for many ridge-penalised linear models on the same sparse rows.

    minimise over theta   sum_i l(z_i)  +  strength / 2 * sum_j |theta_j|^2      z = X theta + intercept, which is not penalised

The same optimum as `newton.fit`. Newton's step is solved by preconditioned conjugate gradients, whose work is the two
products X @ [p, models] and X^T @ [rows, models]. They run in float32: a step needs a few digits only, and what it
misses the next one, from a gradient in float64, makes up for.

Source: Dembo, Eisenstat & Steihaug 1982, "Inexact Newton methods", SIAM J. Numer. Anal. 19 (2).
"""

import functools
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import passes, sparse_core
from .forms import Form

BATCH = 2**21  # numbers in one [p or rows, C, models] array; more models are fitted in turn
RESIDUAL = 0.15  # of the gradient, in the norm of the preconditioner, that a step may leave
TOLERANCE = 2e-8
SHRUNK = 0.5  # of the coefficients of the straightened curve, where one that is flat for rows that are right starts
ITERATIONS = 60  # steps, at most
PRODUCTS = 250  # Hessian products per step, at most
FILLED, BLOCK = 0.1, 32  # columns with this share of non-zero rows, and at most so many, get an exact block


def fit(
    form: Form,
    X: Any,
    strength: Tensor,
    *,
    weights: np.ndarray | None = None,
    start: Tensor | None = None,
    tolerance: float = TOLERANCE,
    iterations: int = ITERATIONS,
) -> tuple[Tensor, Tensor]:
    """Coefficients [models, C, p + 1], intercept last, and whether each model converged [models].

    form       the losses, one per model
    X          scipy CSR [rows, p] without a column of ones, in the order of the form's rows
    strength   [models] > 0, scikit-learn's 1 / C
    weights    [rows] how much each row counts, 1 unless given
    start      [models, C, p + 1]; zeros unless given
    tolerance  on g^T d for the step d, relative to the objective, before the last step
    """
    return solve(form, Design(X, weights), strength, start, tolerance, iterations)


def solve(
    form: Form,
    design: "Design",
    strength: Tensor,
    start: Tensor | None = None,
    tolerance: float = TOLERANCE,
    iterations: int = ITERATIONS,
) -> tuple[Tensor, Tensor]:
    """`fit`, where the design was made before."""
    rows, p = design.rows, design.p
    shape = (form.models, form.width, p + 1)
    theta = torch.zeros(shape, dtype=torch.float64) if start is None else start * (1 if form.convex else SHRUNK)
    if sparse_core.THERE and (gamma := passes.gamma(form)) is not None:
        limits = (iterations, PRODUCTS, RESIDUAL, tolerance)
        return sparse_core.fit(
            form, design.core, strength / design.mass, design.mass, len(design.block) - 1, theta, gamma, limits
        )
    converged = torch.zeros(form.models, dtype=torch.bool)
    batch = max(1, BATCH // (form.width * max(rows, p)))
    for part in torch.arange(form.models).split(batch):
        begin = np.ascontiguousarray(theta[part].numpy().transpose(2, 1, 0))
        ridge = (strength[part] / design.mass).double().numpy()
        solved, done = _newton(form.take(part), design, ridge, begin, tolerance, iterations)
        theta[part], converged[part] = torch.from_numpy(solved.transpose(2, 1, 0).copy()), torch.from_numpy(done)
    return theta, converged


class Design:
    """X and what is made of it once. Arrays of models are [p + 1, C, models] or [rows, C, models], so that all models
    of a row lie side by side."""

    def __init__(self, X: Any, weights: np.ndarray | None):
        self.X = X
        self.rows, self.p = X.shape
        self.weights = weights
        self.mass = self.rows if weights is None else float(weights.sum())
        filled = np.bincount(X.indices, minlength=self.p) / self.rows
        order = np.argsort(-filled, kind="stable")[:BLOCK]
        self.block = np.append(order[filled[order] >= FILLED], self.p)  # and the intercept

    @functools.cached_property
    def core(self) -> sparse_core.Matrix:
        return sparse_core.Matrix.of(self.X, self.weights)

    @functools.cached_property
    def times(self) -> Tensor | None:
        return None if self.weights is None else torch.from_numpy(self.weights)

    @functools.cached_property
    def XT(self) -> Any:
        return self.X.T.tocsr()

    @functools.cached_property
    def light(self) -> Any:
        return self.X.astype(np.float32)

    @functools.cached_property
    def lightT(self) -> Any:
        return self.XT.astype(np.float32)

    @functools.cached_property
    def squares(self) -> Any:
        return self.lightT.power(2)

    @functools.cached_property
    def columns(self) -> np.ndarray:
        """Of the block, [rows, k]."""
        columns = np.ones((self.rows, len(self.block)), np.float32)
        columns[:, :-1] = self.light[:, self.block[:-1]].toarray()
        return columns

    def logits(self, theta: np.ndarray) -> np.ndarray:
        X = self.light if theta.dtype == np.float32 else self.X
        out = (X @ theta[:-1].reshape(self.p, theta[0].size)).reshape(self.rows, *theta.shape[1:])
        out += theta[-1]
        return out

    def pull(self, slope: np.ndarray) -> np.ndarray:
        """[rows, C, models] -> [p + 1, C, models], the transpose of `logits`."""
        XT = self.lightT if slope.dtype == np.float32 else self.XT
        out = np.empty((self.p + 1, *slope.shape[1:]), slope.dtype)
        out[:-1] = (XT @ slope.reshape(self.rows, slope[0].size)).reshape(self.p, *slope.shape[1:])
        out[-1] = slope.sum(axis=0)
        return out


def _newton(
    form: Form, design: Design, ridge: np.ndarray, start: np.ndarray, tolerance: float, iterations: int
) -> tuple[np.ndarray, np.ndarray]:
    theta = start.copy()
    converged = np.zeros(form.models, dtype=bool)
    active, here = np.arange(form.models), start
    z = design.logits(here)
    value = _objective(form, design, z, here, ridge)
    for _ in range(iterations):
        first, curvature = (_side_by_side(t) for t in form.slopes(_by_model(z)))
        if design.weights is not None:
            first *= design.weights[:, None, None]
            curvature *= design.weights[:, None, None]
        gradient = design.pull(first / design.mass)
        gradient[:-1] += ridge * here[:-1]
        step = _direction(design, curvature / design.mass, ridge, gradient)
        decrement = _dot(gradient, step)
        done = np.abs(decrement) <= tolerance * np.abs(value)
        size, here, z, value = _backtrack(
            form, design, z, design.logits(step), here, step, ridge, value, decrement, ~done
        )
        theta[..., active] = here
        converged[active[done]] = True
        keep = ~done & (size > 0)  # a step of zero length: no descent is left within rounding
        if not keep.any():
            break
        if not keep.all():
            active = active[keep]
            here, z, ridge, value = (a[..., keep] for a in (here, z, ridge, value))
            form = form.take(torch.from_numpy(keep))
    return theta, converged


def _backtrack(
    form: Form,
    design: Design,
    z: np.ndarray,
    move: np.ndarray,
    theta: np.ndarray,
    step: np.ndarray,
    ridge: np.ndarray,
    value: np.ndarray,
    decrement: np.ndarray,
    check: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Step lengths [models], and theta, z and the objective there: 1, halved until the objective falls by a fraction of
    what the slope promises; 0 if it never does."""
    size = np.ones(len(value))
    new_z, new_theta = z - move, theta - step
    new_value = _objective(form, design, new_z, new_theta, ridge)
    wrong = np.flatnonzero(check & ~(new_value <= value - 1e-4 * decrement))
    for _ in range(30):
        if not len(wrong):
            break
        size[wrong] /= 2
        few, t = form.take(torch.from_numpy(wrong)), size[wrong]
        new_z[..., wrong] = z[..., wrong] - t * move[..., wrong]
        new_theta[..., wrong] = theta[..., wrong] - t * step[..., wrong]
        new_value[wrong] = _objective(few, design, new_z[..., wrong], new_theta[..., wrong], ridge[wrong])
        wrong = wrong[~(new_value[wrong] <= value[wrong] - 1e-4 * t * decrement[wrong])]
    size[wrong] = 0
    new_z[..., wrong], new_theta[..., wrong], new_value[wrong] = z[..., wrong], theta[..., wrong], value[wrong]
    return size, new_theta, new_z, new_value


def _direction(design: Design, curvature: np.ndarray, ridge: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """H d = gradient, solved until every model's residual is small; models that are done leave the batch.

    curvature [rows, C (C + 1) / 2, models], ridge [models]; gradient and d [p + 1, C, models]
    """
    C = gradient.shape[1]
    curvature, ridge = curvature.astype(np.float32), ridge.astype(np.float32)
    rest, block = _preconditioner(design, curvature[:, _pairs(C).diagonal()], ridge)
    solved = np.zeros(gradient.shape, np.float32)
    active = np.arange(len(ridge))
    d, r = np.zeros_like(solved), gradient.astype(np.float32)
    s = _precondition(design, rest, block, r)
    q, rs = s.copy(), _dot(r, s)
    goal = RESIDUAL**2 * rs
    for _ in range(PRODUCTS):
        Hq = design.pull(_bend(curvature, design.logits(q)))
        _add(Hq[:-1], q[:-1], ridge)
        length = _ratio(rs, _dot(q, Hq))
        _add(d, q, length)
        _add(r, Hq, -length)
        s = _precondition(design, rest, block, r)
        new = _dot(r, s)
        more = (new > goal) & (length > 0)
        _add(s, q, _ratio(new, rs))
        q, rs = s, new
        if np.mean(more) < 0.8:
            solved[..., active] = d
            if not more.any():
                return solved.astype(np.float64)
            active = active[more]
            d, r, q, rs, goal, ridge, curvature, rest, block = (
                a[..., more] for a in (d, r, q, rs, goal, ridge, curvature, rest, block)
            )
    solved[..., active] = d
    return solved.astype(np.float64)


def _preconditioner(design: Design, own: np.ndarray, ridge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is cheap of the inverse Hessian: 1 / diagonal [p + 1, C, models], and for the filled columns (numbers beside the
    text, which may be correlated) and the intercept the inverse block [k, k, C, models]. own [rows, C, models]: each
    class's curvature with itself."""
    flat, shape = own.reshape(design.rows, -1), own.shape[1:]
    rest = np.empty((design.p + 1, *shape), np.float32)
    rest[:-1] = (design.squares @ flat).reshape(design.p, *shape)
    rest[:-1] += ridge
    rest[-1] = 1
    A, k = design.columns, len(design.block)
    H = np.stack([(A * A[:, [i]]).T @ flat for i in range(k)]).astype(np.float64)
    H = H.reshape(k, k, *shape).transpose(2, 3, 0, 1)
    diagonal = np.einsum("cmii->cmi", H)  # a view
    diagonal[..., :-1] += ridge[:, None]
    diagonal += 1e-6 * diagonal.mean(axis=-1, keepdims=True) + np.finfo(np.float32).tiny
    return 1 / rest, np.linalg.inv(H).astype(np.float32).transpose(2, 3, 0, 1)


def _precondition(design: Design, rest: np.ndarray, block: np.ndarray, r: np.ndarray) -> np.ndarray:
    s = r * rest
    s[design.block] = np.einsum("ijcm,jcm->icm", block, r[design.block])
    return s


def _pairs(C: int) -> np.ndarray:
    """[C, C]: where `slopes` puts the curvature between two logits."""
    at = np.empty((C, C), dtype=np.int64)
    a, b = np.triu_indices(C)
    at[a, b] = at[b, a] = np.arange(len(a))
    return at


def _bend(curvature: np.ndarray, move: np.ndarray) -> np.ndarray:
    """The curvature's matrix in every row times its move: [rows, C, models]."""
    C = move.shape[1]
    if C == 1:
        return np.multiply(move, curvature, out=move)
    at = _pairs(C)
    return np.stack([(curvature[:, at[c]] * move).sum(axis=1) for c in range(C)], axis=1)


def _objective(form: Form, design: Design, z: np.ndarray, theta: np.ndarray, ridge: np.ndarray) -> np.ndarray:
    loss = form.value(_by_model(z), design.times).numpy()
    return loss / design.mass + ridge * _dot(theta[:-1], theta[:-1]) / 2


def _add(to: np.ndarray, what: np.ndarray, times: np.ndarray) -> None:
    """to += times * what, in place and in one pass: fresh pages cost more than the sums."""
    torch.from_numpy(to).addcmul_(torch.from_numpy(what), torch.from_numpy(times))


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[p, C, models] twice -> [models]"""
    return np.einsum("ij,ij->j", a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1]))


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, and 0 where b is not positive: rounding has used up the descent."""
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)


def _by_model(z: np.ndarray) -> Tensor:
    """[rows, C, models] -> [models, C, rows]"""
    return torch.from_numpy(np.ascontiguousarray(z.transpose(2, 1, 0)))


def _side_by_side(slope: Tensor) -> np.ndarray:
    return np.ascontiguousarray(slope.numpy().transpose(2, 1, 0))
