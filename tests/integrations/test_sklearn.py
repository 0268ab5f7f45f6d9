"""Classifiers of scikit-learn under a recipe. Files: integrations/recipe_classifier.py, integrations/classes.py."""

import functools

import numpy as np
import pytest

import steelyard as sy

pytest.importorskip("sklearn")
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import check_estimator

from steelyard.integrations.classes import check_names
from steelyard.integrations.sklearn import RecipeClassifier, Weighted

X, Y = make_classification(600, 5, n_informative=3, n_redundant=0, weights=[0.9], random_state=0)
X3, Y3 = make_classification(600, 6, n_informative=4, n_classes=3, weights=[0.8, 0.15], random_state=1)
NAMES = np.array(["no", "yes"])[Y]
EXACT = functools.partial(LogisticRegression, tol=1e-10, max_iter=2000)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "estimator",
    [
        Weighted(LogisticRegression()),
        Weighted(LogisticRegression(), "effective-number", undo=False),
        RecipeClassifier("inverse-frequency"),
        RecipeClassifier(["logit-adjustment", sy.focal(gamma=1.0)]),
        RecipeClassifier(hidden=(8,), max_iter=100),
    ],
    ids=["weighted", "not-undone", "linear", "recipe", "network"],
)
def test_every_check_of_scikit_learn_passes(estimator):
    found = check_estimator(estimator, on_fail=None)
    assert {r["check_name"]: r["exception"] for r in found if r["status"] == "failed"} == {}
    assert sum(r["status"] == "passed" for r in found) > 50


@pytest.mark.parametrize(
    "y", [Y, NAMES, NAMES.astype(object), Y.astype(float), Y.astype(bool), Y * 4 + 3], ids=lambda y: y.dtype
)
def test_weights_are_those_of_class_weight_whatever_the_labels_are(y):
    ours, theirs = Weighted(EXACT(), undo=False).fit(X, y), EXACT(class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    assert ours.predict(X).dtype == theirs.predict(X).dtype
    assert (ours.predict(X) == theirs.predict(X)).all()
    linear = RecipeClassifier("inverse-frequency", undo=False, tol=1e-10).fit(X, y)
    np.testing.assert_allclose(linear.coef_, theirs.coef_, atol=1e-6)


def test_undone_probabilities_hold_the_base_rate():
    plain = EXACT().fit(X, Y).predict_proba(X)[:, 1].mean()
    weighted = EXACT(class_weight="balanced").fit(X, Y).predict_proba(X)[:, 1].mean()
    for undone in (Weighted(EXACT()).fit(X, Y), RecipeClassifier("inverse-frequency").fit(X, Y)):
        mean = undone.predict_proba(X)[:, 1].mean()
        assert abs(mean - plain) < 0.02 < 0.15 < weighted - plain
    w = sy.inverse_frequency(sy.count(Y)).label_weights()
    p = EXACT(class_weight="balanced").fit(X, Y).predict_proba(X) / w
    np.testing.assert_allclose(Weighted(EXACT()).fit(X, Y).predict_proba(X), p / p.sum(1, keepdims=True), atol=1e-6)


def test_certain_trees_stay_certain():
    forest = RandomForestClassifier(5, random_state=0)
    p, q = (
        Weighted(forest).fit(X, Y).predict_proba(X),
        forest.fit(X, Y, sample_weight=np.where(Y, 5.0, 0.55)).predict_proba(X),
    )
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p.sum(1), 1)
    assert (q == 1).any()
    assert (p[np.where(Weighted(forest, undo=False).fit(X, Y).predict_proba(X) == 1)] == 1).all()


def test_weights_are_counted_in_every_fold():
    """A fold's weights depend on its own rows alone: cross_val_predict is the loop written out."""
    folds = StratifiedKFold(3)
    found = cross_val_predict(Weighted(EXACT()), X, Y, cv=folds, method="predict_proba")
    for train, test in folds.split(X, Y):
        w = sy.inverse_frequency(sy.count(Y[train])).label_weights()
        p = EXACT().fit(X[train], Y[train], sample_weight=w[Y[train]]).predict_proba(X[test]) / w
        np.testing.assert_allclose(found[test], p / p.sum(1, keepdims=True), atol=1e-7)


