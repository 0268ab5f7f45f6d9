"""The four arms: what a pixel counts. The mean over the training pixels is 1 in all of them, so that the size of the loss is the same."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

import steelyard as sy

from .data import VOID, Stack

SIGMA = 5.0  # pixels. The nets see the images at their own scale; at 1/k of it this would be SIGMA / k
W0, SHARE = 10.0, 0.3
NAMES = ("plain", "class weights", "border map", "border map, share 30 %")


@dataclass(frozen=True)
class Arm:
    """map   float32 [N, H, W], the weights of the training pixels, or None
    facts  for the results"""

    name: str
    loss: sy.CrossEntropy
    map: Tensor | None = None
    facts: dict[str, float | list[float]] = field(default_factory=dict)


def arms(stack: Stack) -> list[Arm]:
    counts = sy.count(stack.target.ravel(), ignore=VOID)
    by_class = sy.inverse_frequency(counts)
    plain, classes, border, shared = NAMES
    return [
        Arm(plain, loss()),
        Arm(classes, loss(by_class), facts={"weight (background, nucleus)": by_class.class_weight.tolist()}),
        mapped(border, stack, w0=W0),
        mapped(shared, stack, share=SHARE),
    ]


def loss(recipe: sy.Recipe | None = None) -> sy.CrossEntropy:
    return sy.CrossEntropy(recipe or sy.Recipe(), ignore_index=VOID)


def mapped(name: str, stack: Stack, *, w0: float = W0, share: float | None = None) -> Arm:
    """U-Net's map over all training images at once: with a share, one w0 that holds for the whole set, not one for each image.

    The lines between touching nuclei are background here, one pixel wide: d1 + d2 = 2, the most that the map gives.
    """
    found = sy.spatial.border(stack.parted, w0=w0, sigma=SIGMA, share=share, batch=True, ignore=VOID)
    inside = stack.parted != VOID
    mean = float(found[inside].mean(dtype=np.float64))
    peak = float(found.max()) - 1
    return Arm(
        name,
        loss(),
        torch.from_numpy(found / np.float32(mean)),
        {
            "w0": peak / float(np.exp(-(2**2) / (2 * SIGMA**2))),
            "share of the weight": 1 - 1 / mean,
            "mean before it was made 1": mean,
        },
    )
