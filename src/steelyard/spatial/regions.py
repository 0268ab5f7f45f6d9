"""What a map puts where, before w0 is known: sums of floor, shape and pixels on objects, near one, and far from all.

They do not change with w0, and those of a data set are the sums of its masks'.
"""

import dataclasses

import numpy as np

from .share import Mass, Parts, mass
from .transforms import Spacing, to_nearest

REGIONS = ("objects", "near", "far")
NEAR = 20.0


@dataclasses.dataclass(frozen=True)
class Sums:
    """floor, shape, pixels  float64 [3], one sum for each region
    mass                   of all of them, summed as `weigh` does, so that both find the same w0 to the bit"""

    floor: np.ndarray
    shape: np.ndarray
    pixels: np.ndarray
    mass: Mass

    def to_list(self) -> list[float]:
        return [*self.floor.tolist(), *self.shape.tolist(), *self.pixels.tolist(), self.mass.floor, self.mass.shape]

    @classmethod
    def from_list(cls, numbers: list[float]) -> "Sums":
        """ValueError for anything else than eleven numbers."""
        found = np.array(numbers, np.float64)
        if found.shape != (11,):
            raise ValueError(f"Sums: eleven numbers are needed, got shape {list(found.shape)}.")
        return cls(found[:3], found[3:6], found[6:9], Mass(float(found[9]), float(found[10])))


def sums(parts: Parts, near: float = NEAR) -> Sums:
    """Over all images; `near` in the unit of their spacing."""
    floor, shape, pixels = np.zeros(3), np.zeros(3), np.zeros(3)
    for i, labels in enumerate(parts.images.labels):
        kept = parts.images.kept(i)
        region = regions(labels, parts.images.spacing, near)[kept].ravel()
        floor += np.bincount(region, parts.floors[i][kept].ravel(), minlength=3)
        shape += np.bincount(region, parts.shapes[i][kept].ravel(), minlength=3)
        pixels += np.bincount(region, minlength=3)
    return Sums(floor, shape, pixels, mass(parts))


def regions(labels: np.ndarray, spacing: Spacing, near: float) -> np.ndarray:
    """0 on objects, 1 where one is at most `near` away, 2 elsewhere."""
    objects = labels > 0
    return np.where(objects, 0, np.where(to_nearest(objects, spacing) <= near, 1, 2))
