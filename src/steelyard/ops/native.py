"""The native backend: loss, mass, lse and gradient of a whole call in one pass over the logits, on the CPU.

The kernels are C++ behind plain addresses (native/). This side owns every buffer, brings the recipe's tables into the few
float32 arrays that the kernels read, and decides when another backend has to do the work (`refusal`).

A mean or a sum knows its gradient up to the factor that autograd sends back, so `reduced` writes the gradient while it
computes the loss, and backward only hands it over. It is released then: whoever calls backward twice pays a second pass.
"""

import dataclasses
import importlib
import math
from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor
from torch._C import _functorch  # pyright: ignore[reportAttributeAccessIssue]

from ..curves import GCE, Curve, Focal, Log, Poly, Shifted, Square, Symmetric
from . import eager
from .bound import Bound, Parts
from .reference import Terms, denominator, diagonal


def _load() -> Any:
    try:
        return importlib.import_module("steelyard._native")
    except ImportError:  # installed where there was no compiler
        return None


_native: Any = _load()

DTYPES = {torch.float32: 0, torch.bfloat16: 1, torch.float16: 2}
LABELS = {torch.int64: 0, torch.int32: 1, torch.uint8: 2, torch.bool: 2}
SOFT = 3
GIVEN = 2
NORMS = {"count": 0, "mass": 1}
SPARE = 16  # numbers that a table repeats after its period, so that any vector of it can be read in one go
WORTH_A_THREAD = 2**18  # logits of a thread: below, starting it takes a good part of what it saves

# a curve as the kernels know it: its number and its parameters
CURVES = {
    Log: lambda c: (0, 0.0, 0.0, 0.0),
    Focal: lambda c: (1, c.gamma, 0.0, 0.0),
    Shifted: lambda c: (2, c.gamma, c.clip, 0.0),
    Poly: lambda c: (3, c.epsilon, 0.0, 0.0),
    GCE: lambda c: (4, c.q, 0.0, 0.0),
    Symmetric: lambda c: (5, c.alpha, c.beta, c.floor),
    Square: lambda c: (6, 0.0, 0.0, 0.0),
}


def available() -> bool:
    return _native is not None


def refusal(logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None) -> str:
    """Why this call needs another backend, or ""."""
    if _native is None:
        return "the native core is not installed"
    if any(type(t) not in (Tensor, torch.nn.Parameter) for t in (logits, target)) or _transformed():
        return "tensors that a transform watches"
    known = layout(bound)
    return known.why or refusal_of_call(
        logits, target, weight, known.tensors, known.by_label and bound.link == "softmax"
    )


def refusal_of_call(
    logits: Tensor, target: Tensor, weight: Tensor | None, tables: Collection[Tensor], by_label: bool
) -> str:
    """The part of it that may differ from call to call; `by_label`: a softmax whose adjusted logits depend on the label."""
    if logits.device.type != "cpu" or logits.dtype not in DTYPES:
        return f"logits of {logits.dtype} on {logits.device.type}"
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
        if type(curve) not in CURVES:
            return f"the curve {type(curve).__name__} has no kernel"
    dense = (None if bound.target is None else bound.target.rows, None if bound.weight is None else bound.weight.full)
    if bound.link == "softmax" and bound.target is not None and any(t is not None for t in dense):
        return "a target or weight of its own for every pair of label and class"
    return ""


def _transformed() -> bool:
    return torch.compiler.is_compiling() or _functorch.peek_interpreter_stack() is not None


# -- tables -----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Layout:
    """A Bound as the kernels read it: `why` says what they do not know of it, `tensors` are its tables, `sizes` the kernels for
    so many classes with the arrays that these point at."""

    why: str = ""
    by_label: bool = False
    tensors: tuple[Tensor, ...] = ()
    sizes: dict[int, Any] = dataclasses.field(default_factory=dict)

    def plan(self, bound: Bound, classes: int) -> Any:
        """The kernel for logits of so many classes."""
        if classes not in self.sizes:
            make = _softmax if bound.link == "softmax" else _sigmoid
            self.sizes[classes] = make(bound, classes)
        return self.sizes[classes][0]


