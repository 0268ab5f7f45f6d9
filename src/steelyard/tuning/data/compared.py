"""Which classes of a table are compared, and which of two is the positive one."""

from collections.abc import Sequence
from typing import Any

from ...counts import Counts
from ...data.labels import some, suggest
from ..split import PER_FOLD

SMALL = 2 * PER_FOLD  # with more than two classes, a class needs this many rows to be held out twice


def large_enough(counts: Counts, where: str, warnings: list[str]) -> list[int]:
    """Numbers of the classes with rows enough; what is left out is added to the warnings."""
    n = counts.per_class
    if len(n) == 2:
        return [0, 1]
    small = [i for i in range(len(n)) if n[i] < SMALL]
    if small:
        named = some([f"{counts.classes[i]} ({n[i]})" for i in small])
        warnings.append(
            f"{len(small)} {'class is' if len(small) == 1 else 'classes are'} too small to be learned and checked in turn"
            f" and left out with {int(n[small].sum())} rows: {named}. A class needs {SMALL} rows; merge it with another"
            " to keep it."
        )
    keep = [i for i in range(len(n)) if n[i] >= SMALL]
    if len(keep) < 2:
        raise ValueError(
            f"tune: {where}: fewer than two classes have {SMALL} rows or more"
            f" ({some([f'{c} ({m})' for c, m in zip(counts.classes, n.tolist(), strict=True)])}). Merge classes or bring more rows."
        )
    return keep


def negative_first(keep: Sequence[int], counts: Counts, positive: Any, where: str) -> list[int]:
    """(negative, positive) for two classes: the rarer, by weight where rows are weighted, is positive unless said otherwise; more keep
    their order."""
    if len(keep) > 2:
        if positive is not None:
            raise ValueError(
                f"tune: {where} has {len(keep)} classes, so none is the positive one; leave positive out, or make a"
                " column that says yes or no."
            )
        return list(keep)
    a, b = keep
    names = counts.classes[a], counts.classes[b]
    if positive is None:
        return [b, a] if counts.per_class[a] < counts.per_class[b] else [a, b]
    if str(positive) not in names:
        hint = suggest(str(positive), names)
        raise ValueError(f"tune: {where} has no class {str(positive)!r}.{hint} The classes are {some(names)}.")
    return [b, a] if str(positive) == names[0] else [a, b]
