"""What turns a gradient into a step: the Hessian of every model as it was when it was made."""

from typing import Protocol

import torch
from torch import Tensor

from . import passes
from .forms import Form
from .rows import PIECE, Rows, centred, triangle

# parameters per model up to which its Hessian is written out, for one logit and for more; beyond, conjugate gradients, which
# pass over all pairs of logits
DENSE = (1000, 1000)
FACTORS = 2**25  # numbers in all Hessians of one call
LARGE, SOUND = (
    400,
    1e-4,
)  # parameters from which on a Hessian is first factored in float32, and the ratio of its factor's squares along the
# diagonal from which on that is taken: below, rounding has made the smallest of them
EACH = 20  # what a row's exponentials and its way through the caches take of a gradient, in columns
PAIRS = 2**24  # the same for the curvatures that conjugate gradients need


class Hessian(Protocol):
    @property
    def cost(self) -> float:
        """How many gradients one costs."""
        ...

    def solve(self, gradient: Tensor) -> Tensor:
        """H^-1 g, [models, C, p]"""
        ...

    def take(self, which: Tensor) -> "Hessian": ...

    def renew(self, which: Tensor, rows: Rows, form: Form, theta: Tensor, ridge: Tensor) -> None:
        """Make it anew for these models, whose form, theta and ridge are given."""
        ...


