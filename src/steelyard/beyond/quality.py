"""Quality focal loss: focal loss for soft targets such as the overlap of a predicted box."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from ..link import SIGMOID
from ..losses.functional import check_reduction
from ..losses.reduction import reduce
from ..ops import Terms, bind
from ..ops.reference import read
from ..ops.shapes import arrange
from ..recipe import Recipe


def quality_focal(
    logits: Tensor,
    target: Tensor,
    *,
    beta: float = 2.0,
    weight: Any = None,
    normalizer: float | Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """l = |t - sigmoid(z)|^beta * -(t log sigmoid(z) + (1 - t) log sigmoid(-z)).

    logits   any shape
    target   shaped like the logits: quality in [0, 1] (floats), or integers 0, 1, ignore_index
    beta     >= 0; on hard labels this is focal loss with gamma = beta
    weight, normalizer, reduction and what is returned: as in BinaryCrossEntropy

    Not an expectation over labels (its factor is taken at the mean label), so it is not a curve of the one form, and
    its optimum is sigmoid(z) = t only because the factor vanishes there; `posterior` does not undo it.

    Source: Li et al. 2020, arXiv:2006.04388, eq. 5.

    >>> round(quality_focal(torch.tensor([0.0]), torch.tensor([1])).item(), 4)  # 0.25 log 2
    0.1733
    """
    if not 0 <= beta < float("inf"):
        raise ValueError(f"quality_focal: beta must be in [0, inf), got {beta!r}.")
    check_reduction("quality_focal", reduction, normalizer)
    bound = bind(Recipe(), SIGMOID)
    call = arrange("quality_focal", logits, target, weight, bound, 1)
    labels = read(call.logits, call.target, SIGMOID, call.weight, ignore_index)
    t = labels.t if labels.y is None else labels.y.to(torch.promote_types(logits.dtype, torch.float32))
    assert t is not None
    z = torch.where(labels.valid, call.logits.to(t.dtype), 0.0)
    away = (t * torch.sigmoid(-z) - (1 - t) * torch.sigmoid(z)).abs()  # |t - sigmoid(z)|, exact at hard labels
    settled = away == 0
    factor = (away.masked_fill(settled, 1.0) ** beta).masked_fill(settled, 0.0 if beta else 1.0)
    loss = -factor * (t * logsigmoid(z) + (1 - t) * logsigmoid(-z))
    s = labels.valid.to(loss.dtype) if labels.s is None else torch.where(labels.valid, labels.s, 0.0)
    found = Terms(loss * s, s, torch.zeros_like(loss), labels.valid)
    return reduce(Terms(*(call.restore(part, SIGMOID) for part in found)), "count", reduction, normalizer)
