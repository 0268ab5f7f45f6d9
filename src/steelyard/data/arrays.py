"""Labels in memory: lists, numpy arrays, tensors, Series. Nothing here imports a framework."""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

from ..cluster import cores
from ..core import load
from . import labels
from .tally import tally, tally_integers

OBJECTS = 1 << 12  # different ones in a list, before they are counted by what they say


def as_array(data: Any) -> np.ndarray:
    """numpy, from an array, a tensor on any device, a Series or a (nested) list. ValueError for anything else."""
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        raise ValueError("count: the array is masked; pass data.compressed() to count what is not masked.")
    if isinstance(data, np.ndarray):
        return data
    if hasattr(data, "detach"):
        data = data.detach().cpu()
        try:
            return data.numpy()
        except TypeError:  # numpy has no bfloat16
            return data.float().numpy()
    if hasattr(data, "to_numpy"):
        return np.asarray(_chunks_to_numpy(data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _from_sequence(data)
    if hasattr(data, "__array__"):
        return np.asarray(data)
    raise ValueError(
        f"count: cannot count {type(data).__name__} {str(data)[:60]!r}. Give labels in a list, array, tensor or Series,"
        " a table with label=, a path to CSV or Parquet with label=, or a DataLoader with key=."
    )


def tally_labels(data: Any) -> tuple[dict[Any, int], bool]:
    """({label: how often}, whether the labels are integers, so logit indices). Every element counts."""
    texts = _text_series(data)
    if texts is not None:
        return texts, False
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        tallied = _tally_list(data)
        if tallied is not None:
            return tallied
    array = as_array(data)
    if array.ndim == 0:
        raise ValueError(f"count: got one value, {array[()]!r}; give a list or an array of labels.")
    flat = array.ravel()
    if flat.dtype.kind == "f":
        return _tally_floats(flat), True
    if flat.dtype.kind in "iu":
        return tally_integers(flat, cores()), True
    if flat.dtype.kind == "b":
        true = int(np.count_nonzero(flat))
        return {value: n for value, n in ((False, len(flat) - true), (True, true)) if n}, False
    if flat.dtype.kind == "c":
        raise ValueError("count: complex numbers are not labels.")
    listed = _tally_list(flat.tolist())
    if listed is None:
        raise ValueError("count: the labels must be numbers, text or booleans, but the array holds arrays or lists.")
    return listed


def _tally_floats(flat: np.ndarray) -> dict[Any, int]:
    missing = int(np.count_nonzero(np.isnan(flat)))
    kept = flat[~np.isnan(flat)] if missing else flat
    odd = kept != np.floor(kept)
    if odd.any() or not np.isfinite(kept).all():
        example = kept[odd][0] if odd.any() else kept[~np.isfinite(kept)][0]
        raise ValueError(
            f"count: the labels look continuous: {float(example):g} is not a whole number. Give class labels, or cut the"
            " numbers into classes first (np.digitize). Predicted scores? Count the labels instead."
        )
    if len(kept) and float(np.abs(kept).max()) >= 2.0**63:
        raise ValueError(f"count: the label {float(np.abs(kept).max()):g} is too large to be a class.")
    times: dict[Any, int] = tally_integers(kept.astype(np.int64))
    return {**times, None: missing} if missing else times


def _tally_list(data: Sequence[Any]) -> tuple[dict[Any, int], bool] | None:
    """Tally hashable labels of one kind; None where numpy has to look."""
    seen = _by_identity(data)
    kinds = {k for k in set(map(type, data if seen is None else (v for v, _ in seen))) if k is not type(None)}
    if any(hasattr(k, "detach") or issubclass(k, (np.generic, np.ndarray, list, tuple)) for k in kinds):
        return None
    texts, truths = {k for k in kinds if issubclass(k, (str, bytes))}, kinds & {bool}
    integers = {k for k in kinds if issubclass(k, int)} - truths
    floats = {k for k in kinds if issubclass(k, float)}
    strange = kinds - texts - truths - integers - floats
    if any(not issubclass(k, (datetime.date, datetime.timedelta)) and k.__name__ != "NAType" for k in strange):
        raise ValueError(
            f"count: {next(iter(strange)).__name__} objects are not labels; give numbers, text or booleans."
        )
    if kinds and kinds <= floats | integers and floats:
        return _tally_floats(np.array([np.nan if v is None else v for v in data], dtype=np.float64)), True
    nan = floats if texts or truths else set()  # pandas marks a missing text by NaN
    times: dict[Any, int] = dict(Counter(data)) if seen is None else {}
    for value, n in seen or ():
        times[value] = times.get(value, 0) + n
    if nan:
        numbers = [v for v in times if isinstance(v, float) and not labels.is_missing(v)]
        if numbers:
            raise ValueError(
                f"count: the labels mix text or booleans with numbers such as {numbers[0]!r}; use one kind."
            )
    if sum(bool(k) for k in (texts, truths, integers)) > 1:
        mixed = ", ".join(sorted(k.__name__ for k in kinds))
        raise ValueError(f"count: the labels are of mixed kinds ({mixed}); use one kind, such as text for all.")
    return times, bool(integers) and kinds <= integers


def _by_identity(data: Sequence[Any]) -> list[tuple[Any, int]] | None:
    """[(object, how often)], or None where most labels are objects of their own, as text is that was read one by one."""
    kernel = load()
    return kernel.tally_objects(data, OBJECTS) if kernel is not None and type(data) is list else None


def _text_series(data: Any) -> dict[Any, int] | None:
    """Text behind the Arrow interface is counted there, by dictionary codes, if pyarrow is installed."""
    if not (hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")):
        return None
    try:
        import pyarrow as pa
    except ModuleNotFoundError:
        return None
    try:
        array = pa.chunked_array(data) if hasattr(data, "__arrow_c_stream__") else pa.array(data)
    except (pa.ArrowException, TypeError, ValueError):
        return None
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if not any(test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)):
        return None
    times: Counter[Any] = Counter()
    for chunk in array.chunks if isinstance(array, pa.ChunkedArray) else [array]:
        times.update(tally(chunk))
    return dict(times)


def _chunks_to_numpy(data: Any) -> Any:
    try:
        return data.to_numpy(zero_copy_only=False)  # a pyarrow.Array copies only where it must
    except TypeError:
        return data.to_numpy()


def _from_sequence(data: Sequence[Any]) -> np.ndarray:
    if any(isinstance(v, (Mapping, Set)) for v in data[:1]):
        raise ValueError("count: a list of dictionaries or sets is not a list of labels; give one label per item.")
    try:
        rows = [as_array(v) if hasattr(v, "detach") else v for v in data]
        array = np.asarray(rows)
    except ValueError:
        raise ValueError(
            "count: the items of the list have different lengths. Give one label per item, or rows of 0 and 1 of one"
            " length (multi-label)."
        ) from None
    return array
