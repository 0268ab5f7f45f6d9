"""Rows of test images, columns: image, true nuclei, weight map, and what each arm found with its own threshold."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import steelyard as sy

from .data import Photo, neighbours
from .measure import common_pixels, matched, merged, overlap
from .weights import SIGMA, W0

WINDOW, ZOOM, GAP, TITLE = 112, 2, 4, 22  # pixels
TRUE = np.array([(102, 166, 30), (117, 112, 179), (230, 171, 2), (27, 158, 119), (217, 95, 2), (80, 140, 220)])
RIGHT, MERGED, POOR, LEFT_OUT = (70, 130, 180), (220, 50, 47), (240, 190, 60), (110, 110, 110)
LEGEND = {
    RIGHT: "found",
    MERGED: "holds two nuclei or more",
    POOR: "matches none at IoU 0.5",
    LEFT_OUT: "nucleus left out",
}
HEAT = np.array([(0, 0, 0), (60, 20, 110), (190, 50, 80), (250, 160, 30), (255, 255, 200)], float)


def picture(path: Path, photos: Sequence[Photo], found: Mapping[str, Sequence[np.ndarray]]) -> None:
    """found  {arm: instances, one array for each of the photos}"""
    titles = ["image", "true nuclei", "weight map", *found]
    tile = WINDOW * ZOOM
    sheet = Image.new("RGB", (len(titles) * (tile + GAP) - GAP, TITLE + len(photos) * (tile + GAP) + TITLE), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=14)
    for column, title in enumerate(titles):
        draw.text((column * (tile + GAP) + 4, 2), title, "black", font)
    for row, photo in enumerate(photos):
        window = crowded(photo)
        tiles = [gray(photo), truth(photo), heat(photo), *(judged(photo, each[row]) for each in found.values())]
        for column, each in enumerate(tiles):
            small = Image.fromarray(each[window].astype(np.uint8)).resize((tile, tile), Image.Resampling.NEAREST)
            sheet.paste(small, (column * (tile + GAP), TITLE + row * (tile + GAP)))
    x, y = 4, TITLE + len(photos) * (tile + GAP) + 1
    for colour, text in LEGEND.items():
        draw.rectangle((x, y + 3, x + 12, y + 15), colour)
        draw.text((x + 18, y), text, "black", font)
        x += 40 + int(font.getlength(text))
    sheet.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


def crowded(photo: Photo) -> tuple[slice, slice]:
    """The window with the most pixels of nuclei that touch, the first of several."""
    touch = np.isin(photo.nuclei, photo.touching)
    sums = np.pad(touch.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    h, w = (min(WINDOW, n) for n in touch.shape)
    inside = sums[h:, w:] - sums[:-h, w:] - sums[h:, :-w] + sums[:-h, :-w]
    y, x = np.unravel_index(inside.argmax(), inside.shape)
    return slice(int(y), int(y) + h), slice(int(x), int(x) + w)


def gray(photo: Photo) -> np.ndarray:
    return np.repeat((255 * photo.grey**0.7)[..., None], 3, axis=2)


def truth(photo: Photo) -> np.ndarray:
    """Nuclei that touch in different colours, as long as there are colours."""
    beside: dict[int, set[int]] = {}
    for others in neighbours(photo.nuclei):
        at = (photo.nuclei > 0) & (others > 0) & (others != photo.nuclei)
        for one, other in set(zip(photo.nuclei[at].tolist(), others[at].tolist(), strict=True)):
            beside.setdefault(one, set()).add(other)
    colour = [0] * (int(photo.nuclei.max()) + 1)
    for one in range(1, len(colour)):
        taken = {colour[other] for other in beside.get(one, ()) if other < one}
        free = [c for c in range(len(TRUE)) if c not in taken]
        colour[one] = free[one % len(free)] if free else 0
    return np.where(photo.nuclei[..., None] > 0, TRUE[np.array(colour)[photo.nuclei]], 0)


def heat(photo: Photo) -> np.ndarray:
    """The border map's shape, which both map arms share: black is the floor, light where two nuclei touch."""
    shape = (sy.spatial.border(photo.parted, w0=W0, sigma=SIGMA) - 1) / W0
    steps = np.arange(len(HEAT)) / (len(HEAT) - 1)
    return np.stack([np.interp(shape, steps, HEAT[:, c]) for c in range(3)], axis=2)


def judged(photo: Photo, found: np.ndarray) -> np.ndarray:
    """What an arm found: right, merged, or poor; grey where it left out pixels of a nucleus."""
    common = common_pixels(photo.nuclei, found)
    iou = overlap(common)
    colours = np.array([(0, 0, 0), *[POOR] * iou.shape[1]])
    colours[1:][matched(iou.T, 0.5)] = RIGHT
    holds = common[1:, 1:] > 0.5 * common[1:].sum(axis=1, keepdims=True)
    colours[1:][holds[merged(common)].any(axis=0)] = MERGED
    shown = colours[found]
    shown[(found == 0) & (photo.nuclei > 0)] = LEFT_OUT
    return shown
