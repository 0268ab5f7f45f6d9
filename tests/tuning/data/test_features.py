"""From columns to numbers: learned in the training part, and columns without information left out and said."""

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

from steelyard.tuning.data.features import LEVELS, read
from steelyard.tuning.data.problem import as_table, problem
from steelyard.tuning.job import carry

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


def test_a_table_with_nothing_to_learn_from_is_refused():
    with pytest.raises(ValueError, match=r"no column besides 'label' can be learned from.*'constant'"):
        features(constant=np.ones(60))


@pytest.mark.parametrize("size", [1e-15, 1.0, 1e15])
def test_the_unit_of_a_number_does_not_matter(size):
    x = np.random.default_rng(0).normal(5, 3, 60)
    np.testing.assert_allclose(features(x=x * size).encode(EVERY)(EVERY), features(x=x).encode(EVERY)(EVERY))


def test_a_column_that_is_constant_in_the_training_part_is_zero_there():
    x = np.where(EVERY < 40, 0.1, 3.0)
    np.testing.assert_allclose(features(x=x).encode(np.arange(40))(np.arange(40)), 0, atol=1e-12)


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


def test_columns_are_dropped_or_read_as_categories_where_the_owner_says_so(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{i % 7}.5,{('10501', '10001', '501')[i % 3]},{i % 4},{'ab'[i % 2]}\n" for i in range(60)]
    path.write_text("x,zip,secret,y\n" + "".join(rows))
    plain, told = problem(path, "y"), problem(path, "y", drop="secret", categorical=["zip"])
    assert [type(c).__name__ for c in plain.features.columns] == ["Number", "Number", "Number"]
    x, codes = told.features.columns
    assert (x.name, codes.name, codes.levels) == ("x", "zip", ("10001", "10501", "501"))
    assert codes.codes.tolist() == [1, 0, 2] * 20
    assert "column 'secret' is left out: as was said with --drop (drop=)" in told.notes
    for option in ("drop", "categorical"):
        with pytest.raises(ValueError, match="is the label"):
            problem(path, "y", **{option: ["y"]})
        with pytest.raises(ValueError, match="Did you mean 'secret'"):
            problem(path, "y", **{option: ["secrte"]})


def test_a_model_of_one_part_is_the_same_function_of_the_table_in_another_parts_scale():
    """What one training part's fit starts from: means, deviations, gaps and levels differ between parts."""
    rng = np.random.default_rng(1)
    x = np.exp(2 * rng.normal(size=60))
    x[[3, 50]] = np.nan
    kind = rng.choice(["a", "b"], 60).astype(object)
    table = features(x=x, kind=kind, y=rng.normal(5, 3, 60))
    every, part = table.encode(EVERY), table.encode(np.arange(10, 45))  # x has no gap there
    theta = rng.normal(size=(2, 3, 1, len(every.names) + 1))
    there = carry(theta, every.scaling, part.scaling)
    assert part.names == ["x", "kind = a", "kind = b", "y"]
    known = np.flatnonzero(~np.isnan(x))
    np.testing.assert_allclose(
        there[..., :-1] @ part(known).T + there[..., -1:], theta[..., :-1] @ every(known).T + theta[..., -1:]
    )
