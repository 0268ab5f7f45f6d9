"""Fitted models as plain data, without pickle: linear ones, networks, and LightGBM's by its own text."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from .boosting import Trees
from .lightgbm import restored as restored_trees
from .lightgbm import saved as saved_trees
from .linear import Linear
from .mlp import Layers, Networks
from .model import Fitted

MODELS = ("linear", "mlp", "lightgbm")


def state(fitted: Fitted) -> dict[str, Any]:
    """The first arm at the first setting. ValueError for a kind of model that has no plain form."""
    if isinstance(fitted, Linear):
        return {"theta": fitted.theta[0, 0].tolist()}
    if isinstance(fitted, Networks):
        return {name: part.numpy().tolist() for name, part in fitted.snapshots[0]._asdict().items()}
    if isinstance(fitted, Trees) and fitted.gains is not None:
        return saved_trees(fitted)
    raise ValueError(f"model: this kind is not saved as plain data; {' and '.join(MODELS)} are.")


def restored(model: str, state: Mapping[str, Any], classes: int, width: int) -> Fitted:
    """The model again, for rows of `width` columns. ValueError, KeyError or TypeError for what `state` never gives."""
    logits = 1 if classes == 2 else classes
    if model == "linear":
        return Linear(_numbers(state["theta"], (logits, width + 1))[None, None], np.ones((1, 1), dtype=bool), classes)
    if model == "mlp":
        hidden = len(state["lift"])
        shapes = (width, hidden), (hidden,), (1, hidden, logits), (1, 1, logits)
        arrays = [_numbers(state[name], shape) for name, shape in zip(Layers._fields, shapes, strict=True)]
        return Networks((Layers(*(torch.from_numpy(a.astype(np.float32)) for a in arrays)),), classes)
    if model == "lightgbm":
        return restored_trees(state, _numbers(state["first"], (logits,)), width)
    raise ValueError(f"the kind of model {model!r} is unknown")


def _numbers(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"numbers of shape {array.shape} stand where finite ones of {shape} belong")
    return array
