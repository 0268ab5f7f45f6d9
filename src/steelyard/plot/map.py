"""A weight map beside what it was made of: image, mask, weight, and the share of each region."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..shown import clean, fit
from .finish import finish
from .panel import Axis, Drawing, Panel, Pixels, brief
from .regions import regions

SIDE = 400  # pixels of the longer side of a panel, and the most that are drawn of a larger picture
# background, then the objects in turn; neighbours in number differ in lightness, too
GROUND = (26, 31, 38)
OBJECTS = np.array(
    [(114, 185, 250), (239, 185, 81), (199, 155, 240), (80, 201, 166), (255, 159, 92), (232, 235, 239)], np.uint8
)
IGNORED = (110, 110, 110)


def map(
    weights: Any,
    mask: Any,
    image: Any = None,
    *,
    near: float = 20.0,
    spacing: Sequence[float] | None = None,
    ignore: int | None = None,
    at: int | None = None,
    ax: Any = None,
) -> Any:
    """Image, mask, weight and where the weight lies, side by side.

    Across and up   pixels of the picture, row 0 on top. Of a volume one slice along its first axis is drawn and named in the title, the
                    one with most object pixels unless `at` says another; the shares are of the whole volume
    Mask            each object in one of six colours, on dark ground; ignored pixels are grey
    Weight          from 0, dark, to the largest, bright, with the edges of the labels as white lines; beside it the scale, without a unit
    Shares          of the pixels and of the weight, in %, on objects, on background at most `near` from one, and elsewhere

    weights  [H, W] or [D, H, W], as the maps of sy.spatial return them; or a spatial.Map, which is then asked
    mask     integers like the weights, 0 is background
    image    [H, W], [H, W, 3] or [3, H, W], of a volume [D, H, W]; floats are drawn from their smallest to their largest. None: left out
    near     in the unit of `spacing`, which is that of the pixels where it is not given; a Map brings its own, and its `ignore`
    ax       axes of matplotlib, one pair or as many as there are panels (weights and scale are two); they are returned. Without, an
             Altair chart

    Of a picture of more than 400 pixels each drawn pixel stands for several: the largest weight, the label in its corner. ValueError
    for shapes that do not fit and for an empty mask.
    """
    from ..spatial import Map, shares
    from ..spatial.preview import colours, edges

    title = ""
    labels = _array(mask)
    if labels.ndim not in (2, 3) or not labels.size:
        raise ValueError(f"plot.map: the mask must be [H, W] or [D, H, W] and hold pixels, got {list(labels.shape)}.")
    if isinstance(weights, Map):
        title, ignore = clean(str(weights)), weights.options["ignore"] if ignore is None else ignore
        spacing = weights.options.get("spacing") if spacing is None else spacing
        weights = weights(labels)
    weight = _array(weights).astype(np.float64)
    if weight.shape != labels.shape:
        raise ValueError(
            f"plot.map: weights {list(weight.shape)} and mask {list(labels.shape)} must have the same shape."
        )
    found = shares(weight, labels, near=near, spacing=spacing, ignore=ignore)
    picture = None if image is None else _array(image)
    where = ""
    void = np.zeros(labels.shape, bool) if ignore is None else labels == ignore
    if labels.ndim == 3:
        objects = ((labels != 0) & ~void).sum(axis=(1, 2))
        chosen = int(objects.argmax()) if at is None else _slice(at, len(labels))
        where = f"slice {chosen} of {len(labels)}"
        weight, labels, void = weight[chosen], labels[chosen], void[chosen]
        picture = None if picture is None else picture[chosen] if picture.shape[:1] == objects.shape else picture
    elif at is not None:
        raise ValueError("plot.map: at= names a slice of a volume, and this mask is a picture.")
    panels = []
    if picture is not None:
        panels.append(_pixels(_rgb(picture, labels.shape), "image"))
    step = max(1, -(-max(labels.shape) // SIDE))
    small, grey = labels[::step, ::step], void[::step, ::step]
    coloured = np.where(
        (small > 0)[..., None], OBJECTS[(small.astype(np.int64) - 1) % len(OBJECTS)], np.array(GROUND, np.uint8)
    )
    coloured[grey] = IGNORED
    panels.append(_pixels(coloured, "mask", labels.shape))
    top = float(weight.max()) if weight.size else 0.0
    drawn = colours(_largest(weight, step) / (top or 1.0))
    drawn[edges(np.where(grey, 0, small))] = 255
    panels.append(_pixels(drawn, "weight", weight.shape))
    panels.append(_scale(colours(np.linspace(1, 0, 256))[:, None], top, panels[-1].size[1]))
    panels.append(regions(found, near, "where the weight lies", "of the whole volume" if where else ""))
    said = "; ".join(filter(None, (fit(title, 90), where)))
    return finish(Drawing(tuple(panels), title=said), ax)


def _array(values: Any) -> np.ndarray:
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def _slice(at: int, many: int) -> int:
    if not -many <= at < many:
        raise ValueError(f"plot.map: at={at} is no slice; the volume has {many}, from 0.")
    return at % many


def _rgb(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """uint8 [H, W, 3]. ValueError for a picture of another size."""
    if picture.ndim == 3 and picture.shape[1:] == shape and picture.shape[0] in (1, 3, 4):
        picture = np.moveaxis(picture, 0, -1)
    if picture.ndim == 2:
        picture = picture[..., None]
    if picture.shape[:2] != shape or picture.ndim != 3:
        raise ValueError(
            f"plot.map: the image must be [H, W], [H, W, 3] or [3, H, W] like the mask {list(shape)}, got {list(picture.shape)}."
        )
    step = max(1, -(-max(shape) // SIDE))
    picture = picture[::step, ::step, :3] if picture.shape[2] >= 3 else picture[::step, ::step, :1]
    if picture.dtype != np.uint8:
        numbers = picture.astype(np.float64)
        finite = numbers[np.isfinite(numbers)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        picture = (
            (255 * np.nan_to_num((numbers - low) / ((high - low) or 1.0), nan=0.0).clip(0, 1)).round().astype(np.uint8)
        )
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture


def _largest(weight: np.ndarray, step: int) -> np.ndarray:
    """Of each block of step by step pixels."""
    high, wide = (-(-side // step) * step for side in weight.shape)
    whole = np.pad(weight, ((0, high - weight.shape[0]), (0, wide - weight.shape[1])), constant_values=-np.inf)
    return whole.reshape(high // step, step, wide // step, step).max(axis=(1, 3))


def _pixels(rgb: np.ndarray, title: str, shape: tuple[int, ...] | None = None) -> Panel:
    high, wide = shape or rgb.shape[:2]
    times = SIDE / 2 / max(high, wide, 1)
    mark = Pixels(rgb, 0.0, float(wide), 0.0, float(high))
    across, up = Axis(ends=(0.0, float(wide)), quiet=True), Axis(ends=(float(high), 0.0), quiet=True)
    return Panel(across, up, (mark,), title, width=max(40.0, wide * times), height=max(40.0, high * times))


def _scale(rgb: np.ndarray, top: float, height: float) -> Panel:
    mark = Pixels(rgb, 0.0, 1.0, top or 1.0, 0.0, square=False)
    beside = Axis(f"weight, 0 to {brief(top)}", ends=(0.0, top or 1.0))
    return Panel(Axis(ends=(0.0, 1.0), quiet=True), beside, (mark,), width=14, height=height)
