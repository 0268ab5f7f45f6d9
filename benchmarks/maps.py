"""Weight maps: U-Net's border map of 512 x 512 pixels with few and many cells, and signed distances of a volume.

naive is what most programs do: a distance transform of the image for every cell, and a sort. Others where they are installed: `edt`,
MONAI's and OpenCV's exact transform in its place, keeping the two smallest. Every map is compared with the naive one.
"""

import argparse
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from scipy import ndimage

from steelyard import spatial
from steelyard.spatial import transforms

from .measure import in_turn, write

CELLS = {5: (30, 60), 50: (10, 24), 500: (4, 11)}  # how many, and from which radius to which
SIZE, W0, SIGMA = 512, 10.0, 5.0
Transform = Callable[[np.ndarray], np.ndarray]  # of what is False at the object


def maps(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks maps", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows = []
    for many, radius in CELLS.items():
        instances = cells(many, radius)
        found = len(np.unique(instances)) - 1
        rows += compare(f"border, {found} cells of {SIZE}^2", borders(instances), options.rounds if many < 500 else 3)
    volume = cells(6, (8, 20), size=96, dims=3) % 3
    rows += compare("signed distances, 3 classes of 96^3", signed(volume), options.rounds)
    print(write("maps", rows, packages=_versions()))
    for row in rows:
        print(f"{row['case']:40} {row['variant']:22} {row['median_ms']:9.1f} ms  x{row['ratio']:.1f}  {row['off']:.1e}")


def cells(many: int, radius: tuple[int, int], size: int = SIZE, dims: int = 2) -> np.ndarray:
    """Discs (balls) that may overlap, numbered from 1."""
    rng = np.random.default_rng(many)
    out = np.zeros((size,) * dims, np.int64)
    grid = np.indices(out.shape)
    for k in range(1, many + 1):
        centre = rng.uniform(0, size, dims).reshape(-1, *[1] * dims)
        out[((grid - centre) ** 2).sum(axis=0) <= rng.uniform(*radius) ** 2] = k
    return out


def borders(instances: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    found = {"naive": lambda: naive(instances, ndimage.distance_transform_edt)}
    if importlib.util.find_spec("edt"):
        import edt

        found["edt for each cell"] = lambda: running(instances, lambda there: edt.edt(there, parallel=1))
    if importlib.util.find_spec("monai"):
        from monai.transforms.utils import distance_transform_edt

        found["MONAI for each cell"] = lambda: running(
            instances, lambda there: np.asarray(distance_transform_edt(there[None]))[0]
        )
    if importlib.util.find_spec("cv2"):
        import cv2

        cv2.setNumThreads(1)
        precise = cv2.DIST_MASK_PRECISE
        found["OpenCV for each cell"] = lambda: running(
            instances, lambda there: cv2.distanceTransform(there.astype(np.uint8), cv2.DIST_L2, precise)
        )
    found["steelyard, scipy"] = lambda: without_core(lambda: spatial.border(instances, w0=W0, sigma=SIGMA))
    if transforms._native is not None:
        found["steelyard, C++"] = lambda: spatial.border(instances, w0=W0, sigma=SIGMA)
    return found


def naive(instances: np.ndarray, transform: Transform) -> np.ndarray:
    each = np.stack([transform(instances != k) for k in np.unique(instances[instances > 0])])
    each.sort(axis=0)
    return _map(instances, each[0], each[1])


def running(instances: np.ndarray, transform: Transform) -> np.ndarray:
    """With the two smallest kept on the way."""
    first = np.full(instances.shape, np.inf, np.float32)
    second = first.copy()
    for k in np.unique(instances[instances > 0]):
        d = transform(instances != k)
        second = np.minimum(second, np.maximum(first, d))
        first = np.minimum(first, d)
    return _map(instances, first, second)


def _map(instances: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.where(instances > 0, 1.0, 1.0 + W0 * np.exp(-((first + second) ** 2) / (2 * SIGMA**2))).astype(np.float32)


def signed(volume: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    """For each class the distance to its edge, as the boundary loss wants it."""
    classes = [volume == c for c in range(3)]

    def plain(there: np.ndarray) -> np.ndarray:
        outside, inside = ndimage.distance_transform_edt(~there), ndimage.distance_transform_edt(there)
        return (outside * ~there - (inside - 1) * there).astype(np.float32)

    def ours() -> np.ndarray:
        return np.stack([spatial.signed_distance(there) for there in classes])

    found = {"naive": lambda: np.stack([plain(there) for there in classes])}
    if importlib.util.find_spec("edt"):
        import edt

        def by_edt(there: np.ndarray) -> np.ndarray:
            return edt.edt(~there, parallel=1) - np.where(there, edt.edt(there, parallel=1) - 1, 0)

        found["edt for each class"] = lambda: np.stack([by_edt(there) for there in classes])
    found["steelyard, scipy"] = lambda: without_core(ours)
    if transforms._native is not None:
        found["steelyard, C++"] = ours
    return found


def without_core(compute: Callable[[], np.ndarray]) -> np.ndarray:
    kept, transforms._native = transforms._native, None
    try:
        return compute()
    finally:
        transforms._native = kept


def compare(case: str, variants: dict[str, Callable[[], np.ndarray]], rounds: int) -> list[dict[str, Any]]:
    exact = variants["naive"]()
    off = {name: float(np.abs(variant() - exact).max()) for name, variant in variants.items()}
    times = in_turn(variants, rounds)
    return [{"case": case, "variant": name, "off": off[name]} | times[name] for name in variants]


def _versions() -> dict[str, str]:
    from importlib import metadata

    found = {}
    for name in ("numpy", "scipy", "edt", "monai", "opencv-python-headless"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
