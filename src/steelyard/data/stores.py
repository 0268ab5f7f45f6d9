"""One Arrow table from whatever holds columns in memory: pandas, polars, Arrow, Hugging Face, dictionaries, structured arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import arrays
from .frames import class_names, in_batches, is_dataset
from .labels import some
from .pandas_types import plain_frame, unique
from .tally import arrow

PLAIN = (str, bytes)


def holds_columns(data: Any) -> bool:
    """Whether `arrow_table` takes it."""
    return (
        is_dataset(data)
        or (
            hasattr(data, "__arrow_c_stream__") and not hasattr(data, "dtype") and not hasattr(data, "type")
        )  # a Series is one column
        or is_lazy(data)
        or is_structured(data)
        or (isinstance(data, Mapping) and bool(data) and all(map(_is_column, data.values())))
    )


def is_lazy(data: Any) -> bool:
    """A LazyFrame of polars."""
    return hasattr(data, "collect") and hasattr(data, "collect_schema")


def is_structured(data: Any) -> bool:
    """A structured array of numpy: one record for each row."""
    return isinstance(data, np.ndarray) and data.dtype.names is not None and data.ndim == 1


def refuse_splits(data: Any, command: str) -> None:
    """ValueError for a dictionary of datasets, with what to write."""
    if isinstance(data, Mapping) and data and all(map(is_dataset, data.values())):
        first = next(iter(data))
        raise ValueError(
            f"{command}: the data has splits; choose one, such as data[{first!r}] of {some(list(map(str, data)))}."
        )


def arrow_table(data: Any, command: str) -> Any:
    """The pyarrow.Table. A ClassLabel becomes an ordered category of its names, in which -1 is missing. ValueError where a column
    holds several kinds or the columns differ in length."""
    pa, _ = arrow()
    refuse_splits(data, command)
    if is_lazy(data):
        data = data.collect()
    kind = type(data).__name__
    if hasattr(data, "iloc"):
        unique(list(data.columns), f"{command}: the {kind}")
    if is_dataset(data):
        return _of_dataset(data, command)
    try:
        if is_structured(data):
            return pa.table({name: pa.array(data[name]) for name in data.dtype.names})
        if isinstance(data, Mapping):
            return pa.table({str(name): _as_array(column) for name, column in data.items()})
        return pa.table(plain_frame(data))
    except (pa.ArrowException, TypeError, ValueError) as error:
        message = " ".join(str(error).split())
        raise ValueError(f"{command}: the {kind} holds a column of mixed kinds ({message}); use one kind.") from None


def _of_dataset(data: Any, command: str) -> Any:
    pa, _ = arrow()
    names = list(data.column_names or next(iter(data), {}))
    tables = list(in_batches(data, names))
    if not tables:
        raise ValueError(f"{command}: the dataset has no rows.")
    table = pa.concat_tables(tables)
    for at, name in enumerate(table.column_names):
        known = class_names(data, name)
        if known is not None and pa.types.is_integer(table[name].type):
            table = table.set_column(at, name, _named(table[name], known))
    return table


def _named(column: Any, known: list[str]) -> Any:
    """Numbers of classes as an ordered category."""
    pa, pc = arrow()
    codes = pc.cast(pc.if_else(pc.less(column, 0), pa.scalar(None, column.type), column), pa.int32()).combine_chunks()
    return pa.DictionaryArray.from_arrays(codes, pa.array(known, pa.string()), ordered=True)


def _is_column(value: Any) -> bool:
    return not isinstance(value, PLAIN) and hasattr(value, "__len__") and not isinstance(value, (Mapping, set))


def _as_array(column: Any) -> Any:
    pa, _ = arrow()
    if hasattr(column, "__arrow_c_stream__"):
        return pa.chunked_array(column)
    return pa.array(arrays.as_array(column) if hasattr(column, "detach") else column)
