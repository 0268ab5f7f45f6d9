"""A column of a table, from memory and streamed from files, against pandas.value_counts.

Files: data/delimited.py, data/parquet.py.
"""

import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.data import count, count_path
from steelyard.data.tables import read_table

FRAME = pd.DataFrame(
    {
        "number": [5, 1, 5, 5],
        "half": [2.5, 3.0, 3.0, 1.0],
        "word": ["b", None, "a", "b"],
        "truth": [True, False, True, True],
        "p": [0, 1, 1, 0],
        "q": [1, 0, 0, 0],
    }
)
EXPECTED = {
    "number": {"1": 1, "5": 3},
    "half": {"1": 1, "2.5": 1, "3": 2},
    "word": {"a": 1, "b": 2},
    "truth": {"False": 1, "True": 3},
}


def as_dict(counts):
    return dict(zip(counts.classes, counts.per_class.tolist(), strict=True))


@pytest.fixture(params=["csv", "tsv", "csv.gz", "parquet", "pandas", "arrow"])
def table(request, tmp_path):
    kind = request.param
    if kind in ("pandas", "arrow"):
        return FRAME if kind == "pandas" else pa.table(FRAME)
    path = tmp_path / f"data.{kind}"
    if kind == "parquet":
        FRAME.to_parquet(path)
    else:
        FRAME.to_csv(path, index=False, sep="\t" if kind == "tsv" else ",")
    return path


@pytest.mark.parametrize("label", EXPECTED)
def test_a_column_gives_its_distinct_values_ascending(table, label):
    counts = count(table, label=label)
    assert list(as_dict(counts).items()) == list(EXPECTED[label].items())


def test_rows_without_a_label_are_left_out_and_said(table):
    counts = count(table, label="word")
    assert counts.items == 3
    assert "1 row without a label left out" in counts.source


def test_several_columns_are_multilabel(table):
    counts = count(table, label=["p", "q"])
    assert (counts.kind, counts.items) == ("multilabel", 4)
    assert as_dict(counts) == {"p": 2, "q": 1}


def test_a_column_may_be_given_by_its_number(table):
    assert count(table, label=1) == count(table, label="number")
    assert count(table, label=-4) == count(table, label="word")


def test_classes_and_ignore_hold_for_columns(table):
    assert as_dict(count(table, label="word", classes=["c", "b", "a"])) == {"c": 0, "b": 2, "a": 1}
    assert as_dict(count(table, label="number", classes=["1", "5", "7"])) == {"1": 1, "5": 3, "7": 0}
    assert as_dict(count(table, label="number", ignore=5)) == {"1": 1}
    with pytest.raises(ValueError, match=r"'5' .*not one of the classes"):
        count(table, label="number", classes=[1, 2])


@pytest.mark.parametrize(("label", "says"), [("wrod", "Did you mean 'word'"), (9, "no column 9"), (0, "1 to 6")])
def test_a_missing_column_is_named_with_the_nearest(table, label, says):
    with pytest.raises(ValueError, match=says):
        count(table, label=label)


def test_without_a_label_the_columns_are_listed(table):
    with pytest.raises(ValueError, match=r"label=.*'number', 'half'"):
        count(table)


def test_columns_that_are_not_yes_or_no_cannot_be_multilabel(table):
    for wrong in ("number", "word"):
        with pytest.raises(ValueError, match=f"'{wrong}' holds|holds 5"):
            count(table, label=["p", wrong])


@given(st.lists(st.sampled_from(["a", "b", "A b", "c,d", 'e"f', "g\nh", " i", "?", ""]), min_size=2, max_size=40))
def test_the_stream_agrees_with_the_table_and_pandas(tmp_path_factory, labels):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    pd.DataFrame({"x": np.arange(len(labels)) + 0.5, "y": labels}).to_csv(path, index=False)
    expected = pd.Series([v.strip() for v in labels if v not in ("?", "")]).value_counts().to_dict()
    if not expected:
        with pytest.raises(ValueError, match="no value at all"):
            count(path, label="y")
        return
    counts, _ = count_path(path, "y")
    codes, same = read_table(path).labels("y")
    assert as_dict(counts) == expected
    assert same == counts
    assert np.bincount(codes[codes >= 0], minlength=len(counts)).tolist() == counts.per_class.tolist()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_many_batches_and_files_add_up(tmp_path, suffix):
    rng = np.random.default_rng(1)
    words = [rng.choice(["no", "yes", "maybe"], 300_000, p=[0.9, 0.09, 0.01]) for _ in range(2)]
    for i, y in enumerate(words):
        file = tmp_path / "deep" / f"part{i}.{suffix}"
        file.parent.mkdir(exist_ok=True)
        if suffix == "csv":  # 6 MB: two batches
            file.write_text("y,x\n" + ",a long cell here\n".join(y.tolist()) + ",1\n")
        else:
            pd.DataFrame({"y": y, "x": 1.0}).to_parquet(file, row_group_size=100_000)
    expected = pd.Series(np.concatenate(words)).value_counts().to_dict()
    assert as_dict(count(tmp_path, label="y")) == expected
    assert as_dict(count(str(tmp_path / "**" / f"*.{suffix}"), label="y")) == expected


