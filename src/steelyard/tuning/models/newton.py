"""Newton's method for many ridge-penalised linear models on the same rows.

    minimise over theta   mean_i l(z_i)  +  strength / (2 rows) * sum_j |theta_j|^2      z = X theta, intercept not penalised

What costs time are passes over [models, rows], and a Hessian H costs as much as tens of gradients. So it is made once for the
models that differ in their strength alone, from a sample of the rows that has their second moments where there is one, and
kept: the limit of steps along H^-1 g, with the gradient g of all rows, is the minimum itself, whatever H is. Every move also
shows how the gradient changed along it, which corrects H (limited-memory BFGS). Where the steps that are left at the present
rate would cost more than a Hessian, H is made anew; where a step goes too far, or the loss is not convex, the objective
says how far to go. Passes run in float32 until rounding shows, then in float64.
"""

import dataclasses

import torch
from torch import Tensor

from .forms import Form
from .hessian import Hessian, capacity, make, middles
from .memory import Memory, dot
from .rows import Rows, centred

SETTLED = 3  # steps before the rate of a new Hessian is known
FAR = 0.5  # of its slope here, that a step may have behind it there and still be taken without a look at the objective
# the decrement that is expected after the last step: the objective, a mean loss, is then too high by about half of it. A tiny table
# costs nothing to be exact on; on others every further digit takes as many passes as the last one did, in float64.
# ROUGH for the minimum on a sample, from which all rows start
DONE = 1e-12
TINY_DONE = 1e-15
ROUGH = 1e-6
FINE = 1e-10  # from this decrement on gradients are computed in float64
BLIND = {torch.float32: 1e-8, torch.float64: 1e-15}  # below it rounding decides which of two objectives is lower
NEAR = 1e-5  # below it a decrement that shrinks is enough even where the loss is not convex
ITERATIONS = 200


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

    def gradient(self, theta: Tensor, fine: Tensor) -> Tensor:
        out = self.ridge * theta
        for which, dtype in self._precision(fine):
            out[which] += self.rows.gradient(self.form.take(which), theta[which], dtype)
        return out

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
        return torch.where(fine, BLIND[self.exact], BLIND[self.rows.rough])

    def _precision(self, fine: Tensor) -> list[tuple[Tensor, torch.dtype]]:
        return [(w, d) for w, d in ((fine, self.exact), (~fine, self.rows.rough)) if bool(w.any())]


def _minimise(problem: _Problem, start: Tensor | None) -> tuple[Tensor, Tensor]:
    form, rows = problem.form, problem.rows
    rough = dataclasses.replace(problem, rows=rows.sample, exact=rows.rough)
    theta = problem.ridge.new_zeros(form.models, form.width, rows.width) if start is None else centred(start)
    if not form.convex and start is not None:
        theta = _nearer(rough, theta)
    if start is None:
        middle, group = middles(problem.alike)
        theta = _descend(rough.take(middle), theta[middle], ROUGH)[0][group]
    elif rows.sample is not rows and not form.convex:
        theta, _ = _descend(rough, theta, ROUGH)
    return _descend(problem, theta, TINY_DONE if rows.rough == problem.exact else DONE)


def _nearer(problem: _Problem, theta: Tensor) -> Tensor:
    """The best point on the way from zero to theta. Where a curve is flat, the minimum of a steeper one is far out on the plain."""
    candidates = torch.stack([t * theta for t in (1.0, 0.5, 0.25, 0.0)])
    everything = torch.ones(len(theta), dtype=torch.bool)
    best = torch.stack([problem.value(c, everything) for c in candidates]).argmin(dim=0)
    return candidates[best, torch.arange(len(theta))]


@dataclasses.dataclass
class _Point:
    """Where the models are [models, C, p]. `size` is <gradient, step>, the decrement; `age` counts the steps of the present
    Hessian, `trend` is the logarithm by which they shrink the decrement."""

    here: Tensor
    gradient: Tensor
    step: Tensor
    size: Tensor
    fine: Tensor
    age: Tensor
    trend: Tensor

    def take(self, which: Tensor) -> "_Point":
        return _Point(*(getattr(self, field.name)[which] for field in dataclasses.fields(self)))

    def put(self, which: Tensor, other: "_Point") -> None:
        for field in dataclasses.fields(self):
            getattr(self, field.name)[which] = getattr(other, field.name)


