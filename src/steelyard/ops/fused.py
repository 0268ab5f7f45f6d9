"""Autograd around kernels that compute loss, mass, lse and gradient of a whole call in one pass over the logits.

A mean or a sum knows its gradient up to the factor that autograd sends back, so `reduced` writes the gradient while it
computes the loss, and backward only hands it over. It is released then: whoever calls backward twice pays a second pass.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, cast

import torch
from torch import Tensor

from . import eager, reference
from .beside import Beside
from .bound import Bound
from .reference import Terms, denominator
from .watched import plain


class Call(Protocol):
    """One call's buffers, contiguous and of types that the kernels read. A label that is no class is an IndexError, or NaN where
    nobody may wait for the device."""

    logits: Tensor

    def room(self) -> Tensor:
        """Uninitialised, like the logits: where their gradient goes."""
        ...

    def each(
        self,
        *,
        gradient: Tensor | None = None,
        upstream: Tensor | None = None,
        through: Tensor | None = None,
        loss: Tensor | None = None,
        mass: Tensor | None = None,
        lse: Tensor | None = None,
    ) -> None:
        """Fill what is given of gradient, loss, mass and lse; `upstream` and `through` arrive at loss and lse."""
        ...

    def mean(self, gradient: Tensor | None, norm: str | float) -> Tensor:
        """The sum of the losses over Z, 0 where Z is 0, float32; its gradient too, which may take the logits' place.

        norm  "count", "mass", "sum", or Z itself
        """
        ...

    def total(self, gradient: Tensor | None) -> Tensor | float:
        """The sum of the losses in double precision; its gradient too."""
        ...


class CallBeside(Call, Protocol):
    """Of kernels that do more in the pass."""

    def mean(self, gradient: Tensor | None, norm: str | float, beside: Beside | None = None) -> Tensor: ...

    def mean_of_each(self, gradient: Tensor | None, norm: str | float, loss: Tensor | None) -> tuple[Tensor, float]:
        """(as `mean`, Z), and the loss of each item before it is divided."""
        ...


class Kernels(NamedTuple):
    """A backend: what it leaves to others, its calls, and how it multiplies a gradient by what autograd sends back."""

    name: str
    refusal: Callable[[Tensor, Tensor, Bound, Tensor | None], str]
    call: Callable[[Tensor, Tensor, Bound, Tensor | None, int], Call]
    scale: Callable[[Tensor, Tensor], Tensor]
    beside: bool = False  # whether a call is a CallBeside


def terms(
    kernels: Kernels, logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None, ignore_index: int
) -> Terms:
    """As reference.terms; gradients reach `logits` only. What the kernels do not know goes to the eager backend."""
    if kernels.refusal(logits, target, bound, weight):
        return eager.terms(logits, target, bound, weight, ignore_index)
    return Terms(*_Terms.apply(kernels, logits, target, bound, weight, ignore_index))


class _Terms(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, kernels: Kernels, logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None, ignore: int
    ) -> Any:
        shape = bound.link.items(logits.shape)
        loss, mass, lse = (torch.empty(shape, device=logits.device) for _ in range(3))
        kernels.call(logits, target, bound, weight, ignore).each(loss=loss, mass=mass, lse=lse)
        if target.is_floating_point():
            valid = torch.ones(shape, dtype=torch.bool, device=logits.device)
        else:
            valid = target.long() != ignore  # long: compared as uint8, label 156 would equal -100
        if weight is not None:
            valid = valid & (weight != 0)
        ctx.save_for_backward(logits, target, weight)
        ctx.rest = kernels, bound, ignore
        ctx.mark_non_differentiable(mass, valid)
        ctx.set_materialize_grads(False)
        return loss, mass, lse, valid

    @staticmethod
    def backward(ctx: Any, d_loss: Tensor | None, _mass: Any, d_lse: Tensor | None, _valid: Any) -> Any:  # type: ignore[override]
        logits, target, weight = ctx.saved_tensors
        kernels, bound, ignore = ctx.rest
        watched, known = torch.is_grad_enabled(), all(d is None or plain(d) for d in (d_loss, d_lse))
        if watched or not known:
            with torch.enable_grad():
                unreduced = (eager if known else reference).terms(logits, target, bound, weight, ignore)
            pairs = [(f, d) for f, d in ((unreduced.loss, d_loss), (unreduced.lse, d_lse)) if d is not None]
            (gradient,) = torch.autograd.grad(
                [f for f, _ in pairs], logits, [d for _, d in pairs], create_graph=watched, allow_unused=True
            )
        else:
            if d_loss is None and d_lse is not None:
                d_loss = torch.zeros_like(d_lse)
            call = kernels.call(logits, target, bound, weight, ignore)
            gradient = call.room()
            call.each(gradient=gradient, upstream=_dense(d_loss), through=_dense(d_lse))
        return None, gradient, None, None, None, None


def _dense(t: Tensor | None) -> Tensor | None:
    return None if t is None else t.float().contiguous()


def reduced(
    kernels: Kernels,
    logits: Tensor,
    target: Tensor,
    bound: Bound,
    weight: Tensor | None,
    ignore_index: int,
    norm: str | float,
    consume: bool = False,
    beside: Beside | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """The sum of the losses over Z, 0 where Z is 0: loss and gradient in one pass. The caller has asked `kernels.refusal`.

    norm     "count", "mass", "sum", or Z itself
    consume  write the gradient over the logits; whoever else needs them for a backward pass is refused by autograd
    beside   what the pass does for a rule; of Kernels.beside only
    dtype    of the loss: here a rounding is no step of autograd's
    """
    return _Reduced.apply(logits, (kernels, target, bound, weight, ignore_index, norm, consume, beside, dtype))


Asked = tuple[Kernels, Tensor, Bound, Tensor | None, int, str | float, bool, Beside | None, torch.dtype]


class _Reduced(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, asked: Asked) -> Tensor:  # autograd looks at every argument, which takes time
        kernels, target, bound, weight, ignore, norm, consume, beside, dtype = asked
        call = kernels.call(logits, target, bound, weight, ignore)
        gradient = None
        if logits.requires_grad:
            gradient = call.logits if consume else call.room()
        loss = _mean(call, gradient, norm, beside)
        ctx.gradient, ctx.kernels = gradient, kernels
        if consume and gradient is not None:
            ctx.rest = None
            if gradient is logits:
                torch.autograd.graph.increment_version(logits)
                ctx.gradient = logits.detach()  # not the logits themselves, which hold this node
        else:
            ctx.save_for_backward(logits, target, weight)
            ctx.rest = bound, ignore, norm, None if beside is None else beside._replace(out=None)
        return loss if dtype is torch.float32 else loss.to(dtype)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:  # type: ignore[override]
        gradient, ctx.gradient = ctx.gradient, None
        handed_over = None if torch.is_grad_enabled() else gradient
        if ctx.rest is None and handed_over is None:
            raise RuntimeError(
                "steelyard: the logits are gone, consume_logits=True put the gradient in their place. It allows one backward"
                " pass and no create_graph=True."
            )
        found = _again(ctx, upstream) if handed_over is None else _scaled(ctx.kernels, handed_over, upstream)
        return found, None


def _mean(call: Call, gradient: Tensor | None, norm: str | float, beside: Beside | None) -> Tensor:
    return call.mean(gradient, norm) if beside is None else cast("CallBeside", call).mean(gradient, norm, beside)


def _again(ctx: Any, upstream: Tensor) -> Tensor:
    """The gradient once more: a graph of it is wanted, or it was handed over before."""
    logits, target, weight = ctx.saved_tensors
    bound, ignore, norm, beside = ctx.rest
    if torch.is_grad_enabled():
        u, weight = (logits, weight) if beside is None else beside.explicit(logits, target, weight)
        unreduced = eager.terms(u, target, bound, weight, ignore)
        z = torch.as_tensor(denominator(unreduced, norm), device=logits.device)
        value = torch.where(z == 0, 0.0, unreduced.loss.sum() / torch.where(z == 0, 1, z))
        return torch.autograd.grad(value, logits, upstream.to(value.dtype), create_graph=True)[0]
    call = ctx.kernels.call(logits, target, bound, weight, ignore)
    gradient = call.room()
    _mean(call, gradient, norm, beside)
    return _scaled(ctx.kernels, gradient, upstream)


def _scaled(kernels: Kernels, gradient: Tensor, upstream: Tensor) -> Tensor:
    return kernels.scale(gradient, upstream) if plain(upstream) else (gradient * upstream).to(gradient.dtype)