def capacity(rows: Rows, C: int) -> int:
    """How many models may be fitted in one call, so that their Hessians stay small."""
    if _dense(rows, C):
        return max(1, FACTORS // (C * rows.width) ** 2)
    return max(1, PAIRS // (C * (C + 1) // 2 * rows.sample.X.shape[0]))


def _dense(rows: Rows, C: int) -> bool:
    return C * rows.width <= DENSE[C > 1]


def make(rows: Rows, form: Form, theta: Tensor, ridge: Tensor, like: Tensor) -> Hessian:
    """ridge [models, 1, p]; models with the same number in `like` [models] share the Hessian of the middle one of them."""
    middle, group = middles(like)
    if _dense(rows, form.width):
        return Cholesky(_factors(rows, form.take(middle), theta[middle], ridge, group), cost=_cost(rows, form))
    return Conjugate(rows, _pairs(rows, form.take(middle), theta[middle]), group, ridge)


def middles(like: Tensor) -> tuple[Tensor, Tensor]:
    """The middle one of the models that have the same number [groups], and each model's group [models]."""
    _, group, size = torch.unique(like, return_inverse=True, return_counts=True)
    return torch.argsort(group, stable=True)[size.cumsum(0) - (size + 1) // 2], group


class Cholesky:
    """factor [Hessians, C p, C p], lower; model i has Hessian which[i], and no other model has it. What it is made of is summed in
    float32, and so it is kept where the core reads it."""

    def __init__(self, factor: Tensor, which: Tensor | None = None, *, cost: float):
        self.factor = factor.to(torch.float32).contiguous() if passes.THERE and which is None else factor
        self.which = torch.arange(len(factor)) if which is None else which
        self._cost = cost

    @property
    def cost(self) -> float:
        return self._cost

    def solve(self, gradient: Tensor) -> Tensor:
        if passes.THERE:
            nothing = gradient.new_empty(0)
            return passes.steps(nothing, nothing, nothing, gradient, self.factor, self.which)
        return torch.cholesky_solve(gradient.reshape(len(gradient), -1, 1), self.factor[self.which]).reshape(
            gradient.shape
        )

    def take(self, which: Tensor) -> "Cholesky":
        return Cholesky(self.factor, self.which[which], cost=self._cost)

    def renew(self, which: Tensor, rows: Rows, form: Form, theta: Tensor, ridge: Tensor) -> None:
        new = _factors(rows, form, theta, ridge, torch.arange(len(theta)))
        self.factor[self.which[which]] = new


def _cost(rows: Rows, form: Form) -> float:
    """How many gradients a Hessian that is written out costs, measured: the core makes one in passes like theirs."""
    C, p = form.width, rows.width
    if rows.shared(form):
        return (C + 1) * p * (p + 1) / (8 * (p + EACH))
    return C * p / 4  # 2 n (C p)^2 / 2 operations in float32 over 4 n C p


def _factors(rows: Rows, form: Form, theta: Tensor, ridge: Tensor, group: Tensor) -> Tensor:
    """Cholesky factors [models, C p, C p]; model i has the Hessian group[i] of form and theta, and a ridge of its own."""
    every = _flat(rows.hessian(form, theta, exact=True))
    out = every.new_empty(len(group), *every.shape[1:], dtype=torch.float32 if passes.THERE else torch.float64)
    for i, k in enumerate(group.tolist()):
        H = _ridged(every[k], ridge[i], form.width)
        factor = _factor(H)
        if factor is None and not form.convex:
            some = torch.tensor([k])
            H = _ridged(_flat(rows.hessian(form.take(some), theta[some]))[0], ridge[i], form.width)
            factor = _factor(H)
        if factor is None:  # curvature lost to saturation; lean on the gradient's direction there
            diagonal = H.diagonal()
            diagonal += (1e-6 * diagonal.mean()).clamp(min=torch.finfo(torch.float32).tiny)
            factor, _ = torch.linalg.cholesky_ex(H)
        out[i] = factor
    return out


def _factor(H: Tensor) -> Tensor | None:
    """Lower; None where H is not positive definite."""
    if len(H) >= LARGE:
        factor, failed = torch.linalg.cholesky_ex(H.float())
        least, most = factor.diagonal().aminmax()
        if not bool(failed) and float(least) ** 2 > SOUND * float(most) ** 2:
            return factor
    factor, failed = torch.linalg.cholesky_ex(H)
    return None if bool(failed) else factor


def _flat(H: Tensor) -> Tensor:
    """[models, C, p, C, p] -> [models, C p, C p]"""
    models, C, p, _, _ = H.shape
    return H.reshape(models, C * p, C * p)


def _ridged(H: Tensor, ridge: Tensor, C: int) -> Tensor:
    """A copy of H [C p, C p] with the ridge [1, p] on its diagonal."""
    H, p = H.clone(), ridge.shape[-1]
    H.diagonal().add_(ridge.expand(C, p).reshape(-1))
    if C > 1:  # adding one number to every class's intercept changes nothing: fix it without moving the optimum
        H[p - 1 :: p, p - 1 :: p] += 1.0
    return H


class Conjugate:
    """pairs [Hessians, C (C + 1) / 2, rows]: the curvature; model i has Hessian group[i]."""

    def __init__(self, rows: Rows, pairs: Tensor, group: Tensor, ridge: Tensor):
        self.rows, self.pairs, self.group, self.ridge = rows, pairs, group, ridge

    @property
    def cost(self) -> float:
        return 1.0

    def take(self, which: Tensor) -> "Conjugate":
        return Conjugate(self.rows, self.pairs, self.group[which], self.ridge[which])

    def renew(self, which: Tensor, rows: Rows, form: Form, theta: Tensor, ridge: Tensor) -> None:
        """From the rows that it was made from."""
        self.group[which] = len(self.pairs) + torch.arange(len(theta))
        used, self.group = torch.unique(self.group, return_inverse=True)
        self.pairs = torch.cat([self.pairs, _pairs(self.rows, form, theta)])[used]

    def solve(self, gradient: Tensor) -> Tensor:
        """Preconditioned by the diagonal, to a tenth of the gradient in the norm of that."""
        C = gradient.shape[1]
        own = self.pairs[:, triangle(C).diagonal()]
        jacobi = (own.flatten(0, 1) @ self.rows.X.square()).view(len(own), C, -1)[self.group] + self.ridge
        jacobi = jacobi.clamp(min=float(jacobi.max()) * 1e-12)
        d, r = torch.zeros_like(gradient), gradient.clone()
        s = centred(r / jacobi)
        direction, rs = s, (r * s).sum(dim=(1, 2))
        goal = 1e-2 * rs
        for _ in range(300):
            Hd = self._apply(direction)
            bend = (direction * Hd).sum(dim=(1, 2))
            length = torch.where(bend > 0, rs / bend, 0.0)[:, None, None]
            d, r = d + length * direction, r - length * Hd
            s = centred(r / jacobi)
            new = (r * s).sum(dim=(1, 2))
            if bool((new <= goal).all()):
                break
            direction = s + torch.where(rs > 0, new / rs, 0.0)[:, None, None] * direction
            rs = new
        return d

    def _apply(self, d: Tensor) -> Tensor:
        """H d"""
        models, C, p = d.shape
        flat, cells = d.reshape(-1, p).to(self.rows.X.dtype), triangle(C).tolist()
        out = self.ridge * d
        size = max(256, PIECE // (flat.itemsize * models * C))
        for at in range(0, self.rows.X.shape[0], size):
            X, pairs = self.rows.X[at : at + size], self.pairs[:, :, at : at + size][self.group]
            move = (flat @ X.T).view(models, C, -1)
            bent = torch.empty_like(move)
            for i in range(C):
                torch.mul(pairs[:, cells[i][0]], move[:, 0], out=bent[:, i])
                for j in range(1, C):
                    bent[:, i].addcmul_(pairs[:, cells[i][j]], move[:, j])
            out += (bent.flatten(0, 1) @ X).view(d.shape)
        return out


def _pairs(rows: Rows, form: Form, theta: Tensor) -> Tensor:
    """The curvature of the mean loss, [models, C (C + 1) / 2, rows]."""
    out = rows.X.new_empty(len(theta), form.width * (form.width + 1) // 2, len(rows.X))
    for part, pairs in rows.curvatures(form, theta):
        out[:, :, part] = pairs
    return out
