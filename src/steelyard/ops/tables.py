"""A Bound as fused kernels read it, in C++ as in Triton: a few float32 arrays, and a number for every curve.

softmax   W T of class c at label y is labelled[y] where c = y and give[y] take[c] elsewhere
sigmoid   every table is [2, K] or [2, 1]: row 1 for "is", row 0 for "is not"; the margin is in the offset
"""

import dataclasses
from collections.abc import Collection
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..curves import Curve, kernel
from .bound import Bound, Parts
from .watched import forward_mode, transformed

DTYPES = {torch.float32: 0, torch.bfloat16: 1, torch.float16: 2}  # of the logits

# -- what kernels leave to other backends -----------------------------------------------------------------------------


def refusal(logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None) -> str:
    """Why no fused kernel may do this call, or ""."""
    if any(type(t) not in (Tensor, torch.nn.Parameter) for t in (logits, target)) or transformed():
        return "tensors that a transform watches"
    if forward_mode():
        return "derivatives in forward mode"
    known = layout(bound)
    return known.why or refusal_of_call(logits, target, weight, known.tensors, known.by_label and bound.link.exclusive)


def refusal_of_call(
    logits: Tensor, target: Tensor, weight: Tensor | None, tables: Collection[Tensor], by_label: bool
) -> str:
    """The part of it that may differ from call to call; `by_label`: a softmax whose adjusted logits depend on the label."""
    if logits.dtype not in DTYPES:
        return f"logits of {logits.dtype}"
    if target.requires_grad or (weight is not None and weight.requires_grad):
        return "soft targets or call weights that need a gradient"
    for table in tables:
        if table.requires_grad:
            return "a table of the recipe is being learned"
    if by_label and target.is_floating_point():
        return "soft targets under tables by label"  # an error, which the reference words
    return ""


def refusal_of_recipe(bound: Bound) -> str:
    """The part of it that stays with a recipe."""
    for curve in (bound.yes, bound.no):
        if kernel(curve) is None:
            return f"the curve {type(curve).__name__} has no kernel"
    dense = (None if bound.target is None else bound.target.rows, None if bound.weight is None else bound.weight.full)
    if bound.link.exclusive and bound.target is not None and any(t is not None for t in dense):
        return "a target or weight of its own for every pair of label and class"
    return ""


def numbers(curve: Curve) -> tuple[int, float, float, float]:
    known = kernel(curve)
    assert known is not None  # `refusal_of_recipe` saw to it
    return known


@dataclasses.dataclass
class Layout:
    """What stays the same from call to call: `why` says what no kernel knows of the recipe, `tensors` are its tables, `made` holds
    what a backend made of them for a number of classes and a device, `same` what it made of the rest."""

    why: str = ""
    by_label: bool = False
    tensors: tuple[Tensor, ...] = ()
    made: dict[Any, Any] = dataclasses.field(default_factory=dict)
    same: dict[Any, Any] = dataclasses.field(default_factory=dict)


def layout(bound: Bound) -> Layout:
    """Made once for every Bound."""
    if "layout" not in bound.cache:
        bound.cache["layout"] = Layout(refusal_of_recipe(bound), bound.label_dependent, tuple(bound.tensors))
    return bound.cache["layout"]


def inherit(bound: Bound, before: Bound, tensors: tuple[Tensor, ...] | None = None) -> None:
    """`bound` is `before` with other numbers, `tensors` if these are at hand: what does not depend on them stays."""
    known = layout(before)
    tensors = tuple(bound.tensors) if tensors is None else tensors
    bound.cache["layout"] = Layout(known.why, known.by_label, tensors, same=known.same)


# -- softmax ----------------------------------------------------------------------------------------------------------


class Affine(NamedTuple):
    """Of scale or offset: row [C] by label, column [C] by class; or full [C, C], which holds the other two as well."""

    row: Tensor | None = None
    column: Tensor | None = None
    full: Tensor | None = None


