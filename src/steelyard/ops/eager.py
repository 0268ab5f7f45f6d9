"""The eager backend: the reference's values, with backward passes written out.

Autograd would keep every intermediate of the reference (log P, q, the coefficients: several times the logits). This
one keeps the inputs alone and recomputes:

    softmax   h = W T dg/dlogp,  dl/dz = S (h - p sum_c h)
    sigmoid   dl/dz = S (a g1' (1 - p) - b g0' p),  a = W T, b = W (1 - T), g' = dg/dlogp

It never writes into its inputs, and its backward is made of differentiable operations, so second derivatives,
`torch.func` and `torch.compile` work. Gradients to tables and to soft targets are the reference's business (see plan).

Where nobody watches the operations, a large call on the CPU goes through them in pieces that stay in the cache: rows some at
a time, planes some pixels at a time.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.functional import logsigmoid

from ..curves import Curve
from . import reference
from .bound import Bound
from .reference import Labels, Terms
from .watched import forward_mode, of_a_transform, plain, transformed

PIECE = 2**18  # logits: 1 MiB in float32, of which an operation needs two or three


def terms(logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None, ignore_index: int) -> Terms:
    """As reference.terms; gradients reach `logits` and `weight` only. The reference's are those in forward mode, and
    to tables that were made inside a transform."""
    if forward_mode() or of_a_transform(bound.tensors):
        return reference.terms(logits, target, bound, weight, ignore_index)
    labels = reference.read(logits, target, bound.link, weight, ignore_index)
    loss, mass, lse = _Terms.apply(logits, *labels, bound)
    return Terms(loss, mass, lse, labels.valid)


class _Terms(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(logits: Tensor, y: Tensor, t: Tensor, valid: Tensor, s: Tensor, bound: Bound) -> tuple[Tensor, ...]:
        labels = Labels(y, t, valid, s)
        outputs: list[Tensor] = []
        for at, z, some in _pieces(logits, labels, bound):
            loss, mass, lse, _ = _forward(z, some, bound)
            if at is None:
                return loss, mass, lse
            outputs = outputs or [torch.empty(valid.shape, dtype=x.dtype) for x in (loss, mass, lse)]
            for whole, x in zip(outputs, (loss, mass, lse), strict=True):
                whole[at.items] = x
        return tuple(outputs)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        ctx.save_for_backward(*inputs[:5])
        ctx.bound = inputs[5]

    @staticmethod
    def backward(ctx: Any, d_loss: Tensor, d_mass: Tensor, d_lse: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        logits, *read = ctx.saved_tensors
        labels = Labels(*read)
        dz: Tensor | None = None
        for at, z, some in _pieces(logits, labels, ctx.bound, whole=not (plain(d_loss) and plain(d_lse))):
            if at is None:
                dz = _backward(z, some, ctx.bound, d_loss, d_lse)
            else:
                dz = torch.empty_like(logits) if dz is None else dz
                dz[at.logits] = _backward(z, some, ctx.bound, d_loss[at.items], d_lse[at.items])
        d_s = None
        if ctx.needs_input_grad[4]:
            each = reference.compute(logits, labels._replace(s=None), ctx.bound)
            d_s = d_loss * each.loss + d_mass * each.mass
        return dz, None, None, None, d_s, None


def gradient(
    logits: Tensor,
    target: Tensor,
    bound: Bound,
    weight: Tensor | None,
    ignore_index: int,
    d_loss: Tensor,
    d_lse: Tensor,
) -> Tensor:
    """What `terms` sends back to the logits for gradients that arrive at loss and lse, without autograd."""
    return _backward(logits, reference.read(logits, target, bound.link, weight, ignore_index), bound, d_loss, d_lse)


class _At(NamedTuple):
    """Where a piece lies in the logits and in what there is one of for each item."""

    logits: tuple[slice, ...]
    items: tuple[slice, ...]


def _pieces(
    logits: Tensor, labels: Labels, bound: Bound, whole: bool = False
) -> Iterator[tuple[_At | None, Tensor, Labels]]:
    """(where, logits, labels) of each; one without a place where it is to be `whole`, or small, or its operations are watched."""
    size, shape = logits.numel(), logits.shape
    watched = torch.is_grad_enabled() or transformed()
    if whole or size <= 2 * PIECE or watched or logits.device.type != "cpu" or logits.dim() < 2:
        yield None, logits, labels
        return
    rows = max(1, PIECE * shape[0] // size)
    inner = shape[2] if logits.dim() > 2 and rows == 1 else 0
    step = max(1, PIECE * shape[0] * inner // size)
    for start in range(0, shape[0], rows):
        for inside in range(0, max(inner, 1), step):
            n = slice(start, start + rows)
            space = (slice(inside, inside + step),) if inner else ()
            logit = n, slice(None), *space
            at = _At(logit, (n, *space) if bound.link.exclusive else logit)
            y, t, valid, s = labels
            some = Labels(
                None if y is None else y[at.items],
                None if t is None else t[at.logits],
                valid[at.items],
                None if s is None else s[at.items],
            )
            yield at, logits[at.logits].contiguous(), some


def _forward(logits: Tensor, labels: Labels, bound: Bound) -> Terms:
    if bound.link.exclusive and labels.y is not None and bound.target is None:
        return _one_hot(logits, labels, bound)
    return reference.compute(logits, labels, bound)


def _backward(logits: Tensor, labels: Labels, bound: Bound, d_loss: Tensor, d_lse: Tensor) -> Tensor:
    softmax = bound.link.exclusive
    if softmax and not torch.is_grad_enabled():  # NaN in an ignored row stays in its row, which is masked below
        z = logits.to(reference.compute_dtype(logits))
        bound = bound.to(z, z.dtype)
    else:
        z, bound = reference.prepare(logits, labels, bound)
    upstream = torch.where(labels.valid, d_loss if labels.s is None else d_loss * labels.s, 0.0)
    through_lse = torch.where(labels.valid, d_lse, 0.0)
    dz = (_softmax if softmax else _sigmoid)(z, labels, bound, upstream, through_lse)
    return torch.where(bound.link.beside_logits(labels.valid), dz, 0.0).to(logits.dtype)


def _one_hot(logits: Tensor, labels: Labels, bound: Bound) -> Terms:
    """reference.softmax for labels that ask for one class: few passes over [N, C, *space], the rest on [N, *space]."""
    z = logits.to(reference.compute_dtype(logits))
    bound = bound.to(z, z.dtype)
    u = reference.adjust(z, labels, bound)
    logp = F.log_softmax(u, dim=1)
    lse = u.amax(dim=1) - logp.amax(dim=1)
    _, logp_y, q_y = _label(logp, labels)
    own = reference.own_weight(labels, bound, z)
    loss = reference.penalty(own, bound.yes, logp_y.squeeze(1), q_y.squeeze(1))
    return reference.finish(loss, own, lse, labels)


def _label(logp: Tensor, labels: Labels) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities with 0 at the label [N, C, *space], log p and q = 1 - p of the label [N, 1, *space].

    q is the sum of the other probabilities: next to p = 1 it keeps the digits that 1 - p loses, and with it log p does.
    """
    assert labels.y is not None
    at = labels.y.unsqueeze(1)
    rough = logp.gather(1, at)
    others = logp.exp().scatter(1, at, 0.0)
    q = others.sum(dim=1, keepdim=True)
    likely = q < 0.5
    return others, torch.where(likely, torch.where(likely, -q, 0.0).log1p(), rough), q


