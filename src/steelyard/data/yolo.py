"""YOLO's labels: one text file for each image, and data.yaml with the names."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..counts import Counts
from . import boxes, digest
from .exports import other_text
from .gate import one_line
from .labels import listed, names_in, short, some, suggest
from .notes import Doubt, Scope
from .paths import ends_in, expanded, files, inside
from .source import Shard, Source, Tally, Tell
from .yolo_config import class_names, keypoint_numbers, read_darknet, read_yaml, text_lines

AREA = "area in millionths of the image"  # the files hold shares of the image, not pixels
YAML = (".yaml", ".yml")
MOST_PATH = 1000  # letters of a path in a file that is looked for
NAMES = ("classes.txt", "obj.names")  # what labelling programs write beside the labels
SPLITS = ("train", "val", "test")
SLACK = 0.01
OUTSIDE = "images left out, as Ultralytics leaves them out, for a box beyond their edge"


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
        """(data.yaml, what it holds), or None. Darknet's obj.data says the same in another form."""
        where = expanded(self.path)
        if where.is_file():
            return where, read_yaml(where)
        candidates = sorted(f for f in where.iterdir() if ends_in(f, YAML) and f.is_file())
        if len(candidates) > 1:
            raise ValueError(
                f"{where}: there are several YAML files ({some([f.name for f in candidates])}); give the one to use."
            )
        if candidates:
            return candidates[0], read_yaml(candidates[0])
        darknet = [f for f in where.iterdir() if ends_in(f, (".data",)) and f.is_file()]
        data = read_darknet(darknet[0]) if len(darknet) == 1 else None
        return None if data is None else (darknet[0], data)

    def shards(self) -> Sequence[Shard]:
        if self.config is None:
            if self.split is not None:
                raise ValueError(f"{self.path}: split= needs a data.yaml that says where the splits are.")
            texts = [f for f in files(self.path) if ends_in(f, (".txt",)) and f.name not in NAMES]
            if not texts:
                raise ValueError(f"{self.path}: there are names of classes here, but no file of labels.")
            return [_shard(f) for f in texts]
        file, data = self.config
        present = self._splits()
        root = _root(file, data)
        places = [str(place) for split in present for place in listed(data[split])]
        return [_shard(f) for place in places for f in _labels(file, root, place)]

    def beside(self, shards: Sequence[Shard]) -> list[str]:
        read = {shard.path for shard in shards}
        if self.config is None:
            others = self.others(shards, *boxes.PICTURES, *YAML, *NAMES)
            notes: list[str] = (
                [Scope(f"in the folder, but not read: {some([f.name for f in others], 4)}")] if others else []
            )
            pictures = [f for f in self.others(shards) if ends_in(f, boxes.PICTURES)]
            bare = [f for f in pictures if _beside(f) not in read]
            if bare:
                notes.append(
                    Scope(
                        f"{len(bare):,} images have no file of labels and were not counted, such as {bare[0].name!r}; a data.yaml says"
                        " which images are trained on"
                    )
                )
            return notes
        notes = []
        folders = sorted({path.parent for path in read if path.parent.is_dir()})
        orphans = [f for d in folders for f in sorted(d.glob("*.txt")) if f not in read and f.name not in NAMES]
        if orphans and self._is_labels(folders):
            notes.append(
                Scope(
                    f"{len(orphans):,} files of labels have no image in this split and were not counted, such as {str(orphans[0])!r}"
                )
            )
        images = [part for place in self._places() for part in _parts_of_images(place)]
        if any(part.lower() == "labels" != part for path in read for part in path.parts[-4:-1]) or images:
            notes.append(
                Doubt(
                    "Ultralytics knows the folders 'images' and 'labels' in small letters alone, and trains without boxes; rename yours"
                )
            )
        absent = sum(not path.is_file() and not _picture_of(path) for path in read)
        if absent:
            notes.append(
                Doubt(
                    f"{absent:,} of the listed images are not there, nor are their labels; they count as images without a box"
                )
            )
        return notes

    def _places(self) -> list[Path]:
        """Where the images of the splits are, or the lists of them."""
        if self.config is None:
            return []
        root = _root(*self.config)
        return [
            root / str(place).replace("\\", "/") for split in self._splits() for place in listed(self.config[1][split])
        ]

    @staticmethod
    def _is_labels(folders: list[Path]) -> bool:
        """Whether these are folders of labels alone, where each text file is one."""
        return all(any(part.lower() == "labels" for part in folder.parts) for folder in folders)

    def _splits(self) -> list[str]:
        """The splits to read. ValueError if what was asked for is not there."""
        file, data = self.config or (Path(self.path), {})
        split = self.split or "train"
        present = [s for s in (SPLITS if split == "all" else (split,)) if data.get(s)]
        if not present:
            known = [s for s in SPLITS if data.get(s)]
            raise ValueError(
                f"{file}: there is no split {split!r}.{suggest(split, known)} The splits are {some([*known, 'all'])}."
            )
        return present

    def read(self, shard: Shard, tell: Tell) -> Tally:
        raw = shard.path.read_bytes() if shard.path.is_file() else b""
        keypoints = 0
        if self.config is not None and "kpt_shape" in self.config[1]:
            keypoints = keypoint_numbers(*self.config)
        rows = list(_rows(shard.path, raw, keypoints))
        outside = next((row for row in rows if not row.inside), None)
        if outside is not None:
            part = Tally()
            part.facts["outside"] = 1
            part.notes.append(
                f"{OUTSIDE} ({shard.path}: line {outside.line} reaches {outside.farthest:g} where an image ends at 1)"
            )
        else:
            unique = {row.numbers: row for row in rows}
            part = boxes.of_image(((row.label, row.area) for row in unique.values()), AREA)
            part.facts["twice"] = len(rows) - len(unique)
            part.facts["empty"] = int(not part.labels)
        part.digest = digest.digest([shard.path.name.encode(), raw])
        return part

    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        names = self._class_names()
        named = self.classes if names is None else names
        if named is not None:
            where = self.path if self.config is None else str(self.config[0])
            _name(total, names_in(named), where)
        if not total.items:
            raise ValueError(f"{self.path}: no image is left to count; {'; '.join(total.notes)}.")
        classes = self.classes if names is not None else None
        known = None if named is None else names_in(named)
        split = "" if self.config is None else f", {self.split or 'train'}"
        counts = boxes.counted(total, self.path + split, known=known, classes=classes, ignore=self.ignore)
        outside, twice = total.facts["outside"], total.facts["twice"]
        notes = [f"{outside:,} {note}" if note.startswith(OUTSIDE) else note for note in total.notes]
        if self.config is not None and self.split is None:
            notes.insert(0, Scope("the training images were counted; --split or split= takes val, test or all"))
        if twice:
            notes.append(
                f"{twice:,} lines that stand twice in their file were counted once, as Ultralytics trains them"
            )
        return counts, [*notes, *boxes.without_a_box(total)]

    def _class_names(self) -> list[str] | None:
        """Of data.yaml, or of the classes.txt that labelling programs write beside the labels."""
        if self.config is not None:
            return class_names(*self.config)
        where = expanded(self.path)
        for file in (folder / name for folder in (where, where.parent) for name in NAMES):
            if file.is_file():
                return text_lines(file)
        return None


