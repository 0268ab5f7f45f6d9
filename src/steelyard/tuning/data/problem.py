"""What is to be learned: rows, labels as numbers, features, and everything about the data that a reader should know."""

import dataclasses
import hashlib
from os import PathLike
from typing import Any

import numpy as np
from scipy import sparse

from ...counts import Counts
from ...data.cells import from_arrow
from ...data.classes import NONE, look_alikes
from ...data.column_names import without_row_names
from ...data.labels import is_missing, label_name, listed, short, some
from ...data.notes import Doubt
from ...data.reread import together
from ...data.several import hinting, note_on_parts
from ...data.stores import arrow_table, holds_columns, refuse_splits
from ...data.tables import Table, not_wider, read_table
from .. import weights as row_weights
from . import weight as weighing
from .compared import large_enough, negative_first
from .features import Features, read
from .group_time import codes_of, order_of
from .one_label import label_column
from .stand_ins import stand_ins

OF_COUNT = " with steelyard count; tune takes one label per row"
WIDEST = 20_000  # columns: to read and look at so many takes ten seconds, and what can be learned from more of them is chosen first


@dataclasses.dataclass(frozen=True)
class Problem:
    """A table with a label.

    y         [rows] 0..C-1 in the order of `counts.classes`; for two classes 1 is the positive one
    positive  its name, or None for more than two classes
    read      (rows, columns) before rows were left out
    groups    [rows] codes of what belongs together, of column `group`, or None
    order     [rows] ranks in time, of column `time`, or None
    weights   [rows] how much each counts, of column `weight`, as `tuning/weights.py` has them, or None
    turned    whether the positive of two classes comes first among the labels, and so second here
    """

    path: str
    label: str
    read: tuple[int, int]
    y: np.ndarray
    counts: Counts
    positive: str | None
    features: Features
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    groups: np.ndarray | None = None
    order: np.ndarray | None = None
    group: str | None = None
    time: str | None = None
    weights: np.ndarray | None = None
    weight: str | None = None
    turned: bool = False

    @property
    def masses(self) -> Counts:
        """What recipes are made from: `counts`, or the sums of the weights of each class."""
        return self.masses_of(np.arange(len(self.y)))

    def masses_of(self, rows: np.ndarray) -> Counts:
        """The same of some rows."""
        kept = row_weights.take(self.weights, rows)
        mass = row_weights.masses(self.y[rows], kept, self.classes)
        return Counts(mass, self.counts.classes, weighted=kept is not None)

    @property
    def classes(self) -> int:
        return len(self.counts)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Columns that are not used although they look as if they should be, such as "amount (looks like a number)"."""
        return self.features.doubts if isinstance(self.features, Features) else ()

    @property
    def guesses(self) -> tuple[str, ...]:
        """How columns were read that leave open what they mean, such as "when: '03/04/2024' day first, ..."."""
        return self.features.guesses if isinstance(self.features, Features) else ()

    @property
    def rare(self) -> int:
        return int(self.counts.per_class.min())

    def digest(self) -> str:
        """A hash of the labels, groups, order, weights and features: the same rows in the same order, whatever the file is called."""
        digest = self._labels()
        for extra in (self.groups, self.order):
            digest.update(b"-" if extra is None else np.ascontiguousarray(extra).tobytes())
        if self.weights is not None:
            digest.update(self.weights.tobytes())
        if isinstance(self.features, Features):
            for column in self.features.columns:
                for field in dataclasses.fields(column):
                    digest.update(_content(getattr(column, field.name)))
        else:  # rows that only the user's own function reads
            self.features.digest(digest)
        return digest.hexdigest()

    def labels_digest(self) -> str:
        """The same of the labels alone: tables that differ in their columns may still hold the same rows."""
        return self._labels().hexdigest()

    def _labels(self) -> Any:
        digest = hashlib.sha256(np.ascontiguousarray(self.y).tobytes())
        digest.update("\0".join(self.counts.classes).encode())
        return digest


def problem(
    data: Any,
    label: str,
    positive: Any = None,
    *,
    group: str | None = None,
    time: str | None = None,
    classes: Any = None,
    ignore: Any = None,
    missing: Any = None,
    same_case: bool = False,
    drop: Any = None,
    categorical: Any = None,
    weight: str | None = None,
) -> Problem:
    """Read a path, a Table or a DataFrame. ValueError with what to do where nothing can be learned or compared.

    group  column whose equal values belong together (several rows of one patient): never on both sides of a fold
    time   column to order the rows by: what comes later is never learned from; with `group` too, a block of time is judged by models
           of earlier rows of other groups

    drop         a column or several that are not learned from
    categorical  a column or several of categories that are spelled as numbers, such as zip codes
    weight       column of how much each row counts, as in a survey; rows of weight 0 take no part

    classes, ignore, missing and same_case say how the labels are read, as in `count`; the texts that `missing` names are missing in the
    other columns too, beside the usual ones.

    None of these columns is a feature. Rows without a label are left out; with more than two classes, so are classes of fewer than 8 rows:
    they cannot be held out and learned from in turn. Both are said.
    """
    table = as_table(data)
    label = label_column(table, label)
    group = None if group is None else table.resolve(group)
    time = None if time is None else table.resolve(time)
    if marks := [
        label_name(m).strip() for m in listed(missing) if not is_missing(m) and label_name(m).strip() not in ("", NONE)
    ]:
        table = table.missing(marks, but=[label])
    if label in (group, time):
        raise ValueError(f"tune: {label!r} is the label; group or time must be another column.")
    if group is not None and group == time:
        raise ValueError(
            f"tune: {group!r} is the group and the time; if rows of one time belong together, --time keeps them so already."
        )
    weight = None if weight is None else table.resolve(weight)
    if weight is not None and weight in (label, group, time):
        raise ValueError(
            f"tune: {weight!r} is the label, the group or the time already; weight must be another column."
        )
    categories = _columns(table, label, categorical, "categorical")
    how = {"classes": classes, "ignore": ignore, "missing": missing, "same_case": same_case}
    with hinting(lambda: table.levels(label)[1], OF_COUNT):
        y, said = table.classes(label, places=False, **how)
    counts = said.counts
    where = f"{table.path}, column {short(label)}"
    if len(counts) < 2:
        dropped = "".join(f" ({note})" for note in said.notes if "read as missing" in note)
        raise ValueError(
            f"tune: {where} has one class only, {short(counts.classes[0])}; two are needed to tell apart.{dropped}"
        )
    as_numbers = [n for n in table.names if n not in {label, group, *_columns(table, label, drop, "drop"), *categories}]
    notes = [*table.notes_on(as_numbers), *said.notes]
    alike = look_alikes(counts.classes)
    warnings: list[str] = [] if alike is None else [Doubt(f"{alike}.")]
    if left_out := int(np.sum(y < 0)):
        notes.append(f"{left_out} of {len(y)} rows have no label and are left out")
    raw = None if weight is None else weighing.weights_of(table, weight, rows=y >= 0)
    masses, zeros = counts, 0
    if raw is not None:
        zeros = int(np.sum(raw[y >= 0] == 0))
        y = np.where(raw > 0, y, -1)
        known = y >= 0
        names = counts.classes
        counts = Counts(np.bincount(y[known], minlength=len(names)), names)
        masses = Counts(np.bincount(y[known], raw[known] / raw[known].max(), len(names)), names, weighted=True)
    with hinting(lambda: counts.classes, OF_COUNT):
        keep = large_enough(counts, where, warnings)
    keep = negative_first(keep, masses, positive, where)
    new = np.full(len(counts) + 1, -1)
    new[keep] = np.arange(len(keep))
    y = new[y]  # -1 takes the last entry
    names = [counts.classes[i] for i in keep]
    roles = {
        group: "it says which rows belong together",
        time: "it says the order of the rows",
        weight: "it weighs the rows",
    }
    without = dict.fromkeys(_columns(table, label, drop, "drop"), "as was said with --drop (drop=)")
    without |= {name: why for name, why in roles.items() if name is not None}
    features = read(table, label, without=without, categorical=categories)
    features = dataclasses.replace(features, marks=tuple(marks))
    if weight is not None and (guess := table.columns[weight].guess):
        features = dataclasses.replace(features, guesses=(*features.guesses, f"{weight}: {guess}"))
    if parts := note_on_parts(dict.fromkeys(counts.classes, 1)):
        warnings.append(Doubt(f"{parts}{OF_COUNT}."))
    if features.doubts:
        numbers = any("looks like a number" in doubt for doubt in features.doubts)
        advice = " Write the numbers alike, or say that it is no number and leave it out." * numbers
        warnings.insert(0, Doubt(f"not used: {'; '.join(features.doubts)}.{advice}"))
    rows = y >= 0
    groups = None if group is None else codes_of(table, group, rows=rows)
    order = None if time is None else order_of(table, time, rows=rows, notes=notes)
    if not rows.all():
        y, features = y[rows], features.rows(rows)
    warnings += [Doubt(said) for _, said in stand_ins(features.columns, tuple(names))]
    weights = None
    if raw is not None and weight is not None:
        weights = row_weights.relative(raw[rows])
        said_of_weights, uneven = weighing.notes(weights, weight, zeros)
        notes, warnings = [*notes, *said_of_weights], [*warnings, *uneven]
    kept = Counts(np.bincount(y, minlength=len(names)), names, "rows", where)
    if kept.per_class.min() < 2:
        rare = int(np.argmin(kept.per_class))
        raise ValueError(
            f"tune: {where}: class {short(names[rare])} has {'a single row' if kept.per_class[rare] else 'no row of weight above 0'}, so it"
            " cannot be learned and checked in turn."
            " Bring more rows of it, or merge it with another class."
        )
    return Problem(
        table.path,
        label,
        (table.rows, len(table.names)),
        y,
        kept,
        names[1] if len(names) == 2 else None,
        features,
        (*notes, *features.notes),
        tuple(warnings),
        groups,
        order,
        group,
        time,
        weights,
        None if weights is None else weight,
        turned=list(keep) != sorted(keep),
    )


def _columns(table: Table, label: str, wanted: Any, option: str) -> list[str]:
    names = [table.resolve(name) for name in listed(wanted)]
    if label in names:
        raise ValueError(f"tune: {option}= names {label!r}, which is the label; name other columns.")
    return names


def _content(value: Any) -> bytes:
    """What a hash of the data is made of."""
    if sparse.issparse(value):
        return b"".join(np.ascontiguousarray(part).tobytes() for part in (value.data, value.indices, value.indptr))
    if isinstance(value, np.ndarray) and value.dtype != object:
        return np.ascontiguousarray(value).tobytes()
    if isinstance(value, (np.ndarray, list, tuple)):
        return "\0".join(map(str, value)).encode("utf-8", "surrogatepass")
    return str(value).encode("utf-8", "surrogatepass")


def as_table(data: Any) -> Table:
    """A path, a Table, or whatever holds columns in memory (data/stores.py): pandas, polars, Arrow, Hugging Face, dictionaries."""
    if isinstance(data, Table):
        return data
    if isinstance(data, (str, PathLike)):
        return read_table(data, most=WIDEST)
    refuse_splits(data, "tune")
    if not holds_columns(data):
        raise TypeError(
            f"tune: takes a path, a DataFrame (pandas, polars, Arrow), a Dataset of Hugging Face or a dictionary of columns, got"
            f" {type(data).__name__}."
        )
    arrow = arrow_table(data, "tune")
    not_wider(arrow.num_columns, WIDEST, f"tune: the {type(data).__name__}")
    notes: list[str] = []
    columns = together({name: from_arrow(arrow[name]) for name in without_row_names(arrow.column_names, notes)})
    notes = [note for note in notes if "Unnamed" in note]  # the index of a DataFrame is no column of it
    lost = [name for name, c in columns.items() if c is None]
    notes += [f"columns of lists, structures or bytes are left out: {some(lost)}"] if lost else []
    kept = {n: c for n, c in columns.items() if c is not None}
    return Table(type(data).__name__, kept, arrow.num_rows, notes, tuple(lost))
