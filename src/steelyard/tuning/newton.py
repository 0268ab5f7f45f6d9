"""Damped Newton for many ridge-penalised linear models on the same rows.

    minimise over theta   sum_i l(z_i)  +  strength / 2 * sum_j |theta_j|^2      z = X theta, intercept not penalised

One GEMM gives all Hessians: with XX = the rows' outer products x_i x_i^T, H = curvature @ XX. Beyond `DENSE` parameters per model the
step is solved by conjugate gradients on the same curvature instead.
"""

import torch
from torch import Tensor

from .forms import Form

DENSE = 400  # parameters per model up to which its Hessian is written out
CACHE = 2**24  # numbers: outer products are kept between iterations if there are no more of them than this;
CHUNK = 2**21  # else they are made anew in pieces of this size


def fit(
    form: Form,
    X: Tensor,
    strength: Tensor,
    *,
    start: Tensor | None = None,
    tolerance: float = 1e-10,
    iterations: int = 60,
) -> tuple[Tensor, Tensor]:
    """Coefficients [models, C, p] and whether each model converged [models].

    form       the losses, one per model
    X          [rows, p] float64; the last column is the intercept's ones
    strength   [models] > 0, scikit-learn's 1 / C
    start      [models, C, p]; zeros unless given
    tolerance  on Newton's decrement g^T H^-1 g of the mean objective, before the last step
    """
    rows, p = X.shape
    theta = X.new_zeros(form.models, form.width, p) if start is None else start.clone()
    ridge = (strength / rows)[:, None, None] * torch.cat([X.new_ones(p - 1), X.new_zeros(1)])
    converged = torch.zeros(form.models, dtype=torch.bool)
    hessian = _Hessian(X, form.width)
    active, here, z = torch.arange(form.models), theta, _logits(theta, X)
    value = _objective(form, z, here, ridge)
    for _ in range(iterations):
        first, curvature = form.slopes(z)
        gradient = (first.reshape(-1, rows) @ X).reshape(here.shape) / rows + ridge * here
        step = hessian.solve(curvature / rows, ridge, gradient)
        decrement = (gradient * step).sum(dim=(1, 2))
        done = decrement <= tolerance
        # so near the optimum full steps are safe, and the objective's own rounding would decide a comparison
        size, z, value = _backtrack(form, z, _logits(step, X), here, step, ridge, value, decrement, ~done)
        here = here - size[:, None, None] * step
        theta[active] = here
        converged[active[done]] = True
        keep = ~done & (size > 0)  # a step of zero length: no descent is left within rounding
        if not bool(keep.any()):
            break
        if not bool(keep.all()):
            active, here, ridge, z, value = (t[keep] for t in (active, here, ridge, z, value))
            form = form.take(keep)
    return theta, converged


def _logits(theta: Tensor, X: Tensor) -> Tensor:
    return (theta.reshape(-1, theta.shape[-1]) @ X.T).reshape(*theta.shape[:2], len(X))


def _objective(form: Form, z: Tensor, theta: Tensor, ridge: Tensor) -> Tensor:
    return form.value(z) / z.shape[-1] + (ridge * theta.square()).sum(dim=(1, 2)) / 2


