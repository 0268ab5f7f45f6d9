"""The one form in plain torch: the definition that every other backend is tested against.

    softmax   u = S[y,c] z_c + O[y,c] - margin_y [c = y]
              l = sum_c W[y,c] T[y,c] g(log P_c(u))
    sigmoid   u = S[y,k] z + O[y,k] - (2y - 1) margin[y,k]
              l = W[y,k] ( T[y,k] g1(log s(u)) + (1 - T[y,k]) g0(log s(-u)) )

Logits are [N, C, *space], computed in float32 or wider. A soft target is an expectation over labels. 0 times infinity
is 0 here: what has no weight is absent.
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from ..curves import Curve
from ..link import Link
from .bound import Bound, Parts, Total
from .watched import unrounded

# log of a probability that one class of a row has at most, with room for rounding: of two that nearly tie both may be said to
# have half
LIKELY = math.log(0.6)


class Terms(NamedTuple):
    """Unreduced results. Softmax: one per label, [N, *space]; sigmoid: one per logit.

    loss   s l, 0 where ignored
    mass   s W[y,y], what `norm="mass"` divides by; 0 where ignored
    lse    log sum exp of the adjusted logits (softmax) or log(1 + e^u) (sigmoid): its square is the z-loss
    valid  bool: not ignored and call weight not 0
    """

    loss: Tensor
    mass: Tensor
    lse: Tensor
    valid: Tensor


class Labels(NamedTuple):
    """A target, read once: hard labels `y` (int64, 0 where ignored) or soft `t`; `valid`; call weight `s` or None."""

    y: Tensor | None
    t: Tensor | None
    valid: Tensor
    s: Tensor | None


def terms(logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None, ignore_index: int) -> Terms:
    """logits [N, C, *space]; target labels (softmax [N, *space], sigmoid like logits) or probabilities like logits."""
    return compute(logits, read(logits, target, bound.link, weight, ignore_index), bound)


def compute(logits: Tensor, labels: Labels, bound: Bound) -> Terms:
    return (softmax if bound.link.exclusive else sigmoid)(logits, labels, bound)


def read(logits: Tensor, target: Tensor, link: Link, weight: Tensor | None, ignore_index: int) -> Labels:
    dtype = compute_dtype(logits)
    if target.is_floating_point():
        t = target.to(dtype)
        valid = torch.ones_like(t.select(1, 0) if link.exclusive else t, dtype=torch.bool)
        y = None
    else:
        target = target.long()  # first: compared as uint8, label 156 would equal -100
        valid = target != ignore_index
        y, t = torch.where(valid, target, 0), None
    if weight is not None:
        valid = valid & (weight != 0)
        weight = weight.to(dtype)
    return Labels(y, t, valid, weight)


def compute_dtype(logits: Tensor) -> torch.dtype:
    return torch.promote_types(logits.dtype, torch.float32)


# -- softmax ----------------------------------------------------------------------------------------------------------


def softmax(logits: Tensor, labels: Labels, bound: Bound) -> Terms:
    z, bound = prepare(logits, labels, bound)
    logp, lse = log_softmax(adjust(z, labels, bound))
    own = own_weight(labels, bound, z)
    return finish(softmax_loss(logp, labels, bound, own), own, lse, labels)


def prepare(logits: Tensor, labels: Labels, bound: Bound) -> tuple[Tensor, Bound]:
    """Logits in the computing dtype, 0 wherever they are ignored, so that NaN and inf there cannot spread."""
    dtype = compute_dtype(logits)
    z = torch.where(bound.link.beside_logits(labels.valid), logits.to(dtype), 0.0)
    return z, bound.to(z, dtype)


def adjust(z: Tensor, labels: Labels, bound: Bound) -> Tensor:
    """u, [N, C, *space]."""
    if labels.y is None and bound.label_dependent:
        raise ValueError(
            "CrossEntropy: soft targets cannot be combined with a scale, offset or margin that depends on the label"
            " (it would take one softmax per label). For mixup write lam * loss(z, a) + (1 - lam) * loss(z, b)."
        )
    u = z
    if bound.scale is not None:
        u = gather(bound.scale, labels.y, z.dim()) * u
    if bound.offset is not None:
        u = u + gather(bound.offset, labels.y, z.dim())
    if bound.margin is not None and bound.margin.row is not None and labels.y is not None:
        margin = at(bound.margin.row, labels.y)
        u = u.scatter_add(1, labels.y.unsqueeze(1), -margin.expand_as(labels.y).unsqueeze(1))
    return u


def at(row: Tensor, y: Tensor) -> Tensor:
    """[N, *space]: the entry of each label (a row of one serves every label)."""
    return row if row.numel() == 1 else row[y]


def gather(parts: Parts, y: Tensor | None, dims: int) -> Tensor:
    """The table's rows for labels y, broadcastable to [N, C, *space]."""
    row, column, full = parts
    return parts.joined(
        row if row is None or row.numel() == 1 else row[y].unsqueeze(1),
        None if column is None else column.reshape(1, -1, *([1] * (dims - 2))),
        None if full is None else full[y].movedim(-1, 1),
    )


