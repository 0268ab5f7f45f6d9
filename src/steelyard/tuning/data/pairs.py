"""X and y in memory, as scikit-learn takes them, become one table."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ...data.cells import from_arrow
from ...data.tables import Table
from ...given import same_rows
from .problem import as_table

ROLES = ("group", "time", "weight")


def together(X: Any, y: Any, roles: dict[str, Any]) -> tuple[Table, str, dict[str, Any]]:
    """(the table, the name of its label, {role: the name of its column, or None}).

    X      [rows, p]: an array or tensor, whose columns are called x0, x1, ..., a DataFrame, an Arrow table, a path or a Table
    y      [rows]: its name is the label's, if it has one
    roles  {"group", "time", "weight": the name of a column of X, or values [rows]}

    ValueError where the rows do not fit together.
    """
    given = {role: values for role, values in roles.items() if not isinstance(values, str | int)}
    same_rows("tune", X=X, y=y, **given)
    table = table_of(X)
    columns, names = dict(table.columns), dict.fromkeys(roles)

    def add(values: Any, what: str) -> str:
        name = getattr(values, "name", None)
        name = name if isinstance(name, str) and name else what
        while name in columns:
            name += "_"
        column = from_arrow(_column(values, what))
        if column is None or len(column.values) != table.rows:
            held = "no column of single values" if column is None else f"{len(column.values)} values"
            raise ValueError(f"tune: {what} has {held} for the {table.rows} rows of X; one for each row is needed.")
        columns[name] = column
        return name

    label = add(y, "y")
    for role, values in roles.items():
        one = values is None or isinstance(values, str | int)
        names[role] = (None if values is None else table.resolve(values)) if one else add(values, role)
    return dataclasses.replace(table, columns=columns), label, names


def table_of(X: Any, names: Sequence[str] | None = None) -> Table:
    """X as a table; `names` are those of the columns of an array. ValueError where it has others, or no columns at all."""
    if isinstance(X, torch.Tensor):
        X = X.detach().cpu().numpy()
    if hasattr(X, "tocsr"):
        raise ValueError(
            "tune: X is a sparse matrix; give its columns as a DataFrame, or your own function and data=(X, y)."
        )
    if isinstance(X, list | tuple):
        X = np.asarray(X)
    if not isinstance(X, np.ndarray):
        return as_table(X)
    if X.ndim != 2:
        raise ValueError(f"tune: X has the shape {X.shape}, but rows and columns are needed: [rows, p].")
    import pyarrow as pa

    names = [f"x{i}" for i in range(X.shape[1])] if names is None else list(names)
    if len(names) != X.shape[1]:
        raise ValueError(
            f"model: an array of shape {X.shape} does not have the {len(names)} columns of the study; give a table with their names."
        )
    columns = (_column(column, f"column {i} of X") for i, column in enumerate(X.T))
    table = as_table(pa.table(dict(zip(names, columns, strict=True))))
    return dataclasses.replace(table, path="X")


def _column(values: Any, what: str) -> Any:
    import pyarrow as pa

    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise ValueError(f"tune: {what} has the shape {values.shape}; one value for each row is needed.")
    if isinstance(values, np.ndarray) and values.dtype.kind == "O":
        values = values.tolist()
    try:
        array = (
            pa.chunked_array(values) if hasattr(values, "__arrow_c_stream__") else pa.array(values, from_pandas=True)
        )
    except (pa.ArrowException, TypeError, ValueError) as error:
        message = " ".join(str(error).split())
        raise ValueError(f"tune: {what} cannot be read as a column ({message}); use one kind of value.") from None
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
