"""Uncertainty: what it costs, what it equalises, and what it does to long-tailed digits."""

import math
import warnings

import pytest
import torch
from tests.adaptive import digits
from torch import nn

import steelyard as sy
from steelyard import adaptive

LABELS = sy.Counts([30, 10, 2], kind="multilabel", items=100)


def repeat(times, loss, z, y, optimizer=None):
    for _ in range(times):
        value = loss(z, y)
        if optimizer is not None:
            optimizer.zero_grad()
            value.backward()
            optimizer.step()


def minimise(parameters, value):
    optimizer = torch.optim.LBFGS(parameters, max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-9)

    def step():
        optimizer.zero_grad()
        loss = value()
        loss.backward()
        return loss

    optimizer.step(step)


def test_the_objective_by_hand():
    rule = adaptive.Uncertainty(2, largest=100.0)
    loss = sy.CrossEntropy(rule)
    with torch.no_grad():
        rule.s.copy_(torch.tensor([[0.5], [-1.0]]))
    z, y = torch.tensor([[0.0, 0.0], [0.0, 2.0], [1.0, 0.0], [9.0, 9.0]]), torch.tensor([0, 1, 1, -100])
    l = [math.log(2), math.log1p(math.exp(-2)), math.log1p(math.exp(1))]
    items = [math.exp(-s) * (l + 0.01) + s for s, l in zip([0.5, -1.0, -1.0], l, strict=True)]
    assert loss(z, y).item() == pytest.approx(sum(items) / 3, rel=1e-6)
    none = sy.CrossEntropy(rule, reduction="none")
    assert none(z, y).tolist() == pytest.approx([*items, 0.0], rel=1e-6)
    assert sy.CrossEntropy(rule, reduction="sum")(z, y).item() == pytest.approx(sum(items), rel=1e-6)
    assert loss(z, y, normalizer=6.0).item() == pytest.approx(sum(items) / 6, rel=1e-6)


def test_a_soft_target_has_the_expectation_over_labels():
    rule = adaptive.Uncertainty(3)
    loss = sy.CrossEntropy(rule)
    torch.manual_seed(0)
    with torch.no_grad():
        rule.s.copy_(torch.tensor([[0.5], [-1.0], [0.2]]))
    z, y, lam = torch.randn(5, 3), torch.tensor([0, 1, 2, 2, 0]), 0.3
    other = y.roll(1)
    soft = lam * nn.functional.one_hot(y, 3) + (1 - lam) * nn.functional.one_hot(other, 3)
    torch.testing.assert_close(loss(z, soft), lam * loss(z, y) + (1 - lam) * loss(z, other))


def test_yes_or_no_per_class_has_a_weight_for_each_of_the_two():
    rule = adaptive.Uncertainty(LABELS, largest=100.0)
    loss = sy.BinaryCrossEntropy(rule)
    with torch.no_grad():
        rule.s.copy_(torch.tensor([[0.1, 0.2, 0.3], [-0.1, -0.2, -0.3]]))
    z, y = torch.zeros(1, 3, 2), torch.tensor([[[0, 1], [1, -100], [0, 0]]])
    chosen = [0.1, -0.1, -0.2, 0.3, 0.3]
    items = [math.exp(-s) * (math.log(2) + 0.01) + s for s in chosen]
    assert loss(z, y).item() == pytest.approx(sum(items) / 5, rel=1e-6)
    assert loss(z, y.float().clamp(min=0)).item() == pytest.approx(
        (sum(items) + math.exp(-0.2) * (math.log(2) + 0.01) + 0.2) / 6, rel=1e-6
    )


def test_shards_that_share_their_normalizer_add_up():
    loss = sy.CrossEntropy(adaptive.Uncertainty(3))
    with torch.no_grad():
        loss.rule.s.copy_(torch.tensor([[0.5], [-1.0], [0.2]]))
    z, y = torch.randn(12, 3), torch.randint(0, 3, (12,))
    y[3] = -100
    total = sy.global_mass(y, loss)
    parts = sum(loss(a, b, normalizer=total) for a, b in zip(z.split(5), y.split(5), strict=True))
    torch.testing.assert_close(parts, loss(z, y))


