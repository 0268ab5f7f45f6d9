"""What in the data makes a result too good or nothing worth, found before anything is fitted.

Every function returns sentences with numbers and what to do, or none. They are strict: a clean table gets no warning.
"""

import re
from collections.abc import Iterator

import numpy as np

from ..split import Split
from .duplicates import FINE, duplicates
from .features import Category, Number
from .problem import Problem

SAMPLE = 100_000  # rows that a column is first looked at by; what shows there is checked on all
SUPPORT = 10  # rows of a level, or of a class, below which purity is chance
LEAK = 0.999  # ROC AUC of a single column that nothing but the label itself reaches
PURE = 0.99  # share of levels with one label only that makes a column name things
STRETCHES, LEVEL, EFFECT = 10, 1e-4, 1.5  # of the test for a trend: pieces, level, and ratio of early to late shares
ORDERED = 0.02  # of the changes of label between neighbours that chance would give: the rows are sorted
NAMED = re.compile(r"(^|[_\s-])(id|uuid|guid|key)$|[a-z]I[dD]$", re.ASCII)
DATED = re.compile(r"(^|[_\s-])(date|timestamp|datetime)([_\s-]|$)|^year$", re.ASCII | re.IGNORECASE)


def warnings(task: Problem, split: Split | None = None) -> list[str]:
    """All of them; `split` says which rows are learned and checked apart."""
    leaks = dict(leaking(task))
    return [
        *leaks.values(),
        *duplicates(task, split),
        *(said for name, said in naming(task, split) if name not in leaks),
        *drifting(task, split),
        *(said for name, said in from_one(task) if name not in leaks),
    ]


# Columns that tell too much -----------------------------------------------------------------------------------------


def leaking(task: Problem) -> Iterator[tuple[str, str]]:
    """(column, sentence) of columns that predict the label (almost) perfectly by themselves."""
    if np.bincount(task.y).min() < SUPPORT:
        return
    sample = _sample(task.y)
    for column in task.features.columns:
        if not isinstance(column, (Number, Category)):
            continue
        how = _leak(column, task.y, sample, task.classes)
        if how:
            yield (
                column.name,
                f"column {column.name!r} predicts the label almost perfectly by itself ({how}). If it becomes known only with"
                " the label, or was made from it, it is a leak: leave it out and run again.",
            )


def _leak(column: Number | Category, y: np.ndarray, sample: np.ndarray, classes: int) -> str:
    if isinstance(column, Category):
        return _pure_levels(column.codes, y, classes)
    gaps = np.isnan(column.values)
    if gaps.any() and (how := _pure_levels(gaps.astype(np.int64), y, classes)):
        return f"by where it is missing: {how}"
    if gaps.all():
        return ""
    if classes > 2:
        return _sorts(column.values[~gaps], y[~gaps], classes)
    if _auc(column.values[sample], y[sample]) < LEAK - 0.005:
        return ""
    auc = _auc(column.values, y)
    return f"ROC AUC {np.floor(auc * 10_000) / 10_000:.4f}" if auc >= LEAK else ""


def _auc(values: np.ndarray, y: np.ndarray) -> float:
    """Of class 1 against class 0, in the better direction, over rows that are known; 0.5 where too few are."""
    known = ~np.isnan(values)
    values, y = values[known], y[known]
    positives = int(y.sum())
    negatives = len(y) - positives
    if min(positives, negatives) < SUPPORT:
        return 0.5
    _, place, equal = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(equal) - (equal - 1) / 2)[place]  # those of equal values are their mean
    wins = float(ranks[y == 1].sum()) - positives * (positives + 1) / 2
    auc = wins / positives / negatives
    return max(auc, 1 - auc)


def _pure_levels(codes: np.ndarray, y: np.ndarray, classes: int) -> str:
    """Whether levels with enough rows have one label each, and are most of the table."""
    table = np.bincount((codes + 1) * classes + y, minlength=(int(codes.max()) + 2) * classes).reshape(-1, classes)
    known = table[table.sum(axis=1) >= SUPPORT]
    if not len(known):
        return ""
    covered, wrong = known.sum(axis=0), int((known.sum(axis=1) - known.max(axis=1)).sum())
    unknown = int(covered.sum() - covered.max())  # mistakes without the column
    if np.any(2 * covered < np.bincount(y, minlength=classes)) or unknown < SUPPORT or wrong > 0.005 * unknown:
        return ""
    return f"{len(known)} levels, {wrong} of {int(covered.sum())} rows against the label of their level"


