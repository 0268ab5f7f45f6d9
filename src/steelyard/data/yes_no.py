"""Yes-or-no labels, a column each. Nothing, NaN, -1 and what is masked are unknown, for that label alone: they are not no."""

import numbers
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..counts import Counts
from . import labels
from .cells import MISSING
from .notes import Doubt, Scope

YES, NO = frozenset(("yes", "true", "t", "y", "1", "1.0")), frozenset(("no", "false", "f", "n", "0", "0.0"))
UNKNOWN = -1
SHOWN = 8  # labels in a note
ONE_HOT = 20  # rows from which it is no chance that each says yes once
MASK = 16  # rows and columns from which it is no chance that neighbours both ways say the same


@dataclass
class YesNo:
    """What columns of yes and no say; two of the same columns add.

    yes, unknown  rows by column; the others of `rows` say no
    minus         of the unknown ones, those that hold -1
    empty         rows that say nothing at all
    single        rows that say yes to one of several labels and no to all others
    pictured      rows of arrays whose neighbours, down and across, differ less than half as often as by chance: a mask's do
    """

    yes: Counter[Any]
    unknown: Counter[Any]
    minus: Counter[Any]
    rows: int
    empty: int
    single: int = 0
    pictured: int = 0

    def add(self, other: "YesNo") -> None:
        for mine, theirs in ((self.yes, other.yes), (self.unknown, other.unknown), (self.minus, other.minus)):
            mine.update(theirs)
        self.rows, self.empty = self.rows + other.rows, self.empty + other.empty
        self.single += other.single
        self.pictured += other.pictured


def answers_of(columns: Mapping[Any, Any], ignore: Any = None) -> YesNo:
    """What these columns say: numbers, booleans, text such as yes and no, or objects of any of them; masked arrays too.

    `ignore` names further numbers that mean unknown, such as -100. ValueError, naming the column, for anything else.
    """
    marks = _marks(ignore)
    yes, unknown, minus = Counter[Any](), Counter[Any](), Counter[Any]()
    empty, rows, times, known = None, 0, 0, 0
    for name, column in columns.items():
        is_yes, is_unknown, is_minus = _read(column, marks, f"column {name!r}")
        yes[name], unknown[name] = int(np.count_nonzero(is_yes)), int(np.count_nonzero(is_unknown))
        minus[name], rows = int(np.count_nonzero(is_minus)), len(is_yes)
        empty = is_unknown if empty is None else empty & is_unknown
        times, known = times + is_yes.astype(np.int64), known + ~is_unknown
    single = int(np.count_nonzero((times == 1) & (known == len(columns)))) if len(columns) > 1 else 0
    return YesNo(yes, unknown, minus, rows, 0 if empty is None else int(np.count_nonzero(empty)), single)


def answers_in(array: Any, ignore: Any = None) -> YesNo:
    """The same of an array [items, labels], whose columns are called 0, 1, ... ValueError for other shapes."""
    if array.ndim != 2:
        raise ValueError(
            f"count: multi-label data is [items, labels] of 0 and 1, got shape {list(array.shape)}."
            " To count every element of a mask pass kind='exclusive'."
        )
    if not array.size:
        raise ValueError("count: there is no label to count; the data is empty.")
    is_yes, is_unknown, is_minus = _read(array, _marks(ignore), "")

    def by_column(marked: np.ndarray) -> Counter[Any]:
        return Counter(dict(enumerate(np.count_nonzero(marked, axis=0).tolist())))

    empty = int(np.count_nonzero(is_unknown.all(axis=1)))
    single = int(np.count_nonzero((is_yes.sum(axis=1) == 1) & ~is_unknown.any(axis=1))) if array.shape[1] > 1 else 0
    pictured = len(array) if _is_pictured(is_yes) else 0
    return YesNo(by_column(is_yes), by_column(is_unknown), by_column(is_minus), len(array), empty, single, pictured)


def _is_pictured(yes: np.ndarray) -> bool:
    """Whether [rows, columns] look like one mask rather than labels: there, what is nearby is alike."""
    if min(yes.shape) < MASK:
        return False
    share = float(yes.mean())
    chance = 2 * share * (1 - share)  # that two places drawn at random differ
    return all(float(np.mean(a != b)) < chance / 2 for a, b in ((yes[1:], yes[:-1]), (yes[:, 1:], yes[:, :-1])))


