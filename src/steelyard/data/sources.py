"""Which source of labels a path is: a table, masks, or boxes."""

from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from .coco import Coco
from .columns import Column, Indicators, label_columns
from .labels import listed, some
from .masks import OBJECTS, Masks
from .paths import MASKS, TABLES, ends_in, files, holds
from .source import Source
from .tables import column_names
from .voc import Voc
from .yolo import YAML, Yolo

KINDS = {"tables": TABLES, "masks": MASKS, "YOLO": YAML, "VOC": (".xml",), "COCO": (".json",)}


def source_of(
    path: str | PathLike[str] | Sequence[PathLike[str]],
    *,
    label: Any = None,
    classes: Any = None,
    ignore: Any = None,
    instances: str | int | None = None,
    split: str | None = None,
) -> Source:
    """The source behind a path, or behind a list of mask files.

    A label column says that it is a table; without one the endings of the files decide. FileNotFoundError with the
    nearest name; ValueError, with what to pass, where the folder holds several kinds or an option does not belong.
    """
    if not isinstance(path, (str, PathLike)):
        chosen = tuple(Path(fspath(p)).expanduser() for p in path)
        first, *others = chosen
        return _masks(
            f"{first} and {len(others):,} more" if others else str(first),
            label,
            classes,
            ignore,
            instances,
            split,
            chosen,
        )
    text = fspath(path)
    found = files(path)
    kind = "tables" if label is not None else _kind(text, found)
    if kind == "masks":
        return _masks(text, label, classes, ignore, instances, split)
    _only("instances", instances, "masks", text)
    if kind == "YOLO":
        return Yolo(text, classes, ignore, split)
    if kind == "VOC":
        return Voc(text, classes, ignore, split)
    _only("split", split, "VOC and YOLO data sets", text)
    if kind == "COCO":
        return Coco(text, classes, ignore)
    label = label_columns(path) if label is None else label
    if label is None:
        names = some(column_names(path))
        raise ValueError(f"{text}: say which column holds the labels, with --label or label=. The columns are {names}.")
    if isinstance(label, (str, int)):
        return Column(text, label, classes, ignore)
    return Indicators(text, tuple(label), classes, ignore)


def _kind(text: str, found: list[Path]) -> str:
    """The one of KINDS that the files are. A single file of another ending is a table, as `label=` would say."""
    folder = Path(text).expanduser().is_dir()
    held = {kind: n for kind, endings in KINDS.items() if (n := sum(ends_in(f, endings) for f in found))}
    if folder and "YOLO" in held and any(ends_in(f, (".txt",)) for f in found):
        return "YOLO"  # its images may be PNG
    if folder and "VOC" in held and "masks" in held and _annotations(found):
        raise ValueError(
            f"{text}: the folder holds both boxes (.xml) and masks; give its folder Annotations or SegmentationClass."
        )
    if set(held) == {"tables", "VOC"} and any(ends_in(f, (".arff",)) for f in found):
        return "tables"
    if len(held) > 1:
        raise ValueError(f"{text}: it holds {holds(found)}; say which to count with a glob such as '*.png'.")
    if held:
        return next(iter(held))
    if folder and any(ends_in(f, (".txt",)) for f in found):
        return "YOLO"
    if folder:
        raise ValueError(f"{text}: there is nothing to count in this folder; it holds {holds(found)}.")
    return "tables"


def _masks(
    text: str, label: Any, classes: Any, ignore: Any, instances: Any, split: Any, chosen: tuple[Path, ...] = ()
) -> Masks:
    _only("label", label, "tables", text)
    _only("split", split, "VOC and YOLO data sets", text)
    if isinstance(instances, str) and instances.isdecimal():
        instances = int(instances)
    if instances is not None and instances != OBJECTS and not (isinstance(instances, int) and instances > 1):
        raise ValueError(f"count: instances must be 'objects' or a divisor such as 1000, got {instances!r}.")
    wrong = [v for v in listed(ignore) if not _is_value(v)]
    if wrong:
        raise ValueError(f"count: ignore= holds {wrong[0]!r}, but masks hold whole numbers, such as 255.")
    return Masks(text, classes, ignore, instances, chosen)


def _is_value(value: Any) -> bool:
    if isinstance(value, str):
        return value.isdecimal() or (len(value) == 7 and value.startswith("#"))
    return isinstance(value, int) or hasattr(value, "item")


def _only(name: str, value: Any, what: str, text: str) -> None:
    if value is not None:
        raise ValueError(f"{text}: {name}= (--{name}) is for {what}; leave it out.")


def _annotations(found: list[Path]) -> bool:
    return any(f.parent.name == "Annotations" for f in found)
