"""A picture of a map: weights as colours from 0 to the largest, the edges of the labels as white lines, a scale below."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from .. import marks
from .images import strips

COLOURS = np.array([(16, 12, 46), (52, 52, 148), (16, 128, 160), (104, 192, 98), (250, 232, 90)], np.float64)
LINE = np.array([255, 255, 255])
SIDE = 384  # smaller pictures have their pixels repeated
STRIP, GAP = 22, 6  # the scale under the picture


def picture(weights: np.ndarray, mask: np.ndarray, name: str) -> bytes:
    """A PNG. Of a volume it is the slice along the first axis that holds most of the objects.

    weights, mask  [H, W] or [D, H, W]
    name           what they are known by; `made_of` finds it again
    """
    from PIL import Image, ImageDraw, PngImagePlugin

    where = ""
    if weights.ndim == 3:
        at = int((mask != 0).sum(axis=(1, 2)).argmax())
        where, weights, mask = f"slice {at} of {len(mask)}; ", weights[at], mask[at]
    top = float(weights.max()) if weights.size else 0.0
    times = max(1, -(-SIDE // max(*weights.shape, 1)))
    pixels = np.empty((*weights.shape, 3), np.uint8)
    for rows in strips(weights.shape):
        pixels[rows] = colours(weights[rows] / (top or 1.0))
    pixels, mask = _larger(pixels, times), _larger(mask, times)
    pixels[edges(mask)] = LINE
    width = max(pixels.shape[1], SIDE // 2)
    canvas = np.full((pixels.shape[0] + STRIP, width, 3), 255, np.uint8)
    canvas[: pixels.shape[0], : pixels.shape[1]] = pixels
    canvas[pixels.shape[0] + GAP : -GAP, GAP : width // 3] = colours(np.linspace(0, 1, width // 3 - GAP))
    image = Image.fromarray(canvas)
    at = (width // 3 + GAP, pixels.shape[0] + GAP - 1)
    ImageDraw.Draw(image).text(at, f"{where}0 to {top:.4g}", fill=(0, 0, 0))
    about = PngImagePlugin.PngInfo()
    about.add_text(marks.KEYWORD, name)
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=about)
    return file.getvalue()


def made_of(path: Path) -> str | None:
    """The name of the map in a picture; None if there is no picture of ours, or it is damaged."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            image.load()
            return image.info.get(marks.KEYWORD)
    except (OSError, SyntaxError):  # Pillow's word for a broken PNG
        return None


def colours(parts: np.ndarray) -> np.ndarray:
    """uint8 [..., 3] for numbers in [0, 1]."""
    at = np.linspace(0, 1, len(COLOURS))
    channels: Any = [np.interp(parts, at, COLOURS[:, k]) for k in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def _larger(image: np.ndarray, times: int) -> np.ndarray:
    return image if times == 1 else image.repeat(times, axis=0).repeat(times, axis=1)


def edges(labels: np.ndarray) -> np.ndarray:
    """Pixels of an object whose right or lower, left or upper neighbour has another label."""
    other = np.zeros(labels.shape, bool)
    down, across = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    other[1:] |= down
    other[:-1] |= down
    other[:, 1:] |= across
    other[:, :-1] |= across
    return other & (labels != 0)
