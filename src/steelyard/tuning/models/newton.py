"""Newton's method for many ridge-penalised linear models on the same rows.

    minimise over theta   mean_i l(z_i)  +  strength / (2 rows) * sum_j |theta_j|^2      z = X theta, intercept not penalised

What costs time are passes over [models, rows], and a Hessian costs as much as ten gradients. So a Hessian is made once, from
a sample of the rows that has their second moments, and kept while it serves: every step is H^-1 g with the gradient g of all
rows, and as long as that shrinks the decrement g^T H^-1 g the limit is the minimum itself, whatever H is. Where it shrinks
slowly, H is made anew from all rows; where it does not, or the loss is not convex, the objective says how far to go.
"""

import dataclasses

import torch
from torch import Tensor

from .forms import Form
from .hessian import Hessian, capacity, make
from .rows import Rows, centred

SLOW = 0.1  # a decrement that shrinks less than to this fraction asks for a new Hessian
# the decrement that is expected after the last step, by what X is in; ROUGH for the minimum on a sample, from which all rows start
DONE = {torch.float32: 1e-13, torch.float64: 1e-15}
ROUGH = 1e-6
FINE = 1e-10  # from this decrement on gradients are computed in float64
BLIND = {torch.float32: 1e-8, torch.float64: 1e-15}  # below it rounding decides which of two objectives is lower
NEAR = 1e-5  # below it a decrement that shrinks is enough even where the loss is not convex
ITERATIONS = 60


