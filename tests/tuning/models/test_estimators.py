"""Classifiers by their import path: what is read, refused, weighted, undone, and kept quiet."""

import dataclasses
import sys
import threading
import types
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from steelyard import Counts, Recipe, focal, inverse_frequency, unit_mass
from steelyard.tuning.models.estimators import EstimatorModel, classifier, parse
from steelyard.tuning.models.forms import undo
from steelyard.tuning.models.model import Fit
from steelyard.tuning.threads import own_warnings

TWO = Counts([900, 100], ("no", "yes"), "rows", "test")
ONE = np.array([1.0])
LOGISTIC = "sklearn.linear_model.LogisticRegression"
FOREST = "sklearn.ensemble.RandomForestClassifier(n_estimators=10)"
NEIGHBOURS = "sklearn.neighbors.KNeighborsClassifier(n_neighbors=5)"


def arm(recipe: Recipe, counts: Counts = TWO) -> Recipe:
    return unit_mass(dataclasses.replace(recipe, classes=counts.classes, kind="exclusive"), counts)


PLAIN, BALANCED = arm(Recipe()), arm(inverse_frequency(TWO, beta=1.0))


def rows(n: int = 1000, classes: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    slope = np.array([1.0, -1.0, 0.5, 0.0])
    z = np.column_stack([np.zeros(n), *((X @ slope) - 2 - c for c in range(classes - 1))])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) < rng.uniform(size=(n, 1))).sum(axis=1)
    assert np.bincount(y, minlength=classes).min() > 15
    return X, y, p


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b.Name", ("a.b", "Name", {})),
        (" a.Name() ", ("a", "Name", {})),
        (
            "a.Name(x=-1, y='t', z=None, w=[1, 2.5], v=(3,))",
            ("a", "Name", {"x": -1, "y": "t", "z": None, "w": [1, 2.5], "v": (3,)}),
        ),
    ],
)
def test_a_path_is_read_with_its_arguments(path, expected):
    assert parse(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "Name",
        "a.b.",
        "a..b",
        "a.Name(1)",
        "a.Name(**{'x': 1})",
        "a.Name(x=open('/etc/passwd'))",
        "a.f()(x=1)",
        "a[0].b",
        "a.b; c",
        "",
        "a\0.b",
    ],
)
def test_anything_else_is_an_error_and_nothing_is_run(path):
    with pytest.raises(ValueError, match="no import path"):
        parse(path)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("nosuchpackage.Model", "pip install nosuchpackage"),
        ("sklearn.nosuch.Model", "no module sklearn.nosuch"),
        ("sklearn.ensemble.RandomForestClasifier", "did you mean RandomForestClassifier"),
        ("sklearn.linear_model.Ridge", "no classifier"),
        ("sklearn.metrics.accuracy_score", "no scikit-learn estimator"),
        ("sklearn.svm.LinearSVC", "no predict_proba"),
        ("sklearn.ensemble.RandomForestClassifier(n_estimator=5)", "did you mean n_estimators"),
        ("sklearn.multiclass.OneVsRestClassifier()", "need other estimators"),
    ],
)
def test_what_is_no_classifier_is_an_error_that_says_what_to_do(path, told):
    with pytest.raises(ValueError, match=told):
        classifier(path)


def test_class_weight_in_the_arguments_is_an_error():
    with pytest.raises(ValueError, match="class_weight"):
        EstimatorModel(f"{LOGISTIC}(class_weight='balanced')")


def test_weights_go_through_sample_weight():
    X, y, _ = rows()
    model = LogisticRegression(class_weight=dict(enumerate(BALANCED.label_weights()))).fit(X, y)
    z = EstimatorModel(LOGISTIC).fit(Fit(X, y, [PLAIN, BALANCED], ONE)).logits(X)
    assert z.shape == (2, 1, 1000)
    for found, expected in ((z[0, 0], LogisticRegression().fit(X, y)), (z[1, 0], model)):
        near = np.abs(expected.decision_function(X)) < 2  # beyond, the row that is added to every place pulls it in
        assert near.sum() > 300
        np.testing.assert_allclose(found[near], expected.decision_function(X)[near], atol=0.03)


class ByClass(ClassifierMixin, BaseEstimator):
    """Takes weights per class and none per row."""

    def __init__(self, class_weight=None):
        self.class_weight = class_weight

    def fit(self, X, y):
        self.model_ = LogisticRegression(class_weight=self.class_weight).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


def test_else_weights_go_through_class_weight(monkeypatch):
    module = types.ModuleType("homemade")
    module.ByClass = ByClass
    monkeypatch.setitem(sys.modules, "homemade", module)
    engine = EstimatorModel("homemade.ByClass")
    assert engine.refuses(BALANCED, 2) == ""
    X, y, _ = rows()
    expected = EstimatorModel(LOGISTIC).fit(Fit(X, y, [PLAIN, BALANCED], ONE)).logits(X)
    np.testing.assert_allclose(engine.fit(Fit(X, y, [PLAIN, BALANCED], ONE)).logits(X), expected, atol=1e-2)


def test_else_weights_are_refused_and_plain_is_not():
    engine = EstimatorModel(NEIGHBOURS)
    assert "neither sample_weight nor class_weight" in engine.refuses(BALANCED, 2)
    assert engine.refuses(PLAIN, 2) == ""
    X, y, _ = rows()
    assert np.isfinite(engine.fit(Fit(X, y, [PLAIN], ONE)).logits(X)).all()


def test_more_than_weights_is_refused():
    assert "curve" in EstimatorModel(LOGISTIC).refuses(arm(focal(gamma=2.0)), 2)


