"""A linear layer and its cross-entropy in chunks of rows: three products per chunk, and the kernel between them.

    u = h W' + b,  dL/dh = G W,  dL/dW = sum of G' h,  dL/db = sum of G

G, the gradient to the logits, takes the place of the logits, in one buffer for all chunks.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..link import SOFTMAX
from . import eager, kernels, reference
from .bound import Bound
from .watched import plain
from .widest import widened, widest

CHUNK = 2**25  # bytes of the logits of one chunk, about: 32 MiB. Products of 256 rows run at full speed
LEAST = 64  # rows


def total(
    hidden: Tensor,
    matrix: Tensor,
    bias: Tensor | None,
    target: Tensor,
    bound: Bound,
    weight: Tensor | None,
    ignore_index: int,
    norm: str | float | Tensor,
) -> Tensor:
    """The sum of the losses over Z, 0 where Z is 0. hidden [N, H], matrix [C, H], bias [C], target [N] or [N, C]."""
    z = norm if isinstance(norm, Tensor) else _divisor(target, matrix, bound, weight, ignore_index, norm)
    return _Linear.apply(hidden, matrix, bias, target, bound, weight, ignore_index, z)


def _divisor(
    target: Tensor, matrix: Tensor, bound: Bound, weight: Tensor | None, ignore_index: int, norm: str | float
) -> float | Tensor:
    if norm == "sum":
        return 1.0
    if not isinstance(norm, str):
        return float(norm)
    labels = reference.read(matrix.new_zeros((), dtype=torch.float32), target, SOFTMAX, weight, ignore_index)
    if norm == "count":
        return labels.valid.sum()
    like = matrix.new_empty((1, matrix.shape[0]), dtype=torch.float32)
    own = reference.own_weight(labels, bound.to(like, like.dtype), like)
    return reference.finish(own, own, own, labels).mass.sum()


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        matrix: Tensor,
        bias: Tensor | None,
        target: Tensor,
        bound: Bound,
        weight: Tensor | None,
        ignore: int,
        z: float | Tensor,
    ) -> Tensor:
        wants = ctx.needs_input_grad[:3]
        N, C = hidden.shape[0], matrix.shape[0]
        rows = max(1, min(N, max(LEAST, CHUNK // max(C * hidden.element_size(), 1))))
        buffer = hidden.new_empty(rows, C)
        d_hidden = torch.empty_like(hidden) if wants[0] else None
        # a sum over chunks: in bfloat16 it would stop growing
        d_matrix = torch.zeros_like(matrix, dtype=torch.float32) if wants[1] else None
        d_bias = torch.zeros_like(bias, dtype=torch.float32) if bias is not None and wants[2] else None
        product = torch.empty_like(matrix) if d_matrix is not None and d_matrix.dtype != matrix.dtype else None
        loss = torch.zeros((), dtype=widest(hidden.device), device=hidden.device)
        for start in range(0, N, rows):
            part = slice(start, start + rows)
            h, s = hidden[part], None if weight is None else weight[part]
            logits = buffer[: len(h)]
            torch.mm(h, matrix.t(), out=logits)
            if bias is not None:
                logits += bias
            each = _chunk(logits, target[part], bound, s, ignore, any(wants))
            loss += each
            if d_hidden is not None:
                torch.mm(logits, matrix, out=d_hidden[part])
            if d_matrix is not None:
                if product is None:
                    d_matrix.addmm_(logits.t(), h)
                else:
                    d_matrix += torch.mm(logits.t(), h, out=product)
            if d_bias is not None:
                d_bias += logits.sum(dim=0, dtype=torch.float32)
        divisor = torch.as_tensor(z, dtype=widest(hidden.device), device=hidden.device)
        share = torch.where(divisor == 0, 0.0, 1 / torch.where(divisor == 0, 1.0, divisor)).float()
        ctx.gradients = (d_hidden, d_matrix, d_bias)
        ctx.dtypes = (hidden.dtype, matrix.dtype, None if bias is None else bias.dtype)
        ctx.save_for_backward(share, hidden, matrix, bias, target, weight)
        ctx.rest = bound, ignore
        return loss.float() * share

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:  # type: ignore[override]
        gradients, ctx.gradients = ctx.gradients, None
        if gradients is None or torch.is_grad_enabled():
            return (*_again(ctx, upstream), None, None, None, None, None)
        factor = upstream * ctx.saved_tensors[0]
        if plain(upstream):
            scaled = (None if g is None else g.mul_(factor).to(d) for g, d in zip(gradients, ctx.dtypes, strict=True))
        else:
            scaled = (None if g is None else (g * factor).to(d) for g, d in zip(gradients, ctx.dtypes, strict=True))
        return (*scaled, None, None, None, None, None)


def _again(ctx: Any, upstream: Tensor) -> list[Tensor | None]:
    """The gradients once more, by way of all logits: a graph of them is wanted, or they were handed over before."""
    share, hidden, matrix, bias, target, weight = ctx.saved_tensors
    bound, ignore = ctx.rest
    inputs, create_graph = (hidden, matrix, bias), torch.is_grad_enabled()
    wanted = [t for t, needed in zip(inputs, ctx.needs_input_grad[:3], strict=True) if needed]
    with torch.enable_grad():
        unreduced = eager.terms(F.linear(hidden, matrix, bias), target, bound, weight, ignore)
        value = unreduced.loss.sum() * share
    found = iter(torch.autograd.grad(value, wanted, upstream, create_graph=create_graph))
    return [next(found) if needed else None for needed in ctx.needs_input_grad[:3]]


def _chunk(
    logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None, ignore_index: int, gradient: bool
) -> Tensor | float:
    """The sum of the losses of some rows, whose logits become their gradient."""
    fastest = kernels.of(logits.device)
    if not fastest.refusal(logits, target, bound, weight):
        return fastest.call(logits, target, bound, weight, ignore_index).total(logits if gradient else None)
    with torch.enable_grad():
        x = logits.detach().requires_grad_(gradient)
        value = eager.terms(x, target, bound, weight, ignore_index).loss.sum()
    if gradient:
        (found,) = torch.autograd.grad(value, x)
        logits.copy_(found)
    return widened(value.detach())
