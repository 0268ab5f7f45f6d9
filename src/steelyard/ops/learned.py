"""Loss, gradient of the logits and gradients of learned tables in one pass of a fused kernel.

Of an item with label y and the adjusted logits u = S z + O:

    weight by label   dL/dW_y = sum over the items of y  l / W_y        a weight multiplies all of an item's loss
    offset by class   dL/dO_c = sum over items  dL/du_c = dL/dz_c / S_c
    scale by class    dL/dS_c = sum over items  z_c dL/du_c

so a table needs sums of what the pass leaves, the losses and the gradient, and no exponential of its own. Other tables, soft targets
and a Z that depends on the tables are left to the reference.
"""

from typing import Any, cast

import torch
from torch import Tensor

from . import reference
from .beside import sums_by_class
from .bound import Bound, Parts
from .fused import CallBeside, Kernels
from .watched import plain

LEAST = 1e-18  # of what is divided by


def total(
    kernels: Kernels,
    logits: Tensor,
    target: Tensor,
    bound: Bound,
    weight: Tensor | None,
    ignore: int,
    norm: str | float,
) -> Tensor | None:
    """As plan.total, of a recipe with tables that are being learned; None where it is none of these."""
    if not kernels.beside or not bound.link.exclusive or target.is_floating_point() or norm == "mass":
        return None
    places = [(f, i) for f, parts in _parts(bound).items() for i, t in enumerate(parts) if _live(t)]
    if not places or any(p not in LEARNED for p in places):
        return None
    if kernels.refusal(logits, target, fixed := bound.map(Tensor.detach), weight):
        return None
    only_losses = all(f == "weight" for f, _ in places)
    if not only_losses and (logits.dtype != torch.float32 or _by_label(bound.scale)):
        return None  # of a rounded gradient sums are rounded, too
    divisors = [fixed.weight.row] if any(f == "weight" for f, _ in places) and fixed.weight is not None else []
    if not only_losses and fixed.scale is not None:
        divisors.append(fixed.scale.column)
    if not all(t is not None and plain(t) and bool((t.abs() > LEAST).all()) for t in divisors):
        return None
    live = [getattr(bound, f)[i] for f, i in places]
    return _Learned.apply(kernels, logits, target, fixed, weight, ignore, norm, places, *live)


LEARNED = (("weight", 0), ("offset", 1), ("scale", 1))  # row of the weight, columns of the others


def _parts(bound: Bound) -> dict[str, Any]:
    return {f: p for f in ("scale", "offset", "margin", "weight", "target") if (p := getattr(bound, f)) is not None}


def _live(t: Tensor | None) -> bool:
    return t is not None and t.requires_grad


def _by_label(parts: Parts | None) -> bool:
    return parts is not None and (parts.row is not None or parts.full is not None)


class _Learned(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        kernels: Kernels,
        logits: Tensor,
        target: Tensor,
        bound: Bound,
        weight: Tensor | None,
        ignore: int,
        norm: str | float,
        places: list[tuple[str, int]],
        *live: Tensor,
    ) -> Tensor:
        call = cast("CallBeside", kernels.call(logits, target, bound, weight, ignore))
        fields = [f for f, _ in places]
        gradient = torch.empty_like(call.logits) if logits.requires_grad or set(fields) != {"weight"} else None
        losses = torch.empty(bound.link.items(logits.shape)) if "weight" in fields else None
        loss, z = call.mean_of_each(gradient, norm, losses)
        ctx.tables = [
            _of_weight(losses, target, weight, bound, ignore, logits, t, z)
            if f == "weight"
            else _of_class(f, gradient, call.logits, bound, t)
            for f, t in zip(fields, live, strict=True)
        ]
        ctx.save_for_backward(logits, target, weight, *live)
        ctx.gradient, ctx.rest = gradient if logits.requires_grad else None, (kernels, bound, ignore, norm, places)
        return loss

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:  # type: ignore[override]
        (gradient, tables), ctx.gradient, ctx.tables = (ctx.gradient, ctx.tables), None, None
        kernels = ctx.rest[0]
        if tables is None or torch.is_grad_enabled() or not plain(upstream):
            found = _again(ctx, upstream)
        else:
            found = [None if gradient is None else kernels.scale(gradient, upstream), *(t * upstream for t in tables)]
        return None, found[0], None, None, None, None, None, None, *found[1:]


def _again(ctx: Any, upstream: Tensor) -> list[Tensor | None]:
    """By the reference: a graph of the gradients is wanted, or they were handed over before."""
    logits, target, weight, *live = ctx.saved_tensors
    _, bound, ignore, norm, places = ctx.rest
    watched = torch.is_grad_enabled()
    with torch.enable_grad():
        tables = {f: list(parts) for f, parts in _parts(bound).items()}
        for (f, i), t in zip(places, live, strict=True):
            tables[f][i] = t
        unreduced = reference.terms(
            logits,
            target,
            bound.with_tables({f: tuple(t for t in parts if t is not None) for f, parts in tables.items()}),
            weight,
            ignore,
        )
        z = torch.as_tensor(reference.denominator(unreduced, norm))
        value = torch.where(z == 0, 0.0, unreduced.loss.sum() / torch.where(z == 0, 1, z))
    asked = [t for t in (logits, *live) if t.requires_grad]
    found = iter(torch.autograd.grad(value, asked, upstream, create_graph=watched, allow_unused=True))
    return [next(found) if t.requires_grad else None for t in (logits, *live)]


def _of_weight(
    losses: Tensor | None,
    target: Tensor,
    weight: Tensor | None,
    bound: Bound,
    ignore: int,
    logits: Tensor,
    table: Tensor,
    z: float,
) -> Tensor:
    by_label = sums_by_class(losses, target, weight, bound.link, ignore, logits.shape)[1]
    if z != 1:
        by_label = by_label / z if z else by_label * 0.0
    own = table.detach()
    return ((by_label if len(own) > 1 else by_label.sum(0, keepdim=True)) / own).to(table.dtype)


def _of_class(field: str, gradient: Tensor | None, logits: Tensor, bound: Bound, table: Tensor) -> Tensor:
    assert gradient is not None
    each = gradient if field == "offset" else gradient * logits
    sums = each.sum(dim=[d for d in range(each.dim()) if d != 1])
    if bound.scale is not None and bound.scale.column is not None:
        sums = sums / bound.scale.column
    return (sums if len(table) > 1 else sums.sum(0, keepdim=True)).to(table.dtype)