def _backtrack(
    form: Form,
    z: Tensor,
    move: Tensor,
    theta: Tensor,
    step: Tensor,
    ridge: Tensor,
    value: Tensor,
    decrement: Tensor,
    check: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Step lengths [models], and z and the objective there: 1, halved until the objective falls by a fraction of what the
    slope promises; 0 if it never does."""
    size = torch.ones_like(value)
    new_z = z - move
    new_value = value if not bool(check.any()) else _objective(form, new_z, theta - step, ridge)
    promise = 1e-4 * decrement
    wrong = (check & ~(new_value <= value - promise)).nonzero()[:, 0]
    for _ in range(30):
        if not len(wrong):
            return size, new_z, new_value
        size[wrong] /= 2
        t = size[wrong, None, None]
        new_z[wrong] = z[wrong] - t * move[wrong]
        new_value[wrong] = _objective(form.take(wrong), new_z[wrong], theta[wrong] - t * step[wrong], ridge[wrong])
        wrong = wrong[~(new_value[wrong] <= value[wrong] - size[wrong] * promise[wrong])]
    size[wrong] = 0
    return size, new_z, new_value


class _Hessian:
    def __init__(self, X: Tensor, width: int):
        self.X, self.width = X, width
        rows, p = X.shape
        self.dense = width * p <= DENSE
        self.triangle = torch.triu_indices(p, p)
        count = self.triangle.shape[1]
        kept = self.dense and rows * count <= CACHE
        self.chunk = rows if kept else max(1, CHUNK // count)
        # made once: fresh pages cost more than the products
        self.buffer = X.new_empty(count if self.dense else 0, self.chunk)
        self.cached = self._outer(slice(0, rows)) if kept else None

    def _outer(self, part: slice) -> Tensor:
        """[p (p + 1) / 2, rows of the part], each row of it contiguous."""
        X = self.X[part].T.contiguous()
        p, rows = X.shape
        out, at = self.buffer[:, :rows], 0
        for i in range(p):
            torch.mul(X[i:], X[i], out=out[at : at + p - i])
            at += p - i
        return out

    def solve(self, pairs: Tensor, ridge: Tensor, gradient: Tensor) -> Tensor:
        if not self.dense:
            return self._conjugate(pairs, ridge, gradient)
        models, C, p = gradient.shape
        H = self._blocks(pairs)
        flat = H.reshape(models, C * p, C * p)
        flat.diagonal(dim1=1, dim2=2).add_(ridge.expand(models, C, p).reshape(models, -1))
        if C > 1:  # adding one number to every class's intercept changes nothing: fix it without moving the optimum
            flat[:, p - 1 :: p, p - 1 :: p] += 1.0
        factor, failed = torch.linalg.cholesky_ex(flat)
        if bool(failed.any()):  # curvature lost to saturation; lean on the gradient's direction there
            scale = flat.diagonal(dim1=1, dim2=2).mean(dim=1)
            bad = failed > 0
            flat[bad] += 1e-6 * scale[bad, None, None] * torch.eye(C * p, dtype=flat.dtype)
            factor, _ = torch.linalg.cholesky_ex(flat)
        return torch.cholesky_solve(gradient.reshape(models, -1, 1), factor).reshape(gradient.shape)

    def _blocks(self, pairs: Tensor) -> Tensor:
        """[models, C, p, C, p]"""
        models, count, rows = pairs.shape
        p, C = self.X.shape[1], self.width
        flat = pairs.reshape(-1, rows)
        if self.cached is not None:
            sums = flat @ self.cached.T
        else:
            sums = sum(
                flat[:, part] @ self._outer(part).T
                for start in range(0, rows, self.chunk)
                if (part := slice(start, start + self.chunk))
            )
        square = flat.new_empty(models, count, p, p)
        tri = sums.reshape(models, count, -1)  # type: ignore[union-attr]
        square[:, :, self.triangle[0], self.triangle[1]] = tri
        square[:, :, self.triangle[1], self.triangle[0]] = tri
        H = flat.new_empty(models, C, p, C, p)
        for k, (a, b) in enumerate(torch.triu_indices(C, C).T.tolist()):
            H[:, a, :, b] = square[:, k]
            H[:, b, :, a] = square[:, k]
        return H

    def _conjugate(self, pairs: Tensor, ridge: Tensor, gradient: Tensor) -> Tensor:
        """H d = g to a relative residual of 1e-3, by Jacobi-preconditioned conjugate gradients."""
        C = self.width
        index = torch.empty(C, C, dtype=torch.long)
        a, b = torch.triu_indices(C, C)
        index[a, b] = index[b, a] = torch.arange(len(a))

        def apply(d: Tensor) -> Tensor:
            move = _logits(d, self.X)
            bent = torch.stack([(pairs[:, index[c]] * move).sum(dim=1) for c in range(C)], dim=1)
            return (bent.reshape(-1, bent.shape[-1]) @ self.X).reshape(d.shape) + ridge * d

        own = pairs[:, index.diagonal()]
        jacobi = (own.reshape(-1, own.shape[-1]) @ self.X.square()).reshape(gradient.shape) + ridge
        jacobi = jacobi.clamp(min=float(jacobi.max()) * 1e-12)
        d, r = torch.zeros_like(gradient), gradient.clone()
        s = r / jacobi
        direction, rs = s, (r * s).sum(dim=(1, 2))
        goal = 1e-6 * rs
        for _ in range(300):
            Hd = apply(direction)
            bend = (direction * Hd).sum(dim=(1, 2))
            length = torch.where(bend > 0, rs / bend, 0.0)[:, None, None]
            d, r = d + length * direction, r - length * Hd
            s = r / jacobi
            new = (r * s).sum(dim=(1, 2))
            if bool((new <= goal).all()):
                break
            direction = s + torch.where(rs > 0, new / rs, 0.0)[:, None, None] * direction
            rs = new
        return d
