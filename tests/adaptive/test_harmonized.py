"""Harmonized: against its densities written out, and on long-tailed digits."""

import pytest
import torch
from tests.adaptive.detectors import SOME, batch, gains, loss_of, says_once

import steelyard as sy
from steelyard import adaptive


def regions(g, bins):
    counts = [0] * bins
    where = [min(int(v * bins), bins - 1) for v in g]
    for b in where:
        counts[b] += 1
    return counts, where


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_without_momentum_a_repeated_batch_is_weighed_by_its_own_density(link):
    """The published weights of a batch: items / (occupied regions * items in the region), of mean 1."""
    bins = 10
    make = sy.CrossEntropy if link == "softmax" else sy.BinaryCrossEntropy
    rule = adaptive.Harmonized(bins=bins, momentum=0.0, least=1e-6)
    z, y = batch(3, link=link)
    make(rule)(z, y)
    g = 1 - z.softmax(1)[torch.arange(len(y)), y] if link == "softmax" else (z.sigmoid() - y).abs()
    counts, where = regions(g.reshape(-1).tolist(), bins)
    occupied = sum(c > 0 for c in counts)
    assert 1 < occupied <= bins
    expected = torch.tensor([len(where) / (occupied * counts[b]) for b in where], dtype=torch.float64)
    found = rule.weigh(z, y).reshape(-1)
    torch.testing.assert_close(found, expected)
    assert float(found.mean()) == pytest.approx(1)


def test_shares_are_a_moving_average_from_uniform():
    rule = adaptive.Harmonized(bins=4, momentum=0.75)
    loss = sy.BinaryCrossEntropy(rule)
    z, y = torch.tensor([0.0, 0.0, 3.0]), torch.tensor([1, 0, 1])  # |sigma - y|: .5, .5, .047
    assert rule.weigh(z, y).tolist() == [1, 1, 1]
    for _ in range(2):
        loss(z, y)
    expected = torch.tensor([1 / 3, 0, 2 / 3, 0], dtype=torch.float64) * (1 - 0.75**2) + 0.25 * 0.75**2
    torch.testing.assert_close(rule.share, expected)
    loss(z, torch.full((3,), -100))  # nothing valid: nothing moves
    torch.testing.assert_close(rule.share, expected)


def test_no_weight_exceeds_the_limit_and_their_mean_under_the_shares_is_one():
    rule = adaptive.Harmonized(bins=10, momentum=0.0, least=0.02)
    loss = sy.CrossEntropy(rule)
    z = torch.zeros(100, 2)
    z[:, 0] = 9.0
    z[0, 0] = -1.0
    loss(z, torch.zeros(100, dtype=torch.long))
    occupied = 1 + 0.01 / 0.02  # one element in a hundred is half of what a region counts as at least
    assert rule.weights.max().item() == pytest.approx(1 / (occupied * 0.02))
    assert float((rule.share * rule.weights).sum()) == pytest.approx(1)


def test_soft_targets_measure_half_the_distance():
    rule = adaptive.Harmonized(bins=10, momentum=0.0)
    z, y = batch(5, classes=3)
    hard = rule._region(rule.read(z, y))
    soft = rule._region(rule.read(z, torch.nn.functional.one_hot(y, 3).double()))
    assert torch.equal(hard, soft)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: adaptive.Harmonized(bins=1), "bins must be"),
        (lambda: adaptive.Harmonized(momentum=1.0), "momentum must be"),
        (lambda: adaptive.Harmonized(bins=10, least=0.2), "least must be"),
        (lambda: sy.CrossEntropy(adaptive.Harmonized())(torch.zeros(1, 2), torch.tensor([2])), "target has label 2"),
    ],
)
def test_what_cannot_be_is_said(make, match):
    with pytest.raises(ValueError, match=match):
        make()


@pytest.mark.parametrize(
    ("make", "z", "y", "match"),
    [
        (lambda: adaptive.Harmonized(), torch.zeros(4, 2), SOME, "100.0% of the elements have a gradient between 0.5"),
    ],
)
def test_that_it_does_nothing_is_said_once(make, z, y, match):
    says_once(loss_of(make(), "softmax"), z, y, match)


@pytest.mark.parametrize(
    ("make", "link", "expected", "error"),
    [
        pytest.param(lambda: adaptive.Harmonized(), "sigmoid", 0.026, 0.0036, marks=pytest.mark.slow),
        pytest.param(lambda: adaptive.Harmonized(), "softmax", -0.004, 0.0028, marks=pytest.mark.slow),  # no gain
    ],
    ids=["Harmonized", "Harmonized softmax"],
)
def test_long_tailed_digits(make, link, expected, error):
    gains(loss_of(make(), link), expected, error)
