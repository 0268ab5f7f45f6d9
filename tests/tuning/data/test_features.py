"""From columns to numbers: learned in the training part, and columns without information left out and said."""

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

from steelyard.tuning.data.features import LEVELS, read
from steelyard.tuning.data.problem import as_table, problem

EVERY = np.arange(60)


def features(**columns):
    table = as_table(pd.DataFrame({**columns, "label": np.arange(60) % 2}))
    return read(table, "label")


def test_numbers_are_imputed_and_scaled_as_scikit_learn_does():
    rng = np.random.default_rng(0)
    x = rng.normal(5, 3, 60)
    x[[3, 20, 50]] = np.nan
    train, test = np.arange(40), np.arange(40, 60)
    encode = features(x=x).encode(train)
    imputer = SimpleImputer(strategy="median", add_indicator=True).fit(x[train, None])
    filled = imputer.transform(x[test, None])
    scaler = StandardScaler().fit(imputer.transform(x[train, None])[:, :1])
    np.testing.assert_allclose(encode(test)[:, :1], scaler.transform(filled[:, :1]))
    np.testing.assert_array_equal(encode(test)[:, 1], filled[:, 1])
    assert encode.names == ["x", "x is missing"]


def test_nothing_is_learned_from_the_rows_held_out():
    rng = np.random.default_rng(0)
    x, kind = rng.normal(size=60), rng.choice(["a", "b"], 60).astype(object)
    train = np.arange(40)
    changed, other = x.copy(), kind.copy()
    changed[50], other[50] = 1e6, "unseen"
    before, after = features(x=x, kind=kind).encode(train), features(x=changed, kind=other).encode(train)
    np.testing.assert_array_equal(before(train), after(train))
    assert before.names == after.names


def test_an_unseen_level_and_a_missing_value_are_no_known_level():
    kind = np.array((["a"] * 20 + ["b"] * 15 + [None] * 5) + ["new"] + [None] + ["a"] * 18, dtype=object)
    encode = features(kind=kind).encode(np.arange(40))
    assert encode.names == ["kind = a", "kind = b", "kind is missing"]
    np.testing.assert_array_equal(
        encode(np.array([0, 20, 35, 40, 41])), np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 1]])
    )


def test_rare_levels_share_a_column():
    kind = np.array(["a"] * 30 + ["b"] * 20 + ["c"] * 6 + ["d"] * 4, dtype=object)
    encode = features(kind=kind).encode(EVERY)
    assert encode.names == ["kind = a", "kind = b", "kind = other"]
    np.testing.assert_array_equal(encode(EVERY).sum(axis=0), [30, 20, 10])


def test_only_the_most_frequent_levels_get_columns():
    kind = np.array([f"k{i % 80}" for i in range(1600)], dtype=object)
    table = as_table(pd.DataFrame({"kind": kind, "label": np.arange(1600) % 2}))
    encode = read(table, "label").encode(np.arange(1600))
    assert len(encode.names) == LEVELS + 1


def test_yes_or_no_columns_stay_zero_and_one():
    flag = EVERY % 3 == 0
    encode = features(flag=flag).encode(EVERY)
    np.testing.assert_array_equal(encode(EVERY)[:, 0], flag)


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


def test_a_table_with_nothing_to_learn_from_is_refused():
    with pytest.raises(ValueError, match=r"no column besides 'label' can be learned from.*'constant'"):
        features(constant=np.ones(60))


def frame(labels, n=None):
    y = np.array(labels, dtype=object)
    return pd.DataFrame({"x": np.random.default_rng(0).normal(size=len(y)), "y": y})


def test_the_rarer_class_is_positive_unless_said():
    rare_first = frame(["a"] * 10 + ["b"] * 50)
    assert problem(rare_first, "y").positive == "a"
    assert problem(rare_first, "y").y[:10].tolist() == [1] * 10
    said = problem(rare_first, "y", positive="b")
    assert (said.positive, said.counts.classes, said.y[:10].tolist()) == ("b", ("a", "b"), [0] * 10)


def test_rows_without_a_label_are_left_out_and_said():
    task = problem(frame(["a"] * 10 + ["b"] * 50 + [None] * 4), "y")
    assert len(task.y) == 60
    assert len(task.features.columns[0].values) == 60
    assert any("4 of 64 rows have no label" in n for n in task.notes)


def test_small_classes_among_many_are_left_out_loudly():
    task = problem(frame(["a"] * 30 + ["b"] * 20 + ["c"] * 9 + ["d"] * 2 + ["e"]), "y")
    assert task.counts.classes == ("a", "b", "c")
    assert task.counts.per_class.tolist() == [30, 20, 9]
    assert "left out with 3 rows: 'd (2)', 'e (1)'" in task.warnings[0]


@pytest.mark.parametrize(
    ("labels", "options", "says"),
    [
        (["a"] * 60, {}, "one class only, 'a'"),
        (["a"] * 59 + ["b"], {}, "class 'b' has a single row"),
        (["a"] * 30 + ["b"] * 30, {"positive": "A"}, "no class 'A'. Did you mean 'a'"),
        (["a"] * 20 + ["b"] * 20 + ["c"] * 20, {"positive": "a"}, "has 3 classes, so none is the positive one"),
        (["a"] * 30 + ["b"] * 2 + ["c"] * 3, {}, "fewer than two classes have 8 rows"),
    ],
)
def test_labels_that_cannot_be_compared_are_refused_with_the_way_out(labels, options, says):
    with pytest.raises(ValueError, match=says):
        problem(frame(labels), "y", **options)


def test_an_array_is_no_table():
    with pytest.raises(TypeError, match="path, a Table or a DataFrame, got ndarray"):
        problem(np.zeros((3, 2)), "y")


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


@pytest.mark.parametrize("size", [1e-15, 1.0, 1e15])
def test_the_unit_of_a_number_does_not_matter(size):
    x = np.random.default_rng(0).normal(5, 3, 60)
    np.testing.assert_allclose(features(x=x * size).encode(EVERY)(EVERY), features(x=x).encode(EVERY)(EVERY))


def test_a_column_that_is_constant_in_the_training_part_is_zero_there():
    x = np.where(EVERY < 40, 0.1, 3.0)
    np.testing.assert_allclose(features(x=x).encode(np.arange(40))(np.arange(40)), 0, atol=1e-12)


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
    assert raw.notes == ("column 'kind': 46 levels beyond the 254 most frequent are one",)


def test_large_tables_are_encoded_without_copies():
    import tracemalloc

    n = 400_000
    rng = np.random.default_rng(0)
    table = as_table(pd.DataFrame({**{f"x{i}": rng.normal(size=n) for i in range(6)}, "label": np.arange(n) % 2}))
    found = read(table, "label")
    encode = found.encode(np.arange(n))
    tracemalloc.start()
    X = encode(np.arange(n))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * X.nbytes
