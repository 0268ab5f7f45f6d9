"""The weight map of U-Net: heavy where two cells nearly touch."""

import warnings
from collections.abc import Sequence

import numpy as np

from .images import Images, Mask, number, read
from .separate import TOUCH, touch
from .share import Parts, weigh
from .transforms import Spacing, to_both

UNDERFLOW = -746.0  # exp of less is 0 in float64, and takes numpy ten times as long


def border(
    instances: Mask,
    *,
    w0: float = 10.0,
    sigma: float = 5.0,
    base: float = 1.0,
    spacing: Sequence[float] | None = None,
    share: float | None = None,
    batch: bool = False,
    ignore: int | None = None,
) -> Mask:
    """base + w0 exp(-(d1 + d2)^2 / (2 sigma^2)) on the background; base on objects, and where there are fewer than two.

    d1 and d2 are the distances to the nearest pixel of the nearest and the second nearest object. Class balance is not in it: that is
    the recipe's. Source: Ronneberger et al. 2015, arXiv:1505.04597, eq. 2 (w0 = 10, sigma about 5 pixels).

    instances  integers [H, W] or [D, H, W] (batch: [N, ...]): 0 background, every object its own number; semantic masks
               become such by `objects`
    w0         the most that is added, where two objects touch
    sigma      in the unit of `spacing`, above 0
    share      instead of w0: the part of the weight of this image (or batch) that the added term carries, in [0, 1)
    spacing    the distance between neighbouring pixels along each axis; 1 unless given
    ignore     a label whose pixels get weight 0 and are no object

    Returns float32 in the shape and kind of `instances`. ValueError for other masks and numbers out of range. Warns where objects
    touch: there is no background between them that could weigh more; `separate` cuts a gap.

    >>> import numpy as np
    >>> cells = np.array([[1, 0, 2]])
    >>> border(cells, w0=10, sigma=5).round(2)  # d1 = d2 = 1 in the gap
    array([[ 1.  , 10.23,  1.  ]], dtype=float32)
    """
    images = read("border", instances, spacing, batch, ignore)
    made = parts(images, sigma=sigma, base=base)
    if made.touching:
        warnings.warn(TOUCH, stacklevel=2)
    return weigh(made, w0, share)


def parts(images: Images, *, sigma: float, base: float) -> Parts:
    base, sigma = number("border", "base", base), number("border", "sigma", sigma, open_end=True)
    floors = [np.broadcast_to(base, labels.shape) for labels in images.labels]
    shapes = [touching(x, images.spacing, sigma) for x in images.labels]
    return Parts("border", images, floors, shapes, touching=sum(map(touch, images.labels)))


def touching(instances: np.ndarray, spacing: Spacing, sigma: float) -> np.ndarray:
    """exp(-(d1 + d2)^2 / (2 sigma^2)) on the background, 0 elsewhere; float64."""
    x = to_both(instances, spacing)  # in place from here on: fresh arrays of an image cost more than the arithmetic
    np.square(x, out=x)
    x /= -2 * sigma**2
    zero = x < UNDERFLOW
    np.copyto(x, 0.0, where=zero)
    np.exp(x, out=x)
    np.copyto(x, 0.0, where=zero)
    return x