@dataclass(frozen=True)
class Row:
    """A line of labels: an object. `numbers` are all of the line, `area` is in millionths of the image."""

    line: int
    numbers: tuple[float, ...]
    label: int
    area: float
    farthest: float

    @property
    def inside(self) -> bool:
        """Whether Ultralytics trains on the image; it leaves an image out for one box that leaves it by more than a hundredth."""
        return self.farthest <= 1 + SLACK


def _rows(file: Path, raw: bytes, keypoints: int) -> Iterator[Row]:
    """Each line: a box `x y w h`, with its keypoints behind it, or a polygon `x y x y x y ...`, in shares of the image."""
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{file}: this is not text; labels are lines of 'class x y w h'.") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            label, *rest = numbers = tuple(map(float, line.split()))
            if label < 0 or not label.is_integer():
                raise ValueError(f"{label:g} is no class number")
            if keypoints and len(rest) != 4 + keypoints:
                raise ValueError(f"{len(rest)} numbers after the class, but kpt_shape asks for {4 + keypoints}")
            if len(rest) == 4 or keypoints:
                box, area = rest[:4], boxes.box_area(rest[2], rest[3])
            elif len(rest) >= 6 and len(rest) % 2 == 0:
                x, y = rest[0::2], rest[1::2]
                area = boxes.polygon_area(x, y)
                box = [(min(x) + max(x)) / 2, (min(y) + max(y)) / 2, max(x) - min(x), max(y) - min(y)]
            else:
                hint = {5: ": a prediction with its confidence?"}.get(len(rest), "")
                if len(rest) > 6:
                    hint = ": keypoints? Then data.yaml says kpt_shape"
                raise ValueError(f"{len(rest)} numbers after the class{hint}")
        except ValueError as error:
            known = other_text(line)
            if known:
                raise ValueError(f"{file}: {known}.") from None
            raise ValueError(
                f"{file}: line {number} is no 'class x y w h' ({one_line(error)}): {line.strip()[:60]!r}."
            ) from None
        farthest = max(*box, *(1 - v for v in box))
        if not 0 <= area <= 4 or farthest > 3:  # half an image over the edge is sloppy, more is pixels
            raise ValueError(
                f"{file}: line {number} reaches {max(map(abs, rest)):g}; YOLO's numbers are shares of the image, not pixels."
            )
        yield Row(number, numbers, int(label), 1e6 * area, farthest)


