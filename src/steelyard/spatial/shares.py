"""Where the weight of a map lies."""

from collections.abc import Sequence

import numpy as np

from .images import Mask, read
from .regions import NEAR, REGIONS, regions


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
        region = regions(labels, images.spacing, near)
        kept = images.kept(i)
        weight += np.bincount(region[kept].ravel(), one[kept].ravel(), minlength=3)
        pixels += np.bincount(region[kept].ravel(), minlength=3)
    return {
        n: (float(w / weight.sum()), float(p / pixels.sum())) for n, w, p in zip(REGIONS, weight, pixels, strict=True)
    }
