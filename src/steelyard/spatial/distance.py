"""Weight by the distance to objects or to their edge, and the signed distance of the boundary loss."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from .images import Images, Mask, number, read
from .share import Parts, weigh
from .transforms import Spacing, to_another, to_nearest

Form = tuple[np.ndarray, np.ndarray]  # floor, shape


def distance(
    mask: Mask,
    *,
    kind: str = "truncated",
    beta: float = 20.0,
    w0: float = 1.0,
    base: float = 1.0,
    spacing: Sequence[float] | None = None,
    share: float | None = None,
    batch: bool = False,
    ignore: int | None = None,
) -> Mask:
    """Weights that fall with the distance to the objects.

    truncated  base on objects, w0 max(0, 1 - d / beta) on the background: what is farther than beta counts nothing.
               Source: Guerrero-Pena et al. 2018, arXiv:1802.07465, the distance map, without its class balance, which is
               the recipe's.
    inverted   base + w0 (1 - d / max d) with the distance d to the nearest pixel of the other kind, object or background: most at
               the edge, on both sides. Source: Caliva et al. 2019, arXiv:1908.03679.
    growing    base + w0 d on the background: "w0 + phi" read literally, more weight farther away. Seldom what is meant: a
               warning says how much of the weight lies far from every object.

    mask     integers [H, W] or [D, H, W] (batch: [N, ...]); 0 background
    beta     where the truncated map ends, in the unit of `spacing`, above 0
    share    instead of w0: the part of the weight that the term with w0 carries, in [0, 1)
    spacing  the distance between neighbouring pixels along each axis; 1 unless given
    ignore   a label whose pixels get weight 0 and are background

    Returns float32 like `mask`. Without objects, or without background, nothing is added and the truncated map is base
    everywhere. ValueError for other masks, kinds and numbers out of range.

    >>> import numpy as np
    >>> distance(np.array([[1, 0, 0, 0, 0, 0]]), beta=4).tolist()
    [[1.0, 0.75, 0.5, 0.25, 0.0, 0.0]]
    """
    images = read("distance", mask, spacing, batch, ignore)
    weights = weigh(parts(images, kind=kind, beta=beta, base=base), w0, share)
    if kind == "growing":
        _warn([x > 0 for x in images.labels], weights if batch else [weights], images.spacing, float(beta))
    return weights


def parts(images: Images, *, kind: str, beta: float, base: float) -> Parts:
    if kind not in _KINDS:
        raise ValueError(f"distance: kind must be one of {', '.join(_KINDS)}, got {kind!r}.")
    base, beta = number("distance", "base", base), number("distance", "beta", beta, open_end=True)
    forms = [_KINDS[kind](labels > 0, images.spacing, base, beta) for labels in images.labels]
    return Parts("distance", images, [f for f, _ in forms], [s for _, s in forms])


def _truncated(objects: np.ndarray, spacing: Spacing, base: float, beta: float) -> Form:
    if not objects.any():
        return np.full(objects.shape, base), np.zeros(objects.shape)
    near = np.maximum(0.0, 1 - to_nearest(objects, spacing) / beta)
    return np.where(objects, base, 0.0), np.where(objects, 0.0, near)


def _inverted(objects: np.ndarray, spacing: Spacing, base: float, beta: float) -> Form:
    floor = np.full(objects.shape, base)
    if objects.all() or not objects.any():
        return floor, np.zeros(objects.shape)
    d = to_another(objects, spacing)
    return floor, 1 - d / d.max()


def _growing(objects: np.ndarray, spacing: Spacing, base: float, beta: float) -> Form:
    floor = np.full(objects.shape, base)
    if objects.all() or not objects.any():
        return floor, np.zeros(objects.shape)
    d = to_nearest(objects, spacing)
    return floor, d


_KINDS: dict[str, Callable[[np.ndarray, Spacing, float, float], Form]] = {
    "truncated": _truncated,
    "inverted": _inverted,
    "growing": _growing,
}


def _warn(objects: list[np.ndarray], maps: Sequence, spacing: Spacing, beyond: float) -> None:
    weight, far, on = 0.0, 0.0, 0.0
    for there, one in zip(objects, maps, strict=True):
        w = np.asarray(one.cpu() if hasattr(one, "cpu") else one, np.float64)
        weight, on = weight + w.sum(), on + w[there].sum()
        far += w[to_nearest(there, spacing) > beyond].sum()
    if weight:
        warnings.warn(
            f"distance: kind='growing' puts {100 * far / weight:.1f} % of the weight more than {beyond:g} from every object and"
            f" {100 * on / weight:.1f} % on objects. If the edges are what matters, use kind='truncated' or border().",
            stacklevel=3,
        )


def signed_distance(
    mask: Mask, *, spacing: Sequence[float] | None = None, batch: bool = False, ignore: int | None = None
) -> Mask:
    """The distance to the edge of the objects: positive outside, negative inside; 0 everywhere without objects or background.

    Outside it is the distance to the nearest object pixel; inside, minus that to the nearest background pixel, plus one pixel
    (`spacing`'s smallest), so that pixels on either side of an edge have 1 and 0. It is what the boundary loss multiplies
    probabilities by, no weight of a cross-entropy. Source: Kervadec et al. 2019, arXiv:1812.07032.

    Arguments and result as in `distance`.

    >>> import numpy as np
    >>> signed_distance(np.array([[0, 0, 1, 1, 1, 0]])).tolist()
    [[2.0, 1.0, 0.0, -1.0, 0.0, 1.0]]
    """
    images = read("signed_distance", mask, spacing, batch, ignore)
    return images.out([_signed(labels > 0, images.spacing) for labels in images.labels])


def _signed(objects: np.ndarray, spacing: Spacing) -> np.ndarray:
    if objects.all() or not objects.any():
        return np.zeros(objects.shape)
    d = to_another(objects, spacing)
    return np.where(objects, 0.0 - (d - min(spacing)), d)
