"""The kernels in C++ (native/), on the CPU, behind plain addresses. This side owns every buffer.

`Call` is one call of them; ops/fused.py gives it a backward pass, ops/tables.py says what it reads of a recipe.
"""

import functools
import math
from typing import Any

import torch
from torch import Tensor

from .. import core
from . import fused, tables
from .beside import AVAILABLE, Beside
from .bound import Bound, Parts
from .tables import SigmoidTables, SoftmaxTables

_native: Any = core.load()

LABELS = {torch.int64: 0, torch.int32: 1, torch.uint8: 2, torch.bool: 2}
SHARES = {torch.float32: 3, torch.bfloat16: 4, torch.float16: 5}  # the latter two for sigmoids alone
SOFT = 3
GIVEN = 2
NORMS = {"count": 0, "mass": 1}
SPARE = 16  # numbers that a table repeats after its period, so that any vector of it can be read in one go
FORMS = hasattr(
    _native, "Form"
)  # a core that was built before lacks them, reads no shares of half precision and needs every table
KEEPS = hasattr(_native, "spare")  # a gradient's memory
WORTH_KEEPING = 2**22  # bytes of it
WORTH_A_THREAD = 2**18  # logits of a thread: below, starting it takes a good part of what it saves


def available() -> bool:
    return _native is not None


def room(logits: Tensor) -> Tensor:
    """Uninitialised, like contiguous logits: where their gradient goes."""
    if KEEPS and type(logits) is Tensor and logits.numel() * logits.element_size() >= WORTH_KEEPING:
        held = _native.spare(list(logits.shape), tables.DTYPES[logits.dtype])
        if held is not None:
            return held
    return torch.empty_like(logits)


def drop() -> None:
    """Back to the system with the memory that is kept for the next gradient, which it may otherwise take where memory is short."""
    if KEEPS:
        _native.spare_nothing()


def refusal(logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None) -> str:
    """Why this call needs another backend, or ""."""
    if _native is None:
        return "the native core is not installed"
    if logits.device.type != "cpu":
        return f"logits on {logits.device.type}"
    why = tables.refusal(logits, target, bound, weight)
    if why:
        return why
    if any(t.device.type != "cpu" for t in tables.layout(bound).tensors):
        return "tables on another device than the CPU"
    return ""


class Call:
    """See fused.Call."""

    __slots__ = ("C", "N", "S", "bound", "ignore", "kind", "logits", "plan", "target", "weight")

    def __init__(self, logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None, ignore_index: int):
        self.logits = logits.contiguous()
        shape = logits.shape
        if len(shape) < 2:
            self.N, self.C, self.S = math.prod(shape), 1, 1
        else:
            self.N, self.C, self.S = shape[0], shape[1], math.prod(shape[2:])
        if target.is_floating_point():
            self.kind = SHARES.get(target.dtype, SOFT) if FORMS and not bound.link.exclusive else SOFT
            target = target.float() if self.kind == SOFT else target
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
        self.plan, self.bound = _plan(bound, self.C), bound  # which holds the tables that the plan points at

    def room(self) -> Tensor:
        return room(self.logits)

    def each(self, **buffers: Any) -> None:
        self._run(**buffers)

    def mean(self, gradient: Tensor | None, norm: str | float, beside: Beside | None = None) -> Tensor:
        if beside is None and FORMS:
            return mean(self.plan, self.form(), self.logits, gradient, self.target, self.weight, norm)
        kind, divisor = (NORMS.get(norm, GIVEN), 1.0) if isinstance(norm, str) else (GIVEN, norm)
        total, z = self._run(gradient=gradient, norm=kind, divisor=divisor, beside=beside)
        return torch.scalar_tensor(total / z if z else total * 0.0, dtype=torch.float32)

    def form(self) -> Any:
        """What stays the same for calls like this one."""
        return _native.Form(tables.DTYPES[self.logits.dtype], self.kind, self.ignore, self.N, self.C, self.S)

    def mean_of_each(self, gradient: Tensor | None, norm: str | float, loss: Tensor | None) -> tuple[Tensor, float]:
        kind, divisor = (NORMS.get(norm, GIVEN), 1.0) if isinstance(norm, str) else (GIVEN, norm)
        total, z = self._run(gradient=gradient, loss=loss, norm=kind, divisor=divisor)
        return torch.scalar_tensor(total / z if z else total * 0.0, dtype=torch.float32), z

    def total(self, gradient: Tensor | None) -> float:
        return self._run(gradient=gradient)[0]

    def _run(
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
        beside: Beside | None = None,
    ) -> tuple[float, float]:
        """(sum of the losses, what the gradient was divided by)."""
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
            tables.DTYPES[self.logits.dtype],
            self.kind,
            self.ignore,
            self.N,
            self.C,
            self.S,
            threads(self.logits.numel()),
        )
        asked = () if beside is None else (beside.native(),)
        total, divided, _, wrong = self.plan(where, norm, divisor, *asked)
        if wrong is not None:
            raise IndexError(f"label {wrong} is no class of {self.C}")
        return total, divided


