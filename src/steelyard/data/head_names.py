"""Names of columns, from the lines above the first row or from a comment; columns of row names, which are not read."""

import re
from collections.abc import Sequence

from .head_lines import bare, is_merged, is_number, may_be_header, second_line, short

UNNAMED = re.compile(r"|Unnamed: \d+(\.\d+)*|\.\.\.1|row\.?names|__index_level_\d+__")


def names_in_comment(comment: str, delimiter: str, width: int) -> list[str] | None:
    cells = [c.strip() for c in comment.split(delimiter)]
    if width > 1 and len(cells) != width:
        cells = comment.split()
    return cells if width > 1 and len(cells) == width and not any(is_number(c, delimiter) for c in cells) else None


def names_above(
    above: list[Sequence[str]], below: Sequence[Sequence[str]], width: int, numeric: frozenset[int], notes: list[str]
) -> tuple[list[str], int]:
    """(names, lines above them)."""
    rows = [*above, *below[:200]]
    last = above[-1]
    if len(above) > 2 and sum(bool(c.strip()) for c in last) == 1 and last[0].strip() and len(last) == width:
        upper = above[-2]  # pandas writes the name of the index on a line of its own
        if len(upper) == width and not upper[0].strip():
            above = [*above[:-2], [last[0], *upper[1:]]]
            last = above[-1]
    if (
        len(above) > 1
        and may_be_header(above[-2], width)
        and (not numeric or second_line(rows, len(above) - 1, width, numeric))
    ):
        upper = above[-2]
        if numeric and len(upper) == width:
            if not is_merged(upper, last):
                notes.append(
                    f"the line below the header was left out as units ({short(', '.join(c for c in last if c.strip()))})"
                )
                return list(upper), len(above) - 2
            filled, names = "", []
            for cell, under in zip(upper, last, strict=True):
                filled = bare(cell) or filled
                names.append(" ".join(dict.fromkeys(part for part in (filled, bare(under)) if part)))
            notes.append("the header has two lines; each name joins both")
            return names, len(above) - 2
    return list(last), len(above) - 1


def fitted(
    names: list[str], data: Sequence[Sequence[str]], width: int, where: str, notes: list[str]
) -> tuple[list[str | None], dict[int, str]]:
    """(a name for each cell of a row, None for those that are not read; why they are not)."""
    whole = [r for r in data if len(r) == width]
    empty_last = width > 1 and bool(whole) and all(not r[-1].strip() for r in whole)
    unused: dict[int, str] = {}
    cells_named: list[str | None] = list(names)
    if len(names) == width + 1 and not names[-1].strip():
        cells_named.pop()
        notes.append("the header ends with a separator")
    elif len(names) == width - 1 and empty_last:
        unused[width - 1] = "the lines end with a separator"
        cells_named.append(None)
        notes.append("the lines end with a separator")
    elif len(names) == width - 1 and whole and _are_row_names([r[0] for r in whole]):
        unused[0] = "row names"
        cells_named.insert(0, None)
        notes.append(
            "the header has one name less than the rows have cells, so the first column holds row names; it is not used and not"
            " numbered (to use it, give it a name)"
        )
    elif len(names) != width and data:
        raise ValueError(
            f"{where}: the header has {len(names)} {'name' if len(names) == 1 else 'names'} but the rows below have {width}"
            f" cells ({short(' '.join(names))} above {short(' '.join(data[0]))}). Give each column one name."
        )
    elif empty_last and not names[-1].strip():
        unused[width - 1] = "the lines end with a separator"
        cells_named[-1] = None
        notes.append("the lines end with a separator")
    for i, name in enumerate(cells_named):
        if name is None or width == 1 or not UNNAMED.fullmatch(bare(name)):
            continue
        cells = [bare(r[i]) for r in whole]
        counts = cells in ([str(j + start) for j in range(len(cells))] for start in (0, 1))
        if (i == 0 or name.strip()) and (
            counts or (i == 0 and len(cells) > 1 and len(set(cells)) == len(cells) and all(cells))
        ):
            unused[i] = "row names"
            cells_named[i] = None
            called = f"column {i + 1} ({bare(name)!r})" if bare(name) else "the first column, which has no name,"
            notes.append(f"{called} holds row names; it is not used and not numbered (to use it, give it a name)")
    if all(n is None for n in cells_named):
        return list(names), {}
    return cells_named, unused


def _are_row_names(cells: list[str]) -> bool:
    """All different, and none the half of a cell that holds the separator."""
    return len(set(cells)) == len(cells) and not any(
        c.strip()[:1] in ("“", "„", "«", "'") or c.endswith("\\") for c in cells
    )
