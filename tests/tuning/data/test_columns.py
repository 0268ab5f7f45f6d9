"""Which columns hold information, and what is said of the others."""

import numpy as np
import pandas as pd
import pytest

from steelyard.tuning.data.columns import Category
from steelyard.tuning.data.features import read
from steelyard.tuning.data.problem import as_table, problem

EVERY = np.arange(60)


def features(**columns):
    table = as_table(pd.DataFrame({**columns, "label": np.arange(60) % 2}))
    return read(table, "label")


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (np.full(60, 7.0), "every value is 7"),
        (np.full(60, np.nan), "every value is missing"),
        (np.array(["same"] * 60, dtype=object), "every value is 'same'"),
        (EVERY + 1000, "numbers the rows"),
        (np.random.default_rng(0).permutation(60), "numbers the rows"),
        (np.array([f"id-{i}" for i in range(60)], dtype=object), "identifier"),
    ],
)
def test_columns_without_information_are_left_out_with_the_reason(column, reason):
    found = features(useless=column, x=np.random.default_rng(1).normal(size=60))
    assert [c.name for c in found.columns] == ["x"]
    assert len(found.notes) == 1
    assert "'useless'" in found.notes[0]
    assert reason in found.notes[0]


@pytest.mark.parametrize(
    "column",
    [
        np.random.default_rng(0).normal(size=60),  # measurements never repeat either
        np.random.default_rng(0).permutation(60) * 997 % 5003,  # nor do large whole numbers
        np.where(EVERY % 2, 7.0, np.nan),  # constant, but missing tells
    ],
)
def test_columns_with_information_are_kept(column):
    assert [c.name for c in features(x=column).columns] == ["x"]


def test_a_column_that_is_named_is_left_out_with_the_reason_given():
    table = as_table(pd.DataFrame({"x": np.arange(60) % 7, "who": np.arange(60) % 5, "label": np.arange(60) % 2}))
    found = read(table, "label", without={"who": "it says the groups"})
    assert [c.name for c in found.columns] == ["x"]
    assert found.notes == ("column 'who' is left out: it says the groups",)


def test_numbers_without_a_square_are_missing_and_said():
    x = np.random.default_rng(0).normal(size=60)
    x[7] = -1.7e308
    found = features(x=x)
    assert np.isnan(found.columns[0].values[7])
    assert "1 numbers beyond 1e+150 are read as missing" in found.notes[0]
    assert np.isfinite(found.encode(EVERY)(EVERY)).all()


@pytest.mark.parametrize(("start", "told"), [(2**53, True), (2**60 + 1, True), (2**52, False)])
def test_whole_numbers_that_a_float_would_merge_stay_apart(tmp_path, start, told):
    path = tmp_path / "t.csv"
    rows = "".join(f"{start + i % 5},{i % 7},{'ab'[i % 3 == 0]}\n" for i in range(60))
    path.write_text("long,x,y\n" + rows, encoding="utf-8")
    task = problem(path, "y")
    long = next(c for c in task.features.columns if c.name == "long")
    assert isinstance(long, Category) is told
    if told:
        assert len(long.levels) == 5
    assert any("'long'" in n and "would be" in n for n in task.notes) is told
