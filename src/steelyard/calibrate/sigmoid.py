"""Undo of the sigmoid link, element by element: eta = l0' / (l0' - l1'), with l_y' = dl_y/dz.

l_y' = -S_y W_y (T_y v1(p_y) (1 - p_y) - (1 - T_y) v0(1 - p_y) p_y),    p_y = sigmoid(u_y), v = -dg/dlog p
"""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from ..curves import log_steepness
from ..ops import Bound, reference
from ..ops.reference import Labels
from .softmax import check_curves, project


def undo(z: Tensor, bound: Bound) -> tuple[Tensor, Tensor, Tensor]:
    """(probability of "is", needed no projection, in a flat zone), all shaped like the finite logits z."""
    check_sigmoid(bound)
    return solve(z, bound)


def check_sigmoid(bound: Bound) -> None:
    """ValueError where no logits could ever tell the posterior."""
    check_curves(bound)
    if bound.weight is not None and any(w is not None and bool((w == 0).any()) for w in bound.weight):
        raise ValueError(
            'posterior: an outcome ("is" or "is not") has weight 0, so the logits say nothing about it; give it a'
            " weight > 0."
        )


def solve(z: Tensor, bound: Bound) -> tuple[Tensor, Tensor, Tensor]:
    """`undo` of tables that were checked."""
    no, flat_no = _pulls(z, bound, 0)
    yes, flat_yes = _pulls(z, bound, 1)
    largest = torch.stack([*no, *yes]).amax(dim=0)
    up, down = ((a - largest).exp() - (b - largest).exp() for a, b in (yes, no))  # -l1' and -l0'
    eta = torch.stack([up.flatten(), -down.flatten()], dim=1)  # of "is not" and of "is"
    eta = torch.where((eta <= 0).all(dim=1, keepdim=True), -eta, eta)
    p, inside = project(eta)
    flat = flat_no | flat_yes
    return p[:, 1].reshape(z.shape), inside.reshape(z.shape) & ~flat, flat


def _pulls(z: Tensor, bound: Bound, label: int) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Logarithms of the pull towards "is" and of the pull away from it under `label`; where none of both has a slope."""
    y = torch.full_like(z, label, dtype=torch.long)
    (branch,) = reference.branches(z, Labels(y, None, torch.ones_like(y, dtype=torch.bool), None), bound)
    logp, logq = logsigmoid(branch.u), logsigmoid(-branch.u)
    v1, v0 = log_steepness(bound.yes, logp, logq), log_steepness(bound.no, logq, logp)
    scale = 0.0 if branch.scale is None else branch.scale.log()
    # a smoothed label pulls by both outcomes: where one of them is flat the other still says what eta is
    flat = (torch.isneginf(v1) | (branch.a == 0)) & (torch.isneginf(v0) | (branch.b == 0))
    return (branch.a.log() + v1 + logq + scale, branch.b.log() + v0 + logp + scale), flat
