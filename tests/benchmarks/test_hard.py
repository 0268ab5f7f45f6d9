"""Small versions of the tables that are hard for a solver: every fit ends at scikit-learn's optimum, or says that it did not."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from tests.examples_of import examples

from benchmarks import hard, hard_fits
from steelyard import ReadingWarning, Recipe, inverse_frequency
from steelyard.tuning import tune
from steelyard.tuning.data.problem import problem
from steelyard.tuning.models import newton
from steelyard.tuning.models.linear import LinearModel
from steelyard.tuning.models.model import Fit

STRENGTHS = np.array([0.03, 1.0, 30.0])
TWO = {"classes": ("no", "yes"), "kind": "exclusive"}
ROWS = {"ratios": 1200, "categories": 1500}


@pytest.fixture(scope="module", params=list(ROWS))
def encoded(request, tmp_path_factory):
    """X [rows, p] as a training part of all rows is encoded, y, and the counts."""
    path = hard.write(request.param, tmp_path_factory.mktemp("hard") / "table.csv", ROWS[request.param])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReadingWarning)
        task = problem(str(path), "failed")
    every = np.arange(len(task.y))
    X = task.features.encode(every)(every)
    assert X.shape[1] > 100
    return X, task.y, task.counts


def objective(theta: np.ndarray, X: np.ndarray, y: np.ndarray, weights: np.ndarray, strength: float) -> float:
    wrong = np.where(y == 1, -1, 1) * (X @ theta[:-1] + theta[-1])
    return float(np.logaddexp(0, wrong) @ weights[y] + strength / 2 * theta[:-1] @ theta[:-1])


def test_fits_of_hard_tables_end_at_the_optimum_of_scikit_learn(encoded):
    X, y, counts = encoded
    recipes = [Recipe(classes=counts.classes, kind="exclusive"), inverse_frequency(counts)]
    fitted = LinearModel().fit(Fit(X, y, recipes, STRENGTHS))
    assert fitted.converged.all()
    for recipe, thetas in zip(recipes, fitted.theta[:, :, 0], strict=True):
        weights = np.ones(2) if recipe.weight is None else recipe.label_weights()
        for strength, theta in zip(STRENGTHS, thetas, strict=True):
            solver = LogisticRegression(
                C=1 / strength, class_weight=dict(enumerate(weights)), solver="newton-cholesky", tol=1e-9, max_iter=1000
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it cannot reach its own tolerance where rounding is larger
                best = solver.fit(X, y)
            least = objective(np.array([*best.coef_[0], *best.intercept_]), X, y, weights, strength)
            assert objective(theta, X, y, weights, strength) <= least * (1 + 1e-9)


def test_fits_that_do_not_converge_say_so_and_are_counted(tmp_path, monkeypatch):
    path = hard.write("ratios", tmp_path / "table.csv", 500)
    monkeypatch.setattr(newton, "ITERATIONS", 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReadingWarning)
        study = tune(str(path), label="failed", recipes=[inverse_frequency], repeats=1, bootstrap=100, baselines=False)
    (said,) = (warning for warning in study.warnings if "did not converge" in warning)
    lost, done = (int(word.replace(",", "")) for word in said.split() if word.replace(",", "").isdigit())
    assert 0 < lost <= done == study.fits["new"]


def awkward(seed: int, near: float, constant: bool, apart: bool) -> tuple[np.ndarray, np.ndarray]:
    """Columns that are nearly one, one that is constant, and labels that a plane tells apart."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 40)) * rng.lognormal(0.0, 1.0, size=40)
    X[:, 1:20] = X[:, :1] + near * X[:, 1:20]
    X[:, 25] = 3.0 if constant else X[:, 25]
    z = X[:, 0] / np.abs(X[:, 0]).max() + (0.0 if apart else 0.5) * rng.normal(size=200)
    return X, (z > np.quantile(z, 0.9)).astype(int)


@settings(deadline=None, max_examples=examples(4))
@given(st.integers(0, 2**20), st.sampled_from([1e-1, 1e-4, 1e-8]), st.booleans(), st.booleans())
def test_near_collinear_constant_and_separable_tables_end_at_a_zero_of_the_gradient(seed, near, constant, apart):
    """Where the gradient of a strongly convex objective is g, it is above its minimum by g^T H^-1 g / 2 and less."""
    X, y = awkward(seed, near, constant, apart)
    strengths = np.array([1e-3, 1.0, 100.0])
    fitted = LinearModel().fit(Fit(X, y, [Recipe(**TWO), Recipe(weight=[0.6, 5.0], **TWO)], strengths))
    assert fitted.converged.all()
    ones = np.column_stack([X, np.ones(len(X))])
    for weights, thetas in zip(([1.0, 1.0], [0.6, 5.0]), fitted.theta[:, :, 0], strict=True):
        for strength, theta in zip(strengths, thetas, strict=True):
            ridge = np.append(np.full(X.shape[1], strength), 0.0)
            p = 1 / (1 + np.exp(-ones @ theta))
            w = np.array(weights)[y]
            gradient = ones.T @ (w * (p - y)) + ridge * theta
            H = (ones.T * (w * p * (1 - p))) @ ones + np.diag(ridge)
            above = gradient @ np.linalg.lstsq(H, gradient, rcond=None)[0] / 2
            assert above <= 1e-9 * objective(theta, X, y, np.array(weights), strength)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(ROWS))
def test_the_full_tables_end_where_nobody_gets_lower(name, tmp_path):
    found = hard_fits.measure(hard_fits.tables(tmp_path)[name]())
    assert found["converged"] == 1
    assert found["excess"]["steelyard"] <= 1e-9
