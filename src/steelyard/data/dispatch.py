"""count: what the data is decides who counts it; of files, which source of labels they are: a table, masks, or boxes."""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from ..counts import Counts
from ..given import places
from . import labels
from .arff import label_columns
from .classes import look_alikes
from .coco import Coco, load
from .column_names import PATTERN
from .column_names import label_columns as columns_of
from .columns import Column, Indicators
from .frames import count_dataset, count_frame, count_ordered, is_dataset, is_frame, refuse_several
from .gate import gate
from .known import known_counts
from .labels import some
from .masks import Masks, segmentation
from .memory import count_batches, is_array, piece_of
from .nnunet import of_nnunet
from .notes import Doubt, warn
from .pandas_types import note_on_codes, refuse_value_counts
from .paths import MASKS, OTHER, TABLES, ends_in, expanded, files, holds
from .source import Source
from .stores import arrow_table, holds_columns, is_lazy, refuse_splits
from .tables import column_names
from .voc import Voc
from .workers import read_all, read_on_cluster
from .yolo import NAMES, YAML, Yolo

FEW, TIMES = (
    10,
    20,
)  # labels that occur, and how many times as many there would have to be, where those that do are no places
FEW_JSON = 9  # as many files are looked into to see whether they list the pictures beside them
KINDS = (None, "exclusive", "multilabel")
ENGINES = ("local", "ray")
ENDINGS = {"tables": TABLES, "masks": MASKS, "YOLO": YAML, "VOC": (".xml",), "COCO": (".json",)}


def count(
    data: Any,
    *,
    label: str | int | Sequence[str | int] | None = None,
    key: Any = None,
    classes: Any = None,
    ignore: Any = None,
    missing: Any = None,
    same_case: bool = False,
    separator: str | None = None,
    kind: str | None = None,
    instances: str | int | None = None,
    split: str | None = None,
    on_error: str = "raise",
    engine: str = "local",
    workers: int | None = None,
    progress: bool = False,
) -> Counts:
    """Count how often each class occurs.

    data       labels in a list, array, tensor or Series; a DataFrame, Arrow table or Hugging Face Dataset with label=;
               a DataLoader or other iterable of batches with key=; or a path: a CSV, TSV, ARFF or Parquet file, folder or
               glob with label=; masks (PNG, TIFF, BMP, NPY, NIfTI, NRRD: a file, folder, glob or list of Path); COCO's .json, a folder of
               VOC's .xml, YOLO's data.yaml; an .arff with Mulan's .xml beside it; Counts that were saved
    label      the column of a table, by name or number (1 is the first, -1 the last); several columns of yes and no are
               multi-label, also as a pattern ("tag_*") or between commas, and so is a column of lists
    key        where the labels are in a batch: batch[key], such as 1 for (input, label)
    classes    names, order and number of the classes; a label that is not among them is an error. Also {value: name},
               {index: name} and {name: index}, which mean the index
    ignore     a value, or several, that do not count, such as -100 or 255; NaN stands for missing labels
    missing    tables: the texts that stand for missing, instead of ?, NA, NaN, null and their like; "none" for no text. What
               `classes` names is a class
    same_case  tables: join the spellings of one class that differ by case, blanks, a final dot or zeros (>50K and >50K.)
    separator  tables: what stands between several labels in one cell, such as "|", ", " or " ": multi-label
    kind       "multilabel" is what a 2-D array of 0 and 1 is, lists of text, and cells with a separator; "exclusive" is what masks
               [N, H, W] are; elsewhere it counts every element, and takes lists (columns of lists, cells with a separator, CoNLL's lines) for
               sequences, such as tags of tokens
    instances  masks whose numbers are objects: "objects" (0 is background), or the divisor of numbers such as 26003
               (1000: class 26)
    split      of a YOLO or VOC data set: "train" (YOLO's default), "val", "test", "all"
    on_error   "report" counts the rest where a file cannot be read, and names it in a note; "raise" stops
    engine     "ray": files are read by the tasks of a Ray cluster, with the same answer
    workers    threads that read files; default one for each core
    progress   show a bar on stderr

    Integers in memory are logit indices: classes "0" to the largest, gaps count 0, `classes` names them in order (whole
    numbers as `classes` are matched by value). Text, booleans, the columns of a table and masks: the distinct values
    ascending, numbers as numbers. Items that are sets, or lists of text, are multi-label. A missing label in memory is an
    error unless `ignore` holds NaN; rows of a table without a label are left out, and the source of the Counts says how many.
    What was left out, ignored or repaired stands in their `notes`; what may have been misread (classes that differ by a
    letter's case alone, NA taken for missing, "A|B" beside "A") is a ReadingWarning, too.
    Masks count pixels, COCO, VOC and YOLO boxes; `also` holds how many images contain each class, and objects or areas.

    ValueError, saying what to pass, for negative integers, numbers that look continuous, pictures that are no masks, and
    data that is none of these; FileNotFoundError with the nearest name.

    >>> count([0, 0, 3, 0]).per_class.tolist()
    [3, 0, 0, 1]
    >>> count(["ill", "well", "well"], classes=["well", "ill"]).per_class.tolist()
    [2, 1]
    >>> count([["cat", "dog"], [], ["dog"]])
    Counts({'cat': 1, 'dog': 2}, unit='rows', multilabel in 3 items, source='')
    """
    _check_kind(kind)
    reading = {
        "classes": labels.in_order(classes),
        "ignore": ignore,
        "missing": missing,
        "same_case": same_case,
        "separator": separator,
    }
    if isinstance(data, (str, PathLike)) or _are_files(data):
        of_files = {"instances": instances, "split": split, "on_error": on_error, "engine": engine, "workers": workers}
        counts = count_path(data, label, kind=kind, progress=progress, **reading, **of_files)[0]
    else:
        for name, value in (("instances", instances), ("split", split)):
            if value is not None:
                raise ValueError(f"count: {name}= is for files, but the data is {type(data).__name__}; leave it out.")
        counts = _count_in_memory(data, label, key, kind, progress, reading)
    warn(counts.notes, 2)
    return counts