@pytest.mark.parametrize(
    "make",
    [lambda: Weighted(EXACT()), lambda: RecipeClassifier("effective-number", tol=1e-10)],
    ids=["weighted", "recipe"],
)
def test_a_row_of_weight_two_is_two_rows_and_of_weight_0_none(make):
    times = np.random.default_rng(0).integers(0, 3, len(Y))
    one = make().fit(X, Y, sample_weight=times)
    two = make().fit(np.repeat(X, times, axis=0), np.repeat(Y, times))
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X), atol=1e-6)


def test_a_tuned_threshold_is_that_of_held_out_probabilities():
    folds = StratifiedKFold(5)
    tuned = Weighted(EXACT(), threshold={"cost_fn": 20, "cost_fp": 1}).fit(X, Y)
    p = cross_val_predict(Weighted(EXACT()), X, Y, cv=folds, method="predict_proba")[:, 1]
    assert tuned.threshold_ == pytest.approx(sy.threshold(p, Y, cost_fn=20, cost_fp=1), abs=1e-9)
    assert (tuned.predict(X) == (tuned.predict_proba(X)[:, 1] >= tuned.threshold_)).all()
    plain = Weighted(EXACT(), None, threshold="balanced_accuracy").fit(X, NAMES)
    assert plain.threshold_ < 0.4
    assert set(plain.predict(X)) == {"no", "yes"}


def test_a_tuned_threshold_counts_the_weights_of_rows():
    folds, w = StratifiedKFold(5), np.where(Y, 4.0, 1.0) + (X[:, 0] > 0)
    tuned = Weighted(EXACT(), threshold={"cost_fn": 5, "cost_fp": 1}).fit(X, Y, sample_weight=w)
    p = np.full(len(Y), np.nan)
    for train, test in folds.split(X, Y):
        p[test] = Weighted(EXACT()).fit(X[train], Y[train], sample_weight=w[train]).predict_proba(X[test])[:, 1]
    expected = sy.threshold(p, Y, cost_fn=5, cost_fp=1, weight=w)
    assert tuned.threshold_ == pytest.approx(expected, abs=1e-9)
    assert expected != sy.threshold(p, Y, cost_fn=5, cost_fp=1)


def test_the_trained_decision_is_the_estimators():
    model = Weighted(EXACT(), threshold="trained").fit(X, Y)
    assert (model.predict(X) == model.estimator_.predict(X)).all()
    assert model.predict(X).mean() > Weighted(EXACT()).fit(X, Y).predict(X).mean()
    svm = Weighted(LinearSVC()).fit(X, Y)  # no predict_proba: its own decision is all there is
    assert not hasattr(svm, "predict_proba")
    assert (svm.predict(X) == LinearSVC(class_weight="balanced").fit(X, Y).predict(X)).mean() > 0.99


def test_costs_of_more_than_two_classes_choose_the_least_expected_cost():
    costs = np.array([[0, 1, 1], [5, 0, 1], [50, 10, 0]])
    for model in (Weighted(EXACT(), costs=costs), RecipeClassifier("inverse-frequency", costs=costs)):
        p = model.fit(X3, Y3).predict_proba(X3)
        said = model.predict(X3)
        assert (
            said == np.argmin([[sum(row[t] * costs[t, c] for t in range(3)) for c in range(3)] for row in p], axis=1)
        ).all()
        paid = costs[Y3, said].mean()
        assert paid < costs[Y3, Weighted(EXACT()).fit(X3, Y3).predict(X3)].mean()


