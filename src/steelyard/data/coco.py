"""COCO's and LVIS's annotations: one JSON file with images, annotations and categories."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from ..counts import Counts
from . import boxes, digest
from .paths import files
from .source import Shard, Source, Tally, Tell

AREA = "area in pixels"


@dataclass(frozen=True, kw_only=True)
class Coco(Source):
    """Boxes of each category. Classes stand in the order of their ids; crowds (iscrowd) do not count.

    Source: Lin et al. 2014, arXiv:1405.0312; the format of cocodataset.org.
    """

    def shards(self) -> Sequence[Shard]:
        return [Shard(file, file.stat().st_size) for file in files(self.path)]

    def read(self, shard: Shard, tell: Tell) -> Tally:
        data = load(shard.path)
        file = shard.path
        images, listed, categories = (_list(file, data, key) for key in ("images", "annotations", "categories"))
        names = _names(file, categories)
        known = {_key(file, image, "images", "id") for image in images}
        rows = [_row(file, annotation, names, known) for annotation in listed]
        part = Tally(digest=digest.of_file(file))
        of_image = sorted((row for row in rows if not row[2]), key=lambda row: str(row[0]))
        with_boxes = 0
        for _, group in groupby(of_image, key=lambda row: row[0]):
            with_boxes += 1
            part.add(boxes.of_image(((name, area) for _, name, _, area in group), AREA))
        part.items = len(known)
        part.facts["crowds"] = len(rows) - len(of_image)
        part.facts["empty"] = len(known) - with_boxes
        part.names = list(names.values())
        return part

    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        counts = boxes.counted(total, self.path, known=total.names, classes=self.classes, ignore=self.ignore)
        notes = list(total.notes)
        if total.facts["crowds"]:
            notes.append(f"{total.facts['crowds']:,} crowd annotations (iscrowd) left out")
        return counts, [*notes, *boxes.without_a_box(total)]


def load(path: Path) -> Any:
    """The JSON, without the outlines of the objects, which are most of it. ValueError if it is not JSON."""

    def lean(pairs: dict[str, Any]) -> dict[str, Any]:
        pairs.pop("segmentation", None)
        return pairs

    try:
        with path.open(encoding="utf-8-sig") as file:
            return json.load(file, object_hook=lean)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: this is not JSON ({error}); it may have been cut off.") from None


def _list(file: Path, data: Any, key: str) -> list[Any]:
    entries = data.get(key) if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise ValueError(
            f"{file}: this JSON has no list {key!r}, so it holds neither COCO's boxes (images, annotations, categories) nor"
            " counts as `steelyard count --json` writes them."
        )
    return entries


def _key(file: Path, entry: Any, where: str, key: str) -> Any:
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, (int, str)):
        raise ValueError(f"{file}: an entry of {where!r} has no {key!r}: {str(entry)[:80]}.")
    return value


def _names(file: Path, categories: list[Any]) -> dict[Any, str]:
    """{id: name} in the order of the ids, which is the order of the logits in most programs."""
    names = {_key(file, c, "categories", "id"): str(_key(file, c, "categories", "name")) for c in categories}
    name, times = Counter(names.values()).most_common(1)[0] if names else ("", 0)
    if times > 1:
        raise ValueError(
            f"{file}: {times} categories are called {name!r}; rename them, so that they can be told apart."
        )
    return {i: names[i] for i in sorted(names, key=lambda i: (isinstance(i, str), i))}


def _row(file: Path, entry: Any, names: dict[Any, str], images: set[Any]) -> tuple[Any, str, bool, float | None]:
    """(image, class, whether it is a crowd, area or None)."""
    image, category = (_key(file, entry, "annotations", key) for key in ("image_id", "category_id"))
    if category not in names:
        raise ValueError(f"{file}: an annotation has the category {category!r}, which 'categories' does not hold.")
    if image not in images:
        raise ValueError(f"{file}: an annotation belongs to image {image!r}, which 'images' does not hold.")
    return image, names[category], bool(entry.get("iscrowd", 0)), _area(file, entry)


def _area(file: Path, entry: dict[str, Any]) -> float | None:
    try:
        if isinstance(entry.get("area"), (int, float)):
            return boxes.box_area(float(entry["area"]), 1.0)
        box = entry.get("bbox")
        return None if box is None else boxes.box_area(float(box[2]), float(box[3]))
    except (ValueError, TypeError, IndexError) as error:
        raise ValueError(f"{file}: annotation {entry.get('id')!r}: {error}; correct its bbox or area.") from None
