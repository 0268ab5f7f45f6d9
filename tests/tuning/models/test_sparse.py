"""The truncated Newton for sparse rows: the optimum of scikit-learn and of the dense Newton."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from steelyard import Recipe, curves
from steelyard.tuning.models import sparse as solver
from steelyard.tuning.models import sparse_core
from steelyard.tuning.models.forms import Sigmoid, Softmax


@pytest.fixture(autouse=True, params=["core", "torch"])
def both(request, monkeypatch):
    """By the C++ core and by plain torch, which takes over where it is not."""
    if request.param == "torch":
        monkeypatch.setattr(sparse_core, "THERE", False)
    elif not sparse_core.THERE:
        pytest.skip("the native core has no sparse solver")


STRENGTHS = np.array([0.03, 1.0, 30.0])
NAMES = ("a", "b", "c")


def rows(classes: int, n: int = 500, p: int = 300, numbers: int = 4, seed: int = 0):
    """Sparse words beside correlated numbers, sorted by label, as the forms want them."""
    rng = np.random.default_rng(seed)
    text = sparse.random(n, p, density=0.03, random_state=rng, format="csr")
    dense = rng.normal(size=(n, numbers)) @ rng.normal(size=(numbers, numbers))
    X = sparse.csr_matrix(sparse.hstack([sparse.csr_matrix(dense), text]))
    z = X @ rng.normal(size=(p + numbers, classes)) + np.linspace(0, 1.5, classes)
    y = (z + rng.gumbel(size=z.shape)).argmax(axis=1)
    order = np.argsort(y, kind="stable")
    assert np.bincount(y, minlength=classes).min() > 20
    return X[order], y[order]


def forms(classes: int, y: np.ndarray, weights, curve=None):
    """One model per weights and strength."""
    recipes = [
        Recipe(weight=w, curve=curve, classes=NAMES[:classes], kind="exclusive") for w in weights for _ in STRENGTHS
    ]
    ends = np.searchsorted(y, np.arange(classes + 1)).tolist()
    strength = torch.from_numpy(np.tile(STRENGTHS, len(weights)))
    return (Sigmoid if classes == 2 else Softmax).of(recipes, ends), strength


def objective(form, X, theta: np.ndarray, strength: torch.Tensor) -> np.ndarray:
    """[models] for theta [models, C, p + 1], by numpy and the form's own value."""
    z = np.einsum("mcp,np->mcn", theta[..., :-1], X.toarray()) + theta[..., -1:]
    return form.value(torch.from_numpy(z)).numpy() + strength.numpy() / 2 * (theta[..., :-1] ** 2).sum(axis=(1, 2))


@pytest.mark.parametrize("classes", [2, 3])
def test_no_objective_is_above_scikit_learns_by_more_than_a_millionth(classes):
    X, y = rows(classes)
    weights = [(1.0,) * classes, (0.5, 4.0, 2.0)[:classes]]
    form, strength = forms(classes, y, weights)
    theta, converged = solver.fit(form, X, strength)
    assert converged.all()
    expected = np.zeros(theta.shape)
    for m, (w, s) in enumerate((w, s) for w in weights for s in STRENGTHS):
        fitted = LogisticRegression(C=1 / s, class_weight=dict(enumerate(w)), tol=1e-8, max_iter=20_000).fit(X, y)
        expected[m, :, :-1], expected[m, :, -1] = fitted.coef_, fitted.intercept_
    ours, theirs = (objective(form, X, t, strength) for t in (theta.numpy(), expected))
    assert (ours <= theirs * (1 + 1e-6)).all()
    assert (theirs <= ours * (1 + 1e-6)).all()  # and they are the optimum too, so both are it


def test_a_smaller_tolerance_gives_the_coefficients_themselves():
    X, y = rows(2)
    form, strength = forms(2, y, [(0.5, 4.0)])
    theta, _ = solver.fit(form, X, strength, tolerance=1e-13)
    for found, s in zip(theta[:, 0].numpy(), STRENGTHS, strict=True):
        exact = LogisticRegression(
            C=1 / s, class_weight={0: 0.5, 1: 4.0}, solver="newton-cg", tol=1e-10, max_iter=1000
        ).fit(X, y)
        np.testing.assert_allclose(found, [*exact.coef_[0], *exact.intercept_], atol=1e-4)


