"""Weight in a band along the edges, or by how mixed the neighbourhood is."""

from collections.abc import Sequence

import numpy as np

from .images import Images, Mask, number, read
from .share import Parts, weigh
from .transforms import Spacing, local_mean, to_another


def contour(
    mask: Mask,
    *,
    kind: str = "band",
    width: float = 3.0,
    w0: float = 5.0,
    base: float = 1.0,
    spacing: Sequence[float] | None = None,
    share: float | None = None,
    batch: bool = False,
    ignore: int | None = None,
) -> Mask:
    """More weight along the edges between labels.

    band   base + w0 where a pixel of another label is at most `width` away, base elsewhere
    local  base + w0 |mean of g around the pixel - g|, g = 1 on objects; the mean over a square (cube) of 2 floor(width / spacing) + 1
           pixels a side, outside the image 0. Source: Wei et al. 2020 (F3Net), arXiv:1911.11445, and Fan et al. 2020
           (PraNet), arXiv:2006.11392: width=15, w0=5.

    mask     integers [H, W] or [D, H, W] (batch: [N, ...]); for `local` all above 0 are objects
    width    in the unit of `spacing`, above 0
    share    instead of w0: the part of the weight that the term with w0 carries, in [0, 1)
    spacing  the distance between neighbouring pixels along each axis; 1 unless given
    ignore   a label whose pixels get weight 0 and count as background

    Returns float32 like `mask`. ValueError for other masks, kinds and numbers out of range.

    >>> import numpy as np
    >>> contour(np.array([[0, 0, 0, 1, 1, 1]]), width=1, w0=5).tolist()
    [[1.0, 1.0, 6.0, 6.0, 1.0, 1.0]]
    """
    images = read("contour", mask, spacing, batch, ignore)
    return weigh(parts(images, kind=kind, width=width, base=base), w0, share)


def parts(images: Images, *, kind: str, width: float, base: float) -> Parts:
    shapes = {"band": _band, "local": _local}
    if kind not in shapes:
        raise ValueError(f"contour: kind must be one of {', '.join(shapes)}, got {kind!r}.")
    base, width = number("contour", "base", base), number("contour", "width", width, open_end=True)
    floors = [np.full(labels.shape, base) for labels in images.labels]
    return Parts("contour", images, floors, [shapes[kind](x, images.spacing, width) for x in images.labels])


def _band(labels: np.ndarray, spacing: Spacing, width: float) -> np.ndarray:
    return (to_another(labels, spacing) <= width).astype(np.float64)


def _local(labels: np.ndarray, spacing: Spacing, width: float) -> np.ndarray:
    g = (labels > 0).astype(np.float64)
    sides = [2 * int(width // step) + 1 for step in spacing]
    return np.abs(local_mean(g, sides) - g)