def noisy_classes(loss):
    """A minimum of the loss on labels whose noise differs by class, [C] mean losses: no model can fit them."""
    random = torch.Generator().manual_seed(0)
    y = torch.tensor([0] * 300 + [1] * 80 + [2] * 20)
    x = nn.functional.one_hot(y, 3).double()
    noisy = torch.rand(len(y), generator=random) < torch.tensor([0.05, 0.2, 0.4])[y]
    labels = torch.where(noisy, torch.randint(0, 3, y.shape, generator=random), y)
    torch.manual_seed(0)
    net = nn.Linear(3, 3).double()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the line search tries weights far beyond
        minimise([*net.parameters(), *loss.parameters()], lambda: loss(net(x), labels))
    each = sy.CrossEntropy(reduction="none")(net(x), labels).detach()
    return torch.stack([each[labels == c].mean() for c in range(3)])


def test_at_the_optimum_the_weighted_losses_of_the_classes_are_equal():
    loss = sy.CrossEntropy(adaptive.Uncertainty(3, largest=3.0))
    losses = noisy_classes(loss)
    assert (loss.recipe.class_weight * (losses + 1 / 3)).tolist() == pytest.approx([1, 1, 1], abs=0.02)
    assert loss.recipe.class_weight[0] > 2 * loss.recipe.class_weight[2]  # the hard class is weighted down


def test_a_hard_class_is_given_up_where_largest_is_large_and_it_is_said():
    plain = noisy_classes(sy.CrossEntropy())
    loss = sy.CrossEntropy(adaptive.Uncertainty(3, largest=1e3))
    found = noisy_classes(loss)
    assert found[0] < plain[0] / 5
    assert found[2] > 2 * plain[2]
    assert "'1', '2'" in loss.rule.warnings()["lost"]


def test_a_class_that_is_fitted_reaches_the_bound_and_it_is_said():
    rule = adaptive.Uncertainty(sy.Counts([9, 1], classes=["dog", "cat"]), largest=10.0)
    loss = sy.CrossEntropy(rule)
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.1)
    z, y = torch.tensor([[30.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1])
    with pytest.warns(UserWarning, match="the weight of 'dog' is above half of largest=10"):
        repeat(200, loss, z, y, optimizer)
    assert loss.recipe.class_weight.tolist() == pytest.approx([10.0, 1 / (math.log(2) + 0.1)], rel=0.01)


def test_weights_that_nobody_learns_are_said_once():
    loss = sy.CrossEntropy(adaptive.Uncertainty(2))
    with pytest.warns(UserWarning, match="no weight has moved: give loss.parameters"):
        repeat(64, loss, torch.zeros(2, 2), torch.tensor([0, 1]))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: adaptive.Uncertainty(1), "at least two classes"),
        (lambda: adaptive.Uncertainty(2.0), "number of classes or Counts"),
        (lambda: adaptive.Uncertainty(2, largest=1.0), "largest must be"),
        (lambda: sy.BinaryCrossEntropy(adaptive.Uncertainty(3)), "3 label rows"),
    ],
)
def test_what_cannot_be_is_said(make, match):
    with pytest.raises((ValueError, TypeError), match=match):
        make()


# Measured with 10 seeds: +.007 +- .002, all of it from larger steps once the net fits (the weights of all classes are at the bound).
# Three standard errors of five seeds, .003 each, are allowed.
@pytest.mark.slow
def test_long_tailed_digits():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the weights have reached the bound
        found, _ = digits.gain(sy.CrossEntropy(adaptive.Uncertainty(digits.COUNTS)))
    assert found == pytest.approx(0.007, abs=0.010)
