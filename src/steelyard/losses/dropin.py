"""torch.nn.CrossEntropyLoss and BCEWithLogitsLoss again: the same signatures, the same numbers, with our numerics.

Deliberate differences, all towards a defined answer (docs/reference/differences.md lists them with torch's issue numbers): where
every target is ignored or the weights sum to 0 the mean is 0 with zero gradient instead of NaN; NaN or inf logits at
ignored positions stay ignored; every integer dtype is a label; weights may be lists and of another float dtype than the
logits; a pos_weight of length C is tried on axis 1 where torch raises.
"""

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..curves import Log
from ..given import by_class, is_pandas, is_series, places
from ..link import SIGMOID, SOFTMAX
from ..ops import Bound
from ..ops.bound import Product, Target
from ..ops.shapes import same_shape
from ..ops.watched import forward_mode, rounded, transformed
from .functional import check_reduction, whole
from .probabilities import warn_once

Made = TypeVar("Made")


class _Kept:
    """What was made of a loss's weights, as long as they and the shapes are the same: what backends made of a Bound stays with it."""

    def __init__(self) -> None:
        self._made: tuple[Tensor | None, tuple[Any, ...], Any] | None = None

    def __call__(self, source: Tensor | None, rest: tuple[Any, ...], make: Callable[[], Made]) -> Made:
        """`make`, anew only where the buffer `source` or `rest` have changed."""
        if transformed() or forward_mode() or (source is not None and source.is_inference()):
            return make()
        key = (None if source is None else source._version, *rest)
        if self._made is None or self._made[0] is not source or self._made[1] != key:
            self._made = source, key, make()
        return self._made[2]


