"""Masks as a source of labels: a number for each pixel, in PNG, TIFF, BMP or NPY files."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..counts import Counts
from . import digest, labels
from .gate import gate
from .ignored import in_place
from .image import COLOURS, PIECE, VOID, apart, decode, pieces
from .notes import Scope, ignored
from .paths import MASKS, VOLUMES, ends_in, expanded, files, holds, refuse_odd
from .source import Shard, Source, Tally, Tell
from .tally import tally_integers
from .volume import volume

OBJECTS = "objects"
CLASS_FOLDER, OBJECT_FOLDER, COLOUR_LIST = "SegmentationClass", "SegmentationObject", "labelmap.txt"
CITYSCAPES = ("_labelIds", "_labelTrainIds", "_instanceIds", "_color")
RUNNING, IGNORED = "running to ", "ignored"
PICTURE = 64  # more values than this in the average image: not classes
WHITE = 255
NEAR = 32  # so far do JPEG and smooth edges move what was 0 or 255


@dataclass(frozen=True, kw_only=True)
class Masks(Source):
    """A mask for each image. Counts pixels, and the images and objects of each class.

    classes    as in `count`; names are those of the values 0, 1, ...; {value: name} names any values
    ignore     a value, or several, of pixels that do not count
    instances  None: the numbers are classes. "objects": they are objects, 0 is background. A divisor such as 1000:
               number // divisor is the class of an object, and numbers below it are classes (Cityscapes' instanceIds)
    chosen     the files, where they were listed one by one; path then says so
    colours    (colour, name) of the classes, from a list that came with the masks
    """

    instances: str | int | None = None
    chosen: tuple[Path, ...] = ()
    colours: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        instances = self.instances
        if isinstance(instances, str) and instances.isdecimal():  # from the command line
            instances = int(instances)
            object.__setattr__(self, "instances", instances)
        if instances not in (None, OBJECTS) and not (isinstance(instances, int) and instances > 1):
            raise ValueError(f"count: instances must be 'objects' or a divisor such as 1000, got {instances!r}.")
        wrong = [v for v in labels.listed(self.ignore) if not _is_value(v) and not _is_nan(v)]
        if wrong:
            raise ValueError(f"count: ignore= holds {wrong[0]!r}, but masks hold whole numbers, such as 255.")

    def shards(self) -> Sequence[Shard]:
        for file in self.chosen:
            refuse_odd(file)
        return [Shard(file, file.stat().st_size) for file in self.chosen or mask_files(self.path)]

    def beside(self, shards: Sequence[Shard]) -> list[str]:
        others = [] if self.chosen else self.others(shards)
        notes: list[str] = [Scope(f"not masks, so not counted: {holds(others)}")] if others else []
        objects = expanded(self.path).absolute().with_name(OBJECT_FOLDER)
        if Path(self.path).name == CLASS_FOLDER and objects.is_dir():
            notes.append(Scope(f"{CLASS_FOLDER} was counted, not {OBJECT_FOLDER}, the same pixels by their objects"))
        return notes

    def read(self, shard: Shard, tell: Tell) -> Tally:
        raw = shard.path.read_bytes()
        pixels: Counter[Any] = Counter()
        colours = False
        for piece in pieces(shard.path, raw):
            pixels.update(tally_integers(piece))
            colours = colours or piece.dtype == COLOURS
        part = Tally(items=1, digest=digest.digest([raw]))
        pixels = _coloured(pixels) if colours else pixels
        before = dict(pixels)
        pixels = self._without_ignored(shard.path, pixels)
        part.also[IGNORED] = Counter({"NaN" if v == VOID else v: n for v, n in before.items() if v not in pixels})
        if colours and self._greys_are_numbers and all(map(_is_grey, pixels)):
            pixels, colours = Counter({int(c[1:3], 16): n for c, n in pixels.items()}), False
            part.facts["grey"] = 1
        else:
            part.facts["colours" if colours else "numbers"] = 1
        if self.instances is None:
            numbers = set(pixels)
            part.facts["values"] = len(numbers)
            if len(numbers) > 2 and numbers == set(range(len(numbers))):
                part.facts[f"{RUNNING}{len(numbers)}"] = 1
        elif colours:
            raise ValueError(f"{shard.path}: it holds colours, not the numbers of objects (instances=); save numbers.")
        else:
            objects, pixels = _classes_of(pixels, self.instances)
            part.also["objects"] = _joined(objects, self.classes)
        pixels = _joined(pixels, self.classes)  # before images are counted: two values of one class are one presence
        part.labels = pixels
        part.containing = Counter(dict.fromkeys(pixels, pixels.total()))
        part.also["images"] = Counter(dict.fromkeys(pixels, 1))
        return part

    @property
    def _greys_are_numbers(self) -> bool:
        """Whether R = G = B = 3 is class 3; not where colours have been named."""
        named = self.classes if isinstance(self.classes, dict) else labels.listed(self.classes)
        return not self.colours and not any(isinstance(c, str) and c.startswith("#") for c in named)

    def _without_ignored(self, path: Path, pixels: Counter[Any]) -> Counter[Any]:
        """ValueError for pixels that are NaN, unless NaN is ignored."""
        ignored = [v for v in labels.listed(self.ignore) if not _is_nan(v)]
        void = pixels.pop(VOID, 0)
        if void and len(ignored) == len(labels.listed(self.ignore)):
            raise ValueError(
                f"{path}: {void:,} pixels are NaN; if they do not count pass ignore=float('nan') (--ignore nan)."
            )
        for value in map(_value, ignored):
            pixels.pop(value, None)
            if not isinstance(value, str):
                pixels.pop(f"#{value:02x}{value:02x}{value:02x}", None)
        return pixels

    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        if total.facts["colours"] and total.facts["numbers"]:
            raise ValueError(f"{self.path}: some masks hold numbers and others colours; count them apart.")
        if total.facts["colours"] and total.facts["grey"]:  # black, say, in a mask that holds nothing else
            for tally in (total.labels, total.containing, *total.also.values()):
                _colour_greys(tally)
        gone = ignored(total.also.pop(IGNORED, {}), {}, "pixels")
        values = {v for v in total.labels if not isinstance(v, str)}
        if self.classes is None and self.instances is None:
            self._refuse_what_is_no_class(total)
            self._ask_about_void(total, values)
        names = self._names(total, values)
        counts = labels.by_value(
            total.labels,
            classes=in_place(total.labels, self.ignore) if names is None else names,
            source=self.path,
            unit="pixels",
            items=total.items,
            containing=total.containing,
            also=total.also,
            digest=digest.written(total.digest),
        )
        notes = [*total.notes, *gone]
        if values == {0, WHITE} and self.instances is None and len(counts) == 2:
            index = counts.classes.index(names[WHITE] if isinstance(names, dict) else str(WHITE))
            notes.append(
                f"the masks hold 0 and 255, one class of objects, which is index {index} of these weights: train on (mask > 127), not on 255"
            )
        return counts, notes

    def _names(self, total: Tally, values: set[int]) -> Any:
        """`classes`; a list of names stands for the values 0, 1, ..., as in memory, and two names for 0 and 255 where there is nothing
        else. A list of colours that came with the masks names those."""
        if self.classes is None and self.instances == OBJECTS:
            return {0: "background", 1: "object"}
        if self.classes is None and self.colours:
            return dict(self.colours) if total.facts["colours"] else dict(enumerate(name for _, name in self.colours))
        names = labels.listed(self.classes)
        if isinstance(self.classes, dict) or not names or total.facts["colours"]:
            return self.classes
        if all(isinstance(c, (int, np.integer)) for c in names) or all(str(c).isdecimal() for c in names):
            return names
        if len(names) == 2 and WHITE in values <= {0, WHITE}:
            return {0: str(names[0]), WHITE: str(names[1])}
        beyond = sorted(v for v in values if not 0 <= v < len(names))
        if WHITE in values <= {0, WHITE}:
            raise ValueError(
                f"count: the masks hold 0 and 255, background and one class of objects (index 1), but classes= names {len(names)};"
                " give two names, or a dictionary {value: name}."
            )
        if beyond:
            raise ValueError(
                f"count: the masks hold the value {beyond[0]}, but classes= names 0 to {len(names) - 1}."
                f" Void pixels? Pass ignore={beyond[0]}; to name other values give a dictionary {{value: name}}."
            )
        return dict(enumerate(map(str, names)))

    def _ask_about_void(self, total: Tally, values: set[int]) -> None:
        """ValueError where one value stands apart from the numbers of classes, as that of void pixels does."""
        void = apart(values)
        if void is None or values == {0, WHITE}:
            return
        others = sorted(values - {void})
        known = ", ".join(map(str, others[:4])) + (", ..." if len(others) > 4 else "")
        raise ValueError(
            f"{self.path}: the masks hold {void} beside {known} ({total.labels[void]:,} pixels). If it is void, the pixels that"
            f" do not count, pass ignore={void} (--ignore {void}) and the same to the loss; if it is a class, say so with"
            f" classes= (--classes {','.join(map(str, sorted(values)[:30]))})."
        )

    def _refuse_what_is_no_class(self, total: Tally) -> None:
        self._refuse_smooth_black_and_white(total.labels)
        per_mask = total.facts["values"] / max(1, total.items)
        running = {key: n for key, n in total.facts.items() if key.startswith(RUNNING)}
        # 0..7 in one mask and 0..22 in the next are counted objects; 0..18 in all of them may well be classes
        if len(total.labels) > 8 and len(running) > 2 and sum(running.values()) >= 0.9 * total.items:
            raise ValueError(
                f"{self.path}: almost every mask holds the numbers 0, 1, 2, ... without a gap, up to another one each time"
                f" ({len(total.labels) - 1:,} at most), so they number objects, not classes. Pass instances='objects' (--instances"
                " objects), or classes= if they are classes."
            )
        if per_mask > PICTURE:
            raise ValueError(
                f"{self.path}: a mask holds {per_mask:,.0f} different values on average, so these are pictures or object numbers, not"
                " classes. Give the folder of the masks, instances= (--instances) for object numbers, or classes= with the values."
            )

    def _refuse_smooth_black_and_white(self, pixels: Counter[Any]) -> None:
        """JPEG, or scaling that makes edges smooth, has left numbers around 0 and 255."""
        numbers = {v: n for v, n in pixels.items() if not isinstance(v, str)}
        if len(numbers) < 3 or min(numbers) < 0 or max(numbers) > WHITE:
            return
        bright = {v: n for v, n in numbers.items() if v >= WHITE - NEAR}
        dark, light, every = (
            sum(n for v, n in numbers.items() if v <= NEAR),
            sum(bright.values()),
            sum(numbers.values()),
        )
        peak = sum(n for v, n in bright.items() if v >= 250)
        ends = 0 < dark < dark + light == every and len(bright) > 1  # nothing between them
        noise = (
            len(numbers) > 4
            and len(bright) > 2
            and light >= 0.002 * every
            and peak >= 0.5 * light
            and dark + light >= 0.9 * every
        )
        between = [v for v in numbers if 0 < v < WHITE]
        pure = numbers.get(0, 0) + numbers.get(WHITE, 0)
        smooth = (
            len(between) >= 8 and max(between) >= 128 and numbers.get(WHITE, 0) >= 0.005 * every and pure >= 0.8 * every
        )
        if ends or noise or smooth:
            raise ValueError(
                f"{self.path}: the numbers of the masks gather around 0 and 255 ({len(numbers)} different ones), as JPEG or smooth"
                " scaling leaves them, so they are one class drawn in black and white. Save (mask > 127) as PNG, and scale masks"
                " with nearest neighbours alone; if they are classes pass classes=."
            )


def mask_files(path: str | PathLike[str]) -> list[Path]:
    """The masks behind a path: a file, all in a folder and below, or what a glob matches.

    FileNotFoundError with the nearest name if there is none, ValueError if a folder holds none.
    """
    paths = files(path)
    folder = expanded(path)
    if not folder.is_dir():
        return paths
    masks = [f for f in paths if ends_in(f, MASKS)]
    if not masks:
        raise ValueError(f"{folder}: the folder has no mask ({', '.join(MASKS)}); it holds {holds(paths)}.")
    return masks


def read_spacing(path: str | PathLike[str]) -> tuple[float, ...] | None:
    """Between neighbouring voxels along each axis of `read_mask`, where the file says so: NIfTI and NRRD."""
    file = Path(path)
    if not ends_in(file, VOLUMES):
        return None
    with gate(file):
        scan = volume(file, file.read_bytes())
    return None if scan is None or len(scan.spacing) != scan.array.ndim else scan.spacing


def segmentation(path: str, masks: Sequence[Path]) -> dict[str, Any]:
    """{"path": the folder of the class masks, "colours": (colour, name) of the classes} of VOC's and CVAT's segmentation, in which
    another folder holds the same pixels by their objects; {} for other folders.

    ValueError where the masks of one image stand in several forms, which would add up.
    """
    folder = expanded(path)
    forms = [form for form in CITYSCAPES if any(f.stem.endswith(form) for f in masks)]
    if folder.is_dir() and len(forms) > 1:
        raise ValueError(
            f"{path}: it holds the same pixels as {', '.join(f'*{form}.png' for form in forms)}; give one of them as a glob, such as"
            f" '{path}/**/*{forms[0]}.png'."
        )
    classes = {f.parent for f in masks if f.parent.name == CLASS_FOLDER}
    if not classes:
        return {}
    objects = any(f.parent.name == OBJECT_FOLDER for f in masks)
    if objects and len(classes) > 1:
        raise ValueError(
            f"{path}: there are {len(classes)} folders {CLASS_FOLDER}; count them one by one, and add the Counts."
        )
    only = next(iter(classes))
    facts: dict[str, Any] = {"path": str(only)} if objects else {}
    listed = only.parent / COLOUR_LIST
    return {**facts, "colours": _colour_list(listed)} if len(classes) == 1 and listed.is_file() else facts


def _colour_list(file: Path) -> tuple[tuple[str, str], ...]:
    """CVAT's labelmap.txt: lines such as `road:128,64,128::`."""
    colours = []
    for line in file.read_text(encoding="utf-8-sig").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.partition(":")
        try:
            r, g, b = (int(v) for v in rest.partition(":")[0].split(","))
        except ValueError:
            raise ValueError(f"{file}: the line {line[:60]!r} is not name:red,green,blue::.") from None
        colours.append((f"#{r:02x}{g:02x}{b:02x}", name.strip()))
    return tuple(colours)


