"""Where the weight of a map lies: on objects, near one, and far from all.

`sums` are those of floor, shape and pixels, before w0 is known: they do not change with it, and those of a data set are the sums of
its masks'. `shares` are of a finished map.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from .images import Images, Mask, read, strips
from .share import Mass, Parts, mass
from .transforms import Spacing, to_nearest

REGIONS = ("objects", "near", "far")
NEAR = 20.0


@dataclasses.dataclass(frozen=True)
class Sums:
    """floor, shape, pixels  float64 [3], one sum for each region
    mass                   of all of them, summed as `weigh` does, so that both find the same w0 to the bit
    touching               images in which objects touch, where that matters to the map"""

    floor: np.ndarray
    shape: np.ndarray
    pixels: np.ndarray
    mass: Mass
    touching: int = 0

    def to_list(self) -> list[float]:
        by_region = [*self.floor.tolist(), *self.shape.tolist(), *self.pixels.tolist()]
        return [*by_region, self.mass.floor, self.mass.shape, float(self.touching)]

    @classmethod
    def from_list(cls, numbers: list[float]) -> "Sums":
        """ValueError for anything else than twelve numbers."""
        array = np.array(numbers, np.float64)
        if array.shape != (12,):
            raise ValueError(f"Sums: twelve numbers are needed, got shape {list(array.shape)}.")
        return cls(array[:3], array[3:6], array[6:9], Mass(float(array[9]), float(array[10])), int(array[11]))


def sums(parts: Parts, near: float = NEAR) -> Sums:
    """Over all images; `near` in the unit of their spacing."""
    floor, shape, pixels = np.zeros(3), np.zeros(3), np.zeros(3)
    for i, labels in enumerate(parts.images.labels):
        region, ignored = regions(labels, parts.images.spacing, near), _ignored(parts.images, i)
        floor += _by_region(region, parts.floors[i], ignored)
        shape += _by_region(region, parts.shapes[i], ignored)
        pixels += _by_region(region, None, ignored)
    return Sums(floor, shape, pixels, mass(parts), parts.touching)


def shares(
    weights: Mask,
    mask: Mask,
    *,
    near: float = NEAR,
    spacing: Sequence[float] | None = None,
    batch: bool = False,
    ignore: int | None = None,
) -> dict[str, tuple[float, float]]:
    """{region: (share of the weight, share of the pixels)} for objects, the background near one, and the rest, "far".

    weights  as the maps of this package, mask as they take it; near is in the unit of `spacing`

    >>> import numpy as np
    >>> cells = np.array([[1, 0, 2, 0, 0, 0]])
    >>> shares(np.array([[1.0, 3.0, 1.0, 1.0, 1.0, 1.0]]), cells, near=1)["near"]
    (0.5, 0.3333333333333333)
    """
    images = read("shares", mask, spacing, batch, ignore)
    array = np.asarray(weights.detach().cpu() if hasattr(weights, "detach") else weights, np.float64)  # type: ignore[union-attr]
    if array.shape != tuple(mask.shape):
        raise ValueError(f"shares: weights {list(array.shape)} and mask {list(mask.shape)} must have the same shape.")
    weight, pixels = np.zeros(3), np.zeros(3)
    for i, (one, labels) in enumerate(zip(array if batch else [array], images.labels, strict=True)):
        region, ignored = regions(labels, images.spacing, near), _ignored(images, i)
        weight += _by_region(region, one, ignored)
        pixels += _by_region(region, None, ignored)
    return {
        n: (float(w / weight.sum()), float(p / pixels.sum())) for n, w, p in zip(REGIONS, weight, pixels, strict=True)
    }


def regions(labels: np.ndarray, spacing: Spacing, near: float) -> np.ndarray:
    """0 on objects, 1 where one is at most `near` away, 2 elsewhere; uint8."""
    objects = labels > 0
    region = np.full(labels.shape, 2, np.uint8)
    region[to_nearest(objects, spacing) <= near] = 1
    region[objects] = 0
    return region


def _ignored(images: Images, i: int) -> np.ndarray | None:
    return None if images.ignored is None else images.ignored[i]


def _by_region(region: np.ndarray, values: np.ndarray | None, ignored: np.ndarray | None) -> np.ndarray:
    """float64 [3]: the sum of the values, or the number of pixels, in each region; strip by strip, as bincount takes copies."""
    total = np.zeros(3)
    for rows in strips(region.shape):
        kept = slice(None) if ignored is None else ~ignored[rows]
        some = None if values is None else values[rows][kept].ravel()
        total += np.bincount(region[rows][kept].ravel(), some, minlength=3)
    return total