def mean(
    plan: Any,
    form: Any,
    logits: Tensor,
    gradient: Tensor | None,
    target: Tensor,
    weight: Tensor | None,
    norm: str | float,
) -> Tensor:
    """As fused.Call.mean, of contiguous tensors that `form` describes. IndexError for a label that is no class."""
    known, z = (NORMS.get(norm, GIVEN), 1.0) if isinstance(norm, str) else (GIVEN, norm)
    value = plan.mean(
        form,
        logits.data_ptr(),
        0 if gradient is None else gradient.data_ptr(),
        target.data_ptr(),
        0 if weight is None else weight.data_ptr(),
        threads(logits.numel()),
        known,
        z,
    )
    return torch.scalar_tensor(value, dtype=torch.float32)


def threads(size: int) -> int:
    """For so many logits."""
    return 1 if size < WORTH_A_THREAD else min(torch.get_num_threads(), size // WORTH_A_THREAD)


def scale(gradient: Tensor, factor: Tensor) -> Tensor:
    return gradient if (number := float(factor)) == 1 else gradient.mul_(number)


KERNELS = fused.Kernels("native", refusal, Call, scale, AVAILABLE)
terms = functools.partial(fused.terms, KERNELS)


# -- tables -----------------------------------------------------------------------------------------------------------


def _plan(bound: Bound, classes: int) -> Any:
    """The kernel for logits of so many classes; made once, with the arrays that it points at."""
    made, key = tables.layout(bound).made, ("native", classes)
    if key not in made:
        made[key] = (_softmax if bound.link.exclusive else _sigmoid)(bound, classes)
    return made[key][0]


def _softmax(bound: Bound, C: int) -> tuple[Any, SoftmaxTables]:
    held = tables.softmax_tables(bound, C, torch.device("cpu"))
    addresses = [_address(t) for t in (*held.scale, *held.offset, *held[2:])]
    return _native.Softmax(addresses, *_curves(bound)), held


def _sigmoid(bound: Bound, K: int) -> tuple[Any, Any]:
    if FORMS and bound.weight is not None and bound.scale is bound.offset is bound.margin is bound.target is None:
        return _weights_alone(bound, bound.weight, K)
    arrays = tables.sigmoid_tables(bound, torch.device("cpu"))
    period = K if arrays.period > 1 else 1
    cyclic = torch.arange(period + SPARE) % period
    held = SigmoidTables(*(t.expand(2, period)[:, cyclic].contiguous() for t in arrays))
    by_label = tables.layout(bound).by_label
    absent = bound.scale is None, bound.offset is None and bound.margin is None, False, False, False
    addresses = [0 if none and FORMS else _address(t) for t, none in zip(held, absent, strict=True)]
    return _native.Sigmoid(addresses, period, period + SPARE, by_label, *_curves(bound)), held


def _weights_alone(bound: Bound, weight: Parts, K: int) -> tuple[Any, Any]:
    """As `_sigmoid`, of the tables that most rules make anew in every step; by NumPy, which takes a fifth of torch's time."""
    numbers = weight.dense(2).detach().float().numpy()
    period = K if numbers.shape[1] > 1 else 1
    held = torch.zeros(3, 2, period + SPARE)
    own, yes, no = held.numpy()
    own[:, :period] = numbers
    for at in range(period, period + SPARE, period):
        own[:, at : at + period] = own[:, : min(period, period + SPARE - at)]
    yes[1], no[0] = own[1], own[0]
    first, each = held.data_ptr(), own.nbytes
    addresses = [0, 0, first + each, first + 2 * each, first]
    return _native.Sigmoid(addresses, period, period + SPARE, tables.layout(bound).by_label, *_curves(bound)), held


def _curves(bound: Bound) -> tuple[Any, Any]:
    same = tables.layout(bound).same
    if "curves" not in same:
        yes, no = (_native.Curve(*tables.numbers(curve)) for curve in (bound.yes, bound.no))
        same["curves"] = yes, no
    return same["curves"]


def _address(t: Tensor | None) -> int:
    return 0 if t is None else t.data_ptr()