def _count_in_memory(
    data: Any, label: Any, key: Any, kind: str | None, progress: bool, reading: dict[str, Any]
) -> Counts:
    """Counts, with their notes, of what is no file. `reading` is what `count` was told of labels."""
    if is_lazy(data) or (label is not None and not is_frame(data) and holds_columns(data)):
        data = arrow_table(data, "count")
    if is_dataset(data):
        return _doubted(count_dataset(data, label, kind=kind, progress=progress, **reading))
    if is_frame(data) and not isinstance(data, Mapping):
        return _doubted(count_frame(data, label, kind=kind, **reading))
    refuse_splits(data, "count")
    if label is not None:
        raise ValueError(
            f"count: label= names a column of a table, but the data is {type(data).__name__}; leave it out."
        )
    for name in ("missing", "same_case", "separator"):
        if reading[name]:
            raise ValueError(
                f"count: {name}= is for tables, but the data is {type(data).__name__}; name what does not count with"
                " ignore=, and join spellings with classes={spelling: class}."
            )
    classes, ignore = reading["classes"], reading["ignore"]
    refuse_value_counts(data)
    if key is None and (ordered := count_ordered(data, classes, ignore)) is not None:
        return _doubted(ordered, of_table=False)
    if key is not None or _is_stream(data):
        return _doubted(count_batches(data, key, classes, ignore, kind, progress), of_table=False)
    counts = _doubted(piece_of(data, kind, ignore, classes).counts(classes, ignore), of_table=False)
    return counts if classes is not None else counts.noted(note_on_codes(data, counts.classes))


def _doubted(counts: Counts, *, of_table: bool = True) -> Counts:
    """With a note on classes that look alike."""
    alike = look_alikes(counts.classes, of_table=of_table)
    apart = None if of_table else _scattered(counts)
    return counts.noted(filter(None, [alike, apart]))


def _scattered(counts: Counts) -> Doubt | None:
    """A doubt on whole numbers far apart, 0 and 128 or the ids of a catalogue, each of which stands for a logit with all those between."""
    occur = np.flatnonzero(counts.per_class)
    few = 2 <= len(occur) <= FEW and len(counts) > TIMES * len(occur)
    if not few or counts.kind != "exclusive" or list(counts.classes) != places(len(counts)):
        return None
    found = occur.tolist()
    return Doubt(
        f"of the labels 0 to {found[-1]} only {labels.some(list(map(str, found)))} occur, and a loss needs a logit for each of {len(counts)}; greys or ids of a"
        f" catalogue are mapped to 0, 1, ... first (np.searchsorted({found}, labels)), and named here by classes={found}"
    )