class CrossEntropyLoss(nn.CrossEntropyLoss):
    """torch.nn.CrossEntropyLoss, to the digit, and an instance of it: whoever asks isinstance finds what it knows.

    weight  [C], multiplies class c inside the sum (with label_smoothing that moves the optimum towards heavy classes:
            pytorch issue 104776; CrossEntropy with `smooth` and a weight per label does not)
    mean    labels: divided by the sum of weights of the labels that are not ignored; probabilities: by their number

    logits [C], [N, C] or [N, C, d1, ...]; target labels, any integer dtype, or probabilities shaped like the logits.
    Returns the logits' dtype (float32 under autocast), as torch does.
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ):
        reduction = _reduction("CrossEntropyLoss", size_average, reduce, reduction)
        weight = _vector("CrossEntropyLoss", "weight", weight)
        if weight is not None and weight.dim() != 1:
            raise ValueError(f"CrossEntropyLoss: weight must be one number per class, got {list(weight.shape)}.")
        if not 0.0 <= label_smoothing <= 1.0:
            raise ValueError(f"CrossEntropyLoss: label_smoothing must be in [0, 1], got {label_smoothing}.")
        super().__init__(weight, None, ignore_index, None, reduction, float(label_smoothing))
        self._kept = _Kept()

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        warn_once(self, input, min(1, input.dim() - 1))
        soft = target.is_floating_point()
        smoothing = self.label_smoothing
        if soft and smoothing:  # torch mixes with the uniform distribution even where a row does not sum to 1
            size = input.shape[1] if input.dim() > 1 else input.shape[0]
            target, smoothing = target * (1 - smoothing) + smoothing / size, 0.0
        name, bound, dtype = "CrossEntropyLoss", self._bound(smoothing, "count" if soft else "mass"), _dtype(input)
        loss = whole(
            name,
            input,
            target,
            bound,
            ignore_index=self.ignore_index,
            class_dim=1,
            reduction=self.reduction,
            normalizer=None,
            dtype=dtype,
        )
        return loss if loss.dtype is dtype else loss.to(dtype)

    __call__: Callable[..., Tensor]  # nn.Module says Any

    def bound(self) -> Bound:
        """The weights and the smoothing of labels as the ops take them: what `posterior` and `explain` read."""
        return self._bound(self.label_smoothing, "mass")

    def _bound(self, smoothing: float, norm: str) -> Bound:
        def make() -> Bound:
            weight = None if self.weight is None else Product(column=self.weight)
            asked = Target(amount=torch.tensor([smoothing], dtype=torch.float64)) if smoothing else None
            width = None if self.weight is None else self.weight.numel()
            return Bound(SOFTMAX, None, None, None, weight, asked, Log(), Log(), norm, width)

        return self._kept(self.weight, (smoothing, norm), make)

    def extra_repr(self) -> str:
        return f"ignore_index={self.ignore_index}, label_smoothing={self.label_smoothing}, reduction={self.reduction!r}"


class BCEWithLogitsLoss(nn.BCEWithLogitsLoss):
    """torch.nn.BCEWithLogitsLoss, to the digit, and an instance of it.

    weight      multiplies each element; broadcasts from the right to the input, as in torch
    pos_weight  multiplies the outcome "is"; broadcasts from the right; where that fails, [C] is tried on axis 1
    mean        divided by the number of elements

    input and target of one shape. Returns the input's dtype (float32 under autocast), as torch does.
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Any = None,
    ):
        reduction = _reduction("BCEWithLogitsLoss", size_average, reduce, reduction)
        weight = _vector("BCEWithLogitsLoss", "weight", weight)
        pos_weight = _vector("BCEWithLogitsLoss", "pos_weight", pos_weight)
        super().__init__(weight, None, None, reduction, pos_weight)
        self._kept = _Kept()

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        if not target.is_floating_point():
            target = target.to(torch.promote_types(input.dtype, torch.float32))
        same_shape("BCEWithLogitsLoss", input, target)
        bound, layout = self._kept(self.pos_weight, input.shape, lambda: self._laid_out(input))
        own, weight, logits, dtype = self.weight, None, input, _dtype(input)
        if own is not None:
            weight = self._fit("weight", own, input).expand(input.shape)
            weight = weight if layout is None else weight.reshape(layout)
        if layout is not None:
            logits, target = input.reshape(layout), target.reshape(layout)
        loss = whole(
            "BCEWithLogitsLoss",
            logits,
            target,
            bound,
            weight=weight,
            ignore_index=-100,
            class_dim=1,
            reduction=self.reduction,
            normalizer=max(input.numel(), 1) if self.reduction == "mean" else None,
            dtype=dtype,
        )
        loss = loss.reshape(input.shape) if self.reduction == "none" else loss
        return loss if loss.dtype is dtype else loss.to(dtype)

    __call__: Callable[..., Tensor]  # nn.Module says Any

    def _laid_out(self, input: Tensor) -> tuple[Bound, list[int] | None]:
        """The weights for inputs of this shape, and the shape that the logits take; None: as they are."""
        if self.pos_weight is None:
            return _yes_weight(None, None), None
        positive, layout = _along_one_axis(self._fit("pos_weight", self.pos_weight, input), list(input.shape))
        return _yes_weight(positive, None), None if layout == list(input.shape) else layout

    def bound(self) -> Bound:
        """pos_weight as the ops take it, one number per class: what `explain` reads. `weight` changes no optimum."""
        if self.pos_weight is None:
            return _yes_weight(None, None)
        is_, width = self.pos_weight.reshape(-1), self.pos_weight.numel()
        if width not in self.pos_weight.shape and width > 1:
            raise ValueError(f"BCEWithLogitsLoss: pos_weight {list(self.pos_weight.shape)} is not one per class.")
        return _yes_weight(is_, width)

    def plain(self, input: Tensor) -> Tensor:
        """The logits whose sigmoid is the posterior: input - log(pos_weight)."""
        if self.pos_weight is None:
            return input
        if bool((self.pos_weight <= 0).any()):
            raise ValueError("posterior: pos_weight holds 0, so the logits say nothing there; give weights > 0.")
        return input - self._fit("pos_weight", self.pos_weight, input).to(input).log()

    @staticmethod
    def _fit(name: str, values: Tensor, input: Tensor) -> Tensor:
        """`values` with as many axes as the input, broadcastable to it."""
        shape, given = list(input.shape), list(values.shape)
        if values.dim() <= input.dim():
            padded = [1] * (input.dim() - values.dim()) + given
            if all(v in (1, s) for v, s in zip(padded, shape, strict=True)):
                return values.reshape(padded)
            if name == "pos_weight" and values.dim() == 1 and input.dim() > 1 and given[0] == shape[1]:
                return values.reshape(1, -1, *([1] * (input.dim() - 2)))
        hint = ' A weight per class ("is", "is not") is pos_weight, or BinaryCrossEntropy(fixed(weight=[w0, w1])).'
        raise ValueError(
            f"BCEWithLogitsLoss: {name} {given} does not broadcast to the input {shape}."
            + (hint if name == "weight" else f" One number per class is [{shape[1] if len(shape) > 1 else 1}].")
        )

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


