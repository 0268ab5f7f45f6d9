"""The fused kernels as a custom op, for graphs that torch.compile makes.

A graph holds tensors and plain numbers, so a Bound goes through as its tables and which there are. The op returns the loss and its
gradient; backward is one product, which the compiler may fuse with what comes before it.
"""

from typing import Any

import torch
from torch import Tensor

from ..curves import of_kernel
from ..link import link_of
from . import eager, kernels, reference, tables
from .bound import KINDS, Bound
from .factors import FIELDS


def refusal(logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None) -> str:
    """Why a compiled graph needs the formula written out, or "". Looks at types alone."""
    if not kernels.available(logits.device) or torch.compiler.is_exporting():
        return "the kernels are not there, or will not be where an exported graph goes"
    held = bound.tensors
    if any(t.device != logits.device for t in held):
        return "tables on another device"
    by_label = bound.link.exclusive and bound.label_dependent
    return tables.refusal_of_recipe(bound) or tables.refusal_of_call(logits, target, weight, held, by_label)


def total(
    logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None, ignore_index: int, norm: str | float
) -> Tensor:
    """As fused.reduced."""
    words, divisor = (norm, 1.0) if isinstance(norm, str) else ("", float(norm))
    return _loss(
        logits,
        target,
        weight,
        bound.tensors,
        present(bound),
        bound.link.name,
        [float(x) for curve in (bound.yes, bound.no) for x in tables.numbers(curve)],
        ignore_index,
        words,
        divisor,
    )[0]


def present(bound: Bound) -> list[bool]:
    """Which of the three parts of every field there are: `bound.tensors` in their places."""
    return [t is not None for field in FIELDS for t in getattr(bound, field) or (None,) * 3]


@torch.library.custom_op("steelyard::loss", mutates_args=())
def _loss(
    logits: Tensor,
    target: Tensor,
    weight: Tensor | None,
    held: list[Tensor],
    present: list[bool],
    link: str,
    curves: list[float],
    ignore_index: int,
    norm: str,
    divisor: float,
) -> tuple[Tensor, Tensor]:
    """The loss and its gradient to the logits; `present`: which of the parts of all fields `held` are, `curves` two times number and parameters,
    `divisor` where `norm` is empty."""
    fastest, bound = kernels.of(logits.device), _bound(held, present, link, curves)
    if fastest.refusal(
        logits, target, bound, weight
    ):  # what a graph was made for, and a device then did not stand up to
        return _eager(logits, target, bound, weight, ignore_index, norm or divisor)
    call = fastest.call(logits, target, bound, weight, ignore_index)
    gradient = call.room()
    return call.mean(gradient, norm or divisor), gradient


def _eager(
    logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None, ignore_index: int, norm: str | float
) -> tuple[Tensor, Tensor]:
    terms = eager.terms(logits, target, bound, weight, ignore_index)
    z = torch.as_tensor(reference.denominator(terms, norm), device=logits.device, dtype=torch.float32)
    share = torch.where(z == 0, 0.0, 1 / torch.where(z == 0, 1.0, z))
    nothing = torch.zeros_like(terms.loss)
    gradient = eager.gradient(logits, target, bound, weight, ignore_index, share + nothing, nothing)
    return (terms.loss.sum() * share).float(), gradient.contiguous()


@_loss.register_fake
def _(logits: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    return logits.new_empty((), dtype=torch.float32), torch.empty_like(logits, memory_format=torch.contiguous_format)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(output[1])
    ctx.tables = len(inputs[3])


def _backward(ctx: Any, upstream: Tensor, _: Tensor) -> tuple[Any, ...]:
    (gradient,) = ctx.saved_tensors
    return (gradient * upstream).to(gradient.dtype), None, None, [None] * ctx.tables, *(None,) * 6


_loss.register_autograd(_backward, setup_context=_keep)


def _bound(held: list[Tensor], present: list[bool], link: str, curves: list[float]) -> Bound:
    left = iter(held)
    parts = [next(left) if there else None for there in present]
    fields: dict[str, Any] = {}
    for i, field in enumerate(FIELDS):
        those = parts[3 * i : 3 * i + 3]
        fields[field] = None if those == [None, None, None] else KINDS[field](*those)
    yes, no = (of_kernel(*curves[i : i + 4]) for i in (0, 4))
    return Bound(link_of(link), **fields, yes=yes, no=no, norm="count", width=None)
