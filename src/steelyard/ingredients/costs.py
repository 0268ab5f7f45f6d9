"""What each mistake costs, as a matrix."""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np

from ..given import named_in_order, square, unnamed
from ..options import OneOf, ingredient
from ..recipe import Recipe
from ..table import as_numpy


@ingredient
def costs(
    matrix: Any,
    *,
    field: Annotated[str, OneOf("weight", "target", "offset")] = "weight",
    classes: Sequence[Any] | None = None,
) -> Recipe:
    """Turn matrix[y, c], the cost of answering c when y is true, into one field of the recipe.

    matrix    [C, C], C >= 2, no negative entries; a DataFrame says by its rows and columns which classes
    weight    [C]: w_y = sum over c != y of matrix[y, c]; the diagonal must be 0. Exact for two classes (the odds are
              weighed by the ratio of the costs), an average of what a mistake on y costs for more
    target    rows brought to sum 1: what each label asks for
    offset    log(matrix) inside the softmax (CoSen); every entry > 0, and only ratios within a row matter
    classes   names, in the order of the matrix

    No data is involved, so the weights are not at unit mass: `unit_mass(recipe, counts)` brings them there.

    Source: Elkan 2001, "The foundations of cost-sensitive learning", Theorem 1; offset: Khan et al. 2018, arXiv:1508.03422.

    >>> costs([[0, 1], [5, 0]], classes=["good", "bad"]).class_weight.tolist()  # a bad credit taken for good costs 5
    [1.0, 5.0]
    """
    if classes is None and (named := square(matrix, "costs")) is not None and not unnamed(matrix):
        classes = named[1]
    table = _square(matrix if classes is None else named_in_order("costs: matrix", matrix, [str(c) for c in classes]))
    names = [str(c) for c in classes] if classes is not None else [str(c) for c in range(len(table))]
    if len(names) != len(table):
        raise ValueError(f"costs: the matrix is for {len(table)} classes but {len(names)} names are given.")
    if field == "weight":
        return Recipe(weight=_weights(table, names), classes=classes)
    if field == "target":
        return Recipe(target=_rows(table, names), classes=classes, kind="exclusive")
    if np.any(table == 0):
        y, c = np.argwhere(table == 0)[0]
        raise ValueError(
            f"costs: an offset is the log of the matrix, and matrix[{names[y]}, {names[c]}] is 0;"
            " every entry must be > 0, the diagonal too (usually 1)."
        )
    return Recipe(offset=np.log(table), classes=classes, kind="exclusive")


def _square(matrix: Any) -> np.ndarray:
    try:
        table = as_numpy(matrix)
    except (TypeError, ValueError):
        raise ValueError(f"costs: matrix must be numbers [C, C], got {matrix!r}.") from None
    if table.ndim != 2 or table.shape[0] != table.shape[1] or len(table) < 2:
        raise ValueError(f"costs: matrix must be [C, C] with C >= 2, got shape {list(table.shape)}.")
    if not np.isfinite(table).all() or np.any(table < 0):
        raise ValueError(
            f"costs: matrix must hold finite numbers >= 0, got {table[~(np.isfinite(table) & (table >= 0))][0]:g};"
            " subtract the smallest entry of each row to make gains into costs."
        )
    return table


def _weights(table: np.ndarray, names: list[str]) -> np.ndarray:
    right = np.diagonal(table)
    if np.any(right != 0):
        y = int(np.flatnonzero(right)[0])
        raise ValueError(
            f"costs: a right answer on {names[y]} costs {right[y]:g}; a weight needs a diagonal of 0."
            " Subtract each row's diagonal from its row: the best decisions stay the same."
        )
    weight = table.sum(axis=1)
    if not weight.any():
        raise ValueError("costs: the matrix is all 0, so no mistake costs anything.")
    return weight


def _rows(table: np.ndarray, names: list[str]) -> np.ndarray:
    total = table.sum(axis=1, keepdims=True)
    if np.any(total == 0):
        raise ValueError(f"costs: the row of {names[int(np.argmin(total))]} is all 0, so it asks for nothing.")
    return table / total
