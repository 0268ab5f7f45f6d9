"""The column that says how much each row counts: survey and sampling weights, exposure, importance."""

from typing import Any

import numpy as np

from ...data.kinds import CATEGORY
from ...data.labels import some
from ...data.tables import Table
from ..weights import effective_rows

UNEVEN = 0.5  # of the rows: an effective number below this share is a warning


def weights_of(table: Table, name: str, *, rows: np.ndarray) -> np.ndarray:
    """float64 [rows] as given, not below 0 where `rows` says that they matter. ValueError for anything else."""
    where = f"{table.path}, column {name!r}"
    if table.kind(name) == CATEGORY or table.columns[name].dated:
        examples = some([str(v) for v in table.arrow(name).unique().slice(0, 3).to_pylist()])
        raise ValueError(f"tune: {where} cannot weigh rows: it holds {examples}. A weight is a number, 0 or larger.")
    values = np.asarray(table.column(name), dtype=np.float64)
    check(values, where, rows, table.columns[name].raw)
    return values


def given(weight: Any, rows: int) -> np.ndarray:
    """The same of an array, a tensor or a list beside data in memory."""
    if hasattr(weight, "detach"):
        weight = weight.detach().cpu().numpy()
    try:
        values = np.asarray(weight, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"tune: weight= must be one number per row, got {type(weight).__name__}.") from None
    if values.shape != (rows,):
        raise ValueError(f"tune: weight= must be one number per row, [{rows}], got shape {list(values.shape)}.")
    check(values, "weight=", np.ones(rows, dtype=bool))
    return values


def check(values: np.ndarray, where: str, rows: np.ndarray, cells: Any = None) -> None:
    """ValueError that names the first row whose weight means nothing, counted from 1, and how many there are.

    cells  what an Arrow store holds in these rows, to be quoted
    """
    for wrong, what, do in (
        (
            np.isnan(values),
            "no weight",
            "Write a number, 0 for a row that is to take no part, or leave these rows out.",
        ),
        (np.isinf(values), "an infinite weight", "Write how many others a row stands for."),
        (values < 0, "a weight below 0", "A weight says how many rows a row stands for; 0 leaves it out."),
    ):
        at = np.flatnonzero(wrong & rows)
        if len(at):
            cell = f"{values[at[0]]:g}" if cells is None else cells[int(at[0])].as_py()
            first = "" if cell is None or not str(cell).strip() else f" ({str(cell)[:30]})"
            others = f", as {len(at) - 1:,} more {'has' if len(at) == 2 else 'have'}" if len(at) > 1 else ""
            raise ValueError(f"tune: {where}: row {at[0] + 1:,} has {what}{first}{others}. {do}")
    if not np.any(values[rows] > 0):
        raise ValueError(f"tune: {where}: every weight is 0, so no row is left. Name the column that weighs the rows.")


def notes(weights: np.ndarray | None, name: str, zeros: int) -> tuple[list[str], list[str]]:
    """(notes, warnings) about `relative` weights of the rows that take part."""
    said = (
        [f"{zeros:,} {'row has' if zeros == 1 else 'rows have'} weight 0 in {name!r} and take no part"] if zeros else []
    )
    if weights is None:
        return [*said, f"all weights in {name!r} are equal, which is as good as none"], []
    n, rows = effective_rows(weights), len(weights)
    if n >= UNEVEN * rows:
        said.append(f"rows are weighted by {name!r}: {rows:,} rows vary as {n:,.0f} of equal weight would (Kish)")
        return said, []
    said.append(f"rows are weighted by {name!r}")
    uneven = (
        f"the weights in {name!r} differ so much that {rows:,} rows tell as little as {n:,.0f} of equal weight; the heaviest"
        f" counts as {weights.max() / weights.mean():,.0f} average rows. Cut the largest weights off if that is not meant."
    )
    return said, [uneven]
