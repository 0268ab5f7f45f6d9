"""Weight in a ring around the edge of the objects: what dilation adds, and what erosion takes away."""

from collections.abc import Sequence

import numpy as np

from .images import Images, Mask, number, read
from .share import Parts, weigh
from .transforms import Spacing, to_another


def dilate(
    mask: Mask,
    *,
    outer: float = 3.0,
    inner: float = 0.0,
    w0: float = 5.0,
    base: float = 1.0,
    spacing: Sequence[float] | None = None,
    share: float | None = None,
    batch: bool = False,
    ignore: int | None = None,
) -> Mask:
    """base + w0 on the dilated objects without the eroded ones, base elsewhere.

    Dilation and erosion are by a ball: the ring holds background pixels with an object at most `outer` away, and object pixels with
    background at most `inner` away (0: none of the object).

    mask          integers [H, W] or [D, H, W] (batch: [N, ...]); all above 0 are objects
    outer, inner  in the unit of `spacing`, from 0
    share         instead of w0: the part of the weight that the term with w0 carries, in [0, 1)
    spacing       the distance between neighbouring pixels along each axis; 1 unless given
    ignore        a label whose pixels get weight 0 and count as background

    Returns float32 like `mask`. ValueError for other masks and numbers out of range.

    >>> import numpy as np
    >>> dilate(np.array([[0, 0, 1, 1, 1, 0]]), outer=1, inner=1, w0=5).tolist()
    [[1.0, 6.0, 6.0, 1.0, 6.0, 6.0]]
    """
    images = read("dilate", mask, spacing, batch, ignore)
    return weigh(parts(images, outer=outer, inner=inner, base=base), w0, share)


def parts(images: Images, *, outer: float, inner: float, base: float) -> Parts:
    base = number("dilate", "base", base)
    reach = number("dilate", "outer", outer), number("dilate", "inner", inner)
    floors = [np.full(labels.shape, base) for labels in images.labels]
    return Parts("dilate", images, floors, [_ring(x > 0, images.spacing, *reach) for x in images.labels])


def _ring(objects: np.ndarray, spacing: Spacing, outer: float, inner: float) -> np.ndarray:
    return (to_another(objects, spacing) <= np.where(objects, inner, outer)).astype(np.float64)
