"""Probabilities in the place of logits: a softmax too many, which no shape tells."""

import warnings

import torch
from torch import Tensor, nn

ROWS = 64  # looked at where the logits would have to be made
MANY = 20  # logits of a yes-or-no model that may all be in [0, 1] by chance
SLACK = 0.01  # bfloat16 rounds each of the probabilities


def look_like_probabilities(z: Tensor, axis: int = -1) -> bool:
    """Whether z holds two rows or more along `axis`, all of them in [0, 1] and with the sum 1, and is more than zeros and ones."""
    if z.dim() < 2 or z.shape[axis] < 2 or z.numel() < 2 * z.shape[axis]:
        return False
    with torch.no_grad():
        if not bool(((z >= 0) & (z <= 1)).all()) or bool(((z == 0) | (z == 1)).all()):
            return False
        return bool(((z.float().sum(axis) - 1).abs() <= SLACK).all())


def look_like_answers(z: Tensor) -> bool:
    """Whether z, of yes-or-no questions, holds some numbers, all of them in [0, 1], and more than zeros and ones: logits have both signs.

    Numbers in order are no answers but somebody's grid.
    """
    if z.numel() < MANY:
        return False
    with torch.no_grad():
        if not bool(((z >= 0) & (z <= 1)).all()) or bool(((z == 0) | (z == 1)).all()):
            return False
        return bool((z.reshape(-1).diff() < 0).any())


def warn_once(loss: nn.Module, logits: Tensor, axis: int, target: Tensor | None = None) -> None:
    """At the first call of a softmax loss: warn where its logits are probabilities, and where its float targets are none. Later calls
    cost nothing."""
    if not _is_first_call(loss, logits):
        return
    try:
        probabilities = look_like_probabilities(logits, axis)
        odd = _no_shares(target, axis) if isinstance(target, Tensor) and target.shape == logits.shape else None
    except (RuntimeError, IndexError, TypeError):  # inside vmap, or no logits at all: the loss says so
        return
    if probabilities:
        warnings.warn(
            f"{type(loss).__name__}: the logits look like probabilities: all rows are in [0, 1] and sum to 1. Losses take logits, and apply"
            " the softmax themselves; drop the softmax of the network.",
            stacklevel=4,
        )
    if odd is not None:
        warnings.warn(
            f"{type(loss).__name__}: float targets are probabilities of the classes, and here some are {odd}. A row of several labels goes"
            " to BinaryCrossEntropy, which asks of each; counts or votes are divided by their sum.",
            stacklevel=4,
        )


def _no_shares(target: Tensor, axis: int) -> str | None:
    """Why float targets are no probabilities along `axis`, or None; rows of zeros alone may stand for what does not count."""
    if not target.is_floating_point():
        return None
    with torch.no_grad():
        odd = target[~((target >= 0) & (target <= 1))]
        if odd.numel():
            return f"{odd.reshape(-1)[0].item():g}"
        sums = target.float().sum(axis)
        odd = sums[((sums - 1).abs() > SLACK) & (sums != 0)]
        return f"of rows that sum to {odd.reshape(-1)[0].item():.4g}" if odd.numel() else None


def warn_once_of_products(loss: nn.Module, input: Tensor, linear_weight: Tensor, linear_bias: Tensor | None) -> None:
    """The same of a loss that never holds its logits: those of a few rows."""
    if not _is_first_call(loss, input):
        return
    try:
        with torch.no_grad():
            rows = input.reshape(-1, input.shape[-1])[:ROWS]
            logits = nn.functional.linear(rows, linear_weight, linear_bias)
    except (RuntimeError, IndexError, TypeError):  # what does not fit is said by the loss
        return
    loss.__dict__["_looked_at_logits"] = False
    warn_once(loss, logits, -1)


def warn_once_of_answers(loss: nn.Module, target: Tensor) -> None:
    """At the first call of a sigmoid loss: warn where its float targets are no probabilities, as -1 and NaN for unknown are not."""
    if not _is_first_call(loss, target) or not target.is_floating_point():
        return
    try:
        with torch.no_grad():
            odd = target[~((target >= 0) & (target <= 1))]
            example = f"{odd.reshape(-1)[0].item():g}" if odd.numel() else None
    except RuntimeError:  # inside vmap
        return
    if example is not None:
        warnings.warn(
            f"{type(loss).__name__}: float targets are probabilities in [0, 1], and here some are {example}. If that means unknown,"
            " pass integers with ignore_index=-1, target.nan_to_num(-1).long(), or weight=(target >= 0).float(); a mask of 0 and 255"
            " is divided by 255.",
            stacklevel=4,
        )


def _is_first_call(loss: nn.Module, values: Tensor) -> bool:
    """Whether this loss has not been called yet, and its values can be looked at."""
    if torch.compiler.is_compiling() or loss.__dict__.get("_looked_at_logits"):
        return False
    loss.__dict__["_looked_at_logits"] = True
    return isinstance(values, Tensor) and not (values.is_cuda and torch.cuda.is_current_stream_capturing())
