"""Equalized: against the published formula written out, and on long-tailed digits."""

import math

import pytest
import torch
from tests.adaptive.detectors import TABLE, batch, gains, loss_of, says_once

import steelyard as sy
from steelyard import adaptive


def test_equalized_is_the_papers_formula():
    """Against the sums written out, weights in use included."""
    gamma, mu, alpha = 12.0, 0.8, 4.0
    loss = sy.BinaryCrossEntropy(adaptive.Equalized(4, gamma=gamma, mu=mu, alpha=alpha), reduction="none")
    positive, negative = [0.0] * 4, [0.0] * 4
    weights = [(1.0, 1.0)] * 4
    for seed in range(4):
        z, y = batch(seed, classes=4, link="sigmoid", spread=1.0)
        found = loss(z, y)
        for k in range(4):
            no, yes = weights[k]
            for value, label, term in zip(z[:, k].tolist(), y[:, k].tolist(), found[:, k].tolist(), strict=True):
                p = 1 / (1 + math.exp(-value))
                assert term == pytest.approx(-yes * math.log(p) if label else -no * math.log(1 - p))
                if label:
                    positive[k] += yes * abs(p - 1)
                else:
                    negative[k] += no * p
            f = 1 / (1 + math.exp(-gamma * (positive[k] / negative[k] - mu)))
            weights[k] = (f, 1 + alpha * (1 - f))
    torch.testing.assert_close(loss.rule.weight.T, torch.tensor(weights, dtype=torch.float64))


def test_a_class_without_negatives_keeps_weight_one():
    loss = sy.BinaryCrossEntropy(adaptive.Equalized(["a", "b", "c"]))
    loss(torch.zeros(2, 3), torch.tensor([[1, 0, -100], [1, 0, -100]]))
    assert loss.rule.weight.T.tolist() == [[1, 1], pytest.approx([6.77e-5, 5.0], rel=1e-3), [1, 1]]
    assert loss.recipe.classes == ("a", "b", "c")


def test_soft_targets_are_an_expectation():
    hard, soft = (sy.BinaryCrossEntropy(adaptive.Equalized(2)) for _ in range(2))
    z = torch.tensor([[0.3, -1.0], [0.3, -1.0], [0.3, -1.0], [0.3, -1.0]], dtype=torch.float64)
    hard(z, torch.tensor([[1, 0], [0, 0], [0, 0], [0, 1]]))
    soft(z, torch.full((4, 2), 0.25, dtype=torch.float64))
    torch.testing.assert_close(soft.rule.gradients, hard.rule.gradients)


def test_one_ratio_for_all_logits():
    one = sy.BinaryCrossEntropy(adaptive.Equalized(1))
    z, y = batch(0, classes=3, link="sigmoid")
    one(z, y)
    flat = sy.BinaryCrossEntropy(adaptive.Equalized(1))
    flat(z.reshape(-1), y.reshape(-1))
    torch.testing.assert_close(one.rule.gradients, flat.rule.gradients)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: adaptive.Equalized(0), "number of classes"),
        (lambda: adaptive.Equalized("cat"), "number of classes"),
        (lambda: adaptive.Equalized(3, gamma=0), "gamma must be"),
        (lambda: adaptive.Equalized(3, mu=math.inf), "mu must be"),
        (lambda: adaptive.Equalized(3, alpha=-1), "alpha must be"),
        (lambda: sy.CrossEntropy(adaptive.Equalized(3)), "use Seesaw"),
    ],
)
def test_what_cannot_be_is_said(make, match):
    with pytest.raises(ValueError, match=match):
        make()


@pytest.mark.parametrize(
    ("make", "z", "y", "match"),
    [
        (lambda: adaptive.Equalized(2), torch.zeros(4, 2), -100 + 0 * TABLE, "no gradient was seen"),
        (lambda: adaptive.Equalized(2, alpha=0.0, mu=50.0), torch.zeros(4, 2), TABLE, "weigh less than 0.01"),
        (lambda: adaptive.Equalized(2), torch.zeros(4, 2), 1 - TABLE, "counts as balanced"),
    ],
)
def test_that_it_does_nothing_is_said_once(make, z, y, match):
    says_once(loss_of(make(), "sigmoid"), z, y, match)


@pytest.mark.parametrize(
    ("make", "link", "expected", "error"),
    [
        pytest.param(lambda: adaptive.Equalized(10), "sigmoid", 0.013, 0.0027, marks=pytest.mark.slow),
    ],
    ids=["Equalized"],
)
def test_long_tailed_digits(make, link, expected, error):
    gains(loss_of(make(), link), expected, error)
