"""Rows drawn anew until the classes are even."""

import numpy as np
import pytest

from steelyard import Counts
from steelyard.tuning.resampling import RESAMPLERS, arms, resample

pytest.importorskip("imblearn")


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = (np.arange(200) < 20).astype(int)
    return rng.normal(size=(200, 3)) + y[:, None], y


@pytest.mark.parametrize("name", RESAMPLERS)
def test_classes_come_out_even_and_the_same_for_the_same_seed(name, data):
    X, y = resample(name, *data, seed=3)
    assert np.bincount(y).tolist() == ([20, 20] if name == "random undersampling" else [180, 180])
    again = resample(name, *data, seed=3)
    np.testing.assert_array_equal(X, again[0])
    other = resample(name, *data, seed=4)
    assert not np.array_equal(X, other[0])


@pytest.mark.parametrize("name", ["random oversampling", "random undersampling"])
def test_rows_are_drawn_from_those_there_are(name, data):
    X, y = resample(name, *data, seed=0)
    known = {(*row, label) for row, label in zip(data[0].tolist(), data[1].tolist(), strict=True)}
    assert {(*row, label) for row, label in zip(X.tolist(), y.tolist(), strict=True)} <= known


def test_even_classes_are_undone_like_balanced_weights():
    recipe = arms(100)[0].recipe(Counts.of(900, 100))
    assert recipe.label_weights().tolist() == pytest.approx([900 / 1620, 5.0], rel=0.2)
    assert recipe.label_weights()[1] / recipe.label_weights()[0] == pytest.approx(9)


def test_smote_needs_neighbours_and_no_gaps():
    assert [a.name for a in arms(100)] == list(RESAMPLERS)
    assert "SMOTE" not in [a.name for a in arms(5)]
    assert "SMOTE" not in [a.name for a in arms(100, gaps=True)]
