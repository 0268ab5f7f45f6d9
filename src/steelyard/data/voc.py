"""Pascal VOC's annotations: one XML file for each image."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from ..counts import Counts
from . import boxes, digest
from .labels import some, suggest
from .paths import ends_in, files
from .source import Shard, Source, Tally, Tell

AREA = "area in pixels"


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

    def read(self, shard: Shard, tell: Tell) -> Tally:
        raw = shard.path.read_bytes()
        try:
            root = ElementTree.fromstring(raw)
        except (ElementTree.ParseError, ValueError) as error:
            raise ValueError(f"{shard.path}: this is not XML ({error}); write it again.") from None
        if root.tag != "annotation":
            raise ValueError(f"{shard.path}: this XML is a <{root.tag[:40]}>, not the <annotation> of an image.")
        objects = list(_objects(shard.path, root))
        part = boxes.of_image(((name, area) for name, area, _ in objects), AREA)
        part.digest = digest.digest([raw])
        part.facts["difficult"] = sum(difficult for *_, difficult in objects)
        part.facts["empty"] = int(not objects)
        return part

    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        where = self.path if self.split is None else f"{self.path}, {self.split}"
        counts = boxes.counted(total, where, known=None, classes=self.classes, ignore=self.ignore)
        notes = list(total.notes)
        if total.facts["difficult"]:
            notes.append(f"{total.facts['difficult']:,} boxes marked as difficult are counted too")
        notes.extend(boxes.without_a_box(total))
        splits = _splits(Path(self.path).expanduser())
        if self.split is None and splits:
            notes.append(f"all images were counted; --split or split= takes one of {some(sorted(splits))}")
        return counts, notes


def _objects(file: Path, root: ElementTree.Element) -> Iterator[tuple[str, float, bool]]:
    """(class, area, whether it is difficult) of each object."""
    for at, entry in enumerate(root.iter("object"), 1):
        name = (entry.findtext("name") or "").strip()
        if not name:
            raise ValueError(f"{file}: object {at} has no name.")
        try:
            x0, y0, x1, y1 = (
                float(entry.findtext(f"bndbox/{side}") or "") for side in ("xmin", "ymin", "xmax", "ymax")
            )
            area = boxes.box_area(x1 - x0, y1 - y0)
        except ValueError as error:
            raise ValueError(f"{file}: object {at} ({name!r}) has no proper <bndbox> ({error}); correct it.") from None
        yield name, area, (entry.findtext("difficult") or "0").strip() == "1"


def _splits(folder: Path) -> dict[str, Path]:
    """{name: file} of the lists of images beside the annotations."""
    for base in (folder, folder.parent):
        lists = base / "ImageSets" / "Main"
        if lists.is_dir():
            return {f.stem: f for f in lists.glob("*.txt") if "_" not in f.stem}  # aeroplane_train.txt is one class
    return {}


def _of_split(path: str, paths: list[Path], split: str) -> list[Path]:
    splits = _splits(Path(path).expanduser())
    if split not in splits:
        known = (
            f" The splits are {some(sorted(splits))}.{suggest(split, splits)}"
            if splits
            else " ImageSets/Main lists none."
        )
        raise ValueError(f"{path}: there is no split {split!r}.{known}")
    wanted = splits[split].read_text(encoding="utf-8").split()
    by_name = {f.stem: f for f in paths}
    missing = [name for name in wanted if name not in by_name]
    if missing:
        raise ValueError(
            f"{splits[split]}: it lists {missing[0]!r}, which has no .xml ({len(missing):,} of {len(wanted):,} have none)."
        )
    return [by_name[name] for name in dict.fromkeys(wanted)]
