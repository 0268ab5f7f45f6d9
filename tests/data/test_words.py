"""Text of plain numbers is numbers and text of codes is text, whoever declared it; what is a category by its type stays one.

Files: data/cells.py, data/kinds.py."""

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest

from steelyard.data.tables import read_table
from steelyard.tuning.data.problem import as_table, problem

STORES = {
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "semicolons": lambda frame, path: frame.to_csv(path, index=False, sep=";"),
    "parquet": lambda frame, path: frame.to_parquet(path),
    "pandas": lambda frame, path: as_table(frame),
    "pandas string": lambda frame, path: as_table(frame.astype("string")),
    "polars": lambda frame, path: as_table(polars.from_pandas(frame)),
    "arrow large": lambda frame, path: as_table(pa.table({n: pa.array(frame[n], pa.large_string()) for n in frame})),
    "bytes": lambda frame, path: as_table(pa.table({n: pa.array([c.encode() for c in frame[n]]) for n in frame})),
}
SAYS = "text that spells numbers was read as numbers (--categorical keeps it)"


def stored(cells, store, folder):
    frame = pd.DataFrame({"a": (cells * 30)[:30], "x": ["u", "v", "w"] * 10, "y": ["p", "q", "q"] * 10})
    path = folder / ("t.parquet" if store == "parquet" else "t.csv")
    return STORES[store](frame, path) or read_table(path)


COLUMNS = {  # cells -> kind, values
    "digits": (["12", "35"], "number", [12, 35]),
    "signs": (["-1", "+2"], "number", [-1, 2]),
    "fractions": (["1.50", "22"], "number", [1.5, 22]),
    "exponents": (["1e3", "2E-1"], "number", [1000, 0.2]),
    "clothes": (["$1,219", "$5"], "number", [1219, 5]),
    "zeros in front": (["00501", "10001"], "category", ["00501", "10001"]),
    "months": ([f"{m:02}" for m in range(1, 13)], "category", None),
    "hours and minutes": (["0930", "1015"], "category", ["0930", "1015"]),
    "zeros in front of some": (["007", "7", "12"], "category", ["007", "7", "12"]),
    "a zero": (["0", "1"], "number", [0, 1]),
    "zeros and a point": (["0.5", "00.25"], "number", [0.5, 0.25]),
    "booleans": (["true", "False"], "boolean", [1, 0]),
    "words": (["1", "x"], "category", ["1", "x"]),
    "dates": (["31/12/2024", "01/02/2023"], "number", [1735603200, 1675209600]),
    "nothing said": (["5", "unknown", "7", "-"], "number", [5, np.nan, 7, np.nan]),
}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("case", COLUMNS)
def test_every_store_gives_the_same_answer(case, store, tmp_path):
    cells, kind, expected = COLUMNS[case]
    got = stored(cells, store, tmp_path)
    assert got.kind("a") == kind
    values = got.column("a")
    expected = ((expected or cells) * 30)[:30]
    assert (
        values.tolist() == expected if kind == "category" else np.testing.assert_array_equal(values, expected) is None
    )
    typed = store not in ("csv", "semicolons")
    says = any(note.startswith(SAYS) and ": a" in note for note in got.notes_on(["a"]))
    assert says == (typed and kind == "number" and not got.columns["a"].dated)
    if case in ("zeros in front", "months", "hours and minutes", "zeros in front of some"):
        assert any("stay text for the zeros in front" in n for n in got.notes_on(["a"]))


@pytest.mark.parametrize("store", ["csv", "pandas", "polars"])
def test_one_zero_in_front_among_numbers_is_left_out_and_said(store, tmp_path):
    got = stored([*(str(i) for i in range(5, 34)), "05"], store, tmp_path)
    assert got.column("a")[[0, 29]].tolist() == [5, 5]
    assert any("zeros in front, such as in '05' (1 row), were left out: a" in n for n in got.notes)


@pytest.mark.parametrize("store", STORES)
def test_categorical_keeps_the_text(store, tmp_path):
    task = problem(stored(["12", "35"], store, tmp_path), "y", categorical="a")
    (column,) = [c for c in task.features.columns if c.name == "a"]
    assert column.levels == ("12", "35")
    assert not any(SAYS in note for note in task.notes)


@pytest.mark.parametrize(
    "typed",
    [
        pd.Series(["12", "35"] * 15).astype("category"),
        pd.Series([12, 35] * 15).astype("category"),
        polars.Series(["12", "35"] * 15).cast(polars.Categorical),
        polars.Series(["12", "35"] * 15).cast(polars.Enum(["35", "12"])),
        pa.array(["12", "35"] * 15).dictionary_encode(),
    ],
)
def test_what_is_a_category_by_its_type_stays_one(typed):
    frame = (
        typed
        if isinstance(typed, pa.Array)
        else typed.to_frame("a")
        if isinstance(typed, pd.Series)
        else typed.alias("a").to_frame()
    )
    got = as_table(pa.table({"a": frame}) if isinstance(typed, pa.Array) else frame)
    assert got.kind("a") == "category"
    assert got.column("a").tolist() == ["12", "35"] * 15


def test_ordered_numbers_stay_numbers():
    got = as_table(pd.DataFrame({"a": pd.Categorical([1, 3, 2] * 5, ordered=True)}))
    assert got.column("a").tolist() == [1, 3, 2] * 5


MOMENTS = pd.DatetimeIndex(map(pd.Timestamp, ("2024-03-07 10:15:30", "2023-12-31", "2024-02-29 23:59:59.5")))
TYPED = {
    "timestamp": (MOMENTS, pa.timestamp("us")),
    "timestamp, ns": (MOMENTS, pa.timestamp("ns")),
    "timestamp, zone": (MOMENTS.tz_localize("UTC").tz_convert("Asia/Kolkata"), pa.timestamp("us", "Asia/Kolkata")),
    "date32": (MOMENTS.date, pa.date32()),
    "date64": (MOMENTS.normalize(), pa.date64()),
    "time64": (MOMENTS.time, pa.time64("us")),
    "time32": ([t.replace(microsecond=0) for t in MOMENTS.time], pa.time32("s")),
    "duration": (MOMENTS - pd.Timestamp("2023-01-01"), pa.duration("us")),
}


@pytest.mark.parametrize("case", TYPED)
def test_typed_times_agree_with_the_csv_that_pandas_writes(case, tmp_path):
    from steelyard.tuning.data.group_time import order_of

    values, kind = TYPED[case]
    values = list(values) * 5
    typed = as_table(pa.table({"a": pa.array(values, kind)}))
    path = tmp_path / "t.csv"
    pd.DataFrame({"a": values, "x": "w"}).to_csv(path, index=False)
    text = read_table(path)
    assert typed.kind("a") == text.kind("a") == "number"
    np.testing.assert_allclose(typed.column("a"), text.column("a"), rtol=0, atol=1e-6)
    assert typed.columns["a"].dated == text.columns["a"].dated
    assert order_of(typed, "a").tolist() == order_of(text, "a").tolist()