class SoftmaxTables(NamedTuple):
    """Each [C] or None; own = W[c, c], which the mass counts."""

    scale: Affine
    offset: Affine
    margin: Tensor | None
    own: Tensor | None
    labelled: Tensor | None
    give: Tensor | None
    take: Tensor | None


def softmax_tables(bound: Bound, C: int, device: torch.device) -> SoftmaxTables:
    if bound.scale is bound.margin is bound.target is None:  # what most rules make anew in every step
        weight, offset = bound.weight, bound.offset
        if weight is not None and offset is None and weight.column is weight.full is None:
            own = _of(weight.row, C, device)
            return SoftmaxTables(Affine(), Affine(), None, own, own, None, None)
        if weight is None and offset is not None and offset.row is offset.column is None:
            return SoftmaxTables(Affine(), _affine(offset, C, device), None, None, None, None, None)
    if bound.target is not None or any(len(those) > 1 for those in bound.tables().values()):
        bound = bound.to(torch.empty(0, device=device), torch.float32)  # else each is brought there when it is laid out
    own = None if bound.weight is None else bound.weight.diagonal(C).detach()
    labelled, give, take = own, None, None
    if bound.target is not None:
        assert bound.target.amount is not None
        ones = torch.ones(C, device=device)
        amount = bound.target.amount.expand(C)
        toward = ones / C if bound.target.toward is None else bound.target.toward
        labelled = (ones if own is None else own) * (1 - amount + amount * toward)
        row, column = (None, None) if bound.weight is None else (bound.weight.row, bound.weight.column)
        give = amount if row is None else row.expand(C) * amount
        take = toward if column is None else column * toward
    return SoftmaxTables(
        _affine(bound.scale, C, device),
        _affine(bound.offset, C, device),
        *(_of(t, C, device) for t in (None if bound.margin is None else bound.margin.row, own, labelled, give, take)),
    )


def _affine(parts: Parts | None, size: int, device: torch.device) -> Affine:
    if parts is None:
        return Affine()
    if parts.full is None:
        return Affine(_of(parts.row, size, device), _of(parts.column, size, device))
    return Affine(full=parts.dense(size, size).detach().to(device, torch.float32).contiguous())


def _of(values: Tensor | None, size: int, device: torch.device) -> Tensor | None:
    return None if values is None else values.detach().to(device, torch.float32).expand(size).contiguous()


# -- sigmoid ----------------------------------------------------------------------------------------------------------


class SigmoidTables(NamedTuple):
    """yes and no: the weight times what the label asks of either outcome; own: the weight itself."""

    scale: Tensor
    offset: Tensor
    yes: Tensor
    no: Tensor
    own: Tensor

    @property
    def period(self) -> int:
        """1, or the number of classes where any of them tells these apart."""
        return max(t.shape[1] for t in self)


def sigmoid_tables(bound: Bound, device: torch.device) -> SigmoidTables:
    like = torch.empty(0, device=device)
    bound = bound.to(like, torch.float32)

    def table(parts: Parts | None, absent: float) -> Tensor:
        return like.new_full((2, 1), absent) if parts is None else parts.dense(2).detach()

    scale, offset = table(bound.scale, 1.0), table(bound.offset, 0.0)
    offset = offset + like.new_tensor([[1.0], [-1.0]]) * table(bound.margin, 0.0)
    weight = table(bound.weight, 1.0)
    yes = like.new_tensor([[0.0], [1.0]])
    if bound.target is not None and bound.target.rows is not None:
        yes = bound.target.rows.detach().reshape(-1, bound.target.rows.shape[-1]).expand(2, -1)
    elif bound.target is not None:
        assert bound.target.amount is not None
        amount = bound.target.amount.expand(2)
        toward = like.new_full((1,), 0.5) if bound.target.toward is None else bound.target.toward
        yes = torch.stack([amount[0] * toward, 1 - amount[1] * (1 - toward)])
    return SigmoidTables(scale, offset, weight * yes, weight * (1 - yes), weight)
