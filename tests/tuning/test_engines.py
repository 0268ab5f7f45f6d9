"""The batched Newton against scikit-learn and scipy; the form against the library's own losses."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from steelyard import Recipe, curves, functional
from steelyard.calibrate import posterior
from steelyard.tuning import newton
from steelyard.tuning.engines import fit_linear, undo
from steelyard.tuning.forms import Sigmoid, Softmax

TWO = {"classes": ("no", "yes"), "kind": "exclusive"}
STRENGTHS = (0.1, 1.0, 30.0)


def rows(classes: int, n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    z = X @ rng.normal(size=(4, classes)) + np.linspace(0, 2, classes)
    y = (z + rng.gumbel(size=z.shape)).argmax(axis=1)
    assert np.bincount(y, minlength=classes).min() > 10
    return X, y


def sklearn_fit(X, y, weights, strength):
    solver = LogisticRegression(C=1 / strength, class_weight=dict(enumerate(weights)), tol=1e-10, max_iter=10_000)
    return solver.fit(X, y)


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.6, 7.0)])
def test_two_classes_have_the_coefficients_of_scikit_learn(weights):
    X, y = rows(2)
    fitted = fit_linear(X, y, [Recipe(weight=weights, **TWO)], STRENGTHS)
    assert fitted.converged.all()
    for theta, strength in zip(fitted.theta[0, :, 0], STRENGTHS, strict=True):
        expected = sklearn_fit(X, y, weights, strength)
        np.testing.assert_allclose(theta, [*expected.coef_[0], *expected.intercept_], atol=2e-5)


@pytest.mark.parametrize("dense", [True, False])
def test_more_classes_have_the_coefficients_of_scikit_learn(dense, monkeypatch):
    if not dense:
        monkeypatch.setattr(newton, "DENSE", 0)  # conjugate gradients instead of Cholesky
    X, y = rows(3)
    weights = (0.5, 1.0, 3.0)
    recipe = Recipe(weight=weights, classes=("a", "b", "c"), kind="exclusive")
    fitted = fit_linear(X, y, [recipe], STRENGTHS, classes=3)
    assert fitted.converged.all()
    for theta, strength in zip(fitted.theta[0], STRENGTHS, strict=True):
        expected = sklearn_fit(X, y, weights, strength)
        np.testing.assert_allclose(theta[:, :-1], expected.coef_, atol=1e-4)
        intercept = theta[:, -1] - theta[:, -1].mean()  # adding one number to all of them changes nothing
        np.testing.assert_allclose(intercept, expected.intercept_ - expected.intercept_.mean(), atol=1e-4)


CURVED = [
    Recipe(curve=curves.Focal(2.0), **TWO),
    Recipe(curve=curves.Focal(2.0), weight=[0.5, 5.0], **TWO),
    Recipe(curve=curves.Asymmetric(1.0, 3.0, 0.0), **TWO),
    Recipe(curve=curves.Poly(1.0), margin=[0.1, 0.6], **TWO),
    Recipe(scale=[1.5, 0.7], offset=[[0.0, -1.0]], weight=[0.5, 5.0], **TWO),
]


@pytest.mark.parametrize("recipe", CURVED, ids=repr)
def test_any_curve_reaches_the_minimum_that_scipy_finds(recipe):
    X, y = rows(2)
    strength = 3.0
    target = torch.from_numpy(y)

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        t = torch.tensor(theta, requires_grad=True)
        z = torch.from_numpy(X) @ t[:-1] + t[-1]
        value = functional.binary_cross_entropy(z, target, recipe, reduction="sum")
        value = value + strength / 2 * t[:-1].square().sum()
        value.backward()
        return float(value.detach()), t.grad.numpy()

    theta = fit_linear(X, y, [recipe], [strength]).theta[0, 0, 0]
    best = minimize(objective, np.zeros(5), jac=True, method="BFGS", options={"gtol": 1e-7})
    assert objective(theta)[0] <= best.fun + 1e-8
    np.testing.assert_allclose(theta, best.x, atol=1e-4)


def test_focal_in_softmax_reaches_the_minimum_that_scipy_finds():
    X, y = rows(3)
    recipe = Recipe(curve=curves.Focal(2.0), weight=[0.5, 1.0, 3.0], classes=("a", "b", "c"), kind="exclusive")
    target = torch.from_numpy(y)

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        t = torch.tensor(theta.reshape(3, 5), requires_grad=True)
        z = torch.from_numpy(X) @ t[:, :-1].T + t[:, -1]
        value = functional.cross_entropy(z, target, recipe, reduction="sum") + t[:, :-1].square().sum() / 2
        value.backward()
        return float(value.detach()), t.grad.numpy().reshape(-1)

    theta = fit_linear(X, y, [recipe], [1.0], classes=3).theta[0, 0]
    best = minimize(objective, np.zeros(15), jac=True, method="BFGS", options={"gtol": 1e-7})
    assert objective(theta.reshape(-1))[0] <= best.fun + 1e-8
    np.testing.assert_allclose(theta[:, :-1], best.x.reshape(3, 5)[:, :-1], atol=1e-4)


@pytest.mark.parametrize("recipe", CURVED, ids=repr)
def test_the_sigmoid_form_is_the_librarys_loss_and_gradient(recipe):
    generator = torch.Generator().manual_seed(0)
    labels = torch.tensor([0] * 7 + [1] * 5)
    z = (3 * torch.randn(12, generator=generator, dtype=torch.float64)).requires_grad_()
    loss = functional.binary_cross_entropy(z, labels, recipe, reduction="sum")
    (expected,) = torch.autograd.grad(loss, z)
    form = Sigmoid.of([recipe], (0, 7, 12))
    torch.testing.assert_close(form.value(z.detach()[None, None])[0], loss.detach())
    torch.testing.assert_close(form.slopes(z.detach()[None, None])[0][0, 0], expected)


def test_the_curvature_is_the_second_derivative_where_the_loss_is_convex():
    recipe = Recipe(weight=[0.5, 1.0, 3.0], offset=[[0.0, 0.5, 1.0]], classes=("a", "b", "c"), kind="exclusive")
    labels = torch.tensor([0, 1, 1, 2])
    z = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    form = Softmax.of([recipe], (0, 1, 3, 4))
    pairs = form.slopes(z[None])[1][0]
    for row, label in enumerate(labels.tolist()):

        def one(v: torch.Tensor, label: int = label) -> torch.Tensor:
            return functional.cross_entropy(v[None], torch.tensor([label]), recipe, reduction="sum")

        expected = torch.autograd.functional.hessian(one, z[:, row])
        torch.testing.assert_close(pairs[:, row], expected[tuple(torch.triu_indices(3, 3))])


@pytest.mark.parametrize("recipe", [Recipe(weight=[0.5, 9.0], **TWO), *CURVED], ids=repr)
def test_undone_scores_are_the_log_odds_of_the_posterior(recipe):
    z = np.linspace(-6, 6, 41)
    p = posterior(z, recipe, link="sigmoid")
    np.testing.assert_allclose(undo(z, recipe, 2), np.log(p / (1 - p)), atol=1e-7)


def test_weights_are_undone_by_their_log_ratio_even_where_probabilities_round():
    z = np.array([-400.0, -40.0, 0.0, 40.0, 400.0])
    np.testing.assert_allclose(undo(z, Recipe(weight=[0.5, 8.0], **TWO), 2), z - np.log(16), rtol=1e-12)


def test_arms_do_not_influence_each_other():
    X, y = rows(2)
    recipes = [Recipe(**TWO), Recipe(weight=[0.5, 5.0], **TWO), Recipe(curve=curves.Focal(2.0), **TWO)]
    together = fit_linear(X, y, recipes, STRENGTHS).theta
    for j, recipe in enumerate(recipes):
        alone = fit_linear(X, y, [recipe], STRENGTHS[1:2]).theta[0, 0]
        np.testing.assert_allclose(together[j, 1], alone, atol=1e-7)


def test_logit_adjustment_has_the_slopes_of_plain():
    X, y = rows(2)
    adjusted = Recipe(offset=[[-0.2, -1.8]], **TWO)
    fitted = fit_linear(X, y, [Recipe(**TWO), adjusted], [1.0])
    np.testing.assert_allclose(fitted.theta[0, 0, 0, :-1], fitted.theta[1, 0, 0, :-1], atol=1e-7)
    scores = fitted.undone(fitted.logits(X))
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)


def test_rows_that_can_be_separated_still_converge():
    X = np.concatenate([np.full((30, 1), -1.0), np.full((30, 1), 1.0)])
    y = np.repeat([0, 1], 30)
    fitted = fit_linear(X, y, [Recipe(**TWO), Recipe(curve=curves.Focal(2.0), **TWO)], [1e-4, 1.0, 1e4])
    assert fitted.converged.all()
    assert np.isfinite(fitted.theta).all()


def test_smoothing_is_refused_by_name():
    X, y = rows(2)
    with pytest.raises(ValueError, match=r"smooth\(0\.1\) smooths its targets"):
        fit_linear(X, y, [Recipe(target=0.1, source=("smooth(0.1)",), **TWO)], [1.0])
