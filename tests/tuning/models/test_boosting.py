"""Boosted trees against the packages' own objectives, repeated rows, and true probabilities.

Files: tuning/models/lightgbm.py.
"""

import dataclasses
import threading

import lightgbm
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from steelyard import (
    Counts,
    Recipe,
    curves,
    focal,
    inverse_frequency,
    label_temperature,
    logit_adjustment,
    margin,
    unit_mass,
)
from steelyard.tuning.models import boosting, skopped
from steelyard.tuning.models.boosting import BoostingModel, one_thread
from steelyard.tuning.models.forms import undo
from steelyard.tuning.models.lightgbm import STEP, LightGBMModel
from steelyard.tuning.models.model import Fit

TWO = Counts([950, 50], ("no", "yes"), "rows", "test")
BOTH = pytest.mark.parametrize("engine", [BoostingModel(), LightGBMModel()], ids=lambda e: e.name)


def arm(recipe: Recipe, counts: Counts = TWO) -> Recipe:
    return unit_mass(dataclasses.replace(recipe, classes=counts.classes, kind="exclusive"), counts)


PLAIN, BALANCED, FOCAL = arm(Recipe()), arm(inverse_frequency(TWO, beta=1.0)), arm(focal(gamma=2.0))


def rows(n: int = 1500, classes: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features with gaps, labels, and true probabilities [rows, C]."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    z = np.column_stack([np.zeros(n), *(2 * np.abs(X[:, 0]) + X[:, 1] - 4 - c for c in range(classes - 1))])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) < rng.uniform(size=(n, 1))).sum(axis=1)
    assert np.bincount(y, minlength=classes).min() > 40
    X[rng.uniform(size=n) < 0.1, 2] = np.nan
    return X, y, p


@pytest.mark.parametrize("classes", [2, 3])
def test_plain_is_lightgbms_own_objective(classes):
    X, y, _ = rows(4000, classes)
    counts = Counts(np.bincount(y), [str(c) for c in range(classes)], "rows", "test")
    found = LightGBMModel().fit(Fit(X, y, [arm(Recipe(), counts)], np.array([20.0]), classes=classes)).logits(X)[0, 0]
    own = {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
    params = {
        **own,
        "max_delta_step": STEP,
        "verbosity": -1,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
    }
    expected = lightgbm.train(params, lightgbm.Dataset(X, y), 20).predict(X, raw_score=True)
    assert np.std(expected) > 0.5
    if classes > 2:  # adding one number to all logits of a row changes nothing
        found, expected = (z - z.mean(axis=1, keepdims=True) for z in (found, expected))
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_weights_are_lightgbms_own_weights():
    X, y, _ = rows(4000)
    found = LightGBMModel().fit(Fit(X, y, [BALANCED], np.array([20.0]))).logits(X)[0, 0]
    params = {"objective": "binary", "max_delta_step": STEP, "verbosity": -1, "num_threads": 1, "force_row_wise": True}
    data = lightgbm.Dataset(X, y, weight=BALANCED.label_weights()[y])
    np.testing.assert_allclose(found, lightgbm.train(params, data, 20).predict(X, raw_score=True), atol=1e-3)


def test_without_weights_it_is_scikit_learns_own_fit():
    X, y, _ = rows()
    model = HistGradientBoostingClassifier(max_iter=20, early_stopping=False).fit(X, y)
    found = BoostingModel().fit(Fit(X, y, [PLAIN], np.array([20.0]))).logits(X)[0, 0]
    np.testing.assert_allclose(found, model.decision_function(X), atol=1e-6)


def test_label_weights_are_scikit_learns_class_weight():
    X, y, _ = rows()
    X = np.round(X, 1)  # few values, or scikit-learn lays its bins by the weights
    found = BoostingModel().fit(Fit(X, y, [PLAIN, BALANCED], np.array([5.0, 20.0]))).logits(X)
    for z, recipe in zip(found, (PLAIN, BALANCED), strict=True):
        for raw, trees in zip(z, (5, 20), strict=True):
            weights = dict(enumerate(recipe.label_weights()))
            model = HistGradientBoostingClassifier(max_iter=trees, class_weight=weights, early_stopping=False).fit(X, y)
            np.testing.assert_allclose(raw, model.decision_function(X), atol=1e-6)


@BOTH
def test_a_weight_of_three_is_three_copies_of_the_row(engine):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, size=(3000, 2)).astype(float)  # nine cells, each far larger than the smallest leaf
    y = (rng.uniform(size=3000) < 0.1 + 0.1 * X[:, 0] * X[:, 1]).astype(int)
    copies = np.repeat(np.arange(3000), np.where(y == 1, 3, 1))
    weighted = engine.fit(
        Fit(X, y, [Recipe(weight=[1.0, 3.0], classes=TWO.classes, kind="exclusive")], np.array([30.0]))
    )
    repeated = engine.fit(Fit(X[copies], y[copies], [PLAIN], np.array([30.0])))
    np.testing.assert_allclose(weighted.logits(X), repeated.logits(X), atol=1e-5)


def test_a_common_factor_of_the_weights_changes_nothing():
    X, y, _ = rows()
    X = np.column_stack([X, np.arange(len(X)) % 7])
    large = dataclasses.replace(BALANCED, weight=1000 * BALANCED.weight.numpy())
    mask = np.array([False, False, False, True])  # categories bring penalties on the sum of curvature
    z = LightGBMModel().fit(Fit(X, y, [BALANCED, large], np.array([50.0]), categorical=mask)).logits(X)
    np.testing.assert_allclose(z[0], z[1], atol=1e-6)


def test_a_shift_of_all_logits_is_plain():
    """Why free_intercept is true of LightGBM."""
    X, y, _ = rows()
    shifted = arm(logit_adjustment(TWO, tau=1.0))
    z = LightGBMModel().fit(Fit(X, y, [PLAIN, shifted], np.array([50.0]))).logits(X)[:, 0]
    np.testing.assert_allclose(undo(z[1], shifted, 2), undo(z[0], PLAIN, 2), atol=1e-6)


@BOTH
def test_fewer_trees_are_the_beginning_of_more_and_come_in_the_order_asked_for(engine):
    X, y, _ = rows()
    z = engine.fit(Fit(X, y, [PLAIN, BALANCED], np.array([30.0, 10.0]))).logits(X)
    for s, trees in enumerate((30.0, 10.0)):
        alone = engine.fit(Fit(X, y, [PLAIN, BALANCED], np.array([trees]))).logits(X)
        np.testing.assert_allclose(z[:, s], alone[:, 0], atol=1e-10)
    assert np.abs(z[:, 0] - z[:, 1]).max() > 0.1


@BOTH
def test_equal_seeds_give_equal_numbers_and_company_changes_nothing(engine):
    X, y, _ = rows()
    first = engine.fit(Fit(X, y, [PLAIN, BALANCED], np.array([20.0]), seed=4)).logits(X)
    np.testing.assert_array_equal(first, engine.fit(Fit(X, y, [PLAIN, BALANCED], np.array([20.0]), seed=4)).logits(X))
    np.testing.assert_array_equal(first[1:], engine.fit(Fit(X, y, [BALANCED], np.array([20.0]), seed=4)).logits(X))


@pytest.mark.parametrize(
    ("engine", "recipe"),
    [
        (BoostingModel(), BALANCED),
        (LightGBMModel(), BALANCED),
        (LightGBMModel(), FOCAL),
        (LightGBMModel(), arm(margin(TWO, widest=1.0, scale=1.0))),
        (LightGBMModel(), arm(label_temperature(TWO, gamma=0.3))),
    ],
    ids=("boosting", "balanced", "focal", "margin", "temperature"),
)
def test_undone_scores_are_the_true_probabilities(engine, recipe):
    X, y, p = rows(40_000)
    z = engine.fit(Fit(X, y, [recipe], np.array([60.0]))).logits(X[:5000])[0, 0]
    seen = 1 / (1 + np.exp(-undo(z, recipe, 2)))
    assert np.abs(seen - p[:5000, 1]).mean() < 0.03
    assert abs(seen.mean() - p[:5000, 1].mean()) < 0.015


@pytest.mark.parametrize("engine", [BoostingModel(), LightGBMModel()], ids=lambda e: e.name)
def test_more_classes_are_trained_and_undone(engine):
    X, y, p = rows(15_000, classes=3)
    counts = Counts(np.bincount(y), ("a", "b", "c"), "rows", "test")
    made = [Recipe(), inverse_frequency(counts, beta=1.0), focal(gamma=1.0), logit_adjustment(counts, tau=0.5)]
    recipes = [r for r in (arm(m, counts) for m in made) if not engine.refuses(r, 3)]
    assert len(recipes) == (2 if engine.name == "boosting" else 4)
    z = engine.fit(Fit(X, y, recipes, np.array([5.0, 30.0]), classes=3)).logits(X[:4000])
    assert z.shape == (len(recipes), 2, 4000, 3)
    for found, recipe in zip(z[:, 1], recipes, strict=True):
        assert np.abs(np.exp(undo(found, recipe, 3)) - p[:4000]).mean() < 0.04


@BOTH
def test_codes_are_told_apart_gaps_and_unseen_ones_are_scored(engine):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 400, size=20_000).astype(float)  # more than scikit-learn tells apart
    codes[rng.uniform(size=len(codes)) < 0.5] = 7
    X = np.column_stack([codes, rng.normal(size=len(codes))])
    y = (rng.uniform(size=len(codes)) < np.where(codes == 7, 0.6, 0.1)).astype(int)
    fitted = engine.fit(Fit(X, y, [PLAIN], np.array([30.0]), categorical=np.array([True, False])))
    z = fitted.logits(np.array([[7.0, 0.0], [8.0, 0.0], [np.nan, 0.0], [1000.0, 0.0], [3.0, np.nan]]))[0, 0]
    assert np.isfinite(z).all()
    assert z[0] - z[1] > 1.5


