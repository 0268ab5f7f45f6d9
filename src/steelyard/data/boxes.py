"""What COCO, VOC and YOLO share: boxes of classes in images, their images and areas, as Counts."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ..counts import Counts
from . import digest, labels
from .notes import ignored
from .source import Tally

LARGEST = 1e12  # an area beyond this is a mistake in the file
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".dng", ".mpo", ".pfm", ".heic")


def of_image(boxes: Iterable[tuple[Any, float | None]], area: str) -> Tally:
    """One image: (class, area in whole `area` or None) of each of its boxes."""
    part = Tally(items=1)
    areas: Counter[Any] = Counter()
    unknown = False
    for name, size in boxes:
        part.facts["no size"] += size == 0
        part.labels[name] += 1
        areas[name] += 0 if size is None else round(size)
        unknown = unknown or size is None
    part.also["images"] = Counter(dict.fromkeys(part.labels, 1))
    part.also[area] = areas
    part.facts["area unknown"] = int(unknown)
    part.containing = Counter(dict.fromkeys(part.labels, part.labels.total()))
    return part


def box_area(width: float, height: float) -> float:
    """ValueError for sides that are negative or no numbers."""
    size = width * height
    if not (math.isfinite(size) and width >= 0 and height >= 0 and size < LARGEST):
        raise ValueError(f"a box has the sides {width:g} and {height:g}")
    return size


def polygon_area(x: Sequence[float], y: Sequence[float]) -> float:
    """The shoelace formula. ValueError for coordinates that are no numbers."""
    size = abs(sum(x[i - 1] * y[i] - x[i] * y[i - 1] for i in range(len(x)))) / 2
    if not (math.isfinite(size) and size < LARGEST):
        raise ValueError(f"an outline has the area {size:g}")
    return size


def counted(
    total: Tally, source: str, *, known: Iterable[str] | None, classes: Any, ignore: Any, also: Iterable[str] = ()
) -> Counts:
    """Counts of boxes. `known` are the classes that the data itself declares, in its order; absent and ignored ones count 0."""
    declared = None if known is None else list(known)
    unknown_areas = bool(total.facts["area unknown"])
    tallies = {name: t for name, t in total.also.items() if name == "images" or not unknown_areas}
    kept = labels.drop(total.labels, ignore)[0]
    return labels.by_value(
        kept,
        classes=declared if classes is None else classes,
        source=source,
        unit="boxes",
        items=total.items,
        containing=labels.drop(total.containing, ignore)[0],
        also={name: labels.drop(t, ignore)[0] for name, t in tallies.items()},
        digest=digest.written(total.digest),
    ).noted(ignored(total.labels, kept, "boxes"))


def without_a_box(total: Tally) -> list[str]:
    """Notes on the boxes without a size, and on the images that hold no box, if there are any."""
    flat, empty = total.facts["no size"], total.facts["empty"]
    notes = (
        [f"{flat:,} boxes of width or height 0 count too; most detectors leave them out, so correct them"]
        if flat
        else []
    )
    return [*notes, f"{empty:,} of {total.items:,} images hold no box"] if empty else notes
