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
SHORTER = 30  # tries at a shorter step
AROUND = 4e6  # operations that could be done in the time of what a step takes beside its passes
SMALL = (
    2**21
)  # numbers of all logits' rows below which a pass takes no longer than that, so that a sample saves nothing
Which = Tensor | slice


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
    taken: dict[bytes, Form] = dataclasses.field(default_factory=dict)

    def take(self, keep: Tensor) -> "_Problem":
        form = self.form.take(keep)
        return dataclasses.replace(self, form=form, ridge=self.ridge[keep], alike=self.alike[keep], taken={})

    def value(self, theta: Tensor, fine: Tensor) -> Tensor:
        out = (self.ridge * theta.square()).sum(dim=(1, 2)) / 2
        for which, dtype in self._precision(fine):
            out[which] += self.rows.value(self._of(which), theta[which], dtype)
        return out

    def look(self, theta: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
        """The objective [models], which is left at zero where it is convex and gradients tell enough, and its gradient."""
        slope = self.ridge * theta
        value = theta.new_zeros(len(theta)) if self.form.convex else (slope * theta).sum(dim=(1, 2)) / 2
        for which, dtype in self._precision(fine):
            if self.form.convex:
                slope[which] += self.rows.gradient(self._of(which), theta[which], dtype)
            else:
                mean, pull = self.rows.both(self._of(which), theta[which], dtype)
                value[which] += mean
                slope[which] += pull
        return value, slope

    def blind(self, fine: Tensor) -> Tensor:
        """Below these decrements rounding decides which of two objectives is the lower one."""
        return torch.where(fine, BLIND[self.exact], BLIND[self.rows.rough])

    def _precision(self, fine: Tensor) -> list[tuple[Which, torch.dtype]]:
        count = int(fine.sum())
        if count in (0, len(fine)):
            return [(slice(None), self.exact if count else self.rows.rough)] if len(fine) else []
        return [(fine, self.exact), (~fine, self.rows.rough)]

    def _of(self, which: Which) -> Form:
        """Which models are fine changes in few steps, and what the passes make of a form stays with it."""
        if isinstance(which, slice):
            return self.form
        name = which.numpy().tobytes()
        if name not in self.taken:
            if len(self.taken) == 4:
                self.taken.clear()
            self.taken[name] = self.form.take(which)
        return self.taken[name]


def _minimise(problem: _Problem, start: Tensor | None) -> tuple[Tensor, Tensor]:
    form, rows = problem.form, problem.rows
    few = rows.X.numel() * form.width <= SMALL
    near = rows if few else rows.sample
    rough = dataclasses.replace(problem, rows=near, exact=rows.rough)
    theta = problem.ridge.new_zeros(form.models, form.width, rows.width) if start is None else centred(start)
    middle, group = middles(problem.alike)
    if start is None:
        theta = _descend(rough.take(middle), theta[middle], ROUGH)[0][group]
    elif not form.convex:
        theta = _best(rough, [t * theta for t in (1.0, 0.5, 0.25, 0.0)])
        if len(middle) < len(
            theta
        ):  # what the middle strength gained by leaving the straightened curve, others gain too
            first, _ = _descend(rough.take(middle), theta[middle], ROUGH)
            moved = (first - theta[middle])[group]
            theta = _best(rough, [theta, theta + moved / 2, theta + moved, first[group]])
        if near is not rows:
            theta, _ = _descend(rough, theta, ROUGH)
    return _descend(problem, theta, TINY_DONE if rows.rough == problem.exact else DONE)


def _best(problem: _Problem, places: list[Tensor]) -> Tensor:
    """Each model's best place. Where a curve is flat, the minimum of a steeper one is far out on the plain."""
    candidates = torch.stack(places)
    everything = torch.ones(len(places[0]), dtype=torch.bool)
    best = torch.stack([problem.value(c, everything) for c in candidates]).argmin(dim=0)
    return candidates[best, torch.arange(len(best))]


@dataclasses.dataclass
class _Point:
    """Where the models are [models, C, p]. `size` is <gradient, step>, the decrement; `age` counts the steps of the present
    Hessian, `mixed` says that the next gradient is computed otherwise than this one, `trend` is the logarithm by which they shrink the decrement."""

    here: Tensor
    value: Tensor
    gradient: Tensor
    step: Tensor
    size: Tensor
    fine: Tensor
    mixed: Tensor
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
        # few models share what a step takes beside its passes, so that Hessians cost fewer of them
        dear = hessian.cost / (1 + AROUND / (4 * rows.X.numel() * problem.form.width * len(done)))
        slow = moved & ~done & (at.age >= SETTLED) & (_left(at, tolerance) > dear)
        if bool(slow.any()):
            some = problem.take(slow)
            hessian.renew(slow, rows, some.form, at.here[slow], some.ridge)
        turning = ~at.fine & (blind | (at.size < FINE))
        at.fine |= turning
        # what gradients in float32 taught a loss that is not convex, and where rounding decided, is of no use from there on
        restart = blind if problem.form.convex else turning
        at.mixed = turning & ~restart
        if bool((again := slow | restart).any()):
            memory.forget(again)
            if bool(restart.any()):
                at.value[restart], at.gradient[restart] = problem.take(restart).look(at.here[restart], at.fine[restart])
            at.put(again, _begun(hessian.take(again), at.take(again)))
    return theta, converged


def _begin(problem: _Problem, hessian: Hessian, here: Tensor, fine: Tensor) -> tuple[_Point, Memory]:
    value, gradient = problem.look(here, fine)
    nothing = torch.zeros_like(value)
    return _begun(
        hessian, _Point(here, value, gradient, gradient, nothing, fine, torch.zeros_like(fine), nothing, nothing)
    ), Memory.empty(here)


def _begun(hessian: Hessian, at: _Point) -> _Point:
    """With a step by the Hessian alone."""
    step = hessian.solve(at.gradient)
    nothing = torch.zeros_like(at.size)
    return dataclasses.replace(at, step=step, size=dot(at.gradient, step), age=nothing, trend=nothing.clone())


def _left(at: _Point, tolerance: float) -> Tensor:
    """Steps to go at the present rate, [models]."""
    return (at.size / tolerance).clamp(min=1).log() / (-at.trend).clamp(min=1e-3)


def _advance(problem: _Problem, hessian: Hessian, memory: Memory, at: _Point) -> Tensor:
    """To the next point; whether it is another point at all [models]."""
    there, length = at.here - at.step, torch.ones_like(at.size)
    value, gradient = problem.look(there, at.fine)
    blind, convex = at.size < problem.blind(at.fine), problem.form.convex
    enough = (_enough(convex, at, length, value, gradient) & ~blind) | at.mixed
    for _ in range(SHORTER):
        unsure = (~enough & (length > 0)).nonzero()[:, 0]
        if not len(unsure):
            break
        near = convex | blind[unsure] | (at.size[unsure] < NEAR)
        if bool(near.any()):
            some = unsure[near]
            size = dot(gradient[some], hessian.take(some).solve(gradient[some]))
            enough[some] = size < at.size[some] / 2
            length[some[~enough[some] & blind[some]]] = 0
            unsure = (~enough & (length > 0)).nonzero()[:, 0]
            if not len(unsure):
                break
        shorter = at.take(unsure)
        past = (-dot(gradient[unsure], shorter.step) / shorter.size).clamp(
            min=0.0
        )  # where the secant of the slopes has its zero
        length[unsure] *= (1 / (1 + past)).clamp(0.1, 0.5 if not convex else 0.95)
        t = length[unsure]
        there[unsure] = shorter.here - t[:, None, None] * shorter.step
        value[unsure], gradient[unsure] = problem.take(unsure).look(there[unsure], shorter.fine)
        enough[unsure] = _enough(convex, shorter, t, value[unsure], gradient[unsure])
    length[~enough] = 0
    if bool((still := length == 0).any()):
        there[still], value[still], gradient[still] = at.here[still], at.value[still], at.gradient[still]
    memory.add(there - at.here, gradient - at.gradient, ~at.mixed)
    at.here, at.value, at.gradient, before = there, value, gradient, at.size
    at.step = memory.step(hessian, gradient)
    at.size = dot(gradient, at.step)
    shrunk = (at.size / before).clamp(1e-6, 2.0).log()
    at.trend = torch.where(at.age == 0, shrunk, (at.trend + shrunk) / 2)
    at.age = at.age + 1
    return length > 0


def _enough(convex: bool, at: _Point, length: Tensor, value: Tensor, gradient: Tensor) -> Tensor:
    """Whether steps of that length do, whose ends have this value and gradient: where the objective is convex, if they do not go
    too far past its least value on the way; elsewhere, if it fell by a fraction of what the slope promises."""
    if convex:
        return -dot(gradient, at.step) <= FAR * at.size
    return value <= at.value - 1e-4 * length * at.size
