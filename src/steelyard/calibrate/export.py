"""The undo as a part of the net, for whoever ships a model: folded into its last layer, or as a module behind it.

Both are ordinary layers of torch, which torch.export and ONNX know.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..curves import Shifted
from ..link import Link
from ..losses.dropin import BCEWithLogitsLoss
from ..ops import Bound
from . import sigmoid, softmax
from .posterior import trained_with

PROBES = 32  # random rows on which an affine undo must be the undo
EXACT = 1e-9  # of the log of a probability


class Posterior(nn.Module):
    """What `posterior` does, as the last layer of a net that is exported: logits -> probabilities with the weights undone.

    recipe_or_loss  what the net was trained with; the numbers are copied, and later changes of the loss do not reach it
    link            of a bare Recipe, as in `posterior`
    class_dim       the class axis of the logits; a loss brings its own

    logits [N, C, *space] in float32 or wider (sigmoid: of any shape with the classes on axis 1); gives the same shape. Nothing is checked
    while it runs: NaN stays NaN.

    ValueError where labels see different logits, where a smoothed label or pairs of curves need a solve for every row, and where a clip
    leaves a flat zone: such nets are undone by `posterior` on what they give.
    """

    def __init__(self, recipe_or_loss: Any, *, link: str | Link | None = None, class_dim: int = 1):
        super().__init__()
        bound, own = _bound("Posterior", recipe_or_loss, link)
        self.class_dim = own if own != 1 else class_dim
        if refused := _refusal(bound):
            raise ValueError(f"Posterior: {refused}; call steelyard.posterior on what the net gives.")
        for i, table in enumerate(bound.tensors):
            self.register_buffer(f"table_{i}", table.detach().clone())
        self._bound = bound

    def forward(self, logits: Tensor) -> Tensor:
        z = logits.to(torch.promote_types(logits.dtype, torch.float32))
        numbers = iter([getattr(self, f"table_{i}").to(z.dtype) for i in range(len(self._bound.tensors))])
        bound = self._bound.map(lambda _: next(numbers))
        if not bound.link.exclusive:
            moved = z.movedim(self.class_dim, 1) if z.dim() > 1 else z
            p = sigmoid.solve(moved, bound)[0]
            return p.movedim(1, self.class_dim) if z.dim() > 1 else p
        rows = z.movedim(self.class_dim, -1)
        p = torch.softmax(softmax.one_hot_undo(rows.reshape(-1, rows.shape[-1]), bound), dim=1)
        return p.reshape(rows.shape).movedim(-1, self.class_dim)

    __call__: Callable[..., Tensor]  # nn.Module says Any

    def extra_repr(self) -> str:
        return f"link={str(self._bound.link)!r}, class_dim={self.class_dim}"


def fold(layer: nn.Module, recipe_or_loss: Any, *, link: str | Link | None = None) -> nn.Module:
    """A copy of a net's last layer whose softmax (sigmoid) is the posterior: nothing of the weights is left to undo.

    layer  nn.Linear, or a convolution, whose outputs are the logits; it stays as it is

    For class weights, offsets, scales per class and whatever else shifts or stretches each logit by itself. ValueError where the undo is
    not of that form (focal and other curves, smoothing, margins): then a `Posterior` behind the net does it.

    >>> from steelyard import Recipe
    >>> layer = fold(nn.Linear(4, 2), Recipe(weight=[1.0, 9.0]))
    """
    if not isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        raise TypeError(f"fold: takes the last nn.Linear or convolution of a net, got {type(layer).__name__}.")
    bound = _bound("fold", recipe_or_loss, link)[0]
    size = layer.weight.shape[0]
    if bound.width is not None and bound.width not in (1, size):
        raise ValueError(f"fold: the recipe is for {bound.width} classes and the layer has {size} outputs.")
    found = affine(bound, size)
    if found is None:
        raise ValueError(
            "fold: this undo does not shift and stretch each logit by itself, so no layer can hold it; put"
            " calibrate.Posterior(recipe) behind the net, or call steelyard.posterior on what it gives."
        )
    stretch, shift = found
    new = copy.deepcopy(layer)
    with torch.no_grad():
        by = stretch.to(layer.weight)
        new.weight.mul_(by.reshape(-1, *([1] * (layer.weight.dim() - 1))))
        bias = shift.to(layer.weight) if layer.bias is None else layer.bias * by + shift.to(layer.weight)
        new.bias = nn.Parameter(bias)
    return new


def affine(bound: Bound, size: int) -> tuple[Tensor, Tensor] | None:
    """(a, b) [C] in float64 with softmax(a z + b) (sigmoid) the posterior of logits z, or None where there are none.

    Read off the undo itself at three places and held against it at random ones, so that what is affine needs no list.
    """
    if _refusal(bound):
        return None
    bound = bound.map(lambda t: t.detach().double().cpu())
    start, step = torch.zeros(1, size, dtype=torch.float64), torch.ones(1, size, dtype=torch.float64)
    random = torch.Generator().manual_seed(0)
    z = 3 * torch.randn(PROBES, size, dtype=torch.float64, generator=random)
    if not bound.link.exclusive:
        shift = torch.logit(sigmoid.solve(start, bound)[0])[0]
        stretch = torch.logit(sigmoid.solve(step, bound)[0])[0] - shift
        same = (torch.logit(sigmoid.solve(z, bound)[0]) - (stretch * z + shift)).abs().max() < EXACT
        return (stretch, shift) if bool(same) else None
    shift = softmax.one_hot_undo(start, bound)[0]
    shift = shift - shift.mean()
    if size == 1:
        return torch.ones(1, dtype=torch.float64), shift
    beyond = softmax.one_hot_undo(step, bound)[0] - shift  # a_c, up to a constant
    first = torch.zeros_like(step)
    first[0, 0] = 1.0
    one = softmax.one_hot_undo(first, bound)[0] - shift
    stretch = beyond - beyond[0] + (one[0] - one[1])
    wanted = torch.log_softmax(softmax.one_hot_undo(z, bound), dim=1)
    same = (torch.log_softmax(stretch * z + shift, dim=1) - wanted).abs().max() < EXACT
    return (stretch, shift) if bool(same) else None


def _bound(caller: str, recipe_or_loss: Any, link: str | Link | None) -> tuple[Bound, int]:
    if isinstance(
        recipe_or_loss, BCEWithLogitsLoss
    ):  # its pos_weight lies in no table: along which axis, only the logits say
        raise ValueError(
            f"{caller}: the pos_weight of BCEWithLogitsLoss may run along any axis of the logits; give it as the recipe"
            " Recipe(weight=[[1, ...], [pos_weight, ...]], kind='multilabel'), or call steelyard.posterior on what the net gives."
        )
    bound, _, class_dim = trained_with(caller, recipe_or_loss, link)
    return bound, class_dim


def _refusal(bound: Bound) -> str:
    if not bound.link.exclusive:
        sigmoid.check_sigmoid(bound)
        flat = any(isinstance(curve, Shifted) and curve.clip > 0 for curve in (bound.yes, bound.no))
        return "the clip of this curve leaves a zone of which the loss says nothing" if flat else ""
    if not (softmax.same_for_all(bound) and softmax.asks_for_one(bound)):
        return "labels see different logits, or ask for more than their own class, which takes a solve for every row"
    softmax.check_softmax(bound, bound.width or 2, True)
    return ""
