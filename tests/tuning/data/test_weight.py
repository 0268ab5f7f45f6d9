"""The column of row weights: read as numbers are, refused where a weight means nothing."""

import numpy as np
import pandas as pd
import pytest

from steelyard.tuning.data.arrays import problem_of
from steelyard.tuning.data.problem import problem


def frame(weights, rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    y = np.where(np.arange(rows) % 3 == 0, "ill", "well")
    return pd.DataFrame({"x": rng.normal(size=rows), "w": weights, "y": y})


def changed(row: int, value, rows: int = 60) -> list:
    weights: list = [1.0 + i % 4 for i in range(rows)]
    weights[row] = value
    return weights


def test_the_column_weighs_and_is_no_feature():
    task = problem(frame(changed(0, 9.0)), "y", weight="w")
    assert [c.name for c in task.features.columns] == ["x"]
    assert task.weights is not None
    np.testing.assert_allclose(task.weights / task.weights[0], np.array(changed(0, 9.0)) / 9, rtol=1e-6)
    assert task.counts.per_class.tolist() == [40, 20]
    assert task.masses.weighted
    assert task.masses.per_class.sum() == pytest.approx(60)


@pytest.mark.parametrize("decorated", ["{:.1f} kg", "${:,.2f}", "{:.0f} %"])
def test_numbers_in_clothes_are_weights(decorated, tmp_path):
    data = frame(changed(0, 2000.0))
    plain = problem(data, "y", weight="w").weights
    data["w"] = [decorated.format(w) for w in data["w"]]
    data.to_csv(tmp_path / "t.csv", index=False)
    read = problem(str(tmp_path / "t.csv"), "y", weight="w").weights
    assert plain is not None
    np.testing.assert_array_equal(read, plain)


@pytest.mark.parametrize("store", ["frame", "csv"])
@pytest.mark.parametrize(
    ("value", "says"),
    [
        (-2.5, r"row 3 has a weight below 0 \(-2.5\). A weight says how many rows"),
        (None, "row 3 has no weight. Write a number, 0 for a row that is to take no part"),
        (np.inf, "row 3 has (an infinite|no) weight"),
    ],
)
def test_a_weight_that_means_nothing_is_refused_by_its_row(value, says, store, tmp_path):
    data = frame(changed(2, value))
    if store == "csv":
        data.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ValueError, match=rf"^tune: .*column 'w': {says}"):
        problem(str(tmp_path / "t.csv") if store == "csv" else data, "y", weight="w")


def test_how_many_more_are_wrong_is_said():
    weights = changed(2, -1.0)
    weights[5] = weights[7] = -1.0
    with pytest.raises(ValueError, match=r"row 3 has a weight below 0 \(-1.0\), as 2 more have"):
        problem(frame(weights), "y", weight="w")


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (["much", "little"] * 30, "column 'w' cannot weigh rows: it holds 'much', 'little'. A weight"),
        (["2024-01-02", "2024-01-03"] * 30, "column 'w' cannot weigh rows: it holds"),
        ([0.0] * 60, "every weight is 0"),
        ([0.0, 1.0, 1.0] * 20, "class 'ill' has no row of weight above 0"),
    ],
)
def test_columns_that_weigh_nothing_are_refused(weights, says):
    with pytest.raises(ValueError, match=says):
        problem(frame(weights), "y", weight="w")


@pytest.mark.parametrize(
    ("options", "says"), [({"weight": "y"}, "'y' is the label"), ({"weight": "v"}, "no column 'v'")]
)
def test_the_name_must_be_that_of_another_column(options, says):
    with pytest.raises(ValueError, match=says):
        problem(frame(1.0), "y", **options)
    with pytest.raises(ValueError, match="must be another column"):
        problem(frame(1.0), "y", weight="w", group="w")


def test_rows_of_weight_0_take_no_part_and_this_is_said():
    weights = np.array(changed(0, 3.0))
    weights[[1, 7, 9]] = 0
    whole = frame(weights)
    task, without = problem(whole, "y", weight="w"), problem(whole[weights > 0], "y", weight="w")
    assert task.digest() == without.digest()
    assert "3 rows have weight 0 in 'w' and take no part" in task.notes


def test_a_missing_weight_of_a_row_without_a_label_does_not_matter():
    data = frame(changed(2, None))
    data.loc[2, "y"] = None
    assert len(problem(data, "y", weight="w").y) == 59


def test_equal_weights_are_none_and_this_is_said():
    task, without = problem(frame(3.5), "y", weight="w"), problem(frame(3.5), "y", drop="w")
    assert task.weights is None
    assert task.digest() == without.digest()
    assert "all weights in 'w' are equal, which is as good as none" in task.notes


def test_weights_far_apart_are_a_warning_with_the_effective_number():
    task = problem(frame(changed(0, 500.0)), "y", weight="w")
    assert any("60 rows tell as little as 2 of equal weight" in w for w in task.warnings)


def test_the_rarer_by_weight_is_positive():
    assert problem(frame(1.0), "y").positive == "ill"
    assert problem(frame([10.0, 1.0, 1.0] * 20), "y", weight="w").positive == "well"


def test_the_digest_knows_the_weights_and_not_their_unit():
    digests = [
        problem(frame(np.array(changed(0, v)) * f), "y", weight="w").digest() for v, f in ((2, 1), (2, 7), (3, 1))
    ]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("weight", "says"),
    [
        ([1.0] * 5, r"one number per row, \[6\], got shape \[5\]"),
        ([1.0, 2, 3, 4, 5, -1], "row 6 has a weight below 0"),
        (["a"] * 6, "one number per row, got list"),
    ],
)
def test_weights_beside_data_in_memory_are_checked_alike(weight, says):
    with pytest.raises(ValueError, match=says):
        problem_of(np.zeros((6, 1)), [0, 1, 0, 1, 0, 1], None, weight=weight)


def test_rows_of_weight_0_in_memory_take_no_part():
    X, y, w = np.arange(8.0)[:, None], np.array([0, 1] * 4), np.array([1.0, 2, 0, 1, 1, 3, 1, 0])
    task = problem_of(X, y, None, groups=np.arange(8) // 2, weight=w)
    without = problem_of(X[w > 0], y[w > 0], None, groups=(np.arange(8) // 2)[w > 0], weight=w[w > 0])
    assert task.digest() == without.digest()
    assert task.notes[0].startswith("2 rows have weight 0")
