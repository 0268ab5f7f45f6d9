"""Recalibration against logistic regression, scipy's minimiser and hand-made cases."""

import numpy as np
import pytest
import torch

from steelyard.calibrate.scaling import RIDGE, scaling

linear_model = pytest.importorskip("sklearn.linear_model")
optimize = pytest.importorskip("scipy.optimize")


def two(n=20_000, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(-3, 2, n)
    return z, (rng.random(n) < 1 / (1 + np.exp(-(0.6 * z + 0.4)))).astype(int)


def many(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    z = 2 * rng.normal(size=(n, 4))
    odds = 0.7 * z + [1, 0, -1, -2]
    return z, np.argmax(odds + rng.gumbel(size=odds.shape), axis=1)


def softmax_loss(logp, y):
    logp = logp - np.log(np.exp(logp).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(y)), y].sum()


def test_two_classes_are_platts_logistic_regression():
    z, y = two()
    found = scaling(z, y)
    oracle = linear_model.LogisticRegression(C=1e10, tol=1e-10).fit(z[:, None], y)
    assert found.slope == pytest.approx(oracle.coef_[0, 0], rel=1e-3)
    assert found.bias[0] == pytest.approx(oracle.intercept_[0], rel=1e-3)


def test_nothing_found_by_scipy_is_better():
    z, y = many(400)
    found = scaling(z, y)

    def objective(theta):
        after = theta[0] * z + theta[1:]
        change = (after - after.mean(axis=1, keepdims=True)) - (z - z.mean(axis=1, keepdims=True))
        return softmax_loss(after, y) + RIDGE / 2 * (change**2).sum(axis=1).mean()

    oracle = optimize.minimize(objective, np.array([1.0, 0, 0, 0, 0]), method="BFGS", options={"gtol": 1e-8})
    ours = objective(np.append(found.slope, found.bias))
    assert ours <= oracle.fun + 1e-9
    assert found.slope == pytest.approx(oracle.x[0], rel=1e-4)
    assert found.bias.sum() == pytest.approx(0, abs=1e-9)


def test_two_columns_say_what_one_log_odds_says():
    z, y = two(2000)
    one, both = scaling(z, y), scaling(np.column_stack([np.zeros_like(z), z]), y)
    assert both.slope == pytest.approx(one.slope, rel=2e-3)  # the ridge counts both columns, so not to the digit
    logp = both.apply(np.column_stack([np.zeros_like(z), z]))
    np.testing.assert_allclose(logp[:, 1] - logp[:, 0], one.apply(z), atol=0.01)


def test_adding_a_constant_to_a_row_changes_nothing():
    z, y = many(500)
    shift = np.random.default_rng(1).normal(size=(500, 1)) * 10
    a, b = scaling(z, y), scaling(z + shift, y)
    np.testing.assert_allclose(a.apply(z), b.apply(z + shift), atol=1e-6)


def test_calibrated_logits_stay_and_the_mean_probability_is_the_share():
    rng = np.random.default_rng(0)
    z = rng.normal(-2, 1.5, 100_000)
    y = rng.random(100_000) < 1 / (1 + np.exp(-z))
    found = scaling(z, y)
    assert found.slope == pytest.approx(1, abs=0.03)
    assert found.bias[0] == pytest.approx(0, abs=0.05)
    assert np.mean(1 / (1 + np.exp(-found.apply(z)))) == pytest.approx(y.mean(), rel=1e-4)


def test_a_cosine_head_gets_its_scale_back():
    """Logits in [-1, 1] whose right slope is 16: the ridge is relative to their spread."""
    rng = np.random.default_rng(0)
    z = rng.uniform(-0.5, 0.5, size=(2000, 3))
    y = np.argmax(16 * z + rng.gumbel(size=z.shape), axis=1)
    assert scaling(z, y).slope == pytest.approx(16, rel=0.1)


@pytest.mark.parametrize(
    ("z", "y"),
    [
        ([-1.0, -0.5, 0.5, 1.0], [0, 0, 1, 1]),  # separable
        ([-1e6, -1.0, 1.0, 1e6], [0, 1, 0, 1]),
        ([2.0, 2.0, 2.0], [0, 0, 1]),  # constant
        ([1.0], [1]),  # one row
        ([1.0, 2.0, 3.0], [0, 0, 0]),  # one class
        ([-np.inf, 0.0, np.inf], [0, 1, 1]),  # sure
        ([-np.inf, -np.inf, np.inf], [0, 1, 1]),
        ([[0.0, -np.inf, -1.0], [-np.inf, 0.0, -2.0], [0.0, -1.0, -np.inf]], [0, 1, 0]),  # a class without rows
        ([[3.0, 0.0], [0.0, 3.0]], [0, 1]),
    ],
)
def test_few_or_separable_or_infinite_rows_give_numbers(z, y):
    found = scaling(z, y)
    assert 0 <= found.slope < 100
    assert np.isfinite(found.apply(z)).all()
    assert np.isfinite(found.apply(np.full_like(np.asarray(z), -np.inf))).all()


def test_sure_scores_keep_their_rank():
    found = scaling([-np.inf, -np.inf, 0.0, np.inf, np.inf], [0, 0, 0, 1, 1])
    after = found.apply([-np.inf, 0.0, np.inf])
    assert after[0] < after[1] < after[2]


def test_scores_worse_than_chance_become_the_share_and_are_not_turned_round():
    found = scaling([-2.0, -1.0, 1.0, 2.0, 3.0], [1, 1, 0, 0, 0])
    assert found.slope == 0
    assert found.apply([5.0])[0] == pytest.approx(np.log(2 / 3), abs=0.1)


def test_tensors_come_back_as_tensors():
    z, y = two(500)
    found = scaling(torch.tensor(z, dtype=torch.float32), torch.tensor(y))
    after = found.apply(torch.tensor(z, dtype=torch.float16))
    assert isinstance(after, torch.Tensor)
    assert after.dtype == torch.float32
    assert found.apply(z.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(found.apply(torch.tensor(z)).numpy(), found.apply(z))


def test_more_classes_come_back_as_log_probabilities():
    z, y = many(300)
    np.testing.assert_allclose(np.exp(scaling(z, y).apply(z)).sum(axis=1), 1)


@pytest.mark.parametrize(
    ("z", "y", "why"),
    [
        ([[1.0], [2.0]], [0, 1], r"logits\[:, 0\]"),
        ([1.0, np.nan], [0, 1], "1 of 2 logits are NaN"),
        ([1.0, 2.0], [0, 2], r"y must be 0..1 for \[N\] logits"),
        ([1.0, 2.0], [0], "one label per row"),
        ([], [], "at least one"),
        ("ab", [0, 1], "must be numbers"),
    ],
)
def test_bad_calls_are_named(z, y, why):
    with pytest.raises(ValueError, match=why):
        scaling(z, y)


def test_another_kind_of_logits_is_refused():
    with pytest.raises(ValueError, match=r"fitted on \[N\] logits, got shape \[1, 2\]"):
        scaling([0.0, 1.0], [0, 1]).apply([[0.0, 1.0]])
