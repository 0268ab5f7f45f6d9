"""One w0 for a whole data set."""

from collections.abc import Iterable
from typing import Any

from .map import Map
from .share import Mass, mass, solve


def calibrate(masks: Iterable[Any], map: Map, *, share: float) -> Map:
    """The map with the w0 for which its shape carries `share` of the weight of all masks together.

    Within an image (`share=` of a map) every image gets its own w0: a gap between two cells counts more where there are few. With
    one w0 a gap counts the same everywhere, and images with many gaps get more of the loss.

    masks  one after another, each read once, so they may come from a generator or a data set; sizes may differ
    map    its w0 and share are left aside
    share  in [0, 1)

    The same w0 as of one batch of all masks. Where no mask has any of the shape, w0 is 0.
    ValueError without masks, and where the map or the share is none.

    >>> import numpy as np
    >>> masks = [np.array([[1, 0, 2]]), np.array([[1, 0, 0, 0, 2]])]
    >>> fitted = calibrate(masks, Map("border"), share=0.3)
    >>> weights = [fitted(m) for m in masks]
    >>> round(float(sum((w - 1).sum() for w in weights) / sum(w.sum() for w in weights)), 6)
    0.3
    """
    found, many = Mass(), 0
    for mask in masks:
        found, many = found + mass(map.parts(mask)), many + 1
    if not many:
        raise ValueError("calibrate: there are no masks; was a generator used up before?")
    return map.replace(w0=solve(map.name, found, share), share=None)
