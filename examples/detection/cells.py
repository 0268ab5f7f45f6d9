"""BCCD's blood cells: photographs, made small, with their boxes, in the data's own parts."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import steelyard as sy

NAMES = ("RBC", "WBC", "Platelets")
WIDTH, HEIGHT = 160, 120  # a quarter of theirs
ABSENT = (
    "No blood cells in {folder}. The program reads Annotations/NAME.xml, JPEGImages/NAME.jpg and ImageSets/Main of the BCCD data set"
    " (https://github.com/Shenggan/BCCD_Dataset, MIT licence): pass its folder."
)


@dataclass(frozen=True)
class Photo:
    """pixels uint8 [HEIGHT, WIDTH, 3]; boxes float32 [N, 4], x0 y0 x1 y1 in these pixels; labels int64 [N], places in NAMES"""

    name: str
    pixels: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray


def load(folder: Path) -> dict[str, list[Photo]]:
    """{"train": training and validation images, "test": the data's test images}. SystemExit where they are not there."""
    lists = folder / "ImageSets" / "Main"
    if not lists.is_dir():
        raise SystemExit(ABSENT.format(folder=folder))
    parts = {"train": ("train", "val"), "test": ("test",)}
    return {
        part: [photo(folder, name) for each in lists_ for name in (lists / f"{each}.txt").read_text().split()]
        for part, lists_ in parts.items()
    }


def photo(folder: Path, name: str) -> Photo:
    with Image.open(folder / "JPEGImages" / f"{name}.jpg") as image:
        scale = np.array([WIDTH / image.width, HEIGHT / image.height] * 2, dtype=np.float32)
        pixels = np.asarray(image.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BOX))
    boxes, labels = [], []
    for cell in ET.parse(folder / "Annotations" / f"{name}.xml").iter("object"):  # the user's own files
        corners = [float(cell.findtext(f"bndbox/{side}", "nan")) for side in ("xmin", "ymin", "xmax", "ymax")]
        if corners[2] > corners[0] and corners[3] > corners[1]:  # one of them has no size
            boxes.append(corners)
            labels.append(NAMES.index(cell.findtext("name", "")))
    return Photo(
        name, pixels, np.array(boxes, dtype=np.float32).reshape(-1, 4) * scale, np.array(labels, dtype=np.int64)
    )


def counts(photos: list[Photo]) -> sy.Counts:
    return sy.count(np.concatenate([p.labels for p in photos]), classes=list(range(len(NAMES))))
