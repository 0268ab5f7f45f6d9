"""What the laws are tried on: recipes that use every field, and calls of a loss."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .. import curves
from ..link import SIGMOID, SOFTMAX, Link, link_of
from ..ops import Bound
from ..recipe import Recipe
from ..table import Smooth

CLASSES = 3


def recipes(link: str | Link) -> dict[str, Recipe]:
    """Named recipes for three classes that together use every field in every shape it can take under `link`."""
    return _softmax_recipes() if link_of(link).exclusive else _sigmoid_recipes()


def _softmax_recipes() -> dict[str, Recipe]:
    inf = math.inf
    table = [[1.0, 2.0, 0.5], [0.5, 1.5, 1.0], [3.0, 0.25, 2.0]]
    rows = [[0.8, 0.2, 0.0], [0.1, 0.7, 0.2], [0.0, 0.3, 0.7]]
    per_label = Smooth([0.3, 0.1, 0.0])
    return {
        "plain": Recipe(),
        "weight-per-label": Recipe(weight=[0.5, 1.0, 3.0]),
        "weight-per-class": Recipe(weight=[[0.5, 1.0, 3.0]]),
        "weight-table": Recipe(weight=table),
        "weight-zero": Recipe(weight=[0.0, 1.0, 2.0]),
        "offset-per-label": Recipe(offset=[0.3, -1.0, 2.0]),
        "offset-per-class": Recipe(offset=[[-0.4, -1.2, -3.0]]),
        "offset-table": Recipe(offset=table),
        "classes-removed": Recipe(offset=[[0.0, -inf, 0.0], [0.0, 0.0, 0.0], [-inf, 1.0, 0.0]]),
        "scale": Recipe(scale=2.5),
        "scale-per-label": Recipe(scale=[1.0, 0.6, 0.3]),
        "scale-per-class": Recipe(scale=[[1.0, 0.6, 0.3]]),
        "scale-table": Recipe(scale=table),
        "margin": Recipe(margin=[0.2, 0.5, 1.0]),
        "smooth": Recipe(target=0.1),
        "smooth-per-label": Recipe(target=per_label),
        "smooth-toward": Recipe(target=Smooth(0.2, [0.7, 0.2, 0.1])),
        "smooth-weighted": Recipe(weight=[0.5, 1.0, 3.0], target=0.2),
        "target-rows": Recipe(target=rows, weight=[0.5, 1.0, 3.0]),
        "target-and-weight-tables": Recipe(target=per_label, weight=table),
        "smooth-focal": Recipe(target=per_label, curve=curves.Focal(2.0)),
        "smooth-asymmetric": Recipe(target=per_label, curve=curves.Asymmetric(1.0, 4.0, 0.0)),
        **_curves(SOFTMAX),
        "norm-mass": Recipe(weight=[0.5, 1.0, 3.0], norm="mass"),
        "norm-sum": Recipe(norm="sum"),
        "norm-number": Recipe(norm=7.0),
        "everything": Recipe(
            scale=[[1.0, 0.8, 0.6]],
            offset=[[-0.4, -1.2, -3.0]],
            margin=[0.2, 0.5, 1.0],
            weight=[0.5, 1.0, 3.0],
            target=per_label,
            curve=curves.Focal(1.5),
            norm="mass",
        ),
    }


def _sigmoid_recipes() -> dict[str, Recipe]:
    column, table = [[0.5, 1.0, 3.0]], [[0.5, 1.0, 0.25], [3.0, 2.0, 1.0]]
    per_label = Smooth([0.3, 0.1])
    return {
        "plain": Recipe(),
        "weight-per-label": Recipe(weight=[0.5, 3.0]),
        "weight-per-class": Recipe(weight=column),
        "weight-table": Recipe(weight=table),
        "weight-zero": Recipe(weight=[0.0, 2.0]),
        "offset-per-label": Recipe(offset=[0.3, -1.0]),
        "offset-per-class": Recipe(offset=column),
        "offset-table": Recipe(offset=table),
        "scale": Recipe(scale=2.5),
        "scale-per-label": Recipe(scale=[1.0, 0.3]),
        "scale-per-class": Recipe(scale=column),
        "scale-table": Recipe(scale=table),
        "margin": Recipe(margin=[0.2, 1.0]),
        "margin-table": Recipe(margin=table),
        "smooth": Recipe(target=0.1),
        "smooth-per-label": Recipe(target=per_label),
        "smooth-toward": Recipe(target=Smooth(0.2, [0.7, 0.2, 0.1])),
        "target-rows": Recipe(target=[[0.1, 0.2, 0.0], [0.9, 0.6, 1.0]], weight=[0.5, 3.0]),
        "smooth-asymmetric": Recipe(target=per_label, curve=curves.Asymmetric(1.0, 4.0, 0.05)),
        **_curves(SIGMOID),
        "norm-mass": Recipe(weight=[0.5, 3.0], norm="mass"),
        "norm-sum": Recipe(norm="sum"),
        "norm-number": Recipe(norm=7.0),
        "everything": Recipe(
            scale=[1.0, 0.7],
            offset=column,
            margin=[0.2, 0.6],
            weight=table,
            target=per_label,
            curve=curves.Focal(1.5),
            norm="mass",
        ),
    }


def _curves(link: Link) -> dict[str, Recipe]:
    """Every curve of ours as it is by default, and some of whose parameters another case of the formula hangs."""
    some = curves.Focal(0.5), curves.Focal(0.3), curves.Asymmetric(1.0, 4.0, 0.0), curves.Poly(-1.0)
    ours = [kind() for name, kind in curves.CURVES.items() if ":" not in name and kind is not curves.Log]
    return {_name(c): Recipe(curve=c) for c in (*ours, *some) if link.name in curves.links(c)}


def _name(curve: Any) -> str:
    return repr(curve).replace(" ", "")


class Call(NamedTuple):
    """Arguments of one call of a loss for three classes; `ignore_index` is -100."""

    logits: Tensor
    target: Tensor
    weight: Tensor | None

    def to(self, dtype: torch.dtype, device: str = "cpu") -> "Call":
        """The floating-point arguments in another dtype."""

        def moved(v: Tensor) -> Tensor:
            return v.to(device, dtype if v.is_floating_point() else v.dtype)

        return Call(moved(self.logits), moved(self.target), None if self.weight is None else moved(self.weight))


def calls(link: str | Link, bound: Bound | None = None, *, seed: int = 0, size: float = 3.0) -> dict[str, Call]:
    """Float64 calls by name: hard labels, an image with ignored pixels and call weights, and probabilities.

    Every label value occurs. Probabilities are left out where `bound` cannot take them. `size` is the spread of logits.
    """
    link, random = link_of(link), np.random.default_rng(seed)
    shapes = {"rows": (8, CLASSES), "image": (2, CLASSES, 4, 3)}
    by_name = {}
    for name, shape in shapes.items():
        logits = torch.from_numpy(random.normal(0, size, shape))
        labels = link.items(shape)
        y = random.permutation(np.arange(math.prod(labels)) % link.labels(CLASSES)).reshape(labels)
        weight = None
        if name == "image":
            y.reshape(-1)[::5] = -100
            weight = random.uniform(0.2, 2.0, labels)
            weight.reshape(-1)[1::7] = 0.0
        by_name[name] = Call(logits, torch.from_numpy(y), None if weight is None else torch.from_numpy(weight))
    if bound is None or not link.exclusive or not bound.label_dependent:
        logits, _, weight = by_name["image"]
        share = random.uniform(0, 1, tuple(logits.shape))
        share = share / share.sum(axis=1, keepdims=True) if link.exclusive else share
        share[:1] = share[:1].round()  # certain probabilities too
        by_name["probabilities"] = Call(logits, torch.from_numpy(share), weight)
    return by_name
