"""A rule's penalty, reduced as the losses are, so that shards of a step add up to one."""

import dataclasses

import torch
from torch import Tensor

from ..ops import Bound, kernels, reference
from ..ops.beside import sums_by_class
from ..ops.shapes import Call
from ..ops.watched import transformed
from .reduction import COUNTED, divided, own_divisor, own_mass


def penalized(
    penalty: Tensor,
    given: Call,
    bound: Bound,
    ignore_index: int,
    reduction: str,
    normalizer: float | Tensor | None,
) -> Tensor:
    """A term that every item's loss has on top, reduced as the losses are: shards and micro-batches of a step that
    share their normalizer then add up to one penalty. A table [label value, class] is looked up by each item's label.
    `given` has the caller's weights, and not the rule's.
    """
    if penalty.dim() == 2:
        return _by_label(penalty, given, bound, ignore_index, reduction, normalizer)
    if reduction == "none":
        zeros = torch.zeros((), device=given.target.device)
        valid = reference.read(zeros, given.target, bound.link, given.weight, ignore_index).valid
        return penalty * given.restore(valid, bound.link)
    norm = bound.norm if bound.norm in COUNTED else "count"
    own = own_mass(given.target, dataclasses.replace(bound, norm=norm), given.weight, ignore_index, 1).detach()
    if reduction == "sum" or (normalizer is None and bound.norm == "sum"):
        return penalty * own
    if normalizer is None and bound.norm == norm:
        return penalty * (own > 0)
    return penalty * divided(own, float(bound.norm) if normalizer is None else normalizer)


def _by_label(
    table: Tensor,
    call: Call,
    bound: Bound,
    ignore_index: int,
    reduction: str,
    normalizer: float | Tensor | None,
) -> Tensor:
    """`penalized` for a table [C, 1] (softmax), [2, 1] or [2, K] (sigmoid): a soft target has the expectation over labels."""
    if reduction != "none" and counts_alone(call, bound):
        return _by_counts(table, call, bound, ignore_index, reduction, normalizer)
    labels = reference.read(table, call.target, bound.link, call.weight, ignore_index)
    if not bound.link.exclusive:
        yes = labels.t if labels.y is None else labels.y
        assert yes is not None
        no_row, yes_row = (row.reshape(1, -1, *[1] * (yes.dim() - 2)) if yes.dim() > 1 else row for row in table)
        items = no_row + yes * (yes_row - no_row)
    elif labels.y is None:
        assert labels.t is not None
        items = torch.tensordot(labels.t.movedim(1, -1), table[:, 0].to(labels.t.dtype), dims=1)
    else:
        items = table[:, 0][labels.y]
    items = torch.where(labels.valid, items, 0.0)
    if reduction == "none":
        return call.restore(items, bound.link)
    total = items.sum()
    if reduction == "sum" or (normalizer is None and bound.norm == "sum"):
        return total
    if normalizer is None:
        own = own_divisor(call, bound, ignore_index)
        normalizer = float(bound.norm) if own is None else own
    return divided(total, normalizer)


def counts_alone(call: Call, bound: Bound) -> bool:
    """Whether the sum over items is one over labels: how often each comes is counted in C++."""
    return (
        kernels.of(call.logits.device).beside
        and bound.link.exclusive
        and not call.target.is_floating_point()
        and all(t is None or (type(t) is Tensor and t.device.type == "cpu") for t in (call.target, call.weight))
        and not transformed()
    )


def _by_counts(
    table: Tensor,
    call: Call,
    bound: Bound,
    ignore_index: int,
    reduction: str,
    normalizer: float | Tensor | None,
) -> Tensor:
    counts = sums_by_class(None, call.target, call.weight, bound.link, ignore_index, call.logits.shape)[0]
    by_label = table[:, 0]
    total = (torch.where(counts > 0, by_label, 0.0) * counts.to(table.dtype)).sum()
    if reduction == "sum" or (normalizer is None and bound.norm == "sum"):
        return total
    if normalizer is None and bound.norm == "count":
        return divided(total, float(counts.sum()))  # nobody waits: it lies on the CPU
    if normalizer is None:
        normalizer = own_divisor(call, bound, ignore_index)
    return divided(total, float(bound.norm) if normalizer is None else normalizer)