def test_a_class_of_its_own_stays_apart_from_its_neighbours_by_code():
    """As categories, not as numbers: one split by code tells the odd codes apart."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 200, size=8000).astype(float)
    y = (rng.uniform(size=8000) < np.where(codes % 2, 0.9, 0.1)).astype(int)
    for engine in (BoostingModel(), LightGBMModel()):
        one = np.array([1.0])
        named = engine.fit(Fit(codes[:, None], y, [PLAIN], one, categorical=np.array([True]))).logits(codes[:, None])
        numbers = engine.fit(Fit(codes[:, None], y, [PLAIN], one)).logits(codes[:, None])
        gap = [np.corrcoef(z[0, 0], codes % 2)[0, 1] for z in (named, numbers)]
        assert gap[0] > 0.9 > gap[1]


def test_a_booster_that_finds_no_split_says_the_class_share():
    _, y, _ = rows()
    fitted = LightGBMModel().fit(Fit(np.zeros((len(y), 1)), y, [BALANCED], np.array([5.0, 10.0])))
    z = undo(fitted.logits(np.zeros((3, 1)))[0], BALANCED, 2)
    np.testing.assert_allclose(z, np.log(y.mean() / (1 - y.mean())), atol=1e-6)


def test_shares_of_the_gain_sum_to_one_with_the_best_column_first():
    X, y, _ = rows()
    fitted = LightGBMModel().fit(Fit(X, y, [PLAIN], np.array([10.0, 20.0])))
    told = fitted.describe(0, 1, ["a", "b", "c"])["gain"]
    assert next(iter(told)) == "a"
    assert sum(told.values()) == pytest.approx(1)
    assert BoostingModel().fit(Fit(X, y, [PLAIN], np.array([2.0]))).describe(0, 0, ["a", "b", "c"]) == {}


def test_scikit_learns_trees_refuse_more_than_weights_and_name_the_way_out():
    for recipe, field in ((FOCAL, "curve"), (arm(logit_adjustment(TWO)), "offset")):
        reason = BoostingModel().refuses(recipe, 2)
        assert field in reason
        assert "--model lightgbm" in reason
        assert LightGBMModel().refuses(recipe, 2) == ""
    assert BoostingModel().refuses(BALANCED, 2) == ""
    assert "smooths" in LightGBMModel().refuses(arm(Recipe(target=0.1)), 2)
    assert "flat" in LightGBMModel().refuses(arm(Recipe(curve=curves.Asymmetric())), 2)


def test_a_class_that_is_absent_is_a_named_error():
    X, y, _ = rows()
    with pytest.raises(ValueError, match="none of class 2"):
        BoostingModel().fit(Fit(X, y, [PLAIN], np.array([2.0]), classes=3))


@BOTH
def test_no_trees_are_an_error(engine):
    X, y, _ = rows()
    with pytest.raises(ValueError, match="1 tree or more"):
        engine.fit(Fit(X, y, [PLAIN], np.array([0.0])))


def test_a_fit_in_a_thread_of_its_own_takes_one_core():
    """The limit of whoever starts the thread does not reach it."""
    from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
    from threadpoolctl import threadpool_limits

    seen: list[int] = []

    def look() -> None:
        threadpool_limits(2, user_api="openmp")
        with one_thread():
            seen.append(_openmp_effective_n_threads())
        seen.append(_openmp_effective_n_threads())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [1, 2]


def test_a_file_of_another_classifier_or_of_other_columns_is_refused():
    pytest.importorskip("skops")
    from sklearn.ensemble import RandomForestClassifier

    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
    fitted = BoostingModel().fit(Fit(X, y, [Recipe()], np.array([2.0])))
    state = boosting.saved(fitted)
    np.testing.assert_array_equal(boosting.restored(state, 2, 2).logits(X), fitted.logits(X))
    with pytest.raises(ValueError, match="read 2 columns and tell 2 classes, and there are 3 and 2"):
        boosting.restored(state, 2, 3)
    other = state | {"skops": skopped.dumped(RandomForestClassifier(n_estimators=2).fit(X, y))}
    with pytest.raises(ValueError, match="is a RandomForestClassifier, and HistGradientBoostingClassifier belongs"):
        boosting.restored(other, 2, 2)
