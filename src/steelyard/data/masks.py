"""Masks as a source of labels: a number for each pixel, in PNG, TIFF, BMP or NPY files."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from ..counts import Counts
from . import digest, labels
from .image import COLOURS, decode
from .paths import MASKS, ends_in, files, holds
from .source import Shard, Source, Tally, Tell
from .tally import tally_integers

OBJECTS = "objects"
RUNNING = "running to "
PICTURE = 64  # more values than this in the average image: not classes


@dataclass(frozen=True, kw_only=True)
class Masks(Source):
    """A mask for each image. Counts pixels, and the images and objects of each class.

    classes    as in `count`; names are those of the values 0, 1, ...; {value: name} names any values
    ignore     a value, or several, of pixels that do not count
    instances  None: the numbers are classes. "objects": they are objects, 0 is background. A divisor such as 1000:
               number // divisor is the class of an object, and numbers below it are classes (Cityscapes' instanceIds)
    chosen     the files, where they were listed one by one; path then says so
    """

    instances: str | int | None = None
    chosen: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        instances = self.instances
        if isinstance(instances, str) and instances.isdecimal():  # from the command line
            instances = int(instances)
            object.__setattr__(self, "instances", instances)
        if instances not in (None, OBJECTS) and not (isinstance(instances, int) and instances > 1):
            raise ValueError(f"count: instances must be 'objects' or a divisor such as 1000, got {instances!r}.")
        wrong = [v for v in labels.listed(self.ignore) if not _is_value(v)]
        if wrong:
            raise ValueError(f"count: ignore= holds {wrong[0]!r}, but masks hold whole numbers, such as 255.")

    def shards(self) -> Sequence[Shard]:
        return [Shard(file, file.stat().st_size) for file in self.chosen or mask_files(self.path)]

    def beside(self, shards: Sequence[Shard]) -> list[str]:
        others = [] if self.chosen else self.others(shards)
        return [f"not masks, so not counted: {holds(others)}"] if others else []

    def read(self, shard: Shard, tell: Tell) -> Tally:
        raw = shard.path.read_bytes()
        mask = decode(shard.path, raw)
        pixels = Counter(tally_integers(mask.ravel()))
        for value in labels.listed(self.ignore):
            pixels.pop(_value(value), None)
        part = Tally(items=1, digest=digest.digest([raw]))
        part.facts["colours" if mask.dtype == COLOURS else "numbers"] = 1
        if self.instances is None:
            numbers = set(pixels)
            part.facts["values"] = len(numbers)
            if len(numbers) > 2 and numbers == set(range(len(numbers))):
                part.facts[f"{RUNNING}{len(numbers)}"] = 1
        else:
            objects, pixels = _classes_of(pixels, self.instances)
            part.also["objects"] = _joined(objects, self.classes)
        pixels = _joined(pixels, self.classes)  # before images are counted: two values of one class are one presence
        part.labels = pixels
        part.containing = Counter(dict.fromkeys(pixels, pixels.total()))
        part.also["images"] = Counter(dict.fromkeys(pixels, 1))
        return part

    def counts(self, total: Tally) -> tuple[Counts, list[str]]:
        if self.classes is None and self.instances is None:
            self._refuse_what_is_no_class(total)
        if total.facts["colours"] and total.facts["numbers"]:
            raise ValueError(f"{self.path}: some masks hold numbers and others colours; count them apart.")
        counts = labels.by_value(
            _named(total.labels, total),
            classes=self._names(total),
            source=self.path,
            unit="pixels",
            items=total.items,
            containing=_named(total.containing, total),
            also={name: _named(tally, total) for name, tally in total.also.items()},
            digest=digest.written(total.digest),
        )
        return counts, list(total.notes)

    def _names(self, total: Tally) -> Any:
        """`classes`; a list of names stands for the values 0, 1, ..., as in memory."""
        if self.classes is None and self.instances == OBJECTS:
            return {0: "background", 1: "object"}
        names = labels.listed(self.classes)
        if isinstance(self.classes, dict) or not names or total.facts["colours"]:
            return self.classes
        if all(isinstance(c, (int, np.integer)) for c in names) or all(str(c).isdecimal() for c in names):
            return names
        beyond = [v for v in total.labels if not 0 <= v < len(names)]
        if beyond:
            raise ValueError(
                f"count: the masks hold the value {beyond[0]}, but classes= names 0 to {len(names) - 1}."
                f" Void pixels? Pass ignore={beyond[0]}; to name other values give a dictionary {{value: name}}."
            )
        return dict(enumerate(map(str, names)))

    def _refuse_what_is_no_class(self, total: Tally) -> None:
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


def mask_files(path: str | PathLike[str]) -> list[Path]:
    """The masks behind a path: a file, all in a folder and below, or what a glob matches.

    FileNotFoundError with the nearest name if there is none, ValueError if a folder holds none.
    """
    paths = files(path)
    folder = Path(fspath(path)).expanduser()
    if not folder.is_dir():
        return paths
    masks = [f for f in paths if ends_in(f, MASKS)]
    if not masks:
        raise ValueError(f"{folder}: the folder has no mask ({', '.join(MASKS)}); it holds {holds(paths)}.")
    return masks


def read_mask(path: str | PathLike[str]) -> np.ndarray:
    """The numbers of a mask, [H, W], or [D, H, W] for a TIFF of several pages. ValueError if it holds none."""
    file = Path(path)
    mask = decode(file, file.read_bytes())
    if mask.dtype == COLOURS:
        raise ValueError(
            f"{file}: this is a picture with colours, not a mask of numbers; save class or object numbers."
        )
    return mask


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


def _named(tally: Counter[Any], total: Tally) -> Counter[Any]:
    """Colours by their usual names: #804080."""
    return Counter({f"#{v:06x}": n for v, n in tally.items()}) if total.facts["colours"] else tally


def _value(value: Any) -> Any:
    """An ignored value, from text too: "255", or "#804080" for a colour."""
    if isinstance(value, str):
        return int(value[1:], 16) if value.startswith("#") else int(value)
    return int(value)


def _is_value(value: Any) -> bool:
    if isinstance(value, str):
        return value.isdecimal() or (len(value) == 7 and value.startswith("#"))
    return isinstance(value, int) or hasattr(value, "item")
