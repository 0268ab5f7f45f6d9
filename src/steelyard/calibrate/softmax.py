"""Undo of the softmax link: the eta with sum_y eta_y dl_y/dz = 0, for rows of logits [N, C].

With p[y,c] the softmax as label y sees it, A = W T and v = -dg/dlog p,

    dl_y/dz_k = -S[y,k] (A[y,k] v[y,k] - p[y,k] sum_c A[y,c] v[y,c])

    one_hot_undo labels differ by a margin at most, T one-hot    eta_c ~ q_c D_c / (A_cc v(p_cc)), D_c = 1 - q_c + q_c e^-m_c
    _asked       labels see the same p, one curve                eta   ~ solve(A^T, p / v)
    _stationary  T one-hot, S a row times a column               eta_y ~ w_y / (A_yy S_y v(p_yy)), w stationary under p[y,c]
    _null        everything else                                 the null vector itself
"""

import functools

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from ..curves import GCE, Log, log_steepness
from ..ops import Bound, reference
from ..ops.widest import widest

WIDEST = 256  # classes; the last two cost O(C^3) per row
CELLS = 2**20  # numbers in one [rows, C, C] array
SMALLEST = -300.0  # log of the smallest jump whose products still are numbers


def undo(z: Tensor, bound: Bound) -> tuple[Tensor, Tensor]:
    """(probabilities [N, C], whether the row needed no projection [N]) for finite logits z [N, C]."""
    if widest(z.device) != torch.float64 and z.device.type != "cpu":  # what is solved below takes it
        p, inside = undo(z.cpu(), bound.map(lambda t: t.cpu()))
        return p.to(z.device), inside.to(z.device)
    size, one_hot = z.shape[1], asks_for_one(bound)
    check_softmax(bound, size, one_hot)
    if size == 1 or not len(z):
        return torch.ones_like(z), _all_inside(z)
    if same_for_all(bound) and one_hot:
        return torch.softmax(one_hot_undo(z, bound), dim=1), _all_inside(z)
    if closed(bound):
        return project(_asked(z, bound))
    if size > WIDEST:
        raise ValueError(
            f"posterior: scales or offsets by label, margins with smoothed targets and curve pairs take a {size} ×"
            f" {size} solve for every row, refused above {WIDEST} classes; recalibrate on held-out data instead."
        )
    chain = one_hot and (bound.scale is None or bound.scale.full is None)
    bound, found = bound.to(z, torch.float64), []
    for part in z.double().split(max(1, CELLS // size**2)):
        if chain:
            found.append((torch.softmax(_stationary(part, bound), dim=1), _all_inside(part)))
        else:
            found.append(project(_null(part, bound)))
    p, inside = zip(*found, strict=True)
    return torch.cat(p).to(z.dtype), torch.cat(inside)


def asks_for_one(bound: Bound) -> bool:
    """Whether every label asks for its own class alone."""
    target = bound.target
    return target is None or (target.amount is not None and not bool(target.amount.any()))


def same_for_all(bound: Bound) -> bool:
    """Whether all labels see the same logits, up to a margin."""
    return not any(p is not None and p.by_label for p in (bound.scale, bound.offset))


def closed(bound: Bound) -> bool:
    """Whether the undo costs no C × C work per row."""
    return same_for_all(bound) and (asks_for_one(bound) or (bound.margin is None and bound.yes == bound.no))


def check_softmax(bound: Bound, size: int, one_hot: bool) -> None:
    """ValueError where no logits could ever tell the posterior."""
    check_curves(bound)
    if bound.weight is not None:
        row, column, full = bound.weight
        factors = [w for w in (row, column, full.diagonal() if full is not None and one_hot else None) if w is not None]
        zero = torch.nonzero(functools.reduce(torch.mul, factors, torch.ones(())) == 0).flatten().tolist()
        if zero:
            raise ValueError(
                f"posterior: class {zero[0]} has weight 0, so the logits say nothing about it; give it a weight > 0."
            )


def check_curves(bound: Bound) -> None:
    if GCE(1.0) in (bound.yes, bound.no):
        raise ValueError(
            "posterior: generalized cross-entropy with q = 1 is the mean absolute error, whose optimum is the most"
            " likely class whatever its probability; train with q < 1."
        )
    if bound.offset is not None and any(p is not None and not bool(p.isfinite().all()) for p in bound.offset):
        raise ValueError(
            "posterior: an offset of -inf removes a class for some labels, and what is removed leaves no trace in the"
            " logits; use finite offsets."
        )


def project(eta: Tensor) -> tuple[Tensor, Tensor]:
    """(eta with negative entries set to 0, brought to sum 1; whether none was negative beyond rounding), per row."""
    rounding = 4 * eta.shape[1] * torch.finfo(eta.dtype).eps
    inside = eta.amin(dim=1) >= -rounding * eta.abs().amax(dim=1)
    eta = eta.clamp(min=0)
    return eta / eta.sum(dim=1, keepdim=True), inside


def _all_inside(z: Tensor) -> Tensor:
    return torch.ones_like(z[:, 0], dtype=torch.bool)


def one_hot_undo(z: Tensor, bound: Bound) -> Tensor:
    """log eta [N, C], up to a constant per row."""
    if isinstance(bound.yes, Log) and bound.margin is None:  # what follows comes to this
        return _adjusted(z, bound) - _log_own(bound, z)
    logq, log_rest = log_pair(_adjusted(z, bound))
    margin = z.new_zeros(()) if bound.margin is None or bound.margin.row is None else bound.margin.row
    odds = logq - log_rest - margin
    logp = logsigmoid(odds)
    log_d = torch.logaddexp(log_rest, logq - margin)
    return logq + log_d - _log_own(bound, z) - log_steepness(bound.yes, logp, logsigmoid(-odds))


def _asked(z: Tensor, bound: Bound) -> Tensor:
    logp, logq = log_pair(_adjusted(z, bound))
    asked = logp - log_steepness(bound.yes, logp, logq)
    b = (asked - asked.amax(dim=1, keepdim=True)).exp()
    row, column, full = bound.weight or (None, None, None)
    b = b if column is None else b / column
    target = bound.target
    assert target is not None
    if full is None and target.amount is not None and bool((target.amount < 1).all()):
        # f_c (1 - e_c) + v_c E = b_c, where E = sum_y e_y f_y follows from summing e_c / (1 - e_c) times that
        e, v = target.amount, 1 / z.shape[1] if target.toward is None else target.toward
        odds = e / (1 - e)
        given = (odds * b).sum(dim=1, keepdim=True) / (1 + (odds * v).expand(z.shape[1]).sum())
        f = (b - v * given) / (1 - e)
    else:
        f = _solve(rows(bound, z) if full is None else full * rows(bound, z), b)
    return f if row is None else f / row


def _solve(a: Tensor, b: Tensor) -> Tensor:
    """f with f A = b, for rows b [N, C]."""
    a = a.double()
    largest = a.amax(dim=1, keepdim=True)
    even = a / largest.clamp(min=torch.finfo(a.dtype).tiny)
    inverse, failed = torch.linalg.inv_ex(even)
    condition = torch.linalg.matrix_norm(even, 1) * torch.linalg.matrix_norm(inverse, 1)
    if bool(failed) or not bool(condition < 1 / (len(a) * torch.finfo(a.dtype).eps)):
        raise ValueError(
            "posterior: weight times target is singular: two or more labels ask for the same mixture of classes, so"
            " the logits cannot tell them apart; change the target rows or the weights."
        )
    return ((b.double() @ inverse) / largest.squeeze(1)).to(b.dtype)


def _stationary(z: Tensor, bound: Bound) -> Tensor:
    """log eta [N, C] from the chain that jumps from label y to class c with p[y,c]."""
    logp, logq = log_pair(_by_label(z, bound))
    # the most likely class first: the elimination ends there, and never divides by a way to a class nobody goes to
    order = z.argsort(dim=1, descending=True)
    jumps = logp.mT.gather(1, order.unsqueeze(2).expand_as(logp)).gather(2, order.unsqueeze(1).expand_as(logp))
    share = _log_shares(jumps) if float(jumps.min()) < SMALLEST else _shares(jumps.exp()).log()
    share = torch.zeros_like(share).scatter(1, order, share)
    own, rest = logp.diagonal(dim1=1, dim2=2), logq.diagonal(dim1=1, dim2=2)
    scale = 0.0 if bound.scale is None or bound.scale.row is None else bound.scale.row.log()
    return share - _log_own(bound, z) - scale - log_steepness(bound.yes, own, rest)


def _shares(a: Tensor) -> Tensor:
    """Stationary shares [N, C] of chains a [N, from, to], up to a factor.

    The elimination has no subtraction, so every share keeps its digits however small it is.
    Source: Grassmann, Taksar and Heyman 1985, Operations Research 33(5).
    """
    share = torch.ones_like(a[:, 0])
    for n in range(a.shape[1] - 1, 0, -1):
        a[:, :n, n] /= a[:, n, :n].sum(dim=1, keepdim=True)
        a[:, :n, :n] += a[:, :n, n, None] * a[:, n, None, :n]
    for n in range(1, a.shape[1]):
        share[:, n] = (share[:, :n] * a[:, :n, n]).sum(dim=1)
    return share


def _log_shares(a: Tensor) -> Tensor:
    """The same on logarithms: slower, and nothing underflows."""
    share = torch.zeros_like(a[:, 0])
    for n in range(a.shape[1] - 1, 0, -1):
        a[:, :n, n] -= a[:, n, :n].logsumexp(dim=1, keepdim=True)
        a[:, :n, :n] = torch.logaddexp(a[:, :n, :n], a[:, :n, n, None] + a[:, n, None, :n])
    for n in range(1, a.shape[1]):
        share[:, n] = (share[:, :n] + a[:, :n, n]).logsumexp(dim=1)
    return share


def _null(z: Tensor, bound: Bound) -> Tensor:
    """eta [N, C] with sum_y eta_y S[y,k] (A[y,k] v[y,k] - p[y,k] sum_c A[y,c] v[y,c]) = 0 for every k."""
    logp, logq = log_pair(_by_label(z, bound))  # [N, class, label]
    size = z.shape[1]
    a = rows(bound, z) if bound.weight is None else rows(bound, z) * bound.weight.dense(size, size)
    slope = log_steepness(bound.yes, logp, logq)
    if bound.no != bound.yes:
        eye = torch.eye(size, dtype=torch.bool, device=z.device)
        slope = torch.where(eye, slope, log_steepness(bound.no, logp, logq))
    asked = a.T.log() + slope
    # A v (1 - p) - p (the sum without its own term): nothing cancels where p is near 1
    pull, push = asked + logq, logp + asked.logsumexp(dim=1, keepdim=True) + log_pair(asked)[1]
    full = None if bound.scale is None else bound.scale.full
    if full is not None:
        pull, push = pull + full.T.log(), push + full.T.log()
    # labels and classes of very different sizes are brought to one size, in logarithms, before any is rounded to 0
    by_label, by_class = torch.zeros_like(z).unsqueeze(1), torch.zeros_like(z).unsqueeze(2)
    for _ in range(2):
        by_label = (torch.maximum(pull, push) - by_class).amax(dim=1, keepdim=True)
        by_class = (torch.maximum(pull, push) - by_label).amax(dim=2, keepdim=True)
    m = (pull - by_label - by_class).exp() - (push - by_label - by_class).exp()
    if full is None:
        x = _null_vector(m, by_class.squeeze(2).argmax(dim=1))
    else:
        x = torch.linalg.svd(m)[2][:, -1]
        x = x * torch.where(x.sum(dim=1, keepdim=True) < 0, -1.0, 1.0)
    scale = 0.0 if bound.scale is None or bound.scale.row is None else bound.scale.row.log()
    log_x = x.abs().log() - by_label.squeeze(1) - scale
    return x.sign() * (log_x - log_x.amax(dim=1, keepdim=True)).exp()


def _null_vector(m: Tensor, spare: Tensor) -> Tensor:
    """x with m x = 0 for matrices m [N, C, C] of rank C - 1, whose row `spare` [N] follows from the others.

    The sign is that of the principal minors, so that a solution of mixed sign keeps its positive side.
    """
    count, size = len(m), m.shape[1]
    kept = torch.arange(size - 1, device=m.device).expand(count, -1)
    kept = kept + (kept >= spare.unsqueeze(1))
    others = m.gather(1, kept.unsqueeze(2).expand(-1, -1, size))
    q, r = torch.linalg.qr(others.mT, mode="complete")
    pivots = r.diagonal(dim1=1, dim2=2).abs()
    if bool((pivots.amin(dim=1) <= size * torch.finfo(m.dtype).eps * pivots.amax(dim=1)).all()):
        raise ValueError(
            "posterior: two or more labels ask for the same mixture of classes, so the logits cannot tell them apart;"
            " change the target rows or the weights."
        )
    x = q[:, :, -1]
    closed = m.scatter(1, spare.reshape(-1, 1, 1).expand(-1, 1, size), x.unsqueeze(1))
    x = torch.where(torch.linalg.slogdet(closed)[0].unsqueeze(1) < 0, -x, x)
    return torch.where((x <= 0).all(dim=1, keepdim=True), -x, x)


def log_pair(u: Tensor) -> tuple[Tensor, Tensor]:
    """(log P, log(1 - P)) of the softmax over axis 1, both exact to rounding."""
    logp, lse = reference.log_softmax(u)
    top = u.argmax(dim=1, keepdim=True)
    others = u.scatter(1, top, -torch.inf).logsumexp(dim=1, keepdim=True)
    logq = torch.log1p(-logp.exp()).scatter(1, top, others - lse.unsqueeze(1))
    return logp, logq


def _adjusted(z: Tensor, bound: Bound) -> Tensor:
    """u [N, C], where all labels share it."""
    u = z if bound.scale is None else z * reference.gather(bound.scale, None, 2)
    return u if bound.offset is None else u + reference.gather(bound.offset, None, 2)


def _by_label(z: Tensor, bound: Bound) -> Tensor:
    """u [N, class, label]."""
    size = z.shape[1]
    u = z.unsqueeze(2).expand(-1, -1, size)
    if bound.scale is not None:
        u = u * bound.scale.dense(size, size).T
    if bound.offset is not None:
        u = u + bound.offset.dense(size, size).T
    if bound.margin is not None and bound.margin.row is not None:
        u = u - torch.diag(bound.margin.row.expand(size))
    return u


def rows(bound: Bound, like: Tensor) -> Tensor:
    """T [label, class] written out."""
    target, size = bound.target, like.shape[1]
    eye = torch.eye(size, dtype=like.dtype, device=like.device)
    if target is None:
        return eye
    if target.rows is not None:
        return target.rows
    assert target.amount is not None
    amount = target.amount.expand(size).unsqueeze(1)
    return (1 - amount) * eye + amount * (1 / size if target.toward is None else target.toward)


def _log_own(bound: Bound, like: Tensor) -> Tensor:
    """log W[c,c], [C]."""
    if bound.weight is None:
        return like.new_zeros(())
    return bound.weight.diagonal(like.shape[1]).log()
