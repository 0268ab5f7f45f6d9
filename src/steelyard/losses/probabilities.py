"""Probabilities in the place of logits: a softmax too many, which no shape tells."""

import warnings

import torch
from torch import Tensor, nn

SLACK = 0.01  # bfloat16 rounds each of the probabilities


def look_like_probabilities(z: Tensor, axis: int = -1) -> bool:
    """Whether z holds two rows or more along `axis`, all of them in [0, 1] and with the sum 1, and is more than zeros and ones."""
    if z.dim() < 2 or z.shape[axis] < 2 or z.numel() < 2 * z.shape[axis]:
        return False
    with torch.no_grad():
        if not bool(((z >= 0) & (z <= 1)).all()) or bool(((z == 0) | (z == 1)).all()):
            return False
        return bool(((z.float().sum(axis) - 1).abs() <= SLACK).all())


def warn_once(loss: nn.Module, logits: Tensor, axis: int) -> None:
    """At the first call of a softmax loss: warn where its logits are probabilities. Later calls cost nothing."""
    if torch.compiler.is_compiling() or loss.__dict__.get("_looked_at_logits"):
        return
    loss.__dict__["_looked_at_logits"] = True
    if not isinstance(logits, Tensor) or (logits.is_cuda and torch.cuda.is_current_stream_capturing()):
        return
    try:
        probabilities = look_like_probabilities(logits, axis)
    except (RuntimeError, IndexError, TypeError):  # inside vmap, or no logits at all: the loss says so
        return
    if probabilities:
        warnings.warn(
            f"{type(loss).__name__}: the logits look like probabilities: all rows are in [0, 1] and sum to 1. Losses take logits, and apply"
            " the softmax themselves; drop the softmax of the network.",
            stacklevel=4,
        )
