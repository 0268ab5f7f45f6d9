"""The eager backend: the reference's values, with backward passes written out.

Autograd would keep every intermediate of the reference (log P, q, the coefficients: several times the logits). This
one keeps the inputs alone and recomputes:

    softmax   h = W T dg/dlogp,  dl/dz = S (h - p sum_c h)
    sigmoid   dl/dz = S (a g1' (1 - p) - b g0' p),  a = W T, b = W (1 - T), g' = dg/dlogp

It never writes into its inputs, and its backward is made of differentiable operations, so second derivatives,
`torch.func` and `torch.compile` work. Gradients to tables and to soft targets are the reference's business (see plan).
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from . import reference
from .bound import Bound
from .reference import Labels, Terms


def terms(logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None, ignore_index: int) -> Terms:
    """As reference.terms; gradients reach `logits` and `weight` only."""
    labels = reference.read(logits, target, bound.link, weight, ignore_index)
    loss, mass, lse = _Terms.apply(logits, *labels, bound)
    return Terms(loss, mass, lse, labels.valid)


class _Terms(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(logits: Tensor, y: Tensor, t: Tensor, valid: Tensor, s: Tensor, bound: Bound) -> tuple[Tensor, ...]:
        return reference.compute(logits, Labels(y, t, valid, s), bound)[:3]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        ctx.save_for_backward(*inputs[:5])
        ctx.bound = inputs[5]

    @staticmethod
    def backward(ctx: Any, d_loss: Tensor, d_mass: Tensor, d_lse: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        logits, *read = ctx.saved_tensors
        labels = Labels(*read)
        z, bound = reference.prepare(logits, labels, ctx.bound)
        softmax = bound.link == "softmax"
        upstream = torch.where(labels.valid, d_loss if labels.s is None else d_loss * labels.s, 0.0)
        through_lse = torch.where(labels.valid, d_lse, 0.0)
        dz = (_softmax if softmax else _sigmoid)(z, labels, bound, upstream, through_lse)
        d_s = None
        if ctx.needs_input_grad[4]:
            each = reference.compute(logits, labels._replace(s=None), ctx.bound)
            d_s = d_loss * each.loss + d_mass * each.mass
        valid = labels.valid.unsqueeze(1) if softmax else labels.valid
        return torch.where(valid, dz, 0.0).to(logits.dtype), None, None, None, d_s, None


def _softmax(z: Tensor, labels: Labels, bound: Bound, upstream: Tensor, through_lse: Tensor) -> Tensor:
    """dL/dz [N, C, *space] for gradients arriving at the loss and at lse [N, *space]."""
    logp, _ = reference.log_softmax(reference.adjust(z, labels, bound))
    p = logp.exp()
    if labels.y is not None and bound.target is None:
        at = labels.y.unsqueeze(1)
        logp_y = logp.gather(1, at)
        q_y = -logp_y.expm1()
        h = bound.yes.slope(logp_y, q_y) * (reference.own_weight(labels, bound, z) * upstream).unsqueeze(1)
        # h (1 - p) on the label, written with q so that a confident row keeps its gradient
        du = (-p * h).scatter(1, at, h * q_y)
    else:
        labelled, others = reference.coefficients(labels, bound, logp)
        q = -logp.expm1()
        h = labelled * bound.yes.slope(logp, q)
        if others is not None:
            h = h + others * bound.no.slope(logp, q)
        du = (h - p * h.sum(dim=1, keepdim=True)) * upstream.unsqueeze(1)
    du = du + p * through_lse.unsqueeze(1)
    return du if bound.scale is None else du * reference.gather(bound.scale, labels.y, z.dim(), torch.mul)


def _sigmoid(z: Tensor, labels: Labels, bound: Bound, upstream: Tensor, through_lse: Tensor) -> Tensor:
    """dL/dz, everything shaped like z."""
    found = reference.branches(z, labels, bound)
    shares = [None] if labels.t is None or len(found) == 1 else [1 - labels.t, labels.t]
    dz = torch.zeros_like(z)
    for branch, share in zip(found, shares, strict=True):
        u, p, q = branch.u, torch.sigmoid(branch.u), torch.sigmoid(-branch.u)
        du = branch.a * bound.yes.slope(logsigmoid(u), q) * q - branch.b * bound.no.slope(logsigmoid(-u), p) * p
        du = du * upstream + p * (through_lse if share is None else share * through_lse)
        dz = dz + (du if branch.scale is None else branch.scale * du)
    return dz
