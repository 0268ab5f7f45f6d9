"""The last linear layer of a model, left out of its forward pass for a loss that holds the two together. Nothing here is of a framework."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

CLOSE = 0.02  # of the largest logit: what half precision rounds


@contextlib.contextmanager
def left_out(layer: nn.Module) -> Iterator[None]:
    """Inside, the layer hands on what it is given, so that the model's "logits" are the layer's input."""
    before = layer.__dict__.get("forward")  # another program may have put its own there
    layer.forward = lambda hidden: hidden  # type: ignore[method-assign]
    try:
        yield
    finally:
        del layer.forward
        if before is not None:
            layer.forward = before  # type: ignore[method-assign]


def check_last(who: str, model: nn.Module, layer: Any, logits_of: Callable[[], Tensor]) -> None:
    """ValueError unless the logits of `model` are what `layer`, an nn.Linear, makes of its input: a cap or a scale behind it would be lost.

    logits_of  runs the model on a row and gives its logits; called twice, without gradients and in evaluation mode
    """
    if not isinstance(layer, nn.Linear) or layer.weight.dim() != 2:
        raise ValueError(
            f"{who}: LinearCrossEntropy needs the model's last layer as an nn.Linear that is whole on every rank; {type(model).__name__} gives"
            f" {type(layer).__name__}. Pass sy.CrossEntropy(recipe)."
        )
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            logits = logits_of()
            with left_out(layer):
                hidden = logits_of()
            same = hidden.shape[-1] == layer.in_features
            ours = layer(hidden.to(layer.weight.dtype)).to(logits) if same else None
    finally:
        model.train(training)
    size = float(logits.abs().max())
    if ours is None or float((ours - logits).abs().max()) > CLOSE * max(size, 1e-6):
        raise ValueError(
            f"{who}: the logits of {type(model).__name__} are not what its last layer gives (they are capped, scaled or shifted behind it), so"
            " LinearCrossEntropy would train others. Pass sy.CrossEntropy(recipe)."
        )
