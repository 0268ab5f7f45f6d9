"""What a column of a table is once it is read: numbers, booleans or names."""

from dataclasses import dataclass
from typing import Any

from .spelling import AS_IT_STANDS, Spelling
from .style import UNKNOWN, Style
from .tally import arrow

NUMBER, BOOLEAN, CATEGORY = "number", "boolean", "category"


@dataclass(frozen=True)
class Column:
    """Arrow values of one kind: "number" (int64 or float64), "boolean" or "category" (text), null where missing.

    raw      as the store holds it: what labels and groups are read from
    decimal  the decimal sign that may occur, where raw is text that nobody declared as text
    guess    what nothing in the column decides, and how it was read; "" if there is no such thing
    open     other columns of the table may decide otherwise
    unsure   why rows cannot be put in order by it; ""
    dated    whether the numbers are dates
    style    what it proves about the other columns of its table
    spelling  how its cells were read
    """

    values: Any  # pyarrow.ChunkedArray
    kind: str
    notes: tuple[str, ...] = ()
    raw: Any = None
    decimal: str | None = None
    guess: str = ""
    open: bool = False
    unsure: str = ""
    dated: bool = False
    style: Style = UNKNOWN
    spelling: Spelling = AS_IT_STANDS


def is_text(kind: Any) -> bool:
    pa, _ = arrow()
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def finite(values: Any) -> tuple[Any, tuple[str, ...]]:
    """NaN and infinite values become null; the infinite ones are mentioned."""
    pa, pc = arrow()
    if not pa.types.is_floating(values.type):
        return values, ()
    keep = pc.is_finite(values)
    infinite = pc.sum(pc.is_inf(values)).as_py() or 0
    values = pc.if_else(keep, values, pa.scalar(None, values.type))
    rows = "row" if infinite == 1 else "rows"
    return values, (f"{infinite} infinite {rows} (or beyond 1.8e308) read as missing",) if infinite else ()