def test_certain_forests_stay_finite_and_keep_their_ranks():
    X, y, _ = rows()
    z = EstimatorModel(FOREST).fit(Fit(X, y, [PLAIN], ONE, seed=3)).logits(X)[0, 0]
    p = RandomForestClassifier(n_estimators=10, random_state=3).fit(X, y).predict_proba(X)[:, 1]
    assert (p == 0).any()
    assert (p == 1).any()
    assert np.isfinite(z).all()
    np.testing.assert_array_equal(np.argsort(z, kind="stable"), np.argsort(p, kind="stable"))


def test_zero_means_half_a_row_whatever_the_weights():
    """A leaf of negatives alone: the undone odds are one half against all rows there would be, at their weight."""
    X = np.zeros((1000, 1))
    X[:100] = 1.0
    y = (X[:, 0] > 0).astype(int)
    z = (
        EstimatorModel("sklearn.tree.DecisionTreeClassifier")
        .fit(Fit(X, y, [PLAIN, BALANCED], ONE))
        .logits(np.zeros((1, 1)))
    )
    plain, balanced = undo(z[0, 0], PLAIN, 2)[0], undo(z[1, 0], BALANCED, 2)[0]
    assert plain == pytest.approx(np.log(0.5 / 1000.5))
    light = BALANCED.label_weights()[0]
    assert balanced == pytest.approx(np.log(0.5 * light / (1000 + light / 2)))


@pytest.mark.parametrize("classes", [2, 3])
def test_undone_scores_are_the_true_probabilities(classes):
    X, y, p = rows(40_000, classes)
    counts = Counts(np.bincount(y), [str(c) for c in range(classes)], "rows", "test")
    recipe = arm(inverse_frequency(counts, beta=1.0), counts)
    z = EstimatorModel(LOGISTIC).fit(Fit(X, y, [recipe], ONE, classes=classes)).logits(X)[0, 0]
    seen = undo(z, recipe, classes)
    seen = np.column_stack([1 / (1 + np.exp(seen)), 1 / (1 + np.exp(-seen))]) if classes == 2 else np.exp(seen)
    assert np.abs(seen - p).mean() < 0.01
    np.testing.assert_allclose(seen.sum(axis=1), 1)


def test_the_seed_goes_where_the_user_left_it_open():
    X, y, _ = rows()
    first, again, other = (EstimatorModel(FOREST).fit(Fit(X, y, [PLAIN], ONE, seed=s)).logits(X) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0
    fixed = EstimatorModel("sklearn.ensemble.RandomForestClassifier(n_estimators=10, random_state=7)")
    first, other = (fixed.fit(Fit(X, y, [PLAIN], ONE, seed=s)).logits(X) for s in (1, 2))
    np.testing.assert_array_equal(first, other)


def test_what_did_not_converge_is_counted_and_not_said():
    X, y, _ = rows()  # a warning would fail this test
    assert EstimatorModel(f"{LOGISTIC}(max_iter=1)").fit(Fit(X, y, [PLAIN, BALANCED], ONE)).converged.tolist() == [
        [False],
        [False],
    ]
    assert EstimatorModel(LOGISTIC).fit(Fit(X, y, [PLAIN], ONE)).converged.tolist() == [[True]]


def test_a_failing_fit_says_which_model_and_on_what():
    X, y, _ = rows()
    with pytest.raises(ValueError, match=r"GaussianNB could not be fitted on 1000 rows and 4 columns \(csr_matrix\)"):
        EstimatorModel("sklearn.naive_bayes.GaussianNB").fit(Fit(sparse.csr_matrix(X), y, [PLAIN], ONE))
    assert np.isfinite(EstimatorModel(LOGISTIC).fit(Fit(sparse.csr_matrix(X), y, [PLAIN], ONE)).logits(X)).all()


def test_the_estimator_itself_is_never_fitted():
    X, y, _ = rows()
    engine = EstimatorModel("sklearn.naive_bayes.GaussianNB")
    engine.fit(Fit(X, y, [PLAIN, BALANCED], ONE))
    assert not [name for name in vars(engine.estimator) if name.endswith("_")]
    assert isinstance(engine.estimator, GaussianNB)


def test_absent_classes_and_settings_are_errors():
    X, y, _ = rows()
    with pytest.raises(ValueError, match="none of class 2"):
        EstimatorModel(LOGISTIC).fit(Fit(X, y, [PLAIN], ONE, classes=3))
    with pytest.raises(ValueError, match="no axis to tune"):
        EstimatorModel(LOGISTIC).fit(Fit(X, y, [PLAIN], np.array([1.0, 2.0])))


def test_quiet_hears_its_own_thread_only_and_leaves_the_filters_as_they_were():
    before, show = list(warnings.filters), warnings.showwarning
    inside, ready, heard = threading.Event(), threading.Event(), {}

    def other() -> None:
        with own_warnings() as said:
            inside.set()
            ready.wait(10)
            warnings.warn("of the other", stacklevel=1)
        heard["other"] = said

    thread = threading.Thread(target=other)
    with own_warnings() as said:
        thread.start()
        inside.wait(10)
        warnings.warn("mine", stacklevel=1)
        with own_warnings() as nested:
            warnings.warn("nested", stacklevel=1)
    ready.set()  # this thread leaves first
    thread.join()
    assert said == ["UserWarning: mine"]
    assert nested == ["UserWarning: nested"]
    assert heard["other"] == ["UserWarning: of the other"]
    assert warnings.filters == before
    assert warnings.showwarning is show
    with pytest.raises(UserWarning, match="after"):
        warnings.warn("after", stacklevel=1)


def test_quiet_ends_when_what_is_inside_fails():
    before = list(warnings.filters)
    with pytest.raises(KeyError), own_warnings():
        raise KeyError
    assert warnings.filters == before