def _descend(problem: _Problem, start: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    theta, rows = start.clone(), problem.rows
    active, converged = torch.arange(len(theta)), torch.zeros(len(theta), dtype=torch.bool)
    fine = torch.full_like(converged, rows.rough == problem.exact)
    hessian = make(rows.sample, problem.form, theta, problem.ridge, problem.alike)
    at, memory = _begin(problem, hessian, theta, fine)
    done, stuck = fine & (at.size <= tolerance), torch.zeros_like(fine)
    for _ in range(ITERATIONS):
        theta[active] = torch.where(done[:, None, None], at.here - at.step, at.here)
        converged[active[done]] = True
        keep = ~done & ~stuck
        if not bool(keep.any()):
            break
        if not bool(keep.all()):
            problem, hessian, memory, at, active = (
                problem.take(keep),
                hessian.take(keep),
                memory.take(keep),
                at.take(keep),
                active[keep],
            )
        moved = _advance(problem, hessian, memory, at)
        # the step now due is expected to be worth as much as the last ones
        done = at.fine & (at.size * at.trend.clamp(max=0).exp() <= tolerance)
        if bool(done.any()):  # by the Hessian, too: where the curvature is small, past moves may take rounding for it
            size = dot(at.gradient[done], hessian.take(done).solve(at.gradient[done]))
            done[done.clone()] = size * at.trend[done].clamp(max=0).exp() <= tolerance
        stuck, blind = ~moved & at.fine, ~moved & ~at.fine
        slow = moved & ~done & (at.age >= SETTLED) & (_left(at, tolerance) > hessian.cost)
        if bool(slow.any()):
            some = problem.take(slow)
            hessian.renew(slow, rows, some.form, at.here[slow], some.ridge)
        turning = ~at.fine & (blind | (at.size < FINE))
        at.fine |= turning
        # what gradients in float32 taught is rounding from there on
        if bool((again := slow | turning).any()):
            memory.forget(again)
            anew, _ = _begin(problem.take(again), hessian.take(again), at.here[again], at.fine[again])
            at.put(again, anew)
    return theta, converged


def _begin(problem: _Problem, hessian: Hessian, here: Tensor, fine: Tensor) -> tuple[_Point, Memory]:
    gradient = problem.gradient(here, fine)
    step = hessian.solve(gradient)
    size = dot(gradient, step)
    return _Point(here, gradient, step, size, fine, torch.zeros_like(size), torch.zeros_like(size)), Memory.empty(here)


def _left(at: _Point, tolerance: float) -> Tensor:
    """Steps to go at the present rate, [models]."""
    return (at.size / tolerance).clamp(min=1).log() / (-at.trend).clamp(min=1e-3)


def _advance(problem: _Problem, hessian: Hessian, memory: Memory, at: _Point) -> Tensor:
    """To the next point; whether it is another point at all [models]."""
    there, length = at.here - at.step, torch.ones_like(at.size)
    gradient = problem.gradient(there, at.fine)
    blind = at.size < problem.blind(at.fine)
    enough = ~blind & problem.form.convex & (dot(gradient, at.step) >= -FAR * at.size)
    if not bool(enough.all()):
        unsure = (~enough).nonzero()[:, 0]
        size = dot(gradient[unsure], hessian.take(unsure).solve(gradient[unsure]))
        enough[unsure] = (size < at.size[unsure] / 2) & (problem.form.convex | (at.size[unsure] < NEAR))
    length[~enough & blind] = 0
    if bool((doubtful := ~enough & ~blind).any()):
        length[doubtful] = problem.take(doubtful).reach(
            at.here[doubtful], at.step[doubtful], at.size[doubtful], at.fine[doubtful]
        )
    if bool((short := length < 1).any()):
        t = length[:, None, None]
        there[short] = torch.where(t > 0, at.here - t * at.step, at.here)[short]
        gradient[short] = problem.take(short).gradient(there[short], at.fine[short])
    memory.add(there - at.here, gradient - at.gradient)
    at.here, at.gradient, at.step, before = there, gradient, memory.step(hessian, gradient), at.size
    at.size = dot(gradient, at.step)
    shrunk = (at.size / before).clamp(1e-6, 2.0).log()
    at.trend = torch.where(at.age == 0, shrunk, (at.trend + shrunk) / 2)
    at.age = at.age + 1
    return length > 0
