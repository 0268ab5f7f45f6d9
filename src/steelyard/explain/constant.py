"""What a recipe asks of a model that sees no features: the constant prediction it pulls to, and where decisions flip."""

import dataclasses

import torch
from torch import Tensor

from ..calibrate import sigmoid, softmax
from ..curves import Log
from ..losses.functional import cross_entropy
from ..ops import Bound, reference
from ..ops.reference import Labels
from .minimise import lowest

WIDEST = 1024  # classes, where every label sees other logits
STEEPEST = 128  # classes, where every row of the undo costs C^3
NEVER = -1e9  # the logit of a class that is out of the question


def losses_at(bound: Bound, z: Tensor) -> Tensor | None:
    """l_y at the constant logits z [C]: [C]; sigmoid z [K]: [2, K]. None where it would take a huge table."""
    if not bound.link.exclusive:
        y = torch.stack([torch.zeros_like(z), torch.ones_like(z)]).long()
        labels = Labels(y, None, torch.ones_like(y, dtype=torch.bool), None)
        return reference.sigmoid(z.expand(2, -1), labels, bound).loss
    if len(z) > 4 * WIDEST:
        return None
    labels = torch.arange(len(z), device=z.device)
    return cross_entropy(z.expand(len(z), -1), labels, bound, reduction="none")


def optimum(bound: Bound, prior: Tensor) -> Tensor | None:
    """The constant logits that minimise sum_y prior_y l_y: prior [C] -> [C]; sigmoid [2, K] -> [K].

    Where no finite minimiser was found, or finding it would take a huge table, None.
    """
    if not bound.link.exclusive:
        return _sigmoid_optimum(bound, prior[1])
    mass = _mass(bound, prior)
    start = mass.log()
    if softmax.same_for_all(bound):
        if bound.offset is not None:
            start = start - reference.gather(bound.offset, None, 1).flatten()
        if bound.scale is not None:
            start = start / reference.gather(bound.scale, None, 1).flatten()
        if bound.margin is None and isinstance(bound.yes, Log) and bound.yes == bound.no:
            return start
    if bool((mass == 0).any() | (prior == 0).any()) or (bound.label_dependent and len(prior) > WIDEST):
        return None
    with torch.enable_grad():
        return _minimised(bound, prior, start, mass)


def _sigmoid_optimum(bound: Bound, share: Tensor) -> Tensor | None:
    """The logit whose undo is `share`, by bisection: the undo rises with the logit."""
    low, high = torch.full_like(share, -100.0), torch.full_like(share, 100.0)
    for _ in range(80):
        middle = (low + high) / 2
        above = sigmoid.undo(middle.unsqueeze(0), bound)[0].squeeze(0) >= share
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return high


def _mass(bound: Bound, prior: Tensor) -> Tensor:
    """sum_y prior_y W[y,c] T[y,c], [C], summing to 1."""
    target, (row, column, full) = bound.target, bound.weight or (None, None, None)
    weighed = prior if row is None else prior * row
    if target is None:
        mass = weighed if full is None else weighed * full.diagonal()
    elif full is None and target.amount is not None:
        moved = weighed * target.amount
        mass = weighed - moved + moved.sum() * (1 / len(prior) if target.toward is None else target.toward)
    else:
        asked = softmax.rows(bound, prior.unsqueeze(0))
        mass = weighed @ (asked if full is None else asked * full)
    mass = mass if column is None else mass * column
    return mass / mass.sum()


def _minimised(bound: Bound, prior: Tensor, start: Tensor, mass: Tensor) -> Tensor | None:
    # in units of 1 / sqrt(p) the curvature is near the identity, so that rare classes converge like the others
    unit = mass.clamp(max=0.5).rsqrt()

    def expected(v: Tensor) -> Tensor:
        z = start + unit * v
        if not bound.label_dependent:
            return cross_entropy(z.unsqueeze(0), prior.unsqueeze(0), bound, reduction="sum")
        labels = torch.arange(len(z), device=z.device)
        return prior @ cross_entropy(z.expand(len(z), -1), labels, bound, reduction="none")

    first = float(expected(torch.zeros_like(start)).detach())
    v, slope = lowest(expected, torch.zeros_like(start))
    converged = bool(v.isfinite().all()) and float(slope.abs().max()) <= 1e-6 * max(first, 1e-12)
    return (start + unit * v).detach() if converged else None


def flips(bound: Bound, opponents: Tensor) -> Tensor | None:
    """Undone p_c / (p_c + p_d) where the logits of c and of d = opponents[c] tie and no other class is in question, [C].

    Sigmoid: the undone probability at logit 0, [K]. None where it would take too long.
    """
    with torch.no_grad():
        if not bound.link.exclusive:
            return sigmoid.undo(torch.zeros(1, len(opponents), dtype=torch.float64), bound)[0].squeeze(0)
        size = len(opponents)
        if size > (4 * WIDEST if softmax.closed(bound) else STEEPEST):
            return None
        z = torch.full((size, size), NEVER, dtype=torch.float64)
        c = torch.arange(size)
        z[c, c] = 0.0
        z[c, opponents] = 0.0
        p = softmax.undo(z, bound)[0]
        return p[c, c] / (p[c, c] + p[c, opponents])


def weights(bound: Bound, size: int) -> Tensor:
    """W[y,y]: [C]; sigmoid: [2, K]."""
    if bound.link.exclusive:
        ones = torch.ones(size, dtype=torch.float64)
        return ones if bound.weight is None else bound.weight.diagonal(size)
    return torch.stack([a + b for a, b in _asked(bound, size)])


def asked(bound: Bound, size: int) -> Tensor:
    """The share of "is" that each label value asks for, [2, K] (sigmoid)."""
    return torch.stack([a / (a + b) for a, b in _asked(bound, size)])


def _asked(bound: Bound, size: int) -> list[tuple[Tensor, Tensor]]:
    pairs = []
    for label in (0, 1):
        y = torch.full((1, size), label)
        z = torch.zeros(1, size, dtype=torch.float64)
        (branch,) = reference.branches(z, Labels(y, None, torch.ones_like(y, dtype=torch.bool), None), bound)
        pairs.append(((branch.a + 0 * z).squeeze(0), (branch.b + 0 * z).squeeze(0)))
    return pairs


def only(bound: Bound, field: str) -> Bound:
    """The plain cross-entropy with one table of `bound`."""
    tables = {f: None for f in ("scale", "offset", "margin", "weight", "target") if f != field}
    return dataclasses.replace(bound, **tables, yes=Log(), no=Log())
