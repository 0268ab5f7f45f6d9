"""Pascal VOC's annotations: one XML file for each image; and CVAT's, which are one file for all images."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from ..counts import Counts
from . import boxes, digest
from .labels import short, some, suggest
from .markup import parse_xml
from .notes import Scope
from .paths import ends_in, expanded, files, holds
from .source import Shard, Source, Tally, Tell

AREA = "area in pixels"
LEFT_OUT = "left out "  # a fact of this name for each kind of shape that is no box


@dataclass(frozen=True, kw_only=True)
class Voc(Source):
    """Boxes of each class, in a folder of XML files or the root of a VOC data set.

    split   "train" and so on: the images that ImageSets/Main/train.txt lists; None: all

    Source: Everingham et al. 2010, The Pascal Visual Object Classes challenge, IJCV 88.
    """

    split: str | None = None

    def shards(self) -> Sequence[Shard]:
        paths = [f for f in files(self.path) if ends_in(f, (".xml",))]
        if not paths:
            raise ValueError(f"{self.path}: there is no .xml here; give the folder of the annotations.")
        if self.split is not None:
            paths = _of_split(self.path, paths, self.split)
        return [Shard(file, file.stat().st_size) for file in paths]

    def beside(self, shards: Sequence[Shard]) -> list[str]:
        others = [f for f in self.others(shards, ".xml", *boxes.PICTURES) if "ImageSets" not in f.parts]
        return [f"in the folder, but not read: {holds(others)}"] if others else []

    def read(self, shard: Shard, tell: Tell) -> Tally:
        raw = shard.path.read_bytes()
        root, sure = parse_xml(shard.path, raw)
        if root.tag == "annotations":
            part = _cvat(shard.path, root)
        elif root.tag == "annotation":
            objects = list(_objects(shard.path, root))
            part = boxes.of_image(((name, area) for name, area, _ in objects), AREA)
            part.facts["difficult"] = sum(difficult for *_, difficult in objects)
            part.facts["empty"] = int(not part.labels)
            part.facts["empty objects"] = sum(map(_says_nothing, root.iter("object")))
        else:
            raise ValueError(f"{shard.path}: this XML is a <{root.tag[:40]}>, not the <annotation> of an image.")
        odd = [name for name in part.labels if not name.isascii()]
        if odd and not sure:
            raise ValueError(
                f"{shard.path}: it is not UTF-8 and does not say what it is, so the class {short(odd[0])} may be misread; save it as UTF-8,"
                ' or write its encoding into the first line: <?xml version="1.0" encoding="gbk"?>.'
            )
        part.digest = digest.digest([raw])
        return part

    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        where = self.path if self.split is None else f"{self.path}, {self.split}"
        counts = boxes.counted(total, where, known=total.names or None, classes=self.classes, ignore=self.ignore)
        notes = list(total.notes)
        if total.facts["difficult"]:
            notes.append(f"{total.facts['difficult']:,} boxes marked as difficult are counted too")
        if total.facts["empty objects"]:
            notes.append(f"{total.facts['empty objects']:,} empty <object/> taken for no object")
        left_out = [key.removeprefix(LEFT_OUT) for key in total.facts if key.startswith(LEFT_OUT)]
        notes.extend(
            Scope(f"{total.facts[LEFT_OUT + kind]:,} <{kind}> left out: they are no boxes") for kind in left_out
        )
        notes.extend(boxes.without_a_box(total))
        splits = _splits(expanded(self.path))
        if self.split is None and splits:
            notes.append(Scope(f"all images were counted; --split or split= takes one of {some(sorted(splits))}"))
        return counts, notes


def _objects(file: Path, root: ElementTree.Element) -> Iterator[tuple[str, float, bool]]:
    """(class, area, whether it is difficult) of each object; <object/> is how some programs write that there is none."""
    for at, entry in enumerate(root.iter("object"), 1):
        if _says_nothing(entry):
            continue
        name = (entry.findtext("name") or "").strip()
        if not name:
            raise ValueError(f"{file}: object {at} has no name.")
        if (entry.findtext("deleted") or "0").strip() == "1":  # LabelMe's XML keeps what was deleted
            continue
        try:
            area = _area(entry)
        except ValueError as error:
            raise ValueError(
                f"{file}: object {at} ({short(name)}) has no proper <bndbox> ({error}); correct it."
            ) from None
        yield name, area, (entry.findtext("difficult") or "0").strip() == "1"


def _says_nothing(entry: ElementTree.Element) -> bool:
    return not len(entry) and not (entry.text or "").strip() and not entry.attrib


def _area(entry: ElementTree.Element) -> float:
    """Of a box, a rotated box or an outline, whichever the object has."""

    def numbers(place: str, *names: str) -> list[float]:
        return [float(entry.findtext(f"{place}/{name}") or "") for name in names]

    if entry.find("bndbox/xmin") is not None or entry.find("bndbox/xmax") is not None:
        x0, y0, x1, y1 = numbers("bndbox", "xmin", "ymin", "xmax", "ymax")
        return boxes.box_area(x1 - x0, y1 - y0)
    if entry.find("robndbox") is not None:
        return boxes.box_area(*numbers("robndbox", "w", "h"))
    if entry.find("bndbox/x0") is not None:
        return boxes.polygon_area(*(numbers("bndbox", *(f"{axis}{i}" for i in range(4))) for axis in "xy"))
    outline = entry.find("polygon")
    if outline is not None:
        points = [(p.findtext("x") or "", p.findtext("y") or "") for p in outline.iter("pt")]
        if not points:  # <x1> <y1> <x2> ...
            named = {child.tag: child.text or "" for child in outline}
            points = [(named[f"x{i}"], named.get(f"y{i}", "")) for i in range(1, len(named)) if f"x{i}" in named]
        if len(points) > 2:
            return boxes.polygon_area([float(x) for x, _ in points], [float(y) for _, y in points])
    raise ValueError("there is neither <xmin> ... <ymax> nor an outline")


def _cvat(file: Path, root: ElementTree.Element) -> Tally:
    """All images of "CVAT for images": boxes, outlines and masks; its labels are declared, so those without a box count 0."""
    if root.find("track") is not None:
        raise ValueError(
            f"{file}: this is 'CVAT for video', which counts an object once for each frame; export it as 'COCO' or 'CVAT for images'."
        )
    labels = root.iterfind("meta//labels/label")
    part = Tally(names=[name for label in labels if (name := (label.findtext("name") or "").strip())])
    for image in root.iterfind("image"):
        shapes = []
        for shape in image:
            name = shape.get("label") or ""
            try:
                area = _cvat_area(shape)
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"{file}: a <{shape.tag}> of image {short(str(image.get('name')))} cannot be read ({error}); correct it."
                ) from None
            if area is None or not name:
                part.facts[LEFT_OUT + shape.tag] += 1
            else:
                shapes.append((name, area))
        one = boxes.of_image(shapes, AREA)
        one.facts["empty"] = int(not one.labels)
        part.add(one)
    return part


def _cvat_area(shape: ElementTree.Element) -> float | None:
    """None for what is no box: points, lines, tags, skeletons."""

    def number(name: str) -> float:
        return float(shape.get(name) or "")

    if shape.tag == "box":
        return boxes.box_area(number("xbr") - number("xtl"), number("ybr") - number("ytl"))
    if shape.tag == "polygon":
        points = [point.split(",") for point in (shape.get("points") or "").split(";")]
        return boxes.polygon_area([float(x) for x, _ in points], [float(y) for _, y in points])
    if shape.tag == "ellipse":
        return boxes.box_area(math.pi * number("rx"), number("ry"))
    if shape.tag == "mask":  # lengths of runs, in turns outside and inside
        return float(sum(int(n) for n in (shape.get("rle") or "").split(",")[1::2]))
    return None


def _splits(folder: Path) -> dict[str, Path]:
    """{name: file} of the lists of images beside the annotations."""
    for base in (folder, folder.parent):
        lists = base / "ImageSets" / "Main"
        if lists.is_dir():
            return {
                f.stem: f for f in lists.glob("*.txt") if "_" not in f.stem and f.is_file()
            }  # aeroplane_train.txt is one class
    return {}


def _of_split(path: str, paths: list[Path], split: str) -> list[Path]:
    splits = _splits(expanded(path))
    if split not in splits:
        known = (
            f" The splits are {some(sorted(splits))}.{suggest(split, splits)}"
            if splits
            else " ImageSets/Main lists none."
        )
        raise ValueError(f"{path}: there is no split {split!r}.{known}")
    lines = splits[split].read_text(encoding="utf-8-sig").splitlines()
    wanted = [name for line in lines if (name := line.strip())]
    by_name = {f.stem: f for f in paths}
    missing = [name for name in wanted if name not in by_name]
    if missing:
        raise ValueError(
            f"{splits[split]}: it lists {short(missing[0])}, which has no .xml ({len(missing):,} of {len(wanted):,} have none)."
        )
    return [by_name[name] for name in dict.fromkeys(wanted)]