def test_a_fit_of_many_models_is_the_fit_of_each_alone():
    X, y = rows(2)
    form, strength = forms(2, y, [(1.0, 1.0), (0.3, 9.0)])
    together, _ = solver.fit(form, X, strength)
    for m in range(form.models):
        alone, _ = solver.fit(form.take(torch.tensor([m])), X, strength[[m]])
        one = form.take(torch.tensor([m]))
        a, b = (objective(one, X, t.numpy(), strength[[m]]) for t in (together[[m]], alone))
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_models_that_do_not_fit_into_one_batch_are_fitted_in_turn(monkeypatch):
    X, y = rows(2)
    form, strength = forms(2, y, [(1.0, 1.0), (0.3, 9.0)])
    whole, _ = solver.fit(form, X, strength)
    monkeypatch.setattr(solver, "BATCH", 4 * X.shape[0])  # four models at a time
    parts, converged = solver.fit(form, X, strength)
    assert converged.all()
    np.testing.assert_allclose(*(objective(form, X, t.numpy(), strength) for t in (whole, parts)), rtol=1e-6)


def test_a_start_changes_the_way_and_not_the_end():
    X, y = rows(3)
    form, strength = forms(3, y, [(1.0, 2.0, 0.5)])
    cold, _ = solver.fit(form, X, strength)
    begin = torch.from_numpy(np.random.default_rng(0).normal(size=cold.shape))
    before = begin.clone()
    warm, converged = solver.fit(form, X, strength, start=begin)
    assert converged.all()
    np.testing.assert_allclose(*(objective(form, X, t.numpy(), strength) for t in (cold, warm)), rtol=1e-6)
    assert torch.equal(begin, before)  # the argument is not written into
    _, converged = solver.fit(form, X, strength, start=warm, iterations=2)
    assert converged.all()  # from the optimum there is nothing left to do


@pytest.mark.parametrize("curve", [curves.Focal(2.0), curves.GCE(0.5)])
def test_curves_that_are_not_convex_end_where_the_gradient_is_zero(curve):
    X, y = rows(2)
    form, strength = forms(2, y, [(1.0, 1.0)], curve)
    theta, converged = solver.fit(form, X, strength, tolerance=1e-12)
    assert converged.all()
    t = theta.clone().requires_grad_()
    z = (torch.from_numpy(X.toarray()) @ t[:, 0, :-1].T + t[:, 0, -1]).T[:, None]
    q = torch.sigmoid(torch.where(torch.from_numpy(y) == 1, -z, z))
    total = curve.value(torch.log1p(-q), q).sum() + (strength[:, None] / 2 * t[:, 0, :-1] ** 2).sum()
    (gradient,) = torch.autograd.grad(total, t)
    assert float(gradient.abs().max()) < 1e-4


def test_text_that_separates_the_classes_stays_finite():
    """Every row of one class has a word that the other never has, at nearly no penalty."""
    n = 60
    X = sparse.csr_matrix(np.repeat(np.eye(2), n // 2, axis=0))
    y = np.repeat([0, 1], n // 2)
    recipe = Recipe(weight=(1.0, 1.0), classes=("a", "b"), kind="exclusive")
    form = Sigmoid.of([recipe], np.searchsorted(y, [0, 1, 2]).tolist())
    theta, converged = solver.fit(form, X, torch.tensor([1e-4], dtype=torch.float64))
    assert converged.all()
    assert torch.isfinite(theta).all()


def test_a_table_without_a_column_gives_the_prior():
    y = np.repeat([0, 1], [30, 10])
    form, strength = forms(2, y, [(1.0, 1.0)])
    theta, converged = solver.fit(form, sparse.csr_matrix((40, 0)), strength)
    assert converged.all()
    np.testing.assert_allclose(theta[:, 0, 0], np.log(10 / 30), rtol=1e-4)