def _sorts(values: np.ndarray, y: np.ndarray, classes: int) -> str:
    """More than two classes: whether rows in the order of the column are in the order of the label."""
    shares = np.bincount(y, minlength=classes) / max(1, len(y))
    by_chance = len(y) * float(1 - np.sum(shares**2))
    changes = _changes(y[np.lexsort((np.random.default_rng(0).random(len(y)), values))])  # equal values in no order
    if min(shares) * len(y) < SUPPORT or changes > classes - 1 + 0.005 * by_chance:
        return ""
    return f"in its order the label changes {changes} times in {len(y)} rows"


# Columns that name things -------------------------------------------------------------------------------------------


def naming(task: Problem, split: Split | None = None) -> Iterator[tuple[str, str]]:
    """(column, sentence) of columns that name things instead of describing them."""
    grouped = split is not None and split.groups is not None
    for column in task.features.columns:
        codes = _as_codes(column)
        if codes is None:
            continue
        levels, times = np.unique(codes[codes >= 0], return_counts=True)
        if len(levels) < 20:
            continue
        pure = _one_label(codes, task.y, ordered=isinstance(column, Number))
        if pure:
            what = f"has {len(levels)} values, {pure}"
        elif NAMED.search(column.name):
            what = f"has {len(levels)} values in {int(times.sum())} rows and is named like an identifier"
        elif isinstance(column, Category) and len(levels) > max(FINE, times.sum() / 2):
            what = f"has {len(levels)} different values in {int(times.sum())} rows, like an identifier"
        else:
            continue
        do = (
            "Leave it out; the groups are known already."
            if grouped
            else f"Leave it out; if rows with the same value belong together, name it with --group {column.name!r}."
        )
        yield (
            column.name,
            f"column {column.name!r} {what}: a model can learn its rows by heart, which looks like skill where the same value"
            f" is learned and held out. {do}",
        )


def _as_codes(column: object) -> np.ndarray | None:
    """int64 [rows], -1 where missing, of a category or of whole numbers that repeat."""
    if isinstance(column, Category):
        return column.codes
    if not isinstance(column, Number):
        return None
    known = column.values[~np.isnan(column.values)]
    head = known[:1000]
    if not len(known) or np.any(head != np.floor(head)) or np.any(known != np.floor(known)):
        return None
    codes = np.full(len(column.values), -1)
    _, codes[~np.isnan(column.values)] = np.unique(known, return_inverse=True)
    return codes


def _one_label(codes: np.ndarray, y: np.ndarray, *, ordered: bool) -> str:
    """Whether the values that hold a row of the rarest class, and others besides, hold that class only.

    Whole numbers may also predict the label; then neighbouring numbers have the same one, which names do not.
    """
    rare = int(np.bincount(y).argmin())
    known = codes >= 0
    size = np.bincount(codes[known], minlength=1)
    of_rare = np.bincount(codes[known], weights=y[known] == rare, minlength=len(size))
    repeated = (size >= 2) & (of_rare > 0)
    pure = repeated & (of_rare == size)
    if repeated.sum() < SUPPORT or pure.sum() < PURE * repeated.sum():
        return ""
    share = float(np.sum(y == rare) / len(y))
    if np.sum(share ** (size[repeated] - 1.0)) > 0.5 * repeated.sum():  # common by chance
        return ""
    if ordered:
        seen = of_rare[size > 0] > 0
        q = float(seen.mean())
        if _changes(seen) < 0.5 * 2 * q * (1 - q) * (len(seen) - 1):
            return ""
    return f"and the {int(pure.sum())} of them that hold two rows or more of the rarest class hold no other"


# Order and place ----------------------------------------------------------------------------------------------------


def drifting(task: Problem, split: Split | None = None) -> list[str]:
    """A share of a class that rises or falls along the rows, or along a column of dates; and rows sorted by label."""
    y, n = task.y, len(task.y)
    sentences = []
    shares = np.bincount(y) / n
    by_chance = (n - 1) * float(1 - np.sum(shares**2))
    changes = _changes(y)
    together = split is not None and (split.groups is not None or split.order is not None)
    if by_chance >= 20 and task.classes - 1 < changes <= ORDERED * by_chance:
        if not together:
            sentences.append(
                f"the label comes in runs: it changes {changes} times in {n} rows where chance would change it {by_chance:.0f} times."
                " Rows of one run are no independent evidence, and shuffled folds learn one from another: if rows follow each other in"
                " time, name the column that says so with --time; if they belong together, with --group."
            )
    elif by_chance >= 20 and changes <= task.classes - 1:
        sentences.append(
            f"the rows are sorted by the label: it changes {changes} times in {n} rows where chance would change it"
            f" {by_chance:.0f} times. Shuffled folds do not mind, but the order of the rows says nothing about time; do not"
            " number them for --time."
        )
    elif sentence := _trend(y, np.arange(n), task):
        sentences.append(
            f"{sentence} from the first tenth of the rows to the last. If the rows are in order of time, name the column that"
            " says so with --time: shuffled folds learn from the future, and a threshold for today's share will not fit."
        )
    if split is not None and split.order is not None:
        sentence = _trend(y, split.order, task)
        return (
            [f"{sentence} over time. Each block is judged with thresholds of the past; expect the next to differ too."]
            if sentence
            else []
        )
    for column in task.features.columns:
        if isinstance(column, Number) and _is_date(column) and (sentence := _trend(y, column.values, task)):
            sentences.append(
                f"{sentence} along column {column.name!r}. If that is when the rows came about, give --time {column.name!r}:"
                " shuffled folds learn from the future."
            )
    return sentences


