"""LinearCrossEntropy: the last linear layer and its cross-entropy together, without ever holding all logits."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..link import SOFTMAX
from ..ops import Bound, linear
from ..ops.shapes import align
from ..ops.watched import forward_mode, rounded, transformed
from ..recipe import Recipe
from ..rule.protocol import Adaptive
from .functional import check_labels, cross_entropy
from .modules import RecipeLoss, refuse_to_learn_in_a_transform
from .probabilities import warn_once_of_products


class LinearCrossEntropy(RecipeLoss):
    """CrossEntropy(recipe)(input @ linear_weight.T + linear_bias, target), a few hundred rows of logits at a time.

    For output layers whose logits do not fit: a vocabulary, a catalogue, a million identities. Gradients to input, weight and
    bias are computed with the loss and kept until backward, so one step does the same three products as the plain way and
    holds no [N, C] at all.

    input          [..., H]; float16, bfloat16 or float32
    linear_weight  [C, H], linear_bias [C] or None: those of the nn.Linear
    target         labels [...], or probabilities [..., C]
    weight         s, per call: anything that aligns with [...] from the left; 0 means ignored
    normalizer     Z instead of the recipe's norm
    returns        a scalar in float32; 0 where everything is ignored. reduction="none" is not offered: its gradient would
                   have to wait for what comes after, and every product be done twice

    Raises ValueError for shapes that do not fit. All logits are there at once, as in CrossEntropy, for what one pass does not give:
    recipes whose numbers are learned, gradients to probabilities, weight or normalizer, gradients of gradients and a second
    backward pass, forward mode and torch.func.

    >>> layer, loss = torch.nn.Linear(8, 1000), LinearCrossEntropy(Recipe(weight=[1.0] * 1000))
    >>> loss(torch.randn(4, 8), layer.weight, torch.tensor([1, 2, 3, 4]), linear_bias=layer.bias).shape
    torch.Size([])
    """

    link = SOFTMAX

    def __init__(self, recipe: Recipe | Adaptive | None = None, *, ignore_index: int = -100, reduction: str = "mean"):
        if reduction == "none":
            raise ValueError(
                'LinearCrossEntropy: reduction must be "mean" or "sum"; for one loss per row use'
                ' CrossEntropy(recipe, reduction="none") on the logits.'
            )
        super().__init__(recipe, ignore_index, reduction, -1, consume_logits=False)  # probabilities are [..., C]
        if self.rule is not None and self.rule.reads_logits:
            raise ValueError(
                f"LinearCrossEntropy: {type(self.rule).__name__} needs the logits of every call, which are never all there;"
                " use CrossEntropy, or a rule that follows a schedule."
            )

    def forward(  # type: ignore[override]
        self,
        input: Tensor,
        linear_weight: Tensor,
        target: Tensor,
        *,
        linear_bias: Tensor | None = None,
        weight: Any = None,
        normalizer: float | Tensor | None = None,
    ) -> Tensor:
        if self.training and self.rule is not None:
            refuse_to_learn_in_a_transform(type(self).__name__, self.rule)
        bound = self.bound()
        _check(input, linear_weight, target, linear_bias, bound.width)
        warn_once_of_products(self, input, linear_weight, linear_bias)
        normalizer = self._divisor(normalizer)
        value = self._value(bound, input, linear_weight, target, linear_bias, weight, normalizer)
        if self.training and self.rule is not None and not self.in_step:
            self.rule.driver.settle()
        return value

    __call__: Callable[..., Tensor]  # nn.Module says Any

    def _value(
        self,
        bound: Bound,
        input: Tensor,
        linear_weight: Tensor,
        target: Tensor,
        linear_bias: Tensor | None,
        weight: Any,
        normalizer: float | Tensor | None,
    ) -> Tensor:
        weight = align("LinearCrossEntropy", weight, list(input.shape[:-1]), input, singleton=None)
        hidden, s = input.reshape(-1, input.shape[-1]), None if weight is None else weight.reshape(-1)
        labels = target.reshape(-1) if target.dim() < input.dim() else target.reshape(-1, target.shape[-1])
        if rounded(input.device):
            narrow = torch.get_autocast_dtype(input.device.type)
            hidden, linear_weight = hidden.to(narrow), linear_weight.to(narrow)
            linear_bias = None if linear_bias is None else linear_bias.to(narrow)
        given = [labels, *(t for t in (s, normalizer) if isinstance(t, Tensor))]
        if bound.live or transformed() or forward_mode() or any(t.requires_grad for t in given):
            return cross_entropy(
                F.linear(hidden, linear_weight, linear_bias),
                labels,
                bound,
                weight=s,
                normalizer=normalizer,
                ignore_index=self.ignore_index,
                reduction=self.reduction,
            )
        if self.reduction == "sum":
            norm: str | float | Tensor = "sum"
        else:
            norm = bound.norm if normalizer is None else normalizer
        try:
            return linear.total(hidden, linear_weight, linear_bias, labels, bound, s, self.ignore_index, norm)
        except (IndexError, RuntimeError):
            check_labels("LinearCrossEntropy", labels, linear_weight.shape[0], self.ignore_index)
            raise


def _check(input: Tensor, linear_weight: Tensor, target: Tensor, linear_bias: Tensor | None, width: int | None) -> None:
    name, shape, given = "LinearCrossEntropy", list(input.shape), list(linear_weight.shape)
    if input.dim() < 1 or len(given) != 2 or given[1] != shape[-1]:
        raise ValueError(
            f"{name}: linear_weight must be [C, H] for an input [..., H], got {given} and {shape}."
            " Pass layer.weight of the nn.Linear as it is."
        )
    classes = given[0]
    if linear_bias is not None and list(linear_bias.shape) != [classes]:
        raise ValueError(f"{name}: linear_bias must be [{classes}], got {list(linear_bias.shape)}.")
    wanted = [*shape[:-1], classes] if target.is_floating_point() else shape[:-1]
    if list(target.shape) != wanted:
        kind = "probabilities" if target.is_floating_point() else "labels"
        raise ValueError(f"{name}: {kind} must have the shape {wanted}, got {list(target.shape)}.")
    if width is not None and width != classes:
        raise ValueError(f"{name}: the recipe is for {width} classes but linear_weight has {classes} rows.")
