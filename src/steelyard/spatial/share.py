"""A map is a floor plus w0 times a shape: `weigh` adds them up, or finds the w0 that gives the shape a share of the weight.

    w = floor + w0 shape,   share = w0 sum(shape) / sum(w)   =>   w0 = share / (1 - share) * sum(floor) / sum(shape)

The share is that of the loss where all pixels have the same loss; over a batch it is that of the whole batch, with one w0. The
two sums of a set of images are the sums of its parts, so a set need not be in memory (`calibrate`).
"""

import dataclasses
from typing import Any

import numpy as np

from .images import Images, number


@dataclasses.dataclass(frozen=True)
class Parts:
    """Floor and shape of every image, float64, before w0 is known; `name` is that of the map, for messages. `touching` says in how many
    images objects touch, where that matters to the map."""

    name: str
    images: Images
    floors: list[np.ndarray]
    shapes: list[np.ndarray]
    touching: int = 0


@dataclasses.dataclass(frozen=True)
class Mass:
    """The sums of floor and shape over the pixels that are not ignored. Two of them add."""

    floor: float = 0.0
    shape: float = 0.0

    def __add__(self, other: "Mass") -> "Mass":
        return Mass(self.floor + other.floor, self.shape + other.shape)


def weigh(parts: Parts, w0: float, share: float | None) -> Any:
    """The maps of all images. Where no image has any of the shape there is nothing to share: the floor stays."""
    factor = number(parts.name, "w0", w0) if share is None else solve(parts.name, mass(parts), share)
    return parts.images.out([f + factor * s for f, s in zip(parts.floors, parts.shapes, strict=True)])


def mass(parts: Parts) -> Mass:
    """Image after image, so that a stream of them has the same sum to the bit."""
    total = Mass()
    for i, (floor, shape) in enumerate(zip(parts.floors, parts.shapes, strict=True)):
        kept = parts.images.kept(i)
        total += Mass(float(floor[kept].sum()), float(shape[kept].sum()))
    return total


def solve(name: str, mass: Mass, share: float) -> float:
    """The w0 that gives the shape its share."""
    part = checked_share(name, share)
    if mass.shape == 0:
        return 0.0
    if mass.floor == 0:
        raise ValueError(f"{name}: with share={share!r} the rest of the image needs some weight, but base is 0.")
    return part / (1 - part) * mass.floor / mass.shape


def checked_share(name: str, share: float) -> float:
    if not 0 <= float(share) < 1:
        raise ValueError(
            f"{name}: share must be in [0, 1), the part of the weight that the shape carries, got {share!r}."
        )
    return float(share)