@pytest.mark.slow
def test_pipelines_grids_and_calibration():
    pipe = make_pipeline(StandardScaler(), EXACT())
    inside, outside = Weighted(pipe).fit(X, Y), make_pipeline(StandardScaler(), Weighted(EXACT())).fit(X, Y)
    np.testing.assert_allclose(inside.predict_proba(X), outside.predict_proba(X), atol=1e-9)
    recipes = [
        None,
        "inverse-frequency",
        functools.partial(sy.effective_number, beta=0.99),
        sy.fixed(weight=[1.0, 3.0]),
    ]
    grid = GridSearchCV(
        Weighted(EXACT(), threshold="trained"),
        {"strategy": recipes, "estimator__C": [0.1, 1.0]},
        scoring="balanced_accuracy",
        cv=3,
    )
    grid.fit(X, Y)
    assert grid.best_params_["strategy"] is not None
    assert len(set(grid.cv_results_["mean_test_score"][::2])) > 1
    calibrated = CalibratedClassifierCV(Weighted(EXACT()), cv=3).fit(X, Y)
    assert abs(calibrated.predict_proba(X)[:, 1].mean() - Y.mean()) < 0.02


def test_names_in_another_order_are_refused_and_numbers_are_no_names():
    def check(counts, names):
        check_names("Trainer", sy.inverse_frequency(sy.Counts(counts)), names, "data.yaml")

    for counts, names in (
        ({"red": 5, "white": 3}, ["red", "white"]),
        ({"0": 5, "1": 3}, ["red", "white"]),
        ([5, 3], ["red", "white"]),
        ({"red": 5, "white": 3}, None),
        ({"red": 5, "white": 3}, ["background", "red", "white"]),  # their widths are another question
    ):
        check(counts, names)
    with pytest.raises(ValueError, match=r"Trainer: class 0 of the recipe is 'red', and of data\.yaml 'white'"):
        check({"red": 5, "white": 3}, ["white", "red"])


def test_metadata_is_routed():
    class Asks(LogisticRegression):
        def fit(self, X, y, sample_weight=None, note=None):
            self.note_ = note
            return super().fit(X, y, sample_weight)

    with sklearn.config_context(enable_metadata_routing=True):
        model = Weighted(Asks().set_fit_request(note=True, sample_weight=True)).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=False)
        fitted = model.fit(X, Y, sample_weight=np.ones(len(Y)), note="seen")
        assert fitted.estimator_.note_ == "seen"
        grid = GridSearchCV(model, {"undo": [True]}, cv=3).fit(X, Y, sample_weight=np.where(Y, 2.0, 1.0), note="seen")
        assert grid.best_estimator_.recipe_ != fitted.recipe_


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Weighted(EXACT(), sy.focal()), "takes weights of rows alone, and the recipe also sets curve"),
        (Weighted(EXACT(), "inverse"), "there is no ingredient 'inverse'"),
        (Weighted(EXACT(), sy.fixed(weight={"a": 1, "b": 2})), "the recipe is for the classes a, b, but y holds 0, 1"),
        (Weighted(KNeighborsClassifier()), "takes neither sample_weight nor class_weight"),
        (Weighted(EXACT(), threshold=0.5, costs=[[0, 1], [1, 0]]), "both decide"),
        (Weighted(EXACT(), costs=[[0, 1]]), r"finite \[2, 2\] table"),
        (RecipeClassifier(threshold=0.5, costs=[[0, 1], [1, 0]]), "parts two classes"),
    ],
)
def test_what_does_not_fit_is_named(model, says):
    with pytest.raises(ValueError, match=says):
        model.fit(X, Y)
    with pytest.raises(ValueError, match="a threshold parts two classes, and y holds 3"):
        Weighted(EXACT(), threshold="balanced_accuracy").fit(X3, Y3)
    with pytest.raises(ValueError, match="one class"):
        Weighted(EXACT()).fit(X, np.zeros(len(Y)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:RecipeClassifier. after")
def test_a_network_learns_what_no_line_parts():
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 2))
    y = (x[:, 0] * x[:, 1] > 1).astype(int)
    plain = RecipeClassifier("inverse-frequency", undo=False).fit(x, y)
    network = RecipeClassifier(
        "inverse-frequency", hidden=(16,), alpha=0.1, max_iter=100, undo=False, random_state=0
    ).fit(x, y)
    assert (plain.predict(x) == y).mean() < 0.8 < 0.9 < (network.predict(x) == y).mean()
