"""What mistakes cost, as a matrix: rows are the truth, columns the decision."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..given import named_in_order
from ..table import as_numpy

Matrix = tuple[tuple[float, ...], ...]


def net(matrix: Any, classes: int, names: Sequence[str] | None = None, *, who: str = "tune") -> Matrix:
    """The cost of each decision over that of the right one: matrix[y, c] - matrix[y, y], so that the diagonal is 0.

    What a right decision costs is paid by every rule alike; taking it away changes no difference and no best decision.

    matrix   numbers [C, C]; gains may be given as negative costs
    ValueError for another shape, entries that are not finite, a right decision that costs more than a wrong one, and a
    matrix in which no mistake costs anything.
    """
    try:
        table = as_numpy(matrix)
    except (TypeError, ValueError):
        raise ValueError(f"{who}: the cost matrix must be numbers, got {matrix!r}.") from None
    labels = [str(n) for n in names] if names is not None else [str(c) for c in range(classes)]
    if table.shape != (classes, classes):
        raise ValueError(
            f"{who}: the cost matrix must be {classes} x {classes}, one row per true class and one column per decision"
            f" ({', '.join(labels)}), got shape {list(table.shape)}."
        )
    if not np.isfinite(table).all():
        y, c = np.argwhere(~np.isfinite(table))[0]
        raise ValueError(f"{who}: the cost of deciding {labels[c]} for {labels[y]} is {table[y, c]}, not a number.")
    over = table - np.diagonal(table)[:, None]
    if (over < 0).any():
        y, c = np.argwhere(over < 0)[0]
        raise ValueError(
            f"{who}: the cost matrix asks for a mistake: where {labels[y]} is true, deciding {labels[c]} costs"
            f" {table[y, c]:g} (row {y + 1}, column {c + 1}) and the right decision {table[y, y]:g}. Rows are the truth and"
            " columns the decision; is it transposed?"
        )
    if not over.any():
        raise ValueError(f"{who}: in the cost matrix no mistake costs more than the right decision.")
    return tuple(tuple(row) for row in over.tolist())


def read(matrix: Any, classes: Sequence[str], *, who: str = "tune") -> Any:
    """Numbers [C, C] in the order of `classes`, of text as `parse_matrix` reads it, or by the names that a DataFrame has."""
    if isinstance(matrix, str):
        return parse_matrix(matrix, classes, who=who)
    return named_in_order(f"{who}: the cost matrix", matrix, classes)


def by_place(matrix: Any, classes: Sequence[str], *, who: str = "tune") -> bool:
    """Whether another order of the classes would be another matrix: it names none, and is not the same both ways round."""
    here, there = (np.asarray(read(matrix, order, who=who)) for order in (classes, classes[::-1]))
    return here.ndim == 2 and not np.array_equal(here, there[::-1, ::-1])


def of_two(matrix: Matrix, names: Sequence[str] | None = None, *, who: str = "tune") -> tuple[float, float]:
    """(cost_fn, cost_fp) of a net 2 x 2 matrix: one number per mistake is all that two classes have."""
    missed, false = matrix[1][0], matrix[0][1]
    if not (missed > 0 and false > 0):
        free = names[1 if missed <= 0 else 0] if names is not None else ("1" if missed <= 0 else "0")
        raise ValueError(
            f"{who}: in the cost matrix a mistake where {free} is true costs no more than the right decision, so always"
            " deciding the other class is free; give both mistakes a cost."
        )
    return missed, false


def cheapest(p: np.ndarray, matrix: Matrix) -> np.ndarray:
    """argmin over c of sum_y p_y M[y, c], [rows], for p [rows, C] that need not sum to 1."""
    return np.argmin(p @ np.asarray(matrix, dtype=p.dtype), axis=1)


def parse_matrix(text: str, classes: Sequence[str], *, who: str = "tune") -> np.ndarray:
    """A cost matrix [C, C] in the order of `classes` from "0,1;5,0" (rows by ";" or by line), or from a file's text.

    A header names the decisions, a first cell of each row the truth; with names any order will do, without them it is that
    of `classes`. Cells are separated by commas, tabs, in files of several lines semicolons, or else by blanks; lines drawn
    of dashes are skipped. ValueError that says which cell, row or name is wrong.

    >>> parse_matrix(",bad,good\\nbad,0,5\\ngood,1,0", ["good", "bad"]).tolist()
    [[0.0, 1.0], [5.0, 0.0]]
    """
    rows = _cells(text)
    names = [str(c) for c in classes]
    C = len(names)
    if not rows:
        raise ValueError(f"{who}: the cost matrix is empty; write it as rows of numbers, such as 0,1;5,0.")
    headed = len(rows) == C + 1 and not _numbers(rows[0], names)
    labelled = all(len(row) == C + 1 for row in (rows[1:] if headed else rows)) and not _numbers(
        [row[0] for row in rows[headed:]], names
    )
    columns, body = list(range(C)), rows[headed:]
    if headed:
        header = rows[0][1:] if len(rows[0]) == C + 1 else rows[0]
        columns = _order(header, names, "header", who)
    order = list(range(C))
    if labelled:
        order = _order([row[0] for row in body], names, "first column", who)
        body = [row[1:] for row in body]
    lengths = sorted({len(row) for row in body})
    if len(body) != C or lengths != [C]:
        raise ValueError(
            f"{who}: the cost matrix must have {C} rows of {C} numbers, one per class ({', '.join(names)}); got"
            f" {len(body)} rows of {' or '.join(map(str, lengths))}."
        )
    out = np.empty((C, C))
    for i, row in enumerate(body):
        for j, cell in enumerate(row):
            try:
                out[order[i], columns[j]] = float(cell)
            except ValueError:
                raise ValueError(
                    f"{who}: the cost matrix has {cell!r} in row {i + 1}, column {j + 1}, where a number belongs."
                ) from None
    return out


def _cells(text: str) -> list[list[str]]:
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip(" \t-+|")]
    if len(lines) == 1 and ";" in lines[0]:
        lines = [part for part in lines[0].split(";") if part.strip()]
    mark = next((m for m in ("\t", ",", ";") if any(m in line for line in lines)), None)
    if mark is None:
        return [line.split() for line in lines]
    return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=mark)]


def _numbers(cells: Sequence[str], names: Sequence[str]) -> bool:
    """Whether these are costs rather than names: classes may be called 1 and 2."""
    if sorted(cell for cell in cells if cell in names) == sorted(names):
        return False
    try:
        return bool([float(cell) for cell in cells])
    except ValueError:
        return False


def _order(cells: Sequence[str], names: Sequence[str], where: str, who: str) -> list[int]:
    if sorted(cells) != sorted(names):
        unknown = [cell for cell in cells if cell not in names]
        missing = [name for name in names if name not in cells]
        says = f"unknown: {', '.join(unknown)}" if unknown else f"missing: {', '.join(missing)}"
        raise ValueError(
            f"{who}: the {where} of the cost matrix must name the classes {', '.join(names)}, each once; {says}."
        )
    return [names.index(cell) for cell in cells]