def test_1_and_1_point_0_are_one_class_in_text(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\na,1\nb,1.0\nc,0\nd, 1\n")
    assert as_dict(count(tmp_path / "t.csv", label="y")) == {"0": 1, "1": 3}


@pytest.mark.parametrize(
    "array",
    [
        pa.array([3, 1, None, 3], pa.int8()),
        pa.array([3, 1, None, 3], pa.uint64()),
        pa.array([3.0, 1.0, None, 3.0]),
        pa.array(["3", "1", None, "3"]).dictionary_encode(),
        pa.array(["3", "1", "NA", "3"], pa.large_string()),
        pa.array([3, 1, None, 3], pa.decimal128(5, 0)),
    ],
)
def test_every_parquet_type_counts(tmp_path, array):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"y": array}), path)
    counts, notes = count_path(path, "y")
    assert as_dict(counts) == {"1": 1, "3": 2}
    assert any("1 row without a label left out of 4" in n for n in notes)
    assert read_table(path).labels("y")[1] == counts


@pytest.mark.parametrize(
    ("file", "label", "expected"),
    [
        ("tabular/mammography.csv", -1, {"-1": 10923, "1": 260}),
        ("tabular/mammography_adbench.csv", "calcification", {"no": 10923, "yes": 260}),
        ("tabular/ai4i2020.csv", "Machine failure", {"0": 9661, "1": 339}),
        ("tabular/oil-spill.csv", 50, {"0": 896, "1": 41}),
        ("tabular/adult-train.csv", -1, {"<=50K": 24720, ">50K": 7841}),
        ("tabular/winequality-white.csv", -1, dict(zip("3456789", [20, 163, 1457, 2198, 880, 175, 5], strict=True))),
        ("text/sms_spam.tsv", 1, {"ham": 4827, "spam": 747}),
        ("tabular_large/cover.parquet", "y", {"0": 283301, "1": 2747}),
        ("tabular_large/donors.parquet", "y", {"0": 582616, "1": 36710}),
    ],
)
def test_real_files_count_as_published(shared_data, file, label, expected):
    assert as_dict(count(shared_data / file, label=label)) == expected


@pytest.mark.parametrize(
    ("column", "says"), [("Torque [Nm]", "continuous"), ("Rotational speed [rpm]", "continuous"), ("UDI", "identifier")]
)
def test_a_measurement_or_identifier_is_refused_as_label(shared_data, column, says):
    path = shared_data / "tabular" / "ai4i2020.csv"
    for call in (lambda: count(path, label=column), lambda: read_table(path).labels(column)):
        with pytest.raises(ValueError, match=f"{says}.*10,000 rows"):
            call()
    with pytest.raises(ValueError, match=says):
        count(pd.read_csv(path, encoding="utf-8-sig"), label=column)


def test_many_dense_classes_are_not_taken_for_a_measurement(tmp_path):
    path = tmp_path / "t.csv"
    pd.DataFrame({"x": 0.5, "y": np.repeat(np.arange(1000), 3)}).to_csv(path, index=False)
    assert len(count(path, label="y")) == 1000


def test_counting_needs_no_more_than_its_column(tmp_path):
    frame = pd.DataFrame({"y": ["a", "b"], "deep": [[1.5], [2.5]]})
    frame.to_parquet(tmp_path / "t.parquet")
    assert as_dict(count(tmp_path / "t.parquet", label="y")) == {"a": 1, "b": 1}
    with pytest.raises(ValueError, match="not a label"):
        count(tmp_path / "t.parquet", label="deep")


def test_pyarrow_missing_is_said_with_the_extra(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("x,y\n1,a\n")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.csv", None)
    with pytest.raises(ImportError, match=r"pip install 'steelyard\[tables\]'"):
        count(os.fspath(tmp_path / "t.csv"), label="y")