def count_path(
    path: str | PathLike[str] | Sequence[PathLike[str]],
    label: str | int | Sequence[str | int] | None = None,
    *,
    classes: Any = None,
    ignore: Any = None,
    missing: Any = None,
    same_case: bool = False,
    separator: str | None = None,
    kind: str | None = None,
    instances: str | int | None = None,
    split: str | None = None,
    on_error: str = "raise",
    engine: str = "local",
    workers: int | None = None,
    progress: bool = False,
) -> tuple[Counts, list[str]]:
    """`count` of files, with its notes on what was repaired or left out on the way; nothing is warned of."""
    _check_kind(kind)
    if engine not in ENGINES:
        raise ValueError(f"count: engine must be one of {', '.join(ENGINES)}, got {engine!r}.")
    reading = {"classes": classes, "ignore": ignore, "missing": missing, "same_case": same_case, "separator": separator}
    with gate(fspath(path) if isinstance(path, (str, PathLike)) else fspath(path[0])):
        if instances is None and split is None:
            known = known_counts(path, label, classes=classes, ignore=ignore)
            if known is not None:
                if kind not in (None, known[0].kind):
                    raise ValueError(
                        f"{path}: it holds {known[0].kind} counts that were made before, but kind={kind!r} (--kind {kind}) was said;"
                        " leave it out, or count the data again."
                    )
                return _told(*known)
        source = source_of(path, label=label, kind=kind, instances=instances, split=split, **reading)
    if engine == "ray":
        return _told(*read_on_cluster(source, on_error=on_error, progress=progress), of_table=_is_table(source))
    return _told(*read_all(source, on_error=on_error, workers=workers, progress=progress), of_table=_is_table(source))


def _is_table(source: Source) -> bool:
    return isinstance(source, (Column, Indicators))


def _told(counts: Counts, notes: Sequence[str], *, of_table: bool = True) -> tuple[Counts, list[str]]:
    """(Counts with all notes, the notes)."""
    counts = _doubted(counts.noted(notes), of_table=of_table)
    return counts, list(counts.notes)


def source_of(
    path: str | PathLike[str] | Sequence[PathLike[str]],
    *,
    label: Any = None,
    classes: Any = None,
    ignore: Any = None,
    missing: Any = None,
    same_case: bool = False,
    separator: str | None = None,
    kind: str | None = None,
    instances: str | int | None = None,
    split: str | None = None,
) -> Source:
    """The source behind a path, or behind a list of mask files.

    A label column says that it is a table; without one the endings of the files decide. FileNotFoundError with the
    nearest name; ValueError, with what to pass, where the folder holds several kinds or an option does not belong.
    """
    chosen: tuple[Path, ...] = ()
    if isinstance(path, (str, PathLike)):
        known = of_nnunet(fspath(path)) if label is None else {}
        text = known.get("path", fspath(path))
        paths = files(text)
        classes = known.get("classes") if classes is None else classes
        ignore = known.get("ignore") if ignore is None else ignore
        form = "tables" if label is not None else _form(text, paths)
    else:
        first, *others = chosen = tuple(expanded(p) for p in path)
        text, form = f"{first} and {len(others):,} more" if others else str(first), "masks"
    common: dict[str, Any] = {"path": text, "classes": labels.in_order(classes), "ignore": ignore}
    if form == "tables":
        common |= {"missing": missing, "same_case": same_case, "separator": separator}
    else:
        _only("missing", missing, "tables", text)
        _only("same-case", same_case or None, "tables", text)
        _only("separator", separator, "tables", text)
        _refuse_multilabel(kind, form, text)
    if form == "masks":
        _only("label", label, "tables", text)
        _only("split", split, "VOC and YOLO data sets", text)
        if not chosen:
            common |= segmentation(text, paths)
        return Masks(**common, instances=instances, chosen=chosen)
    _only("instances", instances, "masks", text)
    if form == "YOLO":
        return Yolo(**common, split=split)
    if form == "VOC":
        return Voc(**common, split=split)
    _only("split", split, "VOC and YOLO data sets", text)
    if form == "COCO":
        return Coco(**common)
    label = label_columns(text) if label is None else label
    if label is None:
        names = some(column_names(text))
        raise ValueError(f"{text}: say which column holds the labels, with --label or label=. The columns are {names}.")
    picked = None
    if not isinstance(label, int) and _may_be_several(label):
        label, picked = columns_of(column_names(text), label, text)
    if isinstance(label, (str, int)):
        return Column(**common, label=label, kind=kind)
    refuse_several(kind, text)
    return Indicators(**common, label=tuple(label), picked=picked, kind=kind)


