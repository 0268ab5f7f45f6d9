"""From probabilities to instances, and how many of the true ones were found, each by an object of its own.

What is kept of an image are counts. They add up over images, and the measures are ratios of their sums: a nucleus counts the same in
whichever image it lies.
"""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

import steelyard as sy

from .data import Photo

SMALLEST = 10  # pixels; the smallest true nucleus has about twice as many
TOLERANCE = 2.0  # pixels, of boundaries

COUNTS: tuple[str, ...] = ("nuclei", "objects", "hit50", "hit75", "touching", "touching50", "merged")
COUNTS += ("pixels", "drawn", "common", "edge", "edge_met", "drawn_edge", "drawn_edge_met")
MEASURES: dict[str, Callable[[dict[str, np.ndarray]], np.ndarray]] = {
    "recall 0.5": lambda n: share(n["hit50"], n["nuclei"]),
    "recall 0.75": lambda n: share(n["hit75"], n["nuclei"]),
    "precision 0.5": lambda n: share(n["hit50"], n["objects"]),
    "F1 0.5": lambda n: share(2 * n["hit50"], n["nuclei"] + n["objects"]),
    "touching": lambda n: share(n["touching50"], n["touching"]),
    "merged": lambda n: share(n["merged"], n["nuclei"]),
    "Dice": lambda n: share(2 * n["common"], n["pixels"] + n["drawn"]),
    "boundary F": lambda n: boundary_f(share(n["edge_met"], n["edge"]), share(n["drawn_edge_met"], n["drawn_edge"])),
}


def instances(probability: np.ndarray, threshold: float) -> np.ndarray:
    """Connected components of what reaches the threshold, without specks."""
    found = sy.spatial.objects((probability >= threshold).astype(np.int64))
    large = np.bincount(found.ravel()) >= SMALLEST
    large[0] = False
    return (np.cumsum(large) * large)[found]


def common_pixels(true: np.ndarray, found: np.ndarray) -> np.ndarray:
    """[1 + nuclei, 1 + objects]: pixels of every pair; row and column 0 are the background."""
    rows, columns = true.max() + 1, found.max() + 1
    return np.bincount((true * columns + found).ravel(), minlength=rows * columns).reshape(rows, columns)


def overlap(common: np.ndarray) -> np.ndarray:
    """[nuclei, objects]: intersection over union."""
    union = common.sum(axis=1, keepdims=True) + common.sum(axis=0, keepdims=True) - common
    return common[1:, 1:] / union[1:, 1:]


def matched(iou: np.ndarray, least: float) -> np.ndarray:
    """bool [nuclei]: which nuclei have an object of their own, one to one, as many as can be."""
    if 0 in iou.shape:
        return np.zeros(len(iou), bool)
    return maximum_bipartite_matching(csr_array(iou >= least), perm_type="column") >= 0


def merged(common: np.ndarray) -> np.ndarray:
    """bool [nuclei]: which lie for the most part in an object that holds the most part of another, too."""
    mostly = common[1:, 1:] > 0.5 * common[1:].sum(axis=1, keepdims=True)
    return (mostly & (mostly.sum(axis=0) > 1)).any(axis=1)


def recall_hits(photo: Photo, found: np.ndarray) -> int:
    """Nuclei found at IoU 0.5: all that validation asks for."""
    return int(matched(overlap(common_pixels(photo.nuclei, found)), 0.5).sum())


def tally(photo: Photo, found: np.ndarray) -> np.ndarray:
    """The counts of one image, in the order of COUNTS. Dice is that with the nuclei as they were to be drawn, parted."""
    common = common_pixels(photo.nuclei, found)
    iou = overlap(common)
    hit = matched(iou, 0.5)
    wanted, drawn = photo.parted > 0, found > 0
    true_edge, found_edge = edge(photo.nuclei), edge(found)
    return np.array(
        [
            *(*iou.shape, hit.sum(), matched(iou, 0.75).sum()),
            *(len(photo.touching), hit[photo.touching - 1].sum(), merged(common).sum()),
            *(wanted.sum(), drawn.sum(), (wanted & drawn).sum()),
            *(true_edge.sum(), near(true_edge, found_edge).sum(), found_edge.sum(), near(found_edge, true_edge).sum()),
        ],
        np.float64,
    )


def measures(counts: np.ndarray) -> dict[str, np.ndarray]:
    """{measure: [...]} of sums of counts [..., COUNTS]."""
    named: dict[str, np.ndarray] = dict(zip(COUNTS, np.moveaxis(counts, -1, 0), strict=True))
    return {name: measure(named) for name, measure in MEASURES.items()}


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """0 where there is nothing to have a share of."""
    return part / np.where(whole > 0, whole, np.inf)


def boundary_f(recall: np.ndarray, precision: np.ndarray) -> np.ndarray:
    return share(2 * recall * precision, recall + precision)


def edge(labels: np.ndarray) -> np.ndarray:
    """Pixels of objects beside something else; the edge of the image is none."""
    padded = np.pad(labels, 1, mode="edge")
    inner = padded[1:-1, 1:-1]
    others = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    return (inner > 0) & np.any([other != inner for other in others], axis=0)


def near(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Those of `some` that are at most TOLERANCE from one of `others`."""
    if not others.any():
        return np.zeros_like(some)
    return some & (distance_transform_edt(~others) <= TOLERANCE)  # type: ignore[operator]