def read_mask(path: str | PathLike[str]) -> np.ndarray:
    """The numbers of a mask, [H, W], or [D, H, W] for a TIFF of several pages. ValueError if it holds none."""
    file = Path(path)
    refuse_odd(file)
    with gate(file):
        mask = decode(file, file.read_bytes())
    if mask.dtype == COLOURS:
        return _greys(file, mask)
    if mask.dtype == np.int64 and bool(np.any(mask == VOID)):
        raise ValueError(
            f"{file}: some pixels are NaN; save them as a number of their own, such as 255, and pass ignore=."
        )
    return mask


def _greys(file: Path, mask: np.ndarray) -> np.ndarray:
    """Colours R = G = B as their number, piece by piece."""
    greys, flat = np.empty(mask.shape, np.uint8), mask.reshape(-1)
    for start in range(0, flat.size, PIECE):
        piece = flat[start : start + PIECE]
        blue = piece & 255
        if not bool(np.all(piece == blue * np.uint32(0x010101))):
            raise ValueError(
                f"{file}: this is a picture with colours, not a mask of numbers; save class or object numbers."
            )
        greys.reshape(-1)[start : start + PIECE] = blue
    return greys


def _classes_of(pixels: Counter[Any], instances: str | int) -> tuple[Counter[Any], Counter[Any]]:
    """(objects of each class, pixels of each class), from pixels of each object."""
    objects: Counter[Any] = Counter()
    of_class: Counter[Any] = Counter()
    for value, n in pixels.items():
        if isinstance(instances, int):
            numbered = value >= instances
            name = value // instances if numbered else value
        else:
            numbered = value != 0
            name = int(numbered)
        objects[name] += int(numbered)
        of_class[name] += n
    return objects, of_class