def log_softmax(u: Tensor) -> tuple[Tensor, Tensor]:
    """(log P [N, C, *space], lse [N, *space]), exact to rounding where P is within 1e-30 of 1.

    Where one class has most, its log P = log1p(-sum of the others): u - lse would lose the small remainder
    next to 1, and with it the last gradient of a confident row.
    """
    rough = torch.log_softmax(u, dim=1)
    highest = u.detach().amax(dim=1, keepdim=True)
    # and not max u - max log P, whose two maxima may be of different classes where these nearly tie
    lse = ((u - highest).exp().sum(dim=1, keepdim=True).log() + highest).squeeze(1)
    likely = rough > LIKELY
    others = torch.where(likely, 0.0, rough.exp()).sum(dim=1, keepdim=True)
    # without a likely class the sum is 1, whose log1p(-1) would poison the gradient of the branch not taken
    top = torch.where(others < 0.75, -others, 0.0).log1p()
    return torch.where(likely, top, rough), lse


def own_weight(labels: Labels, bound: Bound, like: Tensor) -> Tensor:
    """W[y, y] (soft: its expectation), [N, *space]."""
    parts = bound.weight
    if labels.y is None:
        assert labels.t is not None
        return labels.t.sum(dim=1) if parts is None else _along(labels.t, parts.diagonal(like.shape[1])).sum(dim=1)
    if parts is None:
        return torch.ones_like(labels.y, dtype=like.dtype)
    return at(parts.diagonal(like.shape[1]), labels.y).expand(labels.y.shape)


def softmax_loss(logp: Tensor, labels: Labels, bound: Bound, own: Tensor) -> Tensor:
    """l before the call weight, [N, *space]."""
    if labels.y is not None and bound.target is None:
        logp_y = logp.gather(1, labels.y.unsqueeze(1)).squeeze(1)
        return penalty(own, bound.yes, logp_y, -logp_y.expm1())
    labelled, others = coefficients(labels, bound, logp)
    q = -logp.expm1()
    if bound.yes == bound.no:
        return penalty(labelled if others is None else labelled + others, bound.yes, logp, q).sum(dim=1)
    loss = penalty(labelled, bound.yes, logp, q).sum(dim=1)
    return loss if others is None else loss + penalty(others, bound.no, logp, q).sum(dim=1)


def coefficients(labels: Labels, bound: Bound, like: Tensor) -> tuple[Tensor, Tensor | None]:
    """W T for the labelled class and for the others, each broadcastable to [N, C, *space]; None where all are 0.

    Soft labels: (t_c W[c,c] T[c,c], sum over y != c of t_y W[y,c] T[y,c]).
    """
    size, weight, target = like.shape[1], bound.weight, bound.target
    t = labels.t if labels.y is None else one_hot(labels.y, like)
    assert t is not None
    ones = t.new_ones(size)
    own = ones if weight is None else weight.diagonal(size)
    if target is None:
        return _along(t, own), None
    if target.rows is not None or (weight is not None and weight.full is not None):
        dense = _dense_rows(bound, size, ones)
        if weight is not None:
            dense = dense * weight.dense(size, size)
        own = dense.diagonal()
        with unrounded(t.device):  # autocast would round a product of matrices to bfloat16
            return _along(t, own), torch.einsum("ny...,yc->nc...", t, dense - torch.diag(own))
    assert target.amount is not None
    amount, toward = target.amount.expand(size), ones / size if target.toward is None else target.toward
    row = ones if weight is None or weight.row is None else weight.row.expand(size)
    column = ones if weight is None or weight.column is None else weight.column
    share = _along(t, row * amount)  # smoothing mass that each label gives away
    others = _along(share.sum(dim=1, keepdim=True) - share, column * toward)
    return _along(t, own * (1 - amount + amount * toward)), others


