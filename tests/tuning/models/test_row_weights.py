"""A row of weight k is k rows: one law for every kind of model. Files: tuning/models/model.py."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from steelyard import Counts, Recipe, focal, inverse_frequency, unit_mass
from steelyard.tuning.models import boosting, by_name, lightgbm, linear, mlp, model

GAUSS = "sklearn.naive_bayes.GaussianNB"
# few trees: later ones split by chance where two splits gain alike
SETTINGS = {"linear": [0.1, 10.0], "mlp": [3, 9], "boosting": [2, 5], "lightgbm": [2, 5], GAUSS: [1.0]}


def rows(classes: int, n: int = 500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of few values, whose quantiles weights do not move; labels; whole numbers, larger where x is."""
    rng = np.random.default_rng(classes)
    X = np.round(2 * rng.normal(size=(n, 3)).clip(-1.5, 1.5)) / 2
    z = X[:, :1] * np.arange(classes) - np.arange(classes) + rng.gumbel(size=(n, classes))
    return X, z.argmax(axis=1), rng.integers(1, 3, n) + 3 * (X[:, 0] + X[:, 1] > 0)


def made(name: str) -> model.Model:
    return mlp.MLPModel(batch=10**6, steps=1) if name == "mlp" else by_name.named(name)  # all rows in one batch


def recipes(name: str, counts: Counts) -> list[Recipe]:
    made = [Recipe(), inverse_frequency(counts), *([focal(gamma=2.0)] if name in ("linear", "mlp", "lightgbm") else [])]
    return [unit_mass(r, counts) for r in made]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_weight_is_a_repetition(name, classes, monkeypatch):
    monkeypatch.setattr(boosting, "ROWS_IN_LEAF", 1)  # of rows, not of weights
    monkeypatch.setattr(lightgbm, "ROWS_IN_LEAF", 0)  # which LightGBM guesses from curvatures
    X, y, k = rows(classes)
    counts = Counts(np.bincount(y, weights=k))
    arms, settings = recipes(name, counts), np.array(SETTINGS[name], dtype=float)
    many = settings * k.mean() if name == "linear" else settings  # a penalty is weighed against more rows
    engine = made(name)
    weighted = engine.fit(model.Fit(X, y, arms, settings, classes, seed=1, weights=k / k.mean())).logits(X)
    repeated = (
        made(name).fit(model.Fit(np.repeat(X, k, axis=0), np.repeat(y, k), arms, many, classes, seed=1)).logits(X)
    )
    ignored = made(name).fit(model.Fit(X, y, arms, settings, classes, seed=1)).logits(X)
    if name == GAUSS:  # it is smoothed by one row of so many, which logits of sure predictions show
        weighted, repeated, ignored = (1 / (1 + np.exp(-z)) for z in (weighted, repeated, ignored))
    tolerance = {"mlp": 2e-3, GAUSS: 5e-3}.get(name, 1e-4)  # float32 over epochs
    assert engine.weighs
    assert np.abs(weighted - repeated).mean() < tolerance * np.abs(repeated).mean()
    assert np.abs(weighted - ignored).mean() > 4 * tolerance * np.abs(repeated).mean()


@pytest.mark.parametrize("classes", [2, 3])
def test_sparse_rows_are_weighted_as_dense_ones(classes):
    X, y, k = rows(classes)
    arms = recipes("linear", Counts(np.bincount(y, weights=k)))
    settings, weights = np.array([0.1, 10.0]), k / k.mean()
    dense, thin = (
        linear.LinearModel().fit(model.Fit(x, y, arms, settings, classes, weights=weights)).logits(x)
        for x in (X, sparse.csr_matrix(X))
    )
    if classes > 2:  # softmax does not see what all logits have in common
        dense, thin = (z - z.mean(axis=-1, keepdims=True) for z in (dense, thin))
    np.testing.assert_allclose(thin, dense, atol=2e-3 * np.abs(dense).max())


def test_weighted_minima_on_many_rows_are_those_of_scikit_learn():
    """So many rows that Hessians come from a sample, and weights so far apart that a few rows hold most of them."""
    rng = np.random.default_rng(0)
    n = 20_000
    X = rng.normal(size=(n, 4))
    y = (rng.random(n) < 1 / (1 + np.exp(2 - X[:, 0]))).astype(np.int64)
    weights = rng.exponential(size=n) ** 3
    weights /= weights.mean()
    fitted = linear.LinearModel().fit(model.Fit(X, y, [Recipe()], np.array([3.0]), weights=weights))
    oracle = LogisticRegression(C=1 / 3, tol=1e-8, max_iter=1000).fit(X, y, sample_weight=weights)
    assert fitted.converged.all()
    np.testing.assert_allclose(fitted.theta[0, 0, 0], [*oracle.coef_[0], *oracle.intercept_], atol=1e-4)


@pytest.mark.parametrize("name", SETTINGS)
def test_equal_weights_change_nothing(name):
    X, y, _ = rows(2)
    arms, settings = recipes(name, Counts(np.bincount(y))), np.array(SETTINGS[name], dtype=float)
    with_ones, without = (
        made(name).fit(model.Fit(X, y, arms, settings, weights=w)).logits(X) for w in (np.ones(len(y)), None)
    )
    np.testing.assert_allclose(with_ones, without, rtol=1e-5, atol=1e-5)
