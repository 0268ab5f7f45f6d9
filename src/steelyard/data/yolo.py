"""YOLO's labels: one text file for each image, and data.yaml with the names."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..counts import Counts
from . import boxes, digest
from .labels import listed, some, suggest
from .paths import ends_in, files, inside
from .source import Shard, Source, Tally, Tell

AREA = "area in millionths of the image"  # the files hold shares of the image, not pixels
IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
YAML = (".yaml", ".yml")
SPLITS = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class Yolo(Source):
    """Boxes, outlines or rotated boxes of each class. An image without a text file holds none, as in training.

    path    data.yaml, its folder, or a folder of label files (classes are then their numbers)
    split   "train" (the default where there is a data.yaml), "val", "test" or "all"

    Source: the format of docs.ultralytics.com/datasets.
    """

    split: str | None = None

    @cached_property
    def config(self) -> tuple[Path, dict[str, Any]] | None:
        """(data.yaml, what it holds), or None."""
        where = Path(self.path).expanduser()
        candidates = [where] if where.is_file() else sorted(f for f in where.iterdir() if ends_in(f, YAML))
        if len(candidates) > 1:
            raise ValueError(
                f"{where}: there are several YAML files ({some([f.name for f in candidates])}); give the one to use."
            )
        return (candidates[0], _yaml(candidates[0])) if candidates else None

    def shards(self) -> Sequence[Shard]:
        if self.config is None:
            if self.split is not None:
                raise ValueError(f"{self.path}: split= needs a data.yaml that says where the splits are.")
            return [_shard(f) for f in files(self.path) if ends_in(f, (".txt",))]
        file, data = self.config
        split = self.split or "train"
        wanted = SPLITS if split == "all" else (split,)
        present = [s for s in wanted if data.get(s)]
        if not present:
            known = [s for s in SPLITS if data.get(s)]
            raise ValueError(
                f"{file}: there is no split {split!r}.{suggest(split, known)} The splits are {some([*known, 'all'])}."
            )
        root = _root(file, data)
        places = [place for s in present for place in listed(data[s])]
        return [_shard(f) for place in places for f in _labels(file, root, str(place))]

    def read(self, shard: Shard, tell: Tell) -> Tally:
        raw = shard.path.read_bytes() if shard.path.is_file() else b""
        part = boxes.of_image(_boxes(shard.path, raw), AREA)
        part.digest = digest.digest([shard.path.name.encode(), raw])
        part.facts["empty"] = int(not part.labels)
        return part

    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        names = None if self.config is None else _names(*self.config)
        named = self.classes if names is None else names
        if named is not None:
            where = self.path if self.config is None else str(self.config[0])
            _name(total, [str(n) for n in listed(named)], where)
        classes = self.classes if names is not None else None
        known = None if named is None else [str(n) for n in listed(named)]
        split = "" if self.config is None else f", {self.split or 'train'}"
        counts = boxes.counted(total, self.path + split, known=known, classes=classes, ignore=self.ignore)
        notes = list(total.notes)
        if self.config is not None and self.split is None:
            notes.append("the training images were counted; --split or split= takes val, test or all")
        return counts, [*notes, *boxes.without_a_box(total)]


def _boxes(file: Path, raw: bytes) -> Iterator[tuple[int, float]]:
    """(class number, area) of each line: a box `x y w h`, or a polygon `x y x y x y ...`, in shares of the image."""
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{file}: this is not text; labels are lines of 'class x y w h'.") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            label, *rest = map(float, line.split())
            if label < 0 or label != int(label):
                raise ValueError(f"{label:g} is no class number")
            if len(rest) == 4:
                area = boxes.box_area(rest[2], rest[3])
            elif len(rest) >= 6 and len(rest) % 2 == 0:
                area = _polygon(rest[0::2], rest[1::2])
            else:
                raise ValueError(f"{len(rest)} numbers after the class")
        except ValueError as error:
            raise ValueError(f"{file}: line {number} is no 'class x y w h' ({error}): {line.strip()[:60]!r}.") from None
        if not 0 <= area <= 4:  # half an image over the edge is sloppy, more is pixels
            raise ValueError(
                f"{file}: line {number} has an area of {area:g} images; YOLO's numbers are shares of the image, not pixels."
            )
        yield int(label), 1e6 * area


def _polygon(x: list[float], y: list[float]) -> float:
    """The shoelace formula."""
    return abs(sum(x[i - 1] * y[i] - x[i] * y[i - 1] for i in range(len(x)))) / 2


def _name(total: Tally, names: list[str], where: str) -> None:
    """Class names in the place of class numbers."""
    twice = next((n for i, n in enumerate(names) if n in names[:i]), None)
    if twice is not None:
        raise ValueError(f"{where}: two classes are called {twice!r}; rename one, so that they can be told apart.")
    beyond = [v for v in total.labels if v >= len(names)]
    if beyond:
        raise ValueError(
            f"{where}: the labels hold class {max(beyond)}, but there are {len(names)} names (0 to {len(names) - 1})."
        )
    for tally in (total.labels, total.containing, *total.also.values()):
        for value in list(tally):
            tally[names[value]] = tally.pop(value)


def _yaml(file: Path) -> dict[str, Any]:
    try:
        import yaml
    except ModuleNotFoundError:
        raise ImportError("reading data.yaml needs PyYAML: pip install 'steelyard[images]'.") from None
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: this is not YAML ({' '.join(str(error).split())[:160]}).") from None
    if not isinstance(data, dict) or "names" not in data:
        raise ValueError(f"{file}: it has no 'names', so it does not describe a YOLO data set.")
    return data


def _names(file: Path, data: dict[str, Any]) -> list[str]:
    names = data["names"]
    if isinstance(names, dict):
        if sorted(names) != list(range(len(names))):
            raise ValueError(
                f"{file}: the numbers of 'names' must be 0 to {len(names) - 1}, got {some([str(k) for k in names])}."
            )
        names = [names[i] for i in range(len(names))]
    return [str(n) for n in listed(names)]


def _root(file: Path, data: dict[str, Any]) -> Path:
    """Where train, val and test start from: `path`, from the folder of the file or its parent, as Ultralytics looks."""
    path = Path(str(data.get("path") or "")).expanduser()
    here = [base / path for base in (file.parent, file.parent.parent)]
    return next((p for p in here if p.is_dir()), here[0])


def _labels(file: Path, root: Path, place: str) -> list[Path]:
    """The label file of each image, whether it exists or not."""
    images = root / place
    if not images.exists() and place.startswith("../"):
        images = root / place.removeprefix("../")  # exports write ../train/images beside train
    if images.is_file():
        lines = images.read_text(encoding="utf-8").split()
        pictures = [root / line for line in lines]
    elif images.is_dir():
        pictures = [f for f in inside(images) if ends_in(f, IMAGES)]
    else:
        raise FileNotFoundError(
            f"{file}: it names {place!r}, but there is no {str(images)!r}; correct 'path' or unpack the images."
        )
    if pictures:
        return [_beside(image) for image in pictures]
    folder = _beside(images / "x").parent
    texts = [f for f in inside(folder) if ends_in(f, (".txt",))] if folder.is_dir() else []
    if not texts:
        raise ValueError(f"{file}: {str(images)!r} holds no image and {str(folder)!r} no labels.")
    return texts


def _beside(image: Path) -> Path:
    """.../images/train/7.jpg has its labels in .../labels/train/7.txt."""
    head, separator, tail = str(image).rpartition(f"{os.sep}images{os.sep}")
    return Path(f"{head}{os.sep}labels{os.sep}{tail}" if separator else image).with_suffix(".txt")


def _shard(file: Path) -> Shard:
    return Shard(file, file.stat().st_size if file.is_file() else 0)