def _check_kind(kind: str | None) -> None:
    if kind not in KINDS:
        raise ValueError(f"count: kind must be 'exclusive' or 'multilabel' (--kind), got {kind!r}.")


def _refuse_multilabel(kind: str | None, form: str, text: str) -> None:
    if kind == "multilabel":
        what = "pixels" if form == "masks" else "boxes"
        raise ValueError(
            f"{text}: {what} are of exclusive classes, but kind='multilabel' (--kind multilabel) was said; leave it out. How many images hold"
            " each class is counted too: counts.by('images') (weigh --by images)."
        )


def _may_be_several(label: str | Sequence[str | int]) -> bool:
    """Whether the columns have to be known to say which these are."""
    words = [label] if isinstance(label, str) else [one for one in label if isinstance(one, str)]
    return any(letter in word for word in words for letter in PATTERN + ",")


def _are_files(data: Any) -> bool:
    return isinstance(data, (list, tuple)) and len(data) > 0 and all(isinstance(d, PathLike) for d in data)


def _is_stream(data: Any) -> bool:
    """An iterable that is neither a sequence nor an array: batches."""
    if isinstance(data, (Sequence, Mapping)):
        return isinstance(data, Mapping)
    return isinstance(data, Iterable) and not is_array(data)


def _form(text: str, paths: list[Path]) -> str:
    """The one of ENDINGS that the files are. A single file of another ending is a table, as `label=` would say."""
    folder = expanded(text).is_dir()
    held = {kind: n for kind, endings in ENDINGS.items() if (n := sum(ends_in(f, endings) for f in paths))}
    texts = [f for f in paths if ends_in(f, (".txt",))]
    if (
        folder
        and texts
        and ("YOLO" in held or (set(held) <= {"masks", "COCO"} and any(f.name in NAMES for f in paths)))
    ):
        return "YOLO"  # its images may be PNG, and Label Studio adds a notes.json
    if folder and "VOC" in held and "masks" in held and any(f.parent.name == "Annotations" for f in paths):
        raise ValueError(
            f"{text}: the folder holds both boxes (.xml) and masks; give its folder Annotations or SegmentationClass."
        )
    if folder and set(held) in ({"masks", "COCO"}, {"masks", "VOC"}) and _are_annotated(paths):
        return next(kind for kind in held if kind != "masks")
    if set(held) == {"tables", "VOC"} and any(ends_in(f, (".arff",)) for f in paths):
        return "tables"
    if len(held) > 1:
        raise ValueError(f"{text}: it holds {holds(paths)}; say which to count with a glob such as '*.png'.")
    if held:
        return next(iter(held))
    if folder and texts:
        return "YOLO"
    if folder:
        reasons = [OTHER[end] for end in dict.fromkeys(f.suffix.lower() for f in paths) if end in OTHER]
        more = "".join(f" {reason[0].upper()}{reason[1:]}." for reason in dict.fromkeys(reasons))
        raise ValueError(f"{text}: there is nothing to count in this folder; it holds {holds(paths)}.{more}")
    return "tables"


def _are_annotated(paths: list[Path]) -> bool:
    """Whether the PNGs and TIFFs of a folder are the pictures of its boxes: each has an annotation of its name beside it, or a COCO lists it."""
    pictures = [f for f in paths if ends_in(f, MASKS)]
    others = [f for f in paths if ends_in(f, (".xml", ".json"))]
    named = {f.with_suffix("") for f in others}
    if all(f.with_suffix("") in named for f in pictures):
        return True
    listed: set[str] = set()
    for file in others if len(others) <= FEW_JSON else ():
        data = load(file) if ends_in(file, (".json",)) else None
        images = data.get("images") if isinstance(data, dict) else None
        names = (str(i.get("file_name")) for i in images or () if isinstance(i, dict))
        listed |= {name.replace("\\", "/").rpartition("/")[2] for name in names}
    return all(f.name in listed for f in pictures)


def _only(name: str, value: Any, what: str, text: str) -> None:
    if value is not None:
        raise ValueError(f"{text}: {name.replace('-', '_')}= (--{name}) is for {what}; leave it out.")