def _is_date(column: Number) -> bool:
    return column.dated or DATED.search(column.name) is not None


def _trend(y: np.ndarray, along: np.ndarray, task: Problem) -> str:
    """Cochran-Armitage over ten stretches, for the class that drifts most; "" unless it is clear and large.

    Neighbours with the same label (visits of one patient) are fewer than they look: the statistic is divided by how much
    rarer the label changes than by chance.
    """
    from scipy.special import ndtr

    known = ~np.isnan(along) if along.dtype.kind == "f" else np.ones(len(y), dtype=bool)
    order = np.flatnonzero(known)[np.argsort(along[known], kind="stable")]
    ordered = y[order]
    n = len(ordered)
    if n < 20 * STRETCHES or len(np.unique(along[order[:: max(1, n // 1000)]])) < STRETCHES:
        return ""
    stretch = np.arange(n) * STRETCHES // n
    size = np.bincount(stretch, minlength=STRETCHES)
    centred = np.arange(STRETCHES) - (np.arange(STRETCHES) * size).sum() / n
    best, sentence = LEVEL / task.classes, ""
    for c in range(task.classes):
        hits = np.bincount(stretch, weights=ordered == c, minlength=STRETCHES)
        p = hits.sum() / n
        if hits.sum() < 3 * SUPPORT or (task.classes == 2 and c == 0):
            continue
        z = (centred * hits).sum() / np.sqrt(p * (1 - p) * (centred**2 * size).sum())
        z *= np.sqrt(min(1.0, _changes(ordered == c) / (2 * p * (1 - p) * (n - 1))))
        chance = 2 * float(ndtr(-abs(z)))
        share = hits / size
        early, late = share[:3].mean(), share[-3:].mean()
        rho = np.corrcoef(np.argsort(np.argsort(share, kind="stable")), np.arange(STRETCHES))[0, 1]
        ratio = max(early, late) / max(min(early, late), 0.5 / n)
        if chance < best and abs(rho) >= 0.7 and ratio >= EFFECT:
            best = chance
            sentence = (
                f"the share of class {task.counts.classes[c]!r} goes from {_percent(share[0])} to {_percent(share[-1])}"
            )
    return sentence


def from_one(task: Problem) -> Iterator[tuple[str, str]]:
    """(column, sentence) where all rows of a class have the same one of many levels, and others have it too."""
    n, per_class = len(task.y), np.bincount(task.y, minlength=task.classes)
    for column in task.features.columns:
        if not isinstance(column, Category) or len(column.levels) < 5:
            continue
        for c in range(task.classes):
            level = np.unique(column.codes[task.y == c][: 10 * SUPPORT])
            if len(level) != 1 or level[0] < 0 or per_class[c] < 2 * SUPPORT:
                continue
            there = column.codes == level[0]
            share = float(there.sum() / n)
            if share <= 0.5 and np.all(there[task.y == c]) and share ** per_class[c] < 1e-6:
                yield (
                    column.name,
                    f"all {per_class[c]} rows of class {task.counts.classes[c]!r} have {column.name} ="
                    f" {column.levels[level[0]]!r}, as {_percent(share)} of all rows have: a model may learn the place instead of"
                    " the thing. Bring rows of that class from elsewhere, or leave the column out.",
                )
                break


# Words and small help -----------------------------------------------------------------------------------------------


def _sample(y: np.ndarray) -> np.ndarray:
    """Row numbers: all, or of each class alike."""
    if len(y) <= SAMPLE:
        return np.arange(len(y))
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(y == c) for c in range(int(y.max()) + 1)]
    most = SAMPLE // len(members)
    return np.concatenate([m if len(m) <= most else m[rng.integers(0, len(m), most)] for m in members])


def _changes(labels: np.ndarray) -> int:
    return int(np.sum(labels[1:] != labels[:-1]))


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"