def layout(bound: Bound) -> Layout:
    """Made once for every Bound."""
    if "native" not in bound.cache:
        bound.cache["native"] = _layout(bound)
    return bound.cache["native"]


def _layout(bound: Bound) -> Layout:
    tables = tuple(bound.tensors().values())
    if any(t.device.type != "cpu" for t in tables):
        return Layout("tables on another device than the CPU")
    return Layout(refusal_of_recipe(bound), bound.label_dependent, tables)


def _table(values: Tensor | None, size: int) -> Tensor | None:
    return None if values is None else values.detach().float().expand(size).contiguous()


def _affine(parts: Parts | None, size: int, combine: Any) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """(row, column, full); a full table holds the other two as well."""
    if parts is None:
        return None, None, None
    row, column, full = (None if t is None else t.detach().float() for t in parts)
    if full is None:
        return _table(row, size), _table(column, size), None
    if row is not None:
        full = combine(full, row.expand(size)[:, None])
    if column is not None:
        full = combine(full, column[None, :])
    return None, None, full.contiguous()


def _softmax(bound: Bound, C: int) -> tuple[Any, ...]:
    scale, offset = _affine(bound.scale, C, torch.mul), _affine(bound.offset, C, torch.add)
    margin = None if bound.margin is None else bound.margin.row
    own = None if bound.weight is None else diagonal(bound.weight, C).detach().float()
    labelled, give, take = own, None, None
    if bound.target is not None:
        assert bound.target.amount is not None
        amount = bound.target.amount.float().expand(C)
        toward = torch.full((C,), 1 / C) if bound.target.toward is None else bound.target.toward.float()
        ones = torch.ones(C)
        labelled = (ones if own is None else own) * (1 - amount + amount * toward)
        row, column = (None, None) if bound.weight is None else (bound.weight.row, bound.weight.column)
        give = amount if row is None else row.float().expand(C) * amount
        take = toward if column is None else column.float() * toward
    tables = (*scale, *offset, *(_table(t, C) for t in (margin, own, labelled, give, take)))
    made = _native.Softmax([_address(t) for t in tables], _curve(bound.yes), _curve(bound.no))
    return made, tables


def _sigmoid(bound: Bound, K: int) -> tuple[Any, ...]:
    """Tables [2, period + SPARE]: scale, offset with the margin in it, weight times what the label asks of either side."""

    def table(parts: Parts | None, combine: Any, absent: float) -> Tensor:
        out = torch.full((2, 1), absent)
        if parts is None:
            return out
        for view in (
            None if parts.row is None else parts.row.reshape(-1, 1),
            None if parts.column is None else parts.column.reshape(1, -1),
            parts.full,
        ):
            if view is not None:
                out = combine(out, view.detach().float())
        return out

    scale, offset = table(bound.scale, torch.mul, 1.0), table(bound.offset, torch.add, 0.0)
    offset = offset + torch.tensor([[1.0], [-1.0]]) * table(bound.margin, torch.add, 0.0)
    weight = table(bound.weight, torch.mul, 1.0)
    yes = torch.tensor([[0.0], [1.0]])
    if bound.target is not None and bound.target.rows is not None:
        yes = bound.target.rows.detach().float().reshape(-1, bound.target.rows.shape[-1]).expand(2, -1)
    elif bound.target is not None:
        assert bound.target.amount is not None
        amount = bound.target.amount.float().expand(2)
        toward = torch.full((1,), 0.5) if bound.target.toward is None else bound.target.toward.float()
        yes = torch.stack([amount[0] * toward, 1 - amount[1] * (1 - toward)])
    no = 1 - yes
    tables = [scale, offset, weight * yes, weight * no, weight]
    period = K if any(t.shape[1] > 1 for t in tables) else 1
    cyclic = torch.arange(period + SPARE) % period
    tables = [t.expand(2, period)[:, cyclic].contiguous() for t in tables]
    made = _native.Sigmoid(
        [_address(t) for t in tables],
        period,
        period + SPARE,
        layout(bound).by_label,
        _curve(bound.yes),
        _curve(bound.no),
    )
    return made, tables


def _curve(curve: Curve) -> Any:
    return _native.Curve(*CURVES[type(curve)](curve))