def _joined(tally: Counter[Any], classes: Any) -> Counter[Any]:
    """Values that {value: name} gives one name, as the first of them."""
    if not isinstance(classes, dict):
        return tally
    first: dict[str, Any] = {}
    same = {_value(value): first.setdefault(str(name), _value(value)) for value, name in classes.items()}
    out: Counter[Any] = Counter()
    for value, n in tally.items():
        out[same.get(value, value)] += n
    return out


def _coloured(pixels: Counter[Any]) -> Counter[Any]:
    """Colours by their usual names: #804080."""
    return Counter({f"#{v:06x}": n for v, n in pixels.items()})


def _is_grey(colour: str) -> bool:
    return colour[1:3] == colour[3:5] == colour[5:7]


def _colour_greys(tally: Counter[Any]) -> None:
    for value in [v for v in tally if not isinstance(v, str)]:
        tally[f"#{value:02x}{value:02x}{value:02x}"] += tally.pop(value)


def _value(value: Any) -> Any:
    """A value as it is tallied, from text too: 255 from "255", "#804080" for a colour."""
    if isinstance(value, str):
        return value.lower() if value.startswith("#") else int(value)
    return int(value)


def _is_nan(value: Any) -> bool:
    return value != value or (isinstance(value, str) and value.lower() == "nan")


def _is_value(value: Any) -> bool:
    if isinstance(value, str):
        return value.removeprefix("-").isdecimal() or (len(value) == 7 and value.startswith("#"))
    return isinstance(value, int) or (hasattr(value, "item") and float(value).is_integer())
