"""The eager backend: the reference's values, with backward passes written out.

Autograd would keep every intermediate of the reference (log P, q, the coefficients: several times the logits). These
Functions keep the inputs alone and recompute:

    softmax   h = W T dg/dlogp,  dl/dz = S (h - p sum_c h)
    sigmoid   dl/dz = S (a g1' (1 - p) - b g0' p),  a = W T, b = W (1 - T), g' = dg/dlogp

They never write into their inputs, and their backward is made of differentiable operations, so second derivatives,
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
    function = _Softmax if bound.link == "softmax" else _Sigmoid
    loss, mass, lse = function.apply(logits, labels.y, labels.t, labels.valid, labels.s, bound)
    return Terms(loss, mass, lse, labels.valid)


class _Softmax(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(logits: Tensor, y: Tensor, t: Tensor, valid: Tensor, s: Tensor, bound: Bound) -> tuple[Tensor, ...]:
        return reference.softmax(logits, Labels(y, t, valid, s), bound)[:3]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        ctx.save_for_backward(*inputs[:5])
        ctx.bound = inputs[5]

    @staticmethod
    def backward(ctx: Any, d_loss: Tensor, d_mass: Tensor, d_lse: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        logits, y, t, valid, s = ctx.saved_tensors
        labels = Labels(y, t, valid, s)
        z, bound = reference.prepare(logits, labels, ctx.bound)
        logp, _ = reference.log_softmax(reference.adjust(z, labels, bound))
        own = reference.own_weight(labels, bound, z)
        upstream = _masked(d_loss, labels)
        du = _softmax_gradient(logp, labels, bound, own, upstream)
        du = du + logp.exp() * torch.where(valid, d_lse, 0.0).unsqueeze(1)
        if bound.scale is not None:
            du = du * reference.gather(bound.scale, labels.y, z.dim(), torch.mul)
        d_s = None
        if ctx.needs_input_grad[4]:
            d_s = _weight_gradient(d_loss, d_mass, reference.softmax_loss(logp, labels, bound, own), own, valid)
        return torch.where(valid.unsqueeze(1), du, 0.0).to(logits.dtype), None, None, None, d_s, None


def _softmax_gradient(logp: Tensor, labels: Labels, bound: Bound, own: Tensor, upstream: Tensor) -> Tensor:
    """dl/du times `upstream` [N, *space], as [N, C, *space]."""
    p = logp.exp()
    if labels.y is not None and bound.target is None:
        at = labels.y.unsqueeze(1)
        logp_y = logp.gather(1, at)
        q_y = -logp_y.expm1()
        h = bound.yes.slope(logp_y, q_y) * (own * upstream).unsqueeze(1)
        # h (1 - p) on the label, written with q so that a confident row keeps its gradient
        return (-p * h).scatter(1, at, h * q_y)
    labelled, others = reference.coefficients(labels, bound, logp)
    q = -logp.expm1()
    h = labelled * bound.yes.slope(logp, q)
    if others is not None:
        h = h + others * bound.no.slope(logp, q)
    return (h - p * h.sum(dim=1, keepdim=True)) * upstream.unsqueeze(1)


class _Sigmoid(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(logits: Tensor, y: Tensor, t: Tensor, valid: Tensor, s: Tensor, bound: Bound) -> tuple[Tensor, ...]:
        return reference.sigmoid(logits, Labels(y, t, valid, s), bound)[:3]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        ctx.save_for_backward(*inputs[:5])
        ctx.bound = inputs[5]

    @staticmethod
    def backward(ctx: Any, d_loss: Tensor, d_mass: Tensor, d_lse: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        logits, y, t, valid, s = ctx.saved_tensors
        labels = Labels(y, t, valid, s)
        z, bound = reference.prepare(logits, labels, ctx.bound)
        found = reference.branches(z, labels, bound)
        upstream, through_lse = _masked(d_loss, labels), torch.where(valid, d_lse, 0.0)
        shares = [None] if len(found) == 1 else [1 - t, t]
        dz = torch.zeros_like(z)
        for branch, share in zip(found, shares, strict=True):
            u, p, q = branch.u, torch.sigmoid(branch.u), torch.sigmoid(-branch.u)
            du = branch.a * bound.yes.slope(logsigmoid(u), q) * q - branch.b * bound.no.slope(logsigmoid(-u), p) * p
            du = du * upstream + p * (through_lse if share is None else share * through_lse)
            dz = dz + (du if branch.scale is None else branch.scale * du)
        d_s = None
        if ctx.needs_input_grad[4]:
            loss = sum((reference.branch_loss(branch, bound) for branch in found), start=torch.zeros_like(z))
            d_s = _weight_gradient(d_loss, d_mass, loss, reference.sigmoid_mass(labels, bound, z), valid)
        return torch.where(valid, dz, 0.0).to(logits.dtype), None, None, None, d_s, None


def _masked(upstream: Tensor, labels: Labels) -> Tensor:
    """The gradient arriving at each loss, times the call weight, 0 where ignored."""
    return torch.where(labels.valid, upstream if labels.s is None else upstream * labels.s, 0.0)


def _weight_gradient(d_loss: Tensor, d_mass: Tensor, loss: Tensor, own: Tensor, valid: Tensor) -> Tensor:
    return torch.where(valid, d_loss * loss + d_mass * own, 0.0)