def fit(
    form: Form, rows: Rows, strength: Tensor, *, start: Tensor | None = None, alike: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Coefficients [models, C, p] and whether each model converged [models].

    form      the losses, one per model
    strength  [models] > 0, scikit-learn's 1 / C
    start     [models, C, p]; unless given, the minimum on a sample of the rows. Losses that are not convex pass by there anyway
    alike     [models]: models with the same number differ in their strength alone
    """
    free = torch.tensor([1.0] * (rows.width - 1) + [0.0], dtype=torch.float64)
    alike = torch.arange(form.models) if alike is None else alike
    problem = _Problem(form, rows, (strength / rows.count)[:, None, None] * free, alike)
    batches = [
        _minimise(problem.take(part), None if start is None else start[part])
        for part in torch.arange(form.models).split(capacity(rows, form.width))
    ]
    theta, converged = zip(*batches, strict=True)
    return torch.cat(theta), torch.cat(converged)


@dataclasses.dataclass(frozen=True)
class _Problem:
    """Models that are `fine` are so near to their minimum that their passes over the rows have to be `exact`."""

    form: Form
    rows: Rows
    ridge: Tensor
    alike: Tensor
    exact: torch.dtype = torch.float64

    def take(self, keep: Tensor) -> "_Problem":
        return dataclasses.replace(self, form=self.form.take(keep), ridge=self.ridge[keep], alike=self.alike[keep])

    def value(self, theta: Tensor, fine: Tensor) -> Tensor:
        out = (self.ridge * theta.square()).sum(dim=(1, 2)) / 2
        for which, dtype in self._precision(fine):
            out[which] += self.rows.value(self.form.take(which), theta[which], dtype)
        return out

    def step(self, hessian: Hessian, theta: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
        """H^-1 g and the decrement."""
        gradient = self.ridge * theta
        for which, dtype in self._precision(fine):
            gradient[which] += self.rows.gradient(self.form.take(which), theta[which], dtype)
        step = hessian.solve(gradient)
        return step, (gradient * step).sum(dim=(1, 2))

    def reach(self, theta: Tensor, step: Tensor, size: Tensor, fine: Tensor) -> Tensor:
        """How much of each step to go [models]: all, halved until the objective falls by a fraction of what the slope
        promises; 0 if it never does."""
        here, length, left = self.value(theta, fine), torch.ones_like(size), torch.arange(len(size))
        for _ in range(30):
            t = length[left]
            there = self.take(left).value(theta[left] - t[:, None, None] * step[left], fine[left])
            left = left[~(there <= here[left] - 1e-4 * t * size[left])]
            if not len(left):
                return length
            length[left] /= 2
        length[left] = 0
        return length

    def blind(self, fine: Tensor) -> Tensor:
        """Below these decrements rounding decides which of two objectives is the lower one."""
        return torch.where(fine, BLIND[self.exact], BLIND[self.rows.X.dtype])

    def _precision(self, fine: Tensor) -> list[tuple[Tensor, torch.dtype]]:
        return [(w, d) for w, d in ((fine, self.exact), (~fine, self.rows.X.dtype)) if bool(w.any())]


def _minimise(problem: _Problem, start: Tensor | None) -> tuple[Tensor, Tensor]:
    form, rows = problem.form, problem.rows
    rough = dataclasses.replace(problem, rows=rows.sample, exact=rows.X.dtype)
    theta = torch.zeros(form.models, form.width, rows.width, dtype=torch.float64) if start is None else centred(start)
    if not form.convex and start is not None:
        theta = _nearer(rough, theta)
    if rows.sample is not rows and (start is None or not form.convex):
        theta, _ = _descend(rough, theta, ROUGH)
    return _descend(problem, theta, DONE[rows.X.dtype])


def _nearer(problem: _Problem, theta: Tensor) -> Tensor:
    """The best point on the way from zero to theta. Where a curve is flat, the minimum of a steeper one is far out on the plain."""
    candidates = torch.stack([t * theta for t in (1.0, 0.5, 0.25, 0.0)])
    everything = torch.ones(len(theta), dtype=torch.bool)
    best = torch.stack([problem.value(c, everything) for c in candidates]).argmin(dim=0)
    return candidates[best, torch.arange(len(theta))]


def _descend(problem: _Problem, start: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    theta, rows = start.clone(), problem.rows
    active, here, converged = torch.arange(len(theta)), theta, torch.zeros(len(theta), dtype=torch.bool)
    hessian = make(rows.sample, problem.form, here, problem.ridge, problem.alike)
    fine = torch.full_like(converged, rows.X.dtype == problem.exact)
    step, size = problem.step(hessian, here, fine)
    done, stuck = fine & (size <= tolerance), torch.zeros_like(fine)
    for _ in range(ITERATIONS):
        theta[active] = torch.where(done[:, None, None], here - step, here)
        converged[active[done]] = True
        keep = ~done & ~stuck
        if not bool(keep.any()):
            break
        if not bool(keep.all()):
            problem, hessian = problem.take(keep), hessian.take(keep)
            active, here, step, size, fine = (t[keep] for t in (active, here, step, size, fine))
        before = size
        here, step, size, moved = _advance(problem, hessian, here, step, size, fine)
        # the step now due is expected to be worth as much as the last one
        done = fine & (torch.where(size < before, size * size / before, size) <= tolerance)
        slow = moved & ~done & ~(size < SLOW * before)
        if bool(slow.any()):
            some = problem.take(slow)
            hessian.renew(slow, rows, some.form, here[slow], some.ridge)
        stuck, blind = ~moved & fine, ~moved & ~fine
        fine = fine | blind | (size < FINE)
        if bool((again := slow | blind).any()):
            step[again], size[again] = problem.take(again).step(hessian.take(again), here[again], fine[again])
    return theta, converged


def _advance(
    problem: _Problem, hessian: Hessian, here: Tensor, step: Tensor, size: Tensor, fine: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The next point, the step and its decrement from there, and whether it is another point at all [models]."""
    there, length = here - step, torch.ones_like(size)
    next_step, next_size = problem.step(hessian, there, fine)
    enough = (next_size < size / 2) & (problem.form.convex | (size < NEAR))
    blind = ~enough & (size < problem.blind(fine))
    length[blind] = 0
    doubtful = ~enough & ~blind
    if bool(doubtful.any()):
        length[doubtful] = problem.take(doubtful).reach(here[doubtful], step[doubtful], size[doubtful], fine[doubtful])
    short = length < 1
    if bool(short.any()):
        t = length[:, None, None]
        there[short] = torch.where(t > 0, here - t * step, here)[short]
        next_step[short], next_size[short] = problem.take(short).step(hessian.take(short), there[short], fine[short])
    return there, next_step, next_size, length > 0
