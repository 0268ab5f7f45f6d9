"""How often each value occurs in an Arrow array, and the one place that imports pyarrow."""

import re
from collections import Counter
from collections.abc import Sized
from types import ModuleType
from typing import Any

import numpy as np

from ..core import load

DISTINCT = 1_000_000
DENSE = 1 << 20  # the widest range that is counted by a table
FEW = 1 << 12
_FRACTION = re.compile(r"\.([0-9]*?)0*(?=$|[Z+-])")


def pyarrow() -> ModuleType:
    """pyarrow, or an ImportError that says how to get it."""
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.csv
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise ImportError("reading tables needs pyarrow: pip install 'steelyard[tables]'.") from None
    return pyarrow


def arrow() -> tuple[ModuleType, Any]:
    """pyarrow and pyarrow.compute, whose functions are made at import and so unknown to type checkers."""
    pa = pyarrow()
    return pa, pa.compute


def tally(array: Any) -> dict[Any, int]:
    """How often each value occurs in an Arrow array; None counts the missing ones."""
    pa = pyarrow()
    if pa.types.is_dictionary(array.type):
        codes = array.indices
        numbers = codes.drop_null().to_numpy(zero_copy_only=False)
        times = count_codes(numbers, len(array.dictionary))
        if times is None:
            raise pa.ArrowInvalid("a code lies outside its dictionary")
        tallied: Counter[Any] = Counter()
        for value, n in zip(values_of(array.dictionary), times.tolist(), strict=True):
            tallied[value] += n  # two levels may say the same
        tallied[None] += codes.null_count
        return dict(+tallied)
    if pa.types.is_integer(array.type):
        missing = {None: array.null_count} if array.null_count else {}
        return {**tally_integers(array.drop_null().to_numpy(zero_copy_only=False)), **missing}
    pairs = pa.compute.value_counts(without_views(array))
    return dict(zip(values_of(pairs.field("values")), pairs.field("counts").to_pylist(), strict=True))


def without_views(array: Any) -> Any:
    """Text, bytes and their dictionaries in the layout that every function of Arrow takes; polars has another."""
    pa, pc = arrow()
    if isinstance(array, pa.ChunkedArray):
        chunks = [without_views(chunk) for chunk in array.chunks]
        return pa.chunked_array(chunks, chunks[0].type) if chunks else array
    kind = array.type
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(
            pc.cast(array.indices, pa.int64()), without_views(array.dictionary), ordered=kind.ordered
        )
    if pa.types.is_string_view(kind):
        return pc.cast(array, pa.large_string())
    return pc.cast(array, pa.large_binary()) if pa.types.is_binary_view(kind) else array


def values_of(array: Any) -> list[Any]:
    """The values of an Arrow array in Python; dates and times as text, numbers of single precision as short as they print."""
    pa, pc = arrow()
    kind = array.type
    if pa.types.is_duration(kind):
        return pc.cast(array, pa.duration("us"), safe=False).to_pylist()
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        texts = pc.cast(array, pa.string()).to_pylist()
        return [None if t is None else _FRACTION.sub(lambda m: f".{m[1]}" if m[1] else "", t) for t in texts]
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        single = np.float32 if pa.types.is_float32(kind) else np.float16
        return [None if v is None else float(str(single(v))) for v in array.to_pylist()]
    return array.to_pylist()


def holds_label_lists(kind: Any) -> bool:
    """Whether an Arrow type is that of lists of text or whole numbers; lists of fractions are no labels."""
    pa = pyarrow()
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return False
    inner = kind.value_type.value_type if pa.types.is_dictionary(kind.value_type) else kind.value_type
    return any(
        is_one(inner)
        for is_one in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_integer)
    )


def tally_integers(flat: np.ndarray, threads: int = 1) -> dict[Any, int]:
    """{label: how often}, by a table where the range is small. Negative labels keep their value."""
    if not len(flat):
        return {}
    times = count_codes(flat, FEW, threads)  # most labels are few and small: one look at each is enough
    if times is not None:
        return {int(i): int(times[i]) for i in np.flatnonzero(times)}
    low, high = int(flat.min()), int(flat.max())
    narrow = high - low < DENSE and high < 2**63
    times = count_codes(flat, high - low + 1, threads, start=low) if narrow else None
    if times is None:
        return _tally_runs(flat)
    return {low + int(i): int(times[i]) for i in np.flatnonzero(times)}


def _tally_runs(flat: np.ndarray) -> dict[int, int]:
    """The same of numbers far apart, such as colours: in masks they stand in runs, and a run is looked at once."""
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    values, which = np.unique(flat[starts], return_inverse=True)
    lengths = np.diff(np.append(starts, len(flat)))
    many = np.zeros(len(values), np.int64)
    np.add.at(many, which.reshape(-1), lengths)
    return dict(zip(values.tolist(), many.tolist(), strict=True))


def count_codes(codes: np.ndarray, size: int, threads: int = 1, *, start: int = 0) -> np.ndarray | None:
    """[size]: how often each of start..start + size - 1 occurs; None if another number occurs."""
    total = np.zeros(size, dtype=np.int64)
    kernel = load()
    if kernel is None or not codes.flags.c_contiguous or not codes.dtype.isnative or codes.dtype.kind not in "iu":
        return _count_in_chunks(codes, total, start)
    sign = -1 if codes.dtype.kind == "i" else 1
    inside = kernel.tally(codes.ctypes.data, codes.size, sign * codes.itemsize, start, size, total.ctypes.data, threads)
    return total if inside else None


def _count_in_chunks(codes: np.ndarray, total: np.ndarray, start: int) -> np.ndarray | None:
    """The same by numpy, in chunks, because bincount first casts its argument to int64."""
    size = len(total)
    for at in range(0, len(codes), max(1 << 16, size)):
        chunk = codes[at : at + max(1 << 16, size)]
        if int(chunk.min()) < start or int(chunk.max()) >= start + size:
            return None
        total += np.bincount(chunk.astype(np.int64) - start, minlength=size)
    return total


def refuse_too_many(distinct: Sized, what: str) -> None:
    """ValueError if there are so many different values that a column cannot be a label."""
    if len(distinct) > DISTINCT:
        raise ValueError(f"{what} has over {DISTINCT:,} different values, so it is not a label; choose another column.")