def _softmax(z: Tensor, labels: Labels, bound: Bound, upstream: Tensor, through_lse: Tensor) -> Tensor:
    """dL/dz [N, C, *space] for gradients arriving at the loss and at lse [N, *space]."""
    u = reference.adjust(z, labels, bound)
    if labels.y is not None and bound.target is None:
        at = labels.y.unsqueeze(1)
        p, logp_y, q_y = _label(F.log_softmax(u, dim=1), labels)
        h = _slope(bound.yes, logp_y, q_y) * (reference.own_weight(labels, bound, z) * upstream).unsqueeze(1)
        through = through_lse.unsqueeze(1)
        # at the label h (1 - p) + p d_lse, written with q so that a confident row keeps its gradient
        du = (p * (through - h)).scatter(1, at, h * q_y + through * logp_y.exp())
    else:
        logp, _ = reference.log_softmax(u)
        p, q = logp.exp(), -logp.expm1()
        labelled, others = reference.coefficients(labels, bound, logp)
        h = labelled * _slope(bound.yes, logp, q)
        if others is not None:
            h = h + others * _slope(bound.no, logp, q)
        du = (h - p * h.sum(dim=1, keepdim=True)) * upstream.unsqueeze(1) + p * through_lse.unsqueeze(1)
    return du if bound.scale is None else du * reference.gather(bound.scale, labels.y, z.dim())


def _slope(curve: Curve, logp: Tensor, q: Tensor) -> Tensor:
    """dg/dlogp; where it may be differentiated again, nothing in it that stands still has an infinite derivative."""
    if torch.is_grad_enabled():
        farthest = torch.finfo(logp.dtype).min / 2**32  # a product with it does not overflow
        logp, q = logp.clamp(min=farthest), reference.still(logp, q)
    return curve.slope(logp, q)


def _sigmoid(z: Tensor, labels: Labels, bound: Bound, upstream: Tensor, through_lse: Tensor) -> Tensor:
    """dL/dz, everything shaped like z."""
    per_label = reference.branches(z, labels, bound)
    shares = [None] if labels.t is None or len(per_label) == 1 else [1 - labels.t, labels.t]
    dz = torch.zeros_like(z)
    for branch, share in zip(per_label, shares, strict=True):
        u, p, q = branch.u, torch.sigmoid(branch.u), torch.sigmoid(-branch.u)
        du = branch.a * _slope(bound.yes, logsigmoid(u), q) * q - branch.b * _slope(bound.no, logsigmoid(-u), p) * p
        du = du * upstream + p * (through_lse if share is None else share * through_lse)
        dz = dz + (du if branch.scale is None else branch.scale * du)
    return dz
