"""Columns as trees read them."""

import numpy as np
import pandas as pd

from steelyard.tuning.data.features import read
from steelyard.tuning.data.problem import as_table

EVERY = np.arange(60)


def features(**columns):
    table = as_table(pd.DataFrame({**columns, "label": np.arange(60) % 2}))
    return read(table, "label")


def test_trees_read_gaps_as_nan_and_codes_by_frequency():
    x = np.random.default_rng(0).normal(size=60)
    x[4] = np.nan
    kind = np.array(["b"] * 30 + ["a"] * 20 + ["c"] * 9 + [None], dtype=object)
    raw = features(x=x, kind=kind, flag=EVERY % 3 == 0).raw()
    assert raw.names == ["x", "kind", "flag"]
    assert raw.categorical.tolist() == [False, True, False]
    rows = np.array([4, 0, 35, 55, 59])
    np.testing.assert_array_equal(raw(rows)[:, 0], x[rows])
    np.testing.assert_array_equal(raw(rows)[:, 1], [0, 0, 1, 2, np.nan])
    assert raw.notes == ()


def test_trees_read_levels_beyond_the_254_most_frequent_as_one():
    kind = np.array([f"k{i % 300:03}" for i in range(600)] + ["k299"] * 5, dtype=object)
    table = as_table(pd.DataFrame({"kind": kind, "label": np.arange(605) % 2}))
    raw = read(table, "label").raw()
    codes = raw(np.arange(605))[:, 0]
    assert codes.max() == 254
    assert len(np.unique(codes)) == 255
    assert codes[299] == 0
    assert raw.notes[0].startswith(
        "column 'kind': beyond the 254 most frequent 46 of 300 levels, in 92 of 605 rows, are one"
    )
