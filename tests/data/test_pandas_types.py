"""Types of pandas that Arrow has no word for, and a Series that counts already."""

import numpy as np
import pandas as pd
import pytest

import steelyard as sy
from steelyard import Counts, count
from steelyard.tuning.data.problem import as_table, problem

X = np.arange(60) % 7 + 0.5
COLUMNS = {
    "periods": (pd.period_range("2020-01", periods=2, freq="M").repeat(30), ["2020-01", "2020-02"], [30, 30]),
    "intervals": (pd.cut(np.arange(60) % 30, [-1, 9, 19, 40]), ["(-1, 9]", "(9, 19]", "(19, 40]"], [20, 20, 20]),
    "sparse": (pd.arrays.SparseArray(np.arange(60) % 2), ["0", "1"], [30, 30]),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_they_are_read_by_their_names_and_keep_their_order(kind):
    column, names, times = COLUMNS[kind]
    frame = pd.DataFrame({"x": X, "y": column})
    counts = count(frame, label="y")
    assert (list(counts.classes), counts.per_class.tolist()) == (names, times)
    assert sorted(problem(frame, "y").counts.classes) == sorted(names)
    assert list(frame.columns) == ["x", "y"]
    assert frame["y"].dtype == pd.Series(column).dtype  # as it was


def test_a_name_that_stands_twice_is_refused_by_both_commands():
    frame = pd.DataFrame(np.c_[X, X > 3, X > 5], columns=["x", "y", "y"])
    for read in (lambda: count(frame, label="y"), lambda: as_table(frame)):
        with pytest.raises(ValueError, match="the column 'y' stands 2 times"):
            read()


def test_value_counts_are_no_labels():
    labels = pd.Series(["a", "b", "a"])
    with pytest.raises(ValueError, match=r"holds counts.*write Counts\(series\)"):
        count(labels.value_counts())
    assert Counts(labels.value_counts()).per_class.tolist() == count(labels).per_class.tolist()
    assert count(pd.Series([0, 1, 1], name="count")).per_class.tolist() == [1, 2]
    with pytest.raises(ValueError, match="names a column of a table, but the data is Series"):
        count(labels, label="y")


@pytest.mark.parametrize(
    "count", [lambda s: sy.count(s), lambda s: sy.count(s.to_frame("y"), label="y")], ids=["Series", "DataFrame"]
)
def test_codes_of_a_category_that_are_not_the_places_of_its_classes_are_noted(count):
    def series(categories, ordered=False):
        return pd.Series(["b", "a", "b"], dtype=pd.CategoricalDtype(categories, ordered=ordered))

    for categories in (["b", "a"], ["0", "a", "b"]):  # in no order that is meant, or with one that does not occur
        with pytest.warns(sy.ReadingWarning, match=r"classes=column\.cat\.categories"):
            counts = count(series(categories))
        assert counts.classes == ("a", "b")
        assert [n for n in counts.notes if "codes" in n]
    for quiet in (series(["a", "b"]), series(["b", "a"], ordered=True)):
        assert not [n for n in count(quiet).notes if "codes" in n]
    asked = series(["0", "a", "b"])
    told = sy.count(asked, classes=asked.cat.categories)
    assert told.per_class.tolist() == [0, 1, 2]
    assert not [n for n in told.notes if "codes" in n]
