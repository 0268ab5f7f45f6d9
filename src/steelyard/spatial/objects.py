"""Objects out of a semantic mask: its connected components."""

import numpy as np

from .images import Images, Mask, read
from .transforms import connected


def objects(mask: Mask, *, connectivity: int = 1, batch: bool = False, ignore: int | None = None) -> Mask:
    """A number from 1 on for every connected component of every class, 0 for the background; of each image anew.

    Neighbours of different classes are different objects. Touching objects of one class are one: no mask says where they meet.

    mask          integers [H, W] or [D, H, W] (batch: [N, ...]); 0 background
    connectivity  1: neighbours share an edge (a face); up to the number of axes: a corner is enough
    ignore        a label that is no object

    Returns int64 in the shape and kind of `mask`. ValueError for other masks.

    >>> import numpy as np
    >>> objects(np.array([[5, 5, 0, 5, 2]])).tolist()
    [[1, 1, 0, 2, 3]]
    """
    images = read("objects", mask, None, batch, ignore)
    return images.out(components(images, connectivity), np.int64)


def components(images: Images, connectivity: int) -> list[np.ndarray]:
    """The numbered objects of each image."""
    dims = len(images.spacing)
    if connectivity not in range(1, dims + 1):
        raise ValueError(f"objects: connectivity must be from 1 to {dims}, got {connectivity!r}.")
    return [_components(labels, connectivity) for labels in images.labels]


def _components(labels: np.ndarray, connectivity: int) -> np.ndarray:
    """In the order of their first pixels."""
    out, last = np.zeros(labels.shape, np.int64), 0
    for name in np.unique(labels[labels > 0]):
        numbers, many = connected(labels == name, connectivity)
        out[numbers > 0] = numbers[numbers > 0] + last
        last += many
    names, first = np.unique(out[out > 0], return_index=True)
    order = np.zeros(last + 1, np.int64)
    order[names[np.argsort(first)]] = np.arange(1, last + 1)
    return order[out]