def one_hot(y: Tensor, like: Tensor) -> Tensor:
    return torch.zeros_like(like).scatter(1, y.unsqueeze(1), 1.0)


def _dense_rows(bound: Bound, size: int, ones: Tensor) -> Tensor:
    """T [C, C] written out; only where the caller's own table is dense already."""
    target = bound.target
    assert target is not None
    if target.rows is not None:
        return target.rows
    assert target.amount is not None
    amount = target.amount.expand(size).unsqueeze(1)
    toward = ones / size if target.toward is None else target.toward
    return (1 - amount) * torch.diag(ones) + amount * toward


def _along(x: Tensor, vector: Tensor) -> Tensor:
    """x [N, C, *space] times a vector [C]."""
    return x * vector.reshape(1, -1, *([1] * (x.dim() - 2)))


# -- sigmoid ----------------------------------------------------------------------------------------------------------


class Branch(NamedTuple):
    """One adjusted logit and what its two outcomes count: l = a g1(log s(u)) + b g0(log s(-u))."""

    scale: Tensor | None
    u: Tensor
    a: Tensor
    b: Tensor


def sigmoid(logits: Tensor, labels: Labels, bound: Bound) -> Terms:
    z, bound = prepare(logits, labels, bound)
    per_label = branches(z, labels, bound)
    loss = functools.reduce(torch.add, (branch_loss(branch, bound) for branch in per_label))
    return finish(loss, sigmoid_mass(labels, bound, z), sigmoid_lse(per_label, labels), labels)


def branch_loss(branch: Branch, bound: Bound) -> Tensor:
    u = branch.u
    p, q = torch.sigmoid(u), torch.sigmoid(-u)
    return penalty(branch.a, bound.yes, logsigmoid(u), q) + penalty(branch.b, bound.no, logsigmoid(-u), p)


def branches(z: Tensor, labels: Labels, bound: Bound) -> list[Branch]:
    """One branch where the adjusted logit does not depend on the label or the label is hard, else one per label."""
    if labels.y is not None:
        is_ = labels.y == 1
        return [_branch(z, bound, lambda parts: _choose(is_, parts, z), _asked(is_, bound, z))]
    t = labels.t
    assert t is not None
    each = [_branch(z, bound, lambda parts, y=y: entry(parts, y, z), _asked(y, bound, z)) for y in (0, 1)]
    no, yes = each
    if bound.label_dependent:
        return [no._replace(a=(1 - t) * no.a, b=(1 - t) * no.b), yes._replace(a=t * yes.a, b=t * yes.b)]
    return [Branch(yes.scale, yes.u, t * yes.a + (1 - t) * no.a, t * yes.b + (1 - t) * no.b)]


def _branch(z: Tensor, bound: Bound, value: Callable[[Parts], Tensor], asked: tuple[Tensor, Tensor]) -> Branch:
    u, scale = z, None
    if bound.scale is not None:
        scale = value(bound.scale)
        u = scale * u
    if bound.offset is not None:
        u = u + value(bound.offset)
    if bound.margin is not None:
        sign = z.new_tensor([1.0, -1.0])  # -(2y - 1): lowers the logit for label 1, raises it for label 0
        u = u + value(Total(full=sign.unsqueeze(1) * bound.margin.dense(2)))
    a, b = asked
    if bound.weight is not None:
        w = value(bound.weight)
        a, b = w * a, w * b
    return Branch(scale, u, a, b)