def answer_counts(
    answers: YesNo, classes: Any, source: str = "", mark: str | None = None, kind: str | None = None
) -> tuple[Counts, list[str]]:
    """(multi-label Counts, notes). `classes` gives the columns other names, in their order; `kind` is what the caller said."""
    columns, items = list(answers.yes), answers.rows - answers.empty
    called = [c if isinstance(c, str) else f"{c}" for c in columns]
    if not items:
        raise ValueError(f"count: no row has a value in any of {labels.some(called)}, so there is nothing to count.")
    for name in columns:
        if answers.minus[name] and answers.yes[name] + answers.unknown[name] == answers.rows and answers.yes[name]:
            raise ValueError(
                f"count: column {name!r} holds -1 and 1 but no 0. If -1 means no, write 0 for it; if it means unknown, no row"
                " says no, and there is nothing to weigh."
            )
    names = called if classes is None else labels.names_in(classes)
    if len(names) != len(columns):
        raise ValueError(f"count: classes= names {len(names)} labels, but there are {len(columns)} columns.")
    note = labels.left_out(answers.empty)
    where = (f"{source} ({note})" if source else note) if answers.empty else source
    unknown = [answers.unknown[name] - answers.empty for name in columns]
    yes = [answers.yes[name] for name in columns]
    also = {"unknown": unknown} if any(unknown) else None
    counts = Counts(yes, names, "rows", where, kind="multilabel", items=items, also=also, digest=mark)
    notes: list[str] = [Scope(note)] if answers.empty else []
    if any(unknown):
        shown = ", ".join(f"{name} {n:,}" for name, n in list(zip(names, unknown, strict=True))[:SHOWN] if n)
        notes.append(f"unknown (nothing or -1) is not no, and such a row counts for its other labels: {shown}")
    if kind is None and answers.single == answers.rows >= ONE_HOT:
        notes.append(
            Doubt(
                f"every one of {answers.rows:,} rows says yes to exactly one of the {len(columns)} labels. If they exclude each other"
                " (one-hot), count the one column behind them, such as y.argmax(axis=1); if not, say kind='multilabel'"
                " (--kind multilabel)"
            )
        )
    if kind is None and answers.pictured == answers.rows:
        notes.append(
            Doubt(
                f"{answers.rows:,} rows of {len(columns)} yes-or-no labels whose neighbours, down and across, say the same as in a picture."
                " If it is a mask, count its pixels with kind='exclusive'; if not, say kind='multilabel' (--kind exclusive or"
                " multilabel)"
            )
        )
    return counts, notes


def answered(answers: YesNo, classes: Any, source: str = "", kind: str | None = None) -> Counts:
    """The same, with the notes in the Counts."""
    counts, notes = answer_counts(answers, classes, source, kind=kind)
    return counts.noted(notes)


def _marks(ignore: Any) -> list[float]:
    """The numbers that mean unknown."""
    marks: list[float] = [UNKNOWN]
    for value in labels.listed(ignore):
        if labels.is_missing(value):
            continue
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = 0.0
        if number in (0, 1):
            raise ValueError(
                f"count: ignore={value!r}, but yes-or-no labels are 1 and 0; ignore= names what means unknown there, such as -100."
            )
        marks.append(number)
    return marks


def _read(values: Any, marks: Sequence[float], where: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(yes, unknown, -1), as booleans of the same shape. ValueError for what is neither."""
    masked = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    array = np.asarray(values.data if isinstance(values, np.ma.MaskedArray) else values)
    if array.dtype.kind in "OUS":
        array = _as_numbers(array, masked, where)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"count: yes-or-no labels are 0 and 1, but {where or 'the array'} holds {array.dtype}.")
    yes, unknown = array == 1, (array != 1) & (array != 0)
    if masked is not None:
        yes, unknown = yes & ~masked, unknown | masked
    minus = np.zeros_like(unknown)
    if unknown.any():
        minus = array == UNKNOWN if masked is None else (array == UNKNOWN) & ~masked
        rest = array[unknown if masked is None else unknown & ~masked]
        odd = rest[~((rest != rest) | np.isin(rest, marks))]
        if odd.size:
            raise _refusal(odd[0].item(), where)
    return yes, unknown, minus


def _as_numbers(array: np.ndarray, masked: np.ndarray | None, where: str) -> np.ndarray:
    """Objects and text as float64: yes and no are 1 and 0, what is missing is NaN."""
    hidden = np.zeros(array.size, dtype=bool) if masked is None else masked.ravel()
    known: dict[Any, float] = {}
    answers = np.full(array.size, np.nan)
    for at, value in enumerate(array.ravel().tolist()):
        if hidden[at] or labels.is_missing(value):
            continue
        key = type(value), value if isinstance(value, (str, bytes, int, float)) else id(value)
        if key not in known:
            known[key] = _as_number(value, where)
        answers[at] = known[key]
    return answers.reshape(array.shape)


def _as_number(value: Any, where: str) -> float:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        text = value.strip()
        if text in MISSING:
            return np.nan
        if text.casefold() in YES or text.casefold() in NO:
            return float(text.casefold() in YES)
        if text == str(UNKNOWN):
            return UNKNOWN
        raise _refusal(value, where)
    if getattr(value, "ndim", 0) == 0 and (isinstance(value, numbers.Real) or hasattr(value, "__float__")):
        return float(value)
    raise _refusal(value, where)


def _refusal(value: Any, where: str) -> ValueError:
    mark = f" If {value!r} stands for unknown pass ignore={value!r}." if isinstance(value, (int, float)) else ""
    if where:
        return ValueError(
            f"count: several label columns are multi-label, yes or no, but {where} holds {value!r}.{mark}"
        )
    return ValueError(
        f"count: a 2-D array is read as multi-label, yes or no per column, but it holds {value!r}.{mark}"
        " To count every element pass kind='exclusive'; for class scores give the labels, not the scores."
    )