def _name(total: Tally, names: list[str], where: str) -> None:
    """Class names in the place of class numbers."""
    twice, times = Counter(names).most_common(1)[0] if names else ("", 0)
    if times > 1:
        raise ValueError(f"{where}: two classes are called {short(twice)}; rename one, so that they can be told apart.")
    beyond = [v for v in total.labels if v >= len(names)]
    if beyond:
        raise ValueError(
            f"{where}: the labels hold class {max(beyond)}, but there are {len(names)} names (0 to {len(names) - 1})."
        )
    for tally in (total.labels, total.containing, *total.also.values()):
        for value in list(tally):
            tally[names[value]] = tally.pop(value)


def _root(file: Path, data: dict[str, Any]) -> Path:
    """Where train, val and test start from: `path`, from the folder of the file or its parent, as Ultralytics looks."""
    path = expanded(str(data.get("path") or "").replace("\\", "/"))
    here = [base / path for base in (file.parent, file.parent.parent)]
    return next((p for p in here if p.is_dir()), here[0])


def _labels(file: Path, root: Path, place: str) -> list[Path]:
    """The label file of each image, whether it exists or not. ValueError, with the path that was tried, if none does."""
    place = place.replace("\\", "/")
    if len(place) > MOST_PATH:
        raise ValueError(f"{file}: it names a path of {len(place):,} letters, {short(place)}; correct it.")
    images = root / place
    if not images.exists() and place.startswith("../"):
        images = root / place.removeprefix("../")  # exports write ../train/images beside train
    if images.is_file():
        pictures = [_listed(images, root, line) for line in text_lines(images)]
        if not pictures:
            raise ValueError(f"{file}: {str(images)!r} lists no image.")
    elif images.is_dir():
        pictures = [f for f in inside(images) if ends_in(f, boxes.PICTURES)]
    else:
        raise FileNotFoundError(
            f"{file}: it names {short(place)}, but there is no {str(images)!r}; correct 'path' or unpack the images."
        )
    labels = [_beside(picture) for picture in pictures]
    if any(label.is_file() for label in labels):
        return labels
    if pictures:
        raise ValueError(_no_labels(file, images, pictures[0], labels[0], len(labels)))
    folder = _beside(images / "x").parent
    texts = [f for f in inside(folder) if ends_in(f, (".txt",)) and f.name not in NAMES] if folder.is_dir() else []
    if not texts:
        raise ValueError(f"{file}: {str(images)!r} holds no image and {str(folder)!r} no labels.")
    return texts


def _no_labels(file: Path, images: Path, picture: Path, label: Path, many: int) -> str:
    """Why there is nothing to count, with where the labels may be instead."""
    there = [f for f in inside(file.parent) if f.name == label.name and f != label]
    hint = (
        f" There is {str(there[0])!r}; YOLO looks for labels/ where the path of the image says images/."
        if there
        else ""
    )
    if not there and images.is_file() and not picture.is_file():
        hint = f" The image {str(picture)!r} is not there either; was the list written on another machine? Write its lines as ./images/..."
    elif not there:
        hint = " Unpack the labels, or count another split."
    return f"{file}: none of the {many:,} images of {str(images)!r} has labels; tried {str(label)!r}.{hint}"


def _listed(file: Path, root: Path, line: str) -> Path:
    """The image that a line of a list names: from the list's folder, the root, or here, wherever it or its label is."""
    name = line.replace("\\", "/")
    near = name.removeprefix("./")
    places = [file.parent / near] if name.startswith("./") else [root / name, file.parent / name, Path(name)]
    if near.startswith("data/"):
        places.append(file.parent / near.removeprefix("data/"))  # Darknet's lists start one folder up
    return next((p for p in places if p.is_file() or _beside(p).is_file()), places[0])


def _beside(image: Path) -> Path:
    """.../images/train/7.jpg has its labels in .../labels/train/7.txt; Images and Labels are understood, too."""
    parts = list(image.parts)
    at = next((i for i in range(len(parts) - 2, -1, -1) if parts[i].lower() == "images"), None)
    if at is None:
        return image.with_suffix(".txt")
    parts[at] = "labels"
    label = Path(*parts).with_suffix(".txt")
    if label.is_file():
        return label
    parts[at] = "Labels"
    other = Path(*parts).with_suffix(".txt")
    return other if other.is_file() else label


def _picture_of(label: Path) -> bool:
    """Whether there is an image for this path of a label file."""
    parts = list(label.parts)
    at = next((i for i in range(len(parts) - 2, -1, -1) if parts[i].lower() == "labels"), None)
    folders = [label.parent]
    if at is not None:
        folders += [Path(*parts[:at], name, *parts[at + 1 : -1]) for name in ("images", "Images")]
    return any(
        (f / label.name).with_suffix(end).is_file() for f in folders for e in boxes.PICTURES for end in (e, e.upper())
    )


def _parts_of_images(place: Path) -> list[str]:
    """Folders called images in other than small letters, in a path or in the lines of a list."""
    lines = text_lines(place) if place.is_file() else [str(place)]
    parts = {part for line in lines for part in line.replace("\\", "/").split("/")}
    return sorted(part for part in parts if part.lower() == "images" != part)


def _shard(file: Path) -> Shard:
    return Shard(file, file.stat().st_size if file.is_file() else 0)
