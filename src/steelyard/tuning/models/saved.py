"""Fitted models as plain data, without pickle: linear ones, networks, LightGBM's by its own text, scikit-learn's by skops."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch

from ...schema import ByName, Many, Maybe, Number, Numbers, Record, Text
from . import skopped
from .boosting import Trees
from .boosting import restored as restored_boosting
from .boosting import saved as saved_boosting
from .estimators import Estimators
from .lightgbm import restored as restored_trees
from .lightgbm import saved as saved_trees
from .linear import Linear
from .mlp import Layers, Networks
from .model import Fitted

_WEIGHT = Number(-1e30, 1e30)  # networks work in float32
FORMS = {  # of the state of each kind
    "linear": Record({"theta": Numbers(Number(-1e100, 1e100), 2, least=2)}),
    "mlp": Record(
        {
            "enter": Numbers(_WEIGHT, 2, least=2),
            "lift": Numbers(_WEIGHT, 1, least=1),
            "leave": Numbers(_WEIGHT, 3, least=3),
            "bias": Numbers(_WEIGHT, 3, least=3),
        }
    ),
    "boosting": Record(
        {
            "skops": Text(),
            "edges": ByName(Numbers(Number(-1e308, 1e308), 1, least=1)),
            "places": ByName(Many(Maybe(Number(0, 255)), some=True)),
        }
    ),
    "lightgbm": Record({"first": Numbers(Number(-1e100, 1e100), 1, least=1), "trees": Text()}),
    "estimator": Record(
        {
            "name": Text(),
            "skops": Text(),
            "weights": Numbers(Number(0, 1e100), 1, least=1),
            "rows": Number(0, 1e100),
        }
    ),
}
MODELS = tuple(FORMS)
ESTIMATOR = "estimator"
NAMED = tuple(name for name in MODELS if name != ESTIMATOR)  # of --model


def kind(name: str, fitted: Fitted) -> str:
    """Under which of FORMS a model of this name is kept."""
    return ESTIMATOR if isinstance(fitted, Estimators) else name


def state(name: str, fitted: Fitted) -> dict[str, Any]:
    """The first arm at the first setting; `name` as in `--model`. ValueError for a kind of model that has no plain form."""
    if isinstance(fitted, Estimators):
        return {
            "name": name,
            "skops": skopped.dumped(fitted.models[0]),
            "weights": fitted.weights[0].tolist(),
            "rows": float(fitted.rows),
        }
    if isinstance(fitted, Linear):
        return {"theta": fitted.theta[0, 0].tolist()}
    if isinstance(fitted, Networks):
        return {name: part.numpy().tolist() for name, part in fitted.snapshots[0]._asdict().items()}
    if isinstance(fitted, Trees):
        return saved_boosting(fitted) if name == "boosting" else saved_trees(fitted)
    raise ValueError(f"model: this kind is not saved as plain data; {' and '.join(NAMED)} are.")


def restored(model: str, state: Mapping[str, Any], classes: int, width: int, trusted: Collection[str] = ()) -> Fitted:
    """The model again, from a state of its form, for rows of `width` columns. ValueError where its numbers are of other shapes, and for
    types of a classifier's parts that are not trusted."""
    if model == ESTIMATOR:
        weights = _numbers(state, "weights", (classes,))[None]
        one = skopped.restored(state["skops"], trusted)
        return Estimators((one,), weights, float(state["rows"]), np.ones((1, 1), dtype=bool), classes)
    logits = 1 if classes == 2 else classes
    if model == "linear":
        return Linear(_numbers(state, "theta", (logits, width + 1))[None, None], np.ones((1, 1), dtype=bool), classes)
    if model == "mlp":
        hidden = len(state["lift"])
        shapes = (width, hidden), (hidden,), (1, hidden, logits), (1, 1, logits)
        arrays = [_numbers(state, name, shape) for name, shape in zip(Layers._fields, shapes, strict=True)]
        return Networks((Layers(*(torch.from_numpy(a.astype(np.float32)) for a in arrays)),), classes)
    if model == "boosting":
        return restored_boosting(state, classes, width, trusted)
    if model == "lightgbm":
        return restored_trees(state, _numbers(state, "first", (logits,)), width)
    raise AssertionError(model)


def _numbers(state: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(state[name], dtype=np.float64)
    if array.shape != shape:
        raise ValueError(f"fitted.{name} has the shape {array.shape}, and {shape} belongs there")
    return array
