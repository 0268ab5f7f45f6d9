"""COCO's and LVIS's annotations: one JSON file with images, annotations and categories. Panoptic ones hold segments in the place of
boxes; labelme's files, one for each image, are read here too."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..counts import Counts
from ..schema import Form, brief, distinct
from . import boxes, digest
from .annotation_form import BOX, CATEGORY, IMAGES, LABELME, PANOPTIC, fitting
from .exports import other_json
from .gate import one_line
from .labels import some
from .notes import Doubt, Scope
from .paths import ends_in, files
from .source import Shard, Source, Tally, Tell

AREA = "area in pixels"
IMAGE = "image "  # a fact of this name for each image that holds a box: twice is counted twice


@dataclass(frozen=True, kw_only=True)
class Coco(Source):
    """Boxes of each category. Classes stand in the order of their ids; crowds (iscrowd) do not count.

    Source: Lin et al. 2014, arXiv:1405.0312; the format of cocodataset.org, and github.com/wkentaro/labelme.
    """

    def shards(self) -> Sequence[Shard]:
        paths = [f for f in files(self.path) if ends_in(f, (".json",))]
        if not paths:
            raise ValueError(f"{self.path}: there is no .json here; give the file of the annotations.")
        return [Shard(file, file.stat().st_size) for file in paths]

    def beside(self, shards: Sequence[Shard]) -> list[str]:
        others = self.others(shards, *boxes.PICTURES)
        notes: list[str] = (
            [Scope(f"in the folder, but not read: {some([f.name for f in others], 4)}")] if others else []
        )
        if 1 < len(shards) <= 9:
            names = some([str(shard.path.name) for shard in shards])
            notes.append(
                Scope(f"{len(shards)} files were counted together ({names}); give one of them to count a split")
            )
        return notes

    def read(self, shard: Shard, tell: Tell) -> Tally:
        file = shard.path
        data = load(file)
        part = _labelme(file, data) if isinstance(data, dict) and "shapes" in data else _coco(file, data)
        part.digest = digest.of_file(file)
        return part

    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        twice = [key for key, times in total.facts.items() if key.startswith(IMAGE) and times > 1]
        if twice:
            name = twice[0].removeprefix(IMAGE).partition("|")[0]
            raise ValueError(
                f"{self.path}: image {name!r} stands in several files with the same boxes ({len(twice):,} images do), and they would"
                " count twice; give one of the files, or a glob such as 'instances_*.json'."
            )
        known = total.names or None
        counts = boxes.counted(total, self.path, known=known, classes=self.classes, ignore=self.ignore)
        notes = list(total.notes)
        if total.facts["crowds"]:
            notes.append(Scope(f"{total.facts['crowds']:,} crowd annotations (iscrowd) left out"))
        if total.facts["segments"]:
            notes.append(f"these are panoptic segments, counted like boxes; --by {AREA!r} weighs by their pixels")
        if total.facts["image ids twice"]:
            notes.append(
                Doubt(
                    f"{total.facts['image ids twice']:,} image ids stand twice under 'images', so the boxes of different images"
                    " may have been taken for those of one; number the images anew"
                )
            )
        if total.facts["no boxes"]:
            notes.append(Scope(f"{total.facts['no boxes']:,} points and lines left out: they are no boxes"))
        return counts, [*notes, *boxes.without_a_box(total)]


def load(path: Path) -> Any:
    """The JSON, without the outlines of the objects, which are most of it. ValueError if it is not JSON."""

    def lean(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = distinct(pairs)
        made.pop("segmentation", None)
        made.pop("imageData", None)
        return made

    raw = path.read_bytes()
    try:
        text = raw.decode(json.detect_encoding(raw))  # UTF-8, -16 or -32, with a mark or without
    except UnicodeDecodeError as error:
        text = raw.decode("latin-1")  # of use where no name of a class is concerned: `_names` looks
        legacy = f"byte {error.start:,}"
    else:
        legacy = ""
    try:
        data = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=lean)
    except (ValueError, RecursionError) as error:
        lines = isinstance(error, json.JSONDecodeError) and error.msg == "Extra data"
        do = (
            "if it holds a row on each line, say which column holds the labels, with --label or label="
            if lines
            else "it may have been cut off"
        )
        raise ValueError(f"{path}: this is not JSON ({one_line(error)}); {do}.") from None
    named = data.get("categories", data.get("shapes")) if isinstance(data, dict) else data
    if legacy and not str(named).isascii():
        raise ValueError(f"{path}: this JSON is not UTF-8 ({legacy}); write it again with encoding='utf-8'.")
    return data


def _coco(file: Path, data: Any) -> Tally:
    images, listed, categories = (_list(file, data, key) for key in ("images", "annotations", "categories"))
    names = _names(file, categories)
    known = {_id(image["id"]): image for image in _all(file, images, "images", IMAGES)}
    part = Tally(items=len(known), names=list(names.values()))
    of_image: dict[Any, list[tuple[str, float | None]]] = defaultdict(list)
    for number, annotation in enumerate(listed):
        try:
            panoptic = isinstance(annotation, dict) and annotation.get("segments_info") is not None
            fitting(file, f"annotations[{number}]", annotation, PANOPTIC if panoptic else BOX)
            entries = annotation["segments_info"] if panoptic else [annotation]
            part.facts["segments"] += len(entries) if panoptic else 0
            for entry in entries:
                image, name, crowd, area = _row(file, _id(annotation["image_id"]), entry, names, known)
                part.facts["crowds"] += crowd
                if not crowd:
                    of_image[image].append((name, area))
        except ValueError as error:
            part.wrong.append(str(error))
    empty = len(known)
    for image in sorted(of_image, key=str):
        tally = boxes.of_image(of_image[image], AREA)
        empty -= bool(tally.labels)
        if known[image].get("file_name") and tally.labels:
            size = sum(area or 0 for _, area in of_image[image])
            tally.facts[f"{IMAGE}{known[image]['file_name']}|{tally.labels.total()}|{size:.0f}"] = 1
        tally.items = 0  # all images are counted above, those without boxes too
        part.add(tally)
    part.facts["empty"] = empty
    part.facts["image ids twice"] = len(images) - len(known)
    return part


def _list(file: Path, data: Any, key: str) -> list[Any]:
    entries = data.get(key) if isinstance(data, dict) else None
    if not isinstance(entries, list):
        known = other_json(data)
        raise ValueError(
            f"{file}: {known}"
            if known
            else f"{file}: this JSON has no list {key!r}, so it holds neither COCO's boxes (images, annotations, categories) nor"
            " counts as `steelyard count --json` writes them; if it is a table, say which column holds the labels, with --label or label=."
        )
    return entries


def _all(file: Path, entries: list[Any], where: str, form: Form) -> list[Any]:
    for number, entry in enumerate(entries):
        fitting(file, f"{where}[{number}]", entry, form)
    return entries


def _id(value: float | str) -> int | str:
    return value if isinstance(value, str) else int(value)  # pandas writes 7.0 where a column had a gap


def _names(file: Path, categories: list[Any]) -> dict[Any, str]:
    """{id: name} in the order of the ids, which is the order of the logits in most programs."""
    names: dict[Any, str] = {}
    for category in _all(file, categories, "categories", CATEGORY):
        number, name = _id(category["id"]), str(_id(category["name"]))
        if names.setdefault(number, name) != name:
            raise ValueError(
                f"{file}: the categories {names[number]!r} and {name!r} have the same id, {number!r}, so their boxes cannot be told"
                " apart; give each category an id of its own."
            )
    name, times = Counter(names.values()).most_common(1)[0] if names else ("", 0)
    if times > 1:
        raise ValueError(
            f"{file}: {times} categories are called {name!r}; rename them, so that they can be told apart."
        )
    return {i: names[i] for i in sorted(names, key=lambda i: (isinstance(i, str), i))}


def _row(file: Path, image: Any, entry: Any, names: dict[Any, str], images: Any) -> tuple[Any, str, bool, float | None]:
    """(image, class, whether it is a crowd, area or None)."""
    category = _id(entry["category_id"])
    if category not in names:
        raise ValueError(f"{file}: an annotation has the category {brief(category)}, which 'categories' does not hold.")
    if image not in images:
        raise ValueError(f"{file}: an annotation belongs to image {brief(image)}, which 'images' does not hold.")
    return image, names[category], bool(entry.get("iscrowd")), _area(file, entry)


def _area(file: Path, entry: dict[str, Any]) -> float | None:
    """`area` where there is one, or that of the box: x y width height, with an angle if it is rotated, or the corners of a polygon."""
    try:
        box = entry.get("bbox") or None  # [] is written for an outline without a box
        of_box = None
        if box is not None:
            if len(box) in (4, 5):
                of_box = boxes.box_area(box[2], box[3])
            elif len(box) >= 6 and len(box) % 2 == 0:
                of_box = boxes.polygon_area(box[0::2], box[1::2])
            else:
                raise ValueError(f"a box has {len(box)} numbers")
        if of_box == 0 or entry.get("area") is None:
            return of_box
        return boxes.box_area(float(entry["area"]), 1.0) or of_box
    except ValueError as error:
        raise ValueError(f"{file}: annotation {brief(entry.get('id'))}: {error}; correct its bbox or area.") from None


def _labelme(file: Path, data: dict[str, Any]) -> Tally:
    """One image of labelme. Shapes of one label and group are the parts of one object."""
    objects: dict[Any, list[Any]] = {}
    skipped = 0
    for number, shape in enumerate(fitting(file, "", data, LABELME)["shapes"]):
        kind, label = shape.get("shape_type") or "polygon", str(shape["label"])
        if kind in ("point", "line", "linestrip", "points"):
            skipped += 1
            continue
        x, y = ([float(point[axis]) for point in shape["points"]] for axis in (0, 1))
        group = shape.get("group_id")
        one = objects.setdefault((label, number if group is None else f"group {group}"), [label, 0.0])
        try:
            area = _shape_area(kind, x, y)
        except ValueError as error:
            raise ValueError(f"{file}: shapes[{number}]: {error}; correct its points.") from None
        one[1] = None if one[1] is None or area is None else one[1] + area
    part = boxes.of_image(map(tuple, objects.values()), AREA)
    part.facts["empty"] = int(not part.labels)
    part.facts["no boxes"] = skipped
    return part


def _shape_area(kind: str, x: list[float], y: list[float]) -> float | None:
    if kind == "rectangle" and len(x) == 2:
        return boxes.box_area(abs(x[1] - x[0]), abs(y[1] - y[0]))
    if kind == "circle" and len(x) == 2:
        return math.pi * ((x[1] - x[0]) ** 2 + (y[1] - y[0]) ** 2)
    return boxes.polygon_area(x, y) if len(x) > 2 else None
