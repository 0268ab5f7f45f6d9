"""A map is a floor plus w0 times a shape: `weigh` adds them up, or finds the w0 that gives the shape a share of the weight.

    w = floor + w0 shape,   share = w0 sum(shape) / sum(w)   =>   w0 = share / (1 - share) * sum(floor) / sum(shape)

The share is that of the loss where all pixels have the same loss; over a batch it is that of the whole batch, with one w0.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .images import Images, number


def weigh(
    name: str,
    images: Images,
    floors: Sequence[np.ndarray],
    shapes: Sequence[np.ndarray],
    w0: float,
    share: float | None,
) -> Any:
    """The maps of all images. Where no image has any of the shape there is nothing to share: the floor stays."""
    factor = number(name, "w0", w0) if share is None else solve(name, images, floors, shapes, share)
    return images.out([f + factor * s for f, s in zip(floors, shapes, strict=True)])


def solve(name: str, images: Images, floors: Sequence[np.ndarray], shapes: Sequence[np.ndarray], share: float) -> float:
    """The w0 that gives the shape its share."""
    if not 0 <= float(share) < 1:
        raise ValueError(
            f"{name}: share must be in [0, 1), the part of the weight that the shape carries, got {share!r}."
        )
    below, above = (sum(_total(m, images, i) for i, m in enumerate(maps)) for maps in (floors, shapes))
    if above == 0:
        return 0.0
    if below == 0:
        raise ValueError(f"{name}: with share={share!r} the rest of the image needs some weight, but base is 0.")
    return float(share) / (1 - float(share)) * below / above


def _total(weights: np.ndarray, images: Images, i: int) -> float:
    if images.ignored is not None:
        return float(weights[~images.ignored[i]].sum())
    return float(weights.sum())