def _yes_weight(is_: Tensor | None, width: int | None) -> Bound:
    positive = None if is_ is None else Product(full=torch.stack([torch.ones_like(is_), is_]))
    return Bound(SIGMOID, None, None, None, positive, None, Log(), Log(), "count", width)


def _along_one_axis(values: Tensor, shape: list[int]) -> tuple[Tensor, list[int]]:
    """`values`, broadcastable to `shape`, as a vector; the layout of the logits whose axis 1 it runs along.

    Recipes have one class axis; torch's pos_weight may differ along several, which become one here.
    """
    differ = [axis for axis, size in enumerate(values.shape) if size != 1]
    if not differ:
        return values.reshape(1), shape
    first, last = differ[0], differ[-1] + 1
    if first == 0:  # never a class axis alone: the batch differs too
        values, last = values.expand(shape), len(shape)
    else:
        values = values.expand(*values.shape[:first], *shape[first:last], *values.shape[last:])
    layout = [math.prod(shape[:first]), math.prod(shape[first:last])]
    return values.reshape(-1), layout if last == len(shape) else [*layout, math.prod(shape[last:])]


def _reduction(name: str, size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """torch's two old switches still count, with its old meaning."""
    if size_average is not None or reduce is not None:
        average, total = size_average is not False, reduce is not False
        reduction = "none" if not total else "mean" if average else "sum"
        warnings.warn(f'{name}: size_average and reduce are deprecated; write reduction="{reduction}".', stacklevel=3)
    check_reduction(name, reduction)
    return reduction


def _vector(name: str, argument: str, values: Any) -> Tensor | None:
    """Any float dtype is kept; the numbers are copied, so that later changes to the caller's tensor do not act here.

    By number, {0: 1.0, 1: 9.0} or a Series of 0, 1, ..., they stand at those places; the layer knows no other names.
    """
    if values is None:
        return None
    if isinstance(values, Mapping) or is_pandas(values):
        named = by_class(values, f"{name}: {argument}") if isinstance(values, Mapping) or is_series(values) else None
        if named is None or list(named) != places(len(named)):
            raise ValueError(
                f"{name}: {argument} goes by name, {', '.join(map(str, list(values.keys())[:5]))}, and takes one number for each class 0, 1, ..."
                " in the order of the logits: a list, or {0: 1.0, 1: 9.0}."
            )
        values = list(named.values())
    try:
        tensor = values.detach().clone() if isinstance(values, Tensor) else torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"{name}: {argument} must be numbers, got {values!r}.") from None
    return tensor if tensor.is_floating_point() else tensor.to(torch.get_default_dtype())


def _dtype(logits: Tensor) -> torch.dtype:
    """torch returns the logits' dtype, but lists both losses among autocast's float32 operations."""
    half = logits.dtype in (torch.float16, torch.bfloat16)
    return torch.float32 if half and rounded(logits.device) else logits.dtype