def _asked(label: Tensor | int, bound: Bound, z: Tensor) -> tuple[Tensor, Tensor]:
    """(T, 1 - T): what the label asks of "is" and of "is not"."""
    target = bound.target
    if target is None:
        zero, one = z.new_zeros(()), z.new_ones(())
        pair = ((zero, one), (one, zero))
    elif target.rows is not None:
        wide = _spread(target.rows, z)
        pair = ((wide[0], 1 - wide[0]), (wide[-1], 1 - wide[-1]))
    else:
        assert target.amount is not None
        e = target.amount
        v = z.new_full((1,), 0.5) if target.toward is None else target.toward
        v = _spread(v.unsqueeze(0), z)[0]
        pair = ((e[0] * v, 1 - e[0] * v), (1 - e[-1] * (1 - v), e[-1] * (1 - v)))
    if isinstance(label, int):
        return pair[label]
    return torch.where(label, pair[1][0], pair[0][0]), torch.where(label, pair[1][1], pair[0][1])


def _spread(table: Tensor, z: Tensor) -> Tensor:
    """[R, K] as [R, 1, K, 1, ...]: broadcastable to z along its class axis."""
    if z.dim() < 2:
        return table
    return table.reshape(table.shape[0], 1, -1, *([1] * (z.dim() - 2)))


def entry(parts: Parts, label: int, z: Tensor) -> Tensor:
    """The table's entries for one label value, broadcastable to z."""
    row, column, full = parts
    return parts.joined(
        None if row is None else row[label if row.numel() > 1 else 0],
        None if column is None else _spread(column.unsqueeze(0), z)[0],
        None if full is None else _spread(full, z)[label],
    )


def _choose(is_: Tensor, parts: Parts, z: Tensor) -> Tensor:
    if not parts.by_label:
        return entry(parts, 0, z)
    return torch.where(is_, entry(parts, 1, z), entry(parts, 0, z))


def sigmoid_mass(labels: Labels, bound: Bound, z: Tensor) -> Tensor:
    if bound.weight is None:
        return torch.ones_like(z)
    parts = bound.weight
    if labels.y is not None:
        return _choose(labels.y == 1, parts, z).expand_as(z)
    assert labels.t is not None
    return labels.t * entry(parts, 1, z) + (1 - labels.t) * entry(parts, 0, z)


def sigmoid_lse(per_label: list[Branch], labels: Labels) -> Tensor:
    """log(1 + e^u), the log normaliser of (is not: 0, is: u); its expectation over labels if u depends on them."""
    each = [-logsigmoid(-branch.u) for branch in per_label]
    if len(each) == 1:
        return each[0]
    assert labels.t is not None
    return (1 - labels.t) * each[0] + labels.t * each[1]


# -- both -------------------------------------------------------------------------------------------------------------


def penalty(coefficient: Tensor, curve: Curve, logp: Tensor, q: Tensor) -> Tensor:
    """coefficient * g(log p), with 0 * inf = 0 in value and gradient."""
    # masked before the curve: a mask behind it would leave 0 * inf = NaN to autograd
    absent = (coefficient == 0) & ~logp.isfinite()
    return coefficient * curve.value(torch.where(absent, 0.0, logp), torch.where(absent, 0.0, still(logp, q)))


def still(logp: Tensor, q: Tensor) -> Tensor:
    """q = 1 - p, out of the graph where p is 0: its own derivative, 0, would meet one of the curve that is infinite."""
    return torch.where(logp.exp() == 0, 1.0, q)


def finish(loss: Tensor, own: Tensor, lse: Tensor, labels: Labels) -> Terms:
    """Apply the call weight and drop what is ignored."""
    s = labels.valid.to(loss.dtype) if labels.s is None else torch.where(labels.valid, labels.s, 0.0)
    # where: the label put in place of an ignored one may be a class that the offset removed, whose loss is inf
    loss, lse = (torch.where(labels.valid, x, 0.0) for x in (loss, lse))
    return Terms(loss * s, own * s, lse, labels.valid)


def denominator(terms: Terms, norm: str | float) -> float | Tensor:
    """What the mean divides by."""
    if norm == "count":
        return terms.valid.sum()
    if norm == "mass":
        return terms.mass.sum()
    return 1.0 if norm == "sum" else float(norm)
