"""From a cell to a class: every store and both commands read the same cells alike, and nothing changes in silence."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import count
from steelyard.data import count_path
from steelyard.data.classes import look_alikes
from steelyard.data.tables import read_table
from steelyard.tuning.data.problem import as_table, problem

polars = pytest.importorskip("polars")
pytestmark = pytest.mark.filterwarnings(
    "ignore::steelyard.ReadingWarning"
)  # tests/data/test_notes.py holds what is warned of
TIMES = 8  # so that tune can hold each class out


def as_dict(counts) -> dict[str, int]:
    return {c: n for c, n in zip(counts.classes, counts.per_class.tolist(), strict=True) if n}


def csv(delimiter, ending):
    def write(folder, cells):
        quoted = ['"' + str(c).replace('"', '""') + '"' if c is not None else "" for c in cells]
        rows = [f"{i % 7}.5{delimiter}{c}{delimiter}a" for i, c in enumerate(quoted)]
        path = folder / f"t.{ending}"
        path.write_text(f"x{delimiter}y{delimiter}z\n" + "\n".join(rows) + "\n")
        return path

    return write


def table(cells) -> pa.Table:
    array = cells if isinstance(cells, pa.Array) else pa.array(cells)
    return pa.table({"x": pa.array([i % 7 + 0.5 for i in range(len(array))]), "y": array, "z": ["a"] * len(array)})


def parquet(make):
    def write(folder, cells):
        pq.write_table(make(cells), folder / "t.parquet")
        return folder / "t.parquet"

    return write


def coded(cells) -> pa.Table:
    return table(pa.array(cells).dictionary_encode())


UNTYPED = {"csv": csv(",", "csv"), "tsv": csv("\t", "tsv"), "semicolon": csv(";", "csv"), "bar": csv("|", "csv")}
TYPED = {
    "parquet": parquet(table),
    "parquet, codes": parquet(coded),
    "arrow": lambda folder, cells: table(cells),
    "arrow, codes": lambda folder, cells: coded(cells),
    "pandas": lambda folder, cells: table(cells).to_pandas(),
    "pandas, category": lambda folder, cells: table(cells).to_pandas().astype({"y": "category"}),
    "polars": lambda folder, cells: polars.from_arrow(table(cells)),
}


def by_both(store, folder, cells, **options) -> dict[str, int]:
    """{class: rows} by count, and by tune, which must agree."""
    data = store(folder, cells)
    counted = count(data, label="y", **options)
    codes, same = as_table(data).classes("y", **options)
    assert same.counts.classes == counted.classes
    assert same.counts.per_class.tolist() == counted.per_class.tolist()
    assert np.bincount(codes[codes >= 0], minlength=len(counted)).tolist() == counted.per_class.tolist()
    if len(as_dict(counted)) > 1:
        task = problem(data, "y", **options)
        assert as_dict(task.counts) == as_dict(counted)
    return as_dict(counted)


# cells, classes of text that nobody declared as text, classes of text that is declared as text
TEXTS = {
    "zeros in front": (["007", "7", "07"], ["007", "7", "07"], ...),
    "exponents": (["1E1", "10"], ["1E1", "10"], ...),
    "zip codes": (["0001", "1", "0001"], ["0001", "1", "0001"], ...),
    "beyond 64 bits": (["18446744073709551617", "18446744073709551616"], ["18446744073709551617", "18446744073709551616"], ...),
    "beyond a float": (["9007199254740993", "9007199254740992"], ["9007199254740993", "9007199254740992"], ...),
    "signs": (["+1", "-1", "1"], ["+1", "-1", "1"], ...),
    "minus nought": (["-0", "0"], ["-0", "0"], ...),
    "zeros behind": (["1.00", "1", "2"], ["1", "1", "2"], ["1.00", "1", "2"]),
    "floats": (["0.0", "1.0", "1.0"], ["0", "1", "1"], ["0.0", "1.0", "1.0"]),
    "halves": (["2.5", "3", "2.50"], ["2.5", "3", "2.5"], ["2.5", "3", "2.50"]),
    "many digits": (["0.1234567890123456789", "0.123456789012345678"], ["0.1234567890123456789", "0.123456789012345678"], ...),
    "blanks": (["no ", "no", " yes"], ["no", "no", "yes"], ...),
    "case": (["TRUE", "True", "true", "false"], ["TRUE", "True", "true", "false"], ...),
    "a final dot": ([">50K", ">50K.", "<=50K"], [">50K", ">50K.", "<=50K"], ...),
    "dates": (["2020-01-02", "2020-01-01", "2020-01-02"], ["2020-01-02", "2020-01-01", "2020-01-02"], ...),
    "infinite": (["inf", "1", "2"], [None, "1", "2"], ["inf", "1", "2"]),
    "hexadecimal": (["0x10", "16"], ["0x10", "16"], ...),
    "underscores": (["1_000", "1000"], ["1_000", "1000"], ...),
    "thousands": (["1,219", "1219"], ["1,219", "1219"], ...),
    "percents": (["12 %", "12"], ["12 %", "12"], ...),
    "accents": (["é", "e", "É"], ["é", "e", "É"], ...),
    "other digits": (["٣", "3"], ["٣", "3"], ...),
    "marks": (["?", "NA", "a", "b"], [None, None, "a", "b"], ...),
    "no mark": (["None", "-", ".", "none", "NONE"], ["None", "-", ".", "none", "NONE"], ...),
}  # fmt: skip


def expected(classes):
    return {c: TIMES * classes.count(c) for c in classes if c is not None}


@pytest.mark.parametrize("store", [*UNTYPED, *TYPED])
@pytest.mark.parametrize("kind", TEXTS)
def test_text_is_read_as_it_stands_by_every_store_and_both_commands(tmp_path, kind, store):
    cells, untyped, typed = TEXTS[kind]
    wanted = untyped if store in UNTYPED or typed is ... else typed
    assert by_both((UNTYPED | TYPED)[store], tmp_path, cells * TIMES) == expected(wanted)


DAY, NOON = datetime.datetime(2020, 1, 2), datetime.datetime(2020, 1, 2, 12, 0, 0, 250_000)
TYPES = {
    "uint64": (pa.array([2**64 - 1, 2**64 - 2, None], pa.uint64()), {str(2**64 - 1): 1, str(2**64 - 2): 1}),
    "int64": (pa.array([2**53 + 1, 2**53], pa.int64()), {str(2**53 + 1): 1, str(2**53): 1}),
    "float": (pa.array([1.0, 2.5, float("nan"), float("inf")]), {"1": 1, "2.5": 1}),
    "single": (pa.array([0.1, 0.2], pa.float32()), {"0.1": 1, "0.2": 1}),
    "decimal": (pa.array([decimal.Decimal("1.00"), decimal.Decimal("1"), decimal.Decimal("1.50")]), {"1": 2, "1.5": 1}),
    "wide decimal": (
        pa.array([decimal.Decimal(10**30), decimal.Decimal(10**30 + 1)], pa.decimal128(38, 0)),
        {str(10**30): 1, str(10**30 + 1): 1},
    ),
    "bytes": (pa.array([b"a", b"b", b"a", b"\xff", b"\xfe"]), {"a": 2, "b": 1, "\\xff": 1, "\\xfe": 1}),
    "boolean": (pa.array([True, False, None, True]), {"True": 2, "False": 1}),
    "date": (pa.array([DAY.date(), DAY.date(), None]), {"2020-01-02": 2}),
    "midnight": (pa.array([DAY, DAY, DAY + datetime.timedelta(1)]), {"2020-01-02": 2, "2020-01-03": 1}),
    "timestamp": (pa.array([DAY, NOON]), {"2020-01-02 00:00:00": 1, "2020-01-02 12:00:00.25": 1}),
    "ns": (pa.array([DAY, NOON], pa.timestamp("ns")), {"2020-01-02 00:00:00": 1, "2020-01-02 12:00:00.25": 1}),
    "zone": (pa.array([DAY, NOON], pa.timestamp("us", "UTC")), {"2020-01-02 00:00:00Z": 1, "2020-01-02 12:00:00.25Z": 1}),
    "text": (pa.array(["1", "1.0", "01"], pa.large_string()), {"1": 1, "1.0": 1, "01": 1}),
}  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("store", ["parquet", "arrow", "pandas", "polars"])
def test_typed_values_are_named_alike_by_every_store_and_both_commands(tmp_path, kind, store):
    array, wanted = TYPES[kind]
    if store == "pandas" and kind in ("boolean",):
        wanted = {"False": 1, "True": 2}
    many = pa.concat_arrays([array] * TIMES)
    if store == "pandas" and array.null_count and pa.types.is_uint64(array.type):
        pytest.skip("pandas makes floats of it before we see it")
    assert by_both(TYPED[store], tmp_path, many) == {c: TIMES * n for c, n in wanted.items()}


@given(st.lists(st.sampled_from(["1", "1.0", "01", "a", " a", "A", "NA", "1e0", "", "inf", "-1", "2.50"]), min_size=2))
def test_any_mixture_is_counted_as_it_is_tuned(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("t")
    for store in (UNTYPED["csv"], TYPED["parquet"], TYPED["pandas"]):
        if all(c.strip() in ("", "NA") for c in cells):
            with pytest.raises(ValueError, match="no value at all"):
                by_both(store, folder, cells)
        else:
            data = store(folder, cells)
            assert as_table(data).labels("y")[1].per_class.tolist() == count(data, label="y").per_class.tolist()


# Missing ------------------------------------------------------------------------------------------------------------

NAMIBIA = ["NA"] * 30 + ["DE"] * 50 + ["FR"] * 20


@pytest.mark.parametrize("store", [*UNTYPED, *TYPED])
def test_na_is_a_class_where_the_owner_says_so(tmp_path, store):
    make = (UNTYPED | TYPED)[store]
    assert by_both(make, tmp_path, NAMIBIA) == {"DE": 50, "FR": 20}
    whole = {"DE": 50, "FR": 20, "NA": 30}
    assert by_both(make, tmp_path, NAMIBIA, missing="none") == whole
    assert by_both(make, tmp_path, NAMIBIA, classes=["NA", "DE", "FR"]) == whole
    assert by_both(make, tmp_path, NAMIBIA, classes={"NA": "Namibia", "DE": "DE", "FR": "FR"})["Namibia"] == 30
    assert by_both(make, tmp_path, NAMIBIA, missing="FR") == {"DE": 50, "NA": 30}
    assert by_both(make, tmp_path, NAMIBIA, missing=["FR", "NA"]) == {"DE": 50}


@pytest.mark.parametrize("store", [*UNTYPED, *TYPED])
def test_what_was_dropped_is_named_with_its_rows(tmp_path, store):
    data = (UNTYPED | TYPED)[store](tmp_path, NAMIBIA)
    assert "30 rows without a label left out: 'NA' 30" in count(data, label="y").source
    assert any(
        "'NA' was read as missing in 30 rows of 'y'" in n and "--missing none" in n for n in problem(data, "y").notes
    )


def test_one_class_beside_what_was_dropped_says_what_was_dropped(tmp_path):
    path = UNTYPED["csv"](tmp_path, ["NA", "a"] * 20)
    with pytest.raises(ValueError, match=r"one class only, 'a'.*'NA' was read as missing in 20 rows.*--missing none"):
        problem(path, "y")


def test_a_number_can_stand_for_missing(tmp_path):
    for store in (UNTYPED["csv"], TYPED["parquet"], TYPED["pandas"]):
        cells = [0, 1, -1] * TIMES
        assert by_both(store, tmp_path, cells, missing="-1") == {"0": TIMES, "1": TIMES}


def test_missing_is_for_tables(tmp_path):
    with pytest.raises(ValueError, match=r"missing= is for tables.*ignore="):
        count(["a", "NA"], missing="NA")
    assert as_dict(count(NAMIBIA)) == {"DE": 50, "FR": 20, "NA": 30}


# Order --------------------------------------------------------------------------------------------------------------

SIZES = ["small", "large", "small", "medium"] * TIMES
LEVELS = ["small", "medium", "large", "huge"]


@pytest.mark.parametrize("store", ["pandas", "parquet", "polars", "polars parquet", "arrow"])
def test_ordered_categories_keep_their_order_and_their_unused_levels(tmp_path, store):
    frame = pd.DataFrame({"x": np.arange(len(SIZES)) % 7, "y": pd.Categorical(SIZES, LEVELS, ordered=True)})
    data = frame
    if store == "arrow":
        data = pa.Table.from_pandas(frame)
    elif store == "parquet":
        frame.to_parquet(data := tmp_path / "t.parquet", row_group_size=3)
    elif store.startswith("polars"):
        data = polars.DataFrame({"x": frame["x"].tolist(), "y": polars.Series(SIZES, dtype=polars.Enum(LEVELS))})
        if store == "polars parquet":
            data.write_parquet(data := tmp_path / "t.parquet")
    counts = count(data, label="y")
    assert list(counts.classes) == LEVELS
    assert counts.per_class.tolist() == [2 * TIMES, TIMES, TIMES, 0]
    same = as_table(data).labels("y")[1]
    assert (same.classes, same.per_class.tolist()) == (counts.classes, counts.per_class.tolist())
    assert problem(data, "y").counts.classes == ("small", "medium", "large")


def test_a_level_that_is_named_na_is_a_class():
    frame = pd.DataFrame({"y": pd.Categorical(["NA", "b"], ["NA", "b"], ordered=True)})
    assert as_dict(count(frame, label="y")) == {"NA": 1, "b": 1}


@pytest.mark.parametrize("store", [*UNTYPED, *TYPED])
def test_classes_mean_the_index(tmp_path, store):
    make = (UNTYPED | TYPED)[store]
    for classes in ({"dog": 1, "cat": 0}, {1: "dog", 0: "cat"}, {"1": "dog", "0": "cat"}, ["cat", "dog"]):
        data = make(tmp_path, ["dog", "cat", "dog"])
        assert list(as_dict(count(data, label="y", classes=classes)).items()) == [("cat", 1), ("dog", 2)]
    for classes in ({"dog": 1, "cat": 0}, {1: "dog", 0: "cat"}):
        data = make(tmp_path, [1, 0, 1])
        assert list(as_dict(count(data, label="y", classes=classes)).items()) == [("cat", 1), ("dog", 2)]
        assert list(as_dict(count([1, 0, 1], classes=classes)).items()) == [("cat", 1), ("dog", 2)]


def test_a_mapping_joins_spellings(tmp_path):
    for store in (UNTYPED["csv"], TYPED["pandas"]):
        cells = ["yes", "Y", "no", "no"]
        assert by_both(store, tmp_path, cells, classes={"Y": "yes", "yes": "yes", "no": "no"}) == {"yes": 2, "no": 2}
        assert by_both(store, tmp_path, cells, classes={"no": 0, "yes": 1, "Y": 1}) == {"yes": 2, "no": 2}


def test_many_values_of_one_index_are_one_class():
    assert as_dict(count([7, 8, 11, 12], classes={7: 0, 8: 1, 11: 2, 12: 2})) == {"0": 1, "1": 1, "2": 2}


# Spelling -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", [*UNTYPED, *TYPED])
@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (["TRUE", "True", "true", "true", "false", "false"], {"true": 4, "false": 2}),
        ([">50K", ">50K", ">50K.", "<=50K", "<=50K."], {">50K": 3, "<=50K": 2}),
        (["no", "No", "no ", "yes"], {"no": 3, "yes": 1}),
        (["1", "1", "1.0", "x"], {"1": 3, "x": 1}),
        (["007", "7", "7"], {"7": 2, "007": 1}),
    ],
)
def test_look_alikes_are_named_by_both_commands_and_joined_where_asked(tmp_path, store, cells, wanted):
    data = (UNTYPED | TYPED)[store](tmp_path, cells * TIMES)
    task = problem(data, "y")
    apart = look_alikes(count(data, label="y").classes)
    assert (apart is None) == (cells[0] == "007")
    assert (f"{apart}." in task.warnings) == (apart is not None)
    assert by_both((UNTYPED | TYPED)[store], tmp_path, cells * TIMES, same_case=True) == {
        c: TIMES * n for c, n in wanted.items()
    }


def test_spellings_of_one_number_are_joined_with_a_word(tmp_path):
    path = UNTYPED["csv"](tmp_path, ["1", "1.0", "0"] * TIMES)
    counts, notes = count_path(path, "y")
    assert as_dict(counts) == {"0": TIMES, "1": 2 * TIMES}
    assert "spellings read as one: '1' and '1.0': y" in notes
    path = TYPED["parquet"](tmp_path, ["no", "no ", "yes"] * TIMES)
    assert "spellings read as one: 'no' and 'no ': y" in count_path(path, "y")[1]
    assert "spellings read as one: 'no' and 'no ': y" in problem(path, "y").notes


def test_numbers_that_stay_text_are_told(tmp_path):
    path = UNTYPED["csv"](tmp_path, ["007", "7"] * TIMES)
    assert any("stay text, because as a number '007'" in n for n in count_path(path, "y")[1])


# Keys ---------------------------------------------------------------------------------------------------------------


def test_groups_are_told_apart_by_what_their_cells_say(tmp_path):
    (tmp_path / "t.csv").write_text("g,y\n0001,a\n1,b\n0001,a\n2,b\n")
    assert read_table(tmp_path / "t.csv").keys("g").tolist() == [0, 1, 0, 2]
    pq.write_table(pa.table({"g": pa.array([2**64 - 1, 2**64 - 2, 2**64 - 1], pa.uint64())}), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").keys("g").tolist() == [0, 1, 0]


def test_mixed_kinds_are_refused_by_both_commands():
    frame = pd.DataFrame({"x": [1.5, 2.5], "y": ["a", 1]})
    with pytest.raises(ValueError, match="mixed kinds"):
        count(frame, label="y")
    with pytest.raises(ValueError, match="mixed kinds"):
        problem(frame, "y")