def _address(t: Tensor | None) -> int:
    return 0 if t is None else t.data_ptr()


# -- calls ------------------------------------------------------------------------------------------------------------


class Call:
    """One call's buffers, contiguous and of types that the kernels read."""

    __slots__ = ("C", "N", "S", "ignore", "kind", "logits", "plan", "target", "weight")

    def __init__(self, logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None, ignore_index: int):
        self.logits = logits.contiguous()
        shape = logits.shape
        if len(shape) < 2:
            self.N, self.C, self.S = math.prod(shape), 1, 1
        else:
            self.N, self.C, self.S = shape[0], shape[1], math.prod(shape[2:])
        if target.is_floating_point():
            self.kind, target = SOFT, target.float()
        else:
            if target.dtype not in LABELS:
                target = target.long()
            self.kind = LABELS[target.dtype]
        if not -(2**31) <= ignore_index < 2**31:  # the kernels compare 32 bits
            if target.dtype == torch.int64:
                target = torch.where(target == ignore_index, -100, target)
            ignore_index = -100
        self.target = target.contiguous()
        self.weight = None if weight is None else weight.float().contiguous()
        self.ignore = ignore_index
        self.plan = layout(bound).plan(bound, self.C)

    def __call__(
        self,
        *,
        gradient: Tensor | None = None,
        upstream: Tensor | None = None,
        through: Tensor | None = None,
        loss: Tensor | None = None,
        mass: Tensor | None = None,
        lse: Tensor | None = None,
        norm: int = GIVEN,
        divisor: float = 1.0,
    ) -> tuple[float, float]:
        """(sum of the losses, what the gradient was divided by). IndexError for a label that is no class."""
        size = self.logits.numel()
        threads = 1 if size < WORTH_A_THREAD else min(torch.get_num_threads(), size // WORTH_A_THREAD)
        where = _native.Where(
            self.logits.data_ptr(),
            _address(gradient),
            self.target.data_ptr(),
            _address(self.weight),
            _address(upstream),
            _address(through),
            _address(loss),
            _address(mass),
            _address(lse),
            DTYPES[self.logits.dtype],
            self.kind,
            self.ignore,
            self.N,
            self.C,
            self.S,
            threads,
        )
        total, divided, _, wrong = self.plan(where, norm, divisor)
        if wrong is not None:
            raise IndexError(f"label {wrong} is no class of {self.C}")
        return total, divided


def terms(logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None, ignore_index: int) -> Terms:
    """As reference.terms; gradients reach `logits` only. What the kernels do not know goes to the eager backend."""
    if refusal(logits, target, bound, weight):
        return eager.terms(logits, target, bound, weight, ignore_index)
    loss, mass, lse, valid = _Terms.apply(logits, target, bound, weight, ignore_index)
    return Terms(loss, mass, lse, valid)


class _Terms(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None, ignore: int) -> Any:
        call = Call(logits, target, bound, weight, ignore)
        shape = logits.shape if bound.link == "sigmoid" else logits.shape[:1] + logits.shape[2:]
        loss, mass, lse = (torch.empty(shape) for _ in range(3))
        call(loss=loss, mass=mass, lse=lse)
        valid = torch.ones(shape, dtype=torch.bool) if call.kind == SOFT else target != ignore
        if weight is not None:
            valid = valid & (weight != 0)
        ctx.save_for_backward(logits, target, weight)
        ctx.bound, ctx.ignore = bound, ignore
        ctx.mark_non_differentiable(mass, valid)
        ctx.set_materialize_grads(False)
        return loss, mass, lse, valid

    @staticmethod
    def backward(ctx: Any, d_loss: Tensor | None, _mass: Any, d_lse: Tensor | None, _valid: Any) -> Any:  # type: ignore[override]
        logits, target, weight = ctx.saved_tensors
        if torch.is_grad_enabled():
            found = eager.terms(logits, target, ctx.bound, weight, ctx.ignore)
            pairs = [(f, d) for f, d in ((found.loss, d_loss), (found.lse, d_lse)) if d is not None]
            (g,) = torch.autograd.grad(
                [f for f, _ in pairs], logits, [d for _, d in pairs], create_graph=True, allow_unused=True
            )
            return g, None, None, None, None
        call = Call(logits, target, ctx.bound, weight, ctx.ignore)
        gradient = torch.empty_like(call.logits)
        zero = torch.zeros(()) if d_loss is None else None
        upstream = zero.expand(d_lse.shape) if d_loss is None and zero is not None and d_lse is not None else d_loss
        call(gradient=gradient, upstream=_dense(upstream), through=_dense(d_lse))
        return gradient, None, None, None, None


def _dense(t: Tensor | None) -> Tensor | None:
    return None if t is None else t.float().contiguous()


def loss_and_gradient(
    logits: Tensor,
    target: Tensor,
    bound: Bound,
    weight: Tensor | None,
    ignore_index: int,
    norm: str,
    divisor: float,
) -> tuple[Tensor, Tensor]:
    """The sum of the losses over `divisor`, or over the count or mass, and its gradient; 0 where that is 0."""
    call = Call(logits, target, bound, weight, ignore_index)
    gradient = torch.empty_like(call.logits)
    total, z = call(gradient=gradient, norm=NORMS.get(norm, GIVEN), divisor=divisor)
    return _over(total, z), gradient


def _over(total: float, z: float) -> Tensor:
    return torch.tensor(total / z if z else total * 0.0, dtype=torch.float32)


def reduced(
    logits: Tensor,
    target: Tensor,
    bound: Bound,
    weight: Tensor | None,
    ignore_index: int,
    norm: str | float,
    consume: bool = False,
) -> Tensor:
    """The sum of the losses over Z, 0 where Z is 0: loss and gradient in one pass. The caller has asked `refusal`.

    norm     "count", "mass", "sum", or Z itself
    consume  write the gradient over the logits; whoever else needs them for a backward pass is refused by autograd
    """
    return _Reduced.apply(logits, target, bound, weight, ignore_index, norm, consume)


class _Reduced(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        target: Tensor,
        bound: Bound,
        weight: Tensor | None,
        ignore: int,
        norm: str | float,
        consume: bool,
    ) -> Tensor:
        call = Call(logits, target, bound, weight, ignore)
        gradient = None
        if logits.requires_grad:
            gradient = call.logits if consume else torch.empty_like(call.logits)
        given = not isinstance(norm, str)
        kind = GIVEN if given else NORMS.get(norm, GIVEN)
        total, z = call(gradient=gradient, norm=kind, divisor=norm if given else 1.0)
        ctx.gradient = gradient
        if consume and gradient is not None:
            ctx.rest = None
            if gradient is logits:
                torch.autograd.graph.increment_version(logits)
                ctx.gradient = logits.detach()  # not the logits themselves, which hold this node
        else:
            ctx.save_for_backward(logits, target, weight)
            ctx.rest = (bound, ignore, norm)
        return _over(total, z)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:  # type: ignore[override]
        gradient, ctx.gradient = ctx.gradient, None
        if ctx.rest is None and (gradient is None or torch.is_grad_enabled()):
            raise RuntimeError(
                "steelyard: the logits are gone, consume_logits=True put the gradient in their place. It allows one backward"
                " pass and no create_graph=True."
            )
        if gradient is None or torch.is_grad_enabled():
            gradient = _again(ctx, upstream)
        elif (factor := float(upstream)) != 1:
            gradient = gradient.mul_(factor)
        return gradient, None, None, None, None, None, None


def _again(ctx: Any, upstream: Tensor) -> Tensor:
    """The gradient once more: a graph of it is wanted, or it was handed over before."""
    logits, target, weight = ctx.saved_tensors
    bound, ignore, norm = ctx.rest
    if torch.is_grad_enabled():
        found = eager.terms(logits, target, bound, weight, ignore)
        z = float(denominator(found, norm))
        value = found.loss.sum() * (1 / z if z else 0.0)
        return torch.autograd.grad(value, logits, upstream, create_graph=True)[0]
    with torch.enable_grad():
        again = logits.detach().requires_grad_()
        return torch.autograd.grad(_Reduced.apply(again, target, bound, weight, ignore, norm, False), again, upstream)[
            0
        ]
