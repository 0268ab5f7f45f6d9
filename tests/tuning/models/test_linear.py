"""The batched Newton against scikit-learn and scipy.

Files: tuning/models/hessian.py, tuning/models/newton.py, tuning/models/rows.py.
"""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression

from steelyard import Recipe, curves
from steelyard.losses import functional
from steelyard.tuning.models import hessian, rows
from steelyard.tuning.models.forms import undo
from steelyard.tuning.models.linear import Linear, LinearModel
from steelyard.tuning.models.model import Fit

TWO = {"classes": ("no", "yes"), "kind": "exclusive"}
STRENGTHS = (0.1, 1.0, 30.0)
FOCAL = Recipe(curve=curves.Focal(2.0), **TWO)


def fit(X: np.ndarray, y: np.ndarray, recipes: Sequence[Recipe], strengths: Sequence[float], **options) -> Linear:
    return LinearModel().fit(Fit(X, y, recipes, np.array(strengths), **options))


def table(classes: int, n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
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
    X, y = table(2)
    fitted = fit(X, y, [Recipe(weight=weights, **TWO)], STRENGTHS)
    assert fitted.converged.all()
    for theta, strength in zip(fitted.theta[0, :, 0], STRENGTHS, strict=True):
        expected = sklearn_fit(X, y, weights, strength)
        np.testing.assert_allclose(theta, [*expected.coef_[0], *expected.intercept_], atol=2e-5)


@pytest.mark.parametrize("dense", [True, False])
def test_more_classes_have_the_coefficients_of_scikit_learn(dense, monkeypatch):
    if not dense:
        monkeypatch.setattr(hessian, "DENSE", (0, 0))  # conjugate gradients instead of Cholesky
    X, y = table(3)
    weights = (0.5, 1.0, 3.0)
    recipe = Recipe(weight=weights, classes=("a", "b", "c"), kind="exclusive")
    fitted = fit(X, y, [recipe], STRENGTHS, classes=3)
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
    X, y = table(2)
    strength = 3.0
    target = torch.from_numpy(y)

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        t = torch.tensor(theta, requires_grad=True)
        z = torch.from_numpy(X) @ t[:-1] + t[-1]
        value = functional.binary_cross_entropy(z, target, recipe, reduction="sum")
        value = value + strength / 2 * t[:-1].square().sum()
        value.backward()
        return float(value.detach()), t.grad.numpy()

    theta = fit(X, y, [recipe], [strength]).theta[0, 0, 0]
    best = minimize(objective, np.zeros(5), jac=True, method="BFGS", options={"gtol": 1e-7})
    assert objective(theta)[0] <= best.fun + 1e-8
    np.testing.assert_allclose(theta, best.x, atol=1e-4)


def test_focal_in_softmax_reaches_the_minimum_that_scipy_finds():
    X, y = table(3)
    recipe = Recipe(curve=curves.Focal(2.0), weight=[0.5, 1.0, 3.0], classes=("a", "b", "c"), kind="exclusive")
    target = torch.from_numpy(y)

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        t = torch.tensor(theta.reshape(3, 5), requires_grad=True)
        z = torch.from_numpy(X) @ t[:, :-1].T + t[:, -1]
        value = functional.cross_entropy(z, target, recipe, reduction="sum") + t[:, :-1].square().sum() / 2
        value.backward()
        return float(value.detach()), t.grad.numpy().reshape(-1)

    theta = fit(X, y, [recipe], [1.0], classes=3).theta[0, 0]
    best = minimize(objective, np.zeros(15), jac=True, method="BFGS", options={"gtol": 1e-7})
    assert objective(theta.reshape(-1))[0] <= best.fun + 1e-8
    np.testing.assert_allclose(theta[:, :-1], best.x.reshape(3, 5)[:, :-1], atol=1e-4)


def test_arms_do_not_influence_each_other():
    X, y = table(2)
    recipes = [Recipe(**TWO), Recipe(weight=[0.5, 5.0], **TWO), Recipe(curve=curves.Focal(2.0), **TWO)]
    together = fit(X, y, recipes, STRENGTHS).theta
    for j, recipe in enumerate(recipes):
        alone = fit(X, y, [recipe], STRENGTHS[1:2]).theta[0, 0]
        np.testing.assert_allclose(together[j, 1], alone, atol=1e-7)


def test_logit_adjustment_has_the_slopes_of_plain():
    X, y = table(2)
    adjusted = Recipe(offset=[[-0.2, -1.8]], **TWO)
    fitted = fit(X, y, [Recipe(**TWO), adjusted], [1.0])
    np.testing.assert_allclose(fitted.theta[0, 0, 0, :-1], fitted.theta[1, 0, 0, :-1], atol=1e-7)
    logits = fitted.logits(X)
    np.testing.assert_allclose(undo(logits[0], Recipe(**TWO), 2), undo(logits[1], adjusted, 2), atol=1e-6)


def big(n: int = 24_000, p: int = 6, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """So many rows that the passes run in float32 and Hessians are made from a sample; correlated, with a heavy tail and a
    rare level."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + rng.normal(size=(n, 1))
    X[:, 0] = np.exp(X[:, 0])
    X[:, 1] = rng.random(n) < 0.002
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = (rng.random(n) < 1 / (1 + np.exp(3 - X @ np.linspace(-0.5, 1, p)))).astype(int)
    assert n >= rows.SMALL
    assert 0.03 < y.mean() < 0.2
    return X, y


WEIGHTED = Recipe(weight=[0.5, 8.0], **TWO)


def test_in_float32_the_objective_is_that_of_scikit_learn():
    X, y = big()
    assert rows.Rows.of(X, np.argsort(y, kind="stable"), [0, int((y == 0).sum()), len(y)]).sample.X.shape[0] < len(y)
    fitted = fit(X, y, [WEIGHTED], STRENGTHS)
    assert fitted.converged.all()
    for theta, strength in zip(fitted.theta[0, :, 0], STRENGTHS, strict=True):
        solver = LogisticRegression(C=1 / strength, class_weight={0: 0.5, 1: 8.0}, solver="newton-cholesky", tol=1e-10)
        expected = solver.fit(X, y)
        best = np.array([*expected.coef_[0], *expected.intercept_])
        np.testing.assert_allclose(theta, best, atol=1e-5)

        def objective(t: np.ndarray, strength: float = strength) -> float:
            wrong = np.where(y == 1, -1, 1) * (X @ t[:-1] + t[-1])
            return np.logaddexp(0, wrong) @ np.array([0.5, 8.0])[y] + strength / 2 * t[:-1] @ t[:-1]

        assert abs(objective(theta) / objective(best) - 1) < 1e-11


KINDS = {
    "weights": [Recipe(**TWO), WEIGHTED],
    "focal": [FOCAL],
    "robust": [Recipe(curve=curves.GCE(0.7), weight=[0.5, 4.0], **TWO)],
    "clipped": [Recipe(curve=curves.Asymmetric(1.0, 4.0, 0.05), weight=[0.5, 4.0], **TWO)],
}


@pytest.mark.parametrize("recipes", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (rows, "SMALL", 10**9),  # float64 throughout
        (rows, "SAMPLE", 10**9),  # Hessians from all rows
        (rows, "PIECE", 2**16),
        (rows, "OUTER", 2**12),
        (rows, "KEPT", 0),
        (hessian, "FACTORS", 1),  # one model per call
        (hessian, "DENSE", (0, 0)),  # conjugate gradients
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_how_it_is_computed_changes_nothing(recipes, module, name, value, monkeypatch):
    if name == "DENSE" and recipes is KINDS["robust"]:
        pytest.skip("conjugate gradients keep to a positive curvature, with which 60 steps are too few here")
    X, y = big()
    usual = fit(X, y, recipes, STRENGTHS)
    assert usual.converged.all()
    monkeypatch.setattr(module, name, value)
    other = fit(X, y, recipes, STRENGTHS)
    assert other.converged.all()
    np.testing.assert_allclose(usual.theta, other.theta, atol=5e-4)  # the coefficient of the rare level is that flat


@pytest.mark.parametrize("n", [400, 12_000])
def test_any_number_of_threads_gives_the_same_answer(n):
    X, y = big()
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(fit(X[:n], y[:n], [WEIGHTED], STRENGTHS).theta)
    finally:
        torch.set_num_threads(before)
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


def test_a_sample_has_the_second_moments_of_the_rows_and_stands_for_all_of_them():
    X, y = big()
    every = rows.Rows.of(X, np.argsort(y, kind="stable"), [0, int((y == 0).sum()), len(y)])
    few = every.sample
    assert few.X.shape[0] < every.X.shape[0]
    assert few.count == pytest.approx(len(y))
    for label in (0, 1):
        moments = [
            sum(p.times * r.X[p.start : p.stop].double().square().sum(dim=0) for p in r.parts if p.label == label)
            for r in (every, few)
        ]
        torch.testing.assert_close(moments[0], moments[1], rtol=rows.ALIKE, atol=0)


def test_a_start_changes_nothing_but_the_time():
    """Not even where the loss is not convex and the start is near another fit."""
    X, y = table(2)
    recipes = [Recipe(**TWO), WEIGHTED, FOCAL, Recipe(curve=curves.GCE(0.7), **TWO)]
    usual = fit(X, y, recipes, STRENGTHS)
    far = {"theta": usual.theta + np.random.default_rng(0).normal(size=usual.theta.shape)}
    for start in (usual.arrays(), far):
        np.testing.assert_allclose(fit(X, y, recipes, STRENGTHS, start=start).theta, usual.theta, atol=1e-6)


@pytest.mark.parametrize("curve", [curves.Focal(2.0), curves.Focal(5.0), curves.GCE(0.7), curves.Poly(5.0)], ids=repr)
@pytest.mark.parametrize("classes", [2, 3])
def test_where_the_loss_is_not_convex_the_gradient_vanishes(curve, classes):
    X, y = table(classes, n=12_000)
    weight = [0.5, 1.0, 3.0][:classes]
    recipe = Recipe(curve=curve, weight=weight, classes=("a", "b", "c")[:classes], kind="exclusive")
    fitted = fit(X, y, [recipe], [1.0], classes=classes)
    assert fitted.converged.all()
    theta = torch.tensor(fitted.theta[0, 0], requires_grad=True)
    z = torch.from_numpy(X) @ theta[:, :-1].T + theta[:, -1]
    loss = functional.binary_cross_entropy if classes == 2 else functional.cross_entropy
    value = loss(z[:, 0] if classes == 2 else z, torch.from_numpy(y), recipe, reduction="sum")
    (value + theta[:, :-1].square().sum() / 2).backward()
    assert theta.grad is not None
    assert float(theta.grad.abs().max()) / len(y) < 1e-6


@pytest.mark.parametrize("n", [300, 12_000])
@pytest.mark.parametrize("recipe", [Recipe(**TWO), FOCAL], ids=["plain", "focal"])
def test_columns_without_information_get_no_coefficient(n, recipe):
    X, y = big(n=12_000)
    X, y = X[:n, 2:4], y[:n]
    padded = np.column_stack([X, np.zeros(n), np.full(n, 3.0)])
    usual, wide = fit(X, y, [recipe], STRENGTHS), fit(padded, y, [recipe], STRENGTHS)
    assert wide.converged.all()
    np.testing.assert_allclose(wide.theta[..., :2], usual.theta[..., :2], atol=1e-4)
    np.testing.assert_allclose(
        wide.theta[..., 2:4], 0, atol=1e-4
    )  # the intercept takes the constant up without a penalty


def test_without_columns_there_is_only_the_share_of_positives():
    y = np.repeat([0, 1], [90, 30])
    fitted = fit(np.empty((120, 0)), y, [Recipe(**TWO), WEIGHTED], STRENGTHS)
    np.testing.assert_allclose(fitted.theta[0].ravel(), np.log(30 / 90), atol=1e-9)
    np.testing.assert_allclose(fitted.theta[1].ravel(), np.log(30 * 8 / (90 * 0.5)), atol=1e-9)
    assert fitted.logits(np.empty((7, 0))).shape == (2, 3, 7)


@pytest.mark.parametrize("n", [300, 24_000])
def test_one_column(n):
    X, y = big()
    X, y = X[:n, :1], y[:n]
    expected = LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(X, y)
    np.testing.assert_allclose(
        fit(X, y, [Recipe(**TWO)], [1.0]).theta.ravel(), [*expected.coef_[0], *expected.intercept_], atol=1e-4
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_more_columns_than_a_hessian_is_written_out_for(classes):
    rng = np.random.default_rng(0)
    X, y = table(classes, n=600)
    X = np.column_stack([X, rng.normal(size=(600, 150))])
    recipe = Recipe(classes=("a", "b", "c")[:classes], kind="exclusive")
    fitted = fit(X, y, [recipe], [10.0], classes=classes)
    expected = sklearn_fit(X, y, [1.0] * classes, 10.0)
    np.testing.assert_allclose(fitted.theta[0, 0, :, :-1], expected.coef_, atol=1e-4)


def test_a_sparse_matrix_gives_the_models_of_the_dense_one():
    X, y = table(2)
    X = np.where(np.abs(X) < 1, 0, X)
    recipes = [Recipe(**TWO), WEIGHTED, FOCAL]
    dense, thin = (fit(rows, y, recipes, STRENGTHS) for rows in (X, csr_array(X)))
    assert thin.converged.all()
    np.testing.assert_allclose(thin.theta, dense.theta, atol=2e-3)
    np.testing.assert_allclose(thin.logits(csr_array(X)), thin.logits(X), atol=1e-12)


def test_the_rows_that_come_out_are_named_by_column():
    X, y = table(3)
    fitted = fit(X, y, [Recipe(classes=("a", "b", "c"), kind="exclusive")], STRENGTHS, classes=3)
    told = fitted.describe(0, 1, ["one", "two", "three", "four"])
    assert told["coefficients"]["two"] == fitted.theta[0, 1, :, 1].tolist()
    assert told["intercept"] == fitted.theta[0, 1, :, -1].tolist()


@pytest.mark.parametrize(
    ("recipe", "classes", "says"),
    [
        (WEIGHTED, 2, ""),
        (FOCAL, 2, ""),
        (Recipe(target=0.1, **TWO), 2, "smooths its targets"),
        (Recipe(scale=[[1.0, 2.0]], **TWO), 2, "scale per class"),
        (Recipe(scale=[1.0, 2.0, 1.0], kind="exclusive"), 3, "scales the logits"),
        (Recipe(weight=[1.0, 2.0, 1.0], kind="exclusive"), 3, ""),
        (Recipe(curve=curves.Asymmetric(1.0, 4.0, 0.05)), 3, "sigmoid link only"),
    ],
)
def test_what_a_linear_model_cannot_carry_is_refused_with_the_reason(recipe, classes, says):
    reason = LinearModel().refuses(recipe, classes)
    assert says in reason
    assert bool(reason) == bool(says)
    if says:
        X, y = table(classes)
        with pytest.raises(ValueError, match=says):
            fit(X, y, [recipe], [1.0], classes=classes)


@pytest.mark.parametrize("n", [60, 24_000])
@pytest.mark.parametrize("recipe", [Recipe(**TWO), FOCAL, Recipe(weight=[0.5, 50.0], **TWO)], ids=repr)
def test_rows_that_can_be_separated_still_converge(n, recipe):
    X = np.random.default_rng(0).normal(size=(n, 3))
    y = (X[:, 0] > 1).astype(int)
    fitted = fit(X, y, [recipe], [1e-4, 1.0, 1e4])
    assert fitted.converged.all()
    assert np.isfinite(fitted.theta).all()
    scores = fitted.logits(X)
    assert (scores[0, 0][y == 1].min() > scores[0, 0][y == 0].max()) or recipe is FOCAL


def test_smoothing_is_refused_by_name():
    X, y = table(2)
    with pytest.raises(ValueError, match=r"smooth\(0\.1\) smooths its targets"):
        fit(X, y, [Recipe(target=0.1, source=("smooth(0.1)",), **TWO)], [1.0])
