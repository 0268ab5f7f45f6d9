"""Gradient and curvature of every row's own loss in its scores: what programs that boost trees ask an objective for.

With A_c = W T g'(log P_c), B_c = W T g''(log P_c) and e_kc = [c = k] - P_k, in the adjusted logits u:

    softmax   dl/du_k = sum_c A_c e_kc                     d2l/du_k2 = sum_c B_c e_kc^2 - P_k (1 - P_k) sum_c A_c
    sigmoid   the same for the two outcomes of one logit, with P and 1 - P
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..curves import Curve
from ..link import SIGMOID, SOFTMAX, Link, link_of
from ..ops import Bound, bind, native_slopes, reference
from ..ops.reference import Labels
from ..ops.shapes import Call, arrange
from ..recipe import Recipe
from ..rule.protocol import as_recipe
from .functional import check_labels, check_yes_or_no
from .modules import RecipeLoss

NAME = "slopes"
IGNORED = -100


def slopes(
    recipe_or_loss: Any,
    scores: Any,
    y: Any,
    *,
    weight: Any = None,
    link: str | Link | None = None,
    ignore_index: int = IGNORED,
    exact: bool = False,
) -> tuple[Any, Any]:
    """Gradient dl/dz and curvature of each row's loss, undivided: an objective for LightGBM, XGBoost, CatBoost or a solver of your own.

    recipe_or_loss  a Recipe, or a loss, which brings its link and the numbers its tables hold now
    scores          z, raw: [N] or [N, 1], one logit of yes or no; [N, C], softmax; [N, K] under the sigmoid link
    y               labels [N] (sigmoid: like the scores), whole numbers from 0; or probabilities, floats like the scores
    weight          of the rows, [N], or None
    link            of a bare Recipe; left out, it is sigmoid for one logit and for multilabel recipes, else softmax
    ignore_index    rows (sigmoid: elements) of that label have slopes of 0
    exact           True: the diagonal of the Hessian as it is. False: never negative, for Newton steps; the same wherever the curve is
                    convex in log p (cross-entropy with any weights, offsets, scales, margins and smoothing), an upper bound elsewhere
    returns         (gradient, curvature), shaped like the scores; tensors for tensors, else NumPy

    ValueError for shapes and labels that do not fit, as CrossEntropy and BinaryCrossEntropy.

    >>> gradient, curvature = slopes(Recipe(weight=[1.0, 9.0]), [0.0, 0.0], [0, 1])
    >>> gradient.tolist(), curvature.tolist()  # W (p - y) and W p (1 - p)
    ([0.5, -4.5], [0.25, 2.25])
    """
    given = isinstance(scores, Tensor)
    z, target = (_tensor(scores), _tensor(y)) if not given else (scores.detach(), _tensor(y).to(scores.device))
    if target.is_floating_point() and target.dim() < z.dim() and z.shape[-1] > 1:
        target = target.long() if bool((target == target.round()).all()) else target  # boosters hold labels as floats
    bound = _bound(recipe_or_loss, link, z)
    squeezed = not bound.link.exclusive and z.dim() == 2 and z.shape[1] == 1
    z = z.squeeze(1) if squeezed else z
    if not bound.link.exclusive and target.dim() == z.dim() + 1 and target.shape[-1] == 1:
        target = target.squeeze(-1)
    if target.is_floating_point() and not bound.link.exclusive and ignore_index not in (0, 1):
        target = target.long() if bool(((target == 0) | (target == 1)).all()) else target  # the same, and faster
    with torch.no_grad():
        call = arrange(NAME, z, target, None if weight is None else _tensor(weight), bound, 1)
        found = None
        if not native_slopes.refusal(call.logits, call.target, call.weight, bound):
            found = native_slopes.slopes(call.logits, call.target, call.weight, bound, ignore_index, exact)
        if found is None:
            found = in_torch(call, bound, ignore_index, exact)
        pair = [call.restore(t, SIGMOID).reshape(z.shape) for t in found]
    if squeezed:
        pair = [t.unsqueeze(1) for t in pair]
    if given:
        return pair[0], pair[1]
    dtype = np.float32 if getattr(scores, "dtype", None) in (np.float16, np.float32) else np.float64
    return pair[0].numpy().astype(dtype, copy=False), pair[1].numpy().astype(dtype, copy=False)


def repeated(loss: RecipeLoss, y: Tensor, weight: Tensor | None) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """`slopes` for other scores [N] or [N, C] in float64 of the same rows, a hundred times: what does not change is looked at in the
    first call. The loss may not change after it."""
    found: list[Bound | None] = []

    def of(z: Tensor) -> tuple[Tensor, Tensor]:
        if found and (bound := found[0]) is not None:
            pair = native_slopes.slopes(z, y, weight, bound, IGNORED, False)
            assert pair is not None  # of labels that were seen to be classes
            return pair
        if not found:
            bound = loss.bound()
            there = not native_slopes.refusal(z, y, weight, bound) and y.shape == z.shape[:1]
            pair = slopes(loss, z, y, weight=weight)
            found.append(bound if there else None)
            return pair
        return slopes(loss, z, y, weight=weight)

    return of


def in_torch(call: Call, bound: Bound, ignore_index: int, exact: bool) -> tuple[Tensor, Tensor]:
    """Both in the layout of the ops, for every call: the definition that the kernel in C++ is held to. ValueError for labels that are none."""
    if bound.link.exclusive:
        check_labels(NAME, call.target, call.logits.shape[1], ignore_index)
    else:
        check_yes_or_no(NAME, call.target, ignore_index)
    labels = reference.read(call.logits, call.target, bound.link, call.weight, ignore_index)
    prepared, bound = reference.prepare(call.logits, labels, bound)
    first, second = (_softmax if bound.link.exclusive else _sigmoid)(prepared, labels, bound, exact)
    times = labels.valid.to(first.dtype) if labels.s is None else torch.where(labels.valid, labels.s, 0.0)
    times = bound.link.beside_logits(times)
    return times * first, times * second


def _tensor(values: Any) -> Tensor:
    """Floats of NumPy in float64: curvatures of sure rows are small."""
    if isinstance(values, Tensor):
        return values.detach()
    array = np.asarray(values)
    try:
        return torch.from_numpy(np.require(array, np.float64 if array.dtype.kind == "f" else np.int64, ["C", "W"]))
    except (TypeError, ValueError):
        raise ValueError(
            f"{NAME}: takes numbers, got {type(values).__name__} of {array.dtype}; labels are places 0, 1, ... of the recipe's classes."
        ) from None


def _bound(recipe_or_loss: Any, link: str | Link | None, z: Tensor) -> Bound:
    subject = as_recipe(recipe_or_loss)
    if isinstance(subject, RecipeLoss):
        if link not in (None, subject.link):
            raise ValueError(f"{NAME}: link={str(link)!r}, but {type(subject).__name__} is a {subject.link} loss.")
        return subject.bound()
    if not isinstance(subject, Recipe):
        raise TypeError(f"{NAME}: takes a Recipe or a steelyard loss, got {type(recipe_or_loss).__name__}.")
    if link is None:
        one = z.dim() < 2 or z.shape[1] == 1
        link = SIGMOID if one or subject.kind == "multilabel" else SOFTMAX
    return bind(subject, link_of(link, NAME))


def _softmax(z: Tensor, labels: Labels, bound: Bound, exact: bool) -> tuple[Tensor, Tensor]:
    logp, _ = reference.log_softmax(reference.adjust(z, labels, bound))
    p, q = logp.exp(), -logp.expm1()
    labelled, others = reference.coefficients(labels, bound, logp)
    a, b = _weighed(labelled, bound.yes, logp, exact)
    if others is not None:
        a, b = (x + y for x, y in zip((a, b), _weighed(others, bound.no, logp, exact), strict=True))
    all_a, all_b = a.sum(dim=1, keepdim=True), b.sum(dim=1, keepdim=True)
    first = a * q - p * (all_a - a)
    second = b * q.square() + p.square() * (all_b - b) - all_a * p * q
    if bound.scale is None:
        return first, second
    scale = reference.gather(bound.scale, labels.y, z.dim())
    return scale * first, scale.square() * second


def _sigmoid(z: Tensor, labels: Labels, bound: Bound, exact: bool) -> tuple[Tensor, Tensor]:
    first, second = torch.zeros_like(z), torch.zeros_like(z)
    for branch in reference.branches(z, labels, bound):
        u = branch.u
        p, q, logsigmoid = torch.sigmoid(u), torch.sigmoid(-u), torch.nn.functional.logsigmoid
        a1, b1 = _weighed(branch.a, bound.yes, logsigmoid(u), exact)
        a0, b0 = _weighed(branch.b, bound.no, logsigmoid(-u), exact)
        one, two = a1 * q - a0 * p, b1 * q.square() + b0 * p.square() - (a1 + a0) * p * q
        scale = 1.0 if branch.scale is None else branch.scale
        first, second = first + scale * one, second + scale * scale * two
    return first, second


def _weighed(coefficient: Tensor, curve: Curve, logp: Tensor, exact: bool) -> tuple[Tensor, Tensor]:
    """coefficient times g' and g'', by log p; the second not below 0 unless `exact`, and both 0 where the coefficient is."""
    slope, bend = _slope(curve, logp)
    bend = bend if exact else bend.clamp(min=0)
    return _times(coefficient, slope), _times(coefficient, bend)


def _times(coefficient: Tensor, values: Tensor) -> Tensor:
    return torch.where(coefficient == 0, 0.0, coefficient * values)


def _slope(curve: Curve, logp: Tensor) -> tuple[Tensor, Tensor]:
    """g' and g'', by differentiating the curve's own slope."""
    with torch.enable_grad():
        a = logp.detach().requires_grad_()
        slope = curve.slope(a, -a.expm1())
        (bend,) = torch.autograd.grad(slope.sum(), a) if slope.requires_grad else (torch.zeros_like(a),)
    # 1 - p below the normal numbers, whose square underflows
    return slope.detach(), bend.masked_fill(bend.isnan(), 0.0)
