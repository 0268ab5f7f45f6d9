"""Seesaw: against the published formula written out, by hand, and on long-tailed digits."""

import math

import pytest
import torch
from tests.adaptive.detectors import NONE, SOME, batch, gains, loss_of, says_once

import steelyard as sy
from steelyard import adaptive


def seesaw_written_out(z, y, seen, p, q, floor):
    """The paper's sums, item by item: probabilities and ratios, no logs."""
    losses = []
    for row, i in zip(z.tolist(), y.tolist(), strict=True):
        e = [math.exp(v) for v in row]
        sigma = [v / sum(e) for v in e]
        below = 0.0
        for j in range(len(row)):
            m = min(1.0, (max(seen[j], 1) / max(seen[i], 1)) ** p)
            c = max(1.0, (sigma[j] / max(sigma[i], floor)) ** q)
            below += e[j] * (1.0 if j == i else m * c)
        losses.append(-math.log(e[i] / below))
    return torch.tensor(losses, dtype=torch.float64)


@pytest.mark.parametrize(("p", "q", "floor"), [(0.8, 2.0, 0.01), (1.0, 0.0, 0.01), (0.0, 1.5, 1e-9)])
def test_seesaw_is_the_papers_formula_with_the_counts_up_to_the_last_step(p, q, floor):
    loss = sy.CrossEntropy(adaptive.Seesaw(5, p=p, q=q, floor=floor), reduction="none")
    seen = [0] * 5
    for seed in range(4):
        z, y = batch(seed)
        torch.testing.assert_close(loss(z, y), seesaw_written_out(z, y, seen, p, q, floor))
        for label in y.tolist():
            seen[label] += 1
    assert loss.rule.seen.tolist() == seen


def test_seesaw_by_hand():
    rule = adaptive.Seesaw(sy.Counts.of(100, 1), p=0.5, q=2.0)
    z = torch.tensor([[0.0, math.log(3.0)], [0.0, math.log(3.0)]])  # sigma 1/4 and 3/4
    y = torch.tensor([0, 1])
    # label 0: M = (1/100)^0.5 = 0.1, C = (3)^2 = 9: 0.9 * 3 + 1; label 1 is right and rare: M = C = 1
    expected = [math.log(3.7), math.log(4 / 3)]
    assert sy.CrossEntropy(rule, reduction="none")(z, y).tolist() == pytest.approx(expected)


def test_compensation_is_a_constant_for_the_gradient():
    rule = adaptive.Seesaw(3, p=0.0, q=2.0)
    z = torch.tensor([[0.0, 2.0, 1.0]], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0])
    sy.CrossEntropy(rule)(z, y).backward()
    c = torch.tensor([0.0, 4.0, 2.0], dtype=torch.float64)  # log C = q (z_j - z_i); softmax of z + c
    expected = (z.detach()[0] + c).softmax(0) - torch.tensor([1.0, 0.0, 0.0])
    torch.testing.assert_close(z.grad[0], expected)


def test_the_floor_bounds_the_compensation():
    rule = adaptive.Seesaw(2, p=0.0, q=2.0, floor=0.01)
    z, y = torch.tensor([[0.0, 1e4]]), torch.tensor([0])
    assert rule.adjust(z, y)[0].tolist() == pytest.approx([0.0, 1e4 + 2 * math.log(100)])


def test_seesaw_from_counts_goes_on_counting():
    rule = adaptive.Seesaw(sy.Counts.of(2, 1), p=1.0)
    loss = sy.CrossEntropy(rule)
    loss(torch.zeros(3, 2), torch.tensor([0, 0, -100]))
    assert rule.seen.tolist() == [4, 1]
    assert loss.recipe.offset.numpy()[0, 1] == pytest.approx(math.log(1 / 4))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: adaptive.Seesaw(1), "number of classes"),
        (lambda: adaptive.Seesaw(sy.Counts([1], kind="multilabel", items=2)), "exclusive"),
        (lambda: adaptive.Seesaw(3, p=-1), "p must be"),
        (lambda: adaptive.Seesaw(3, q=math.nan), "q must be"),
        (lambda: adaptive.Seesaw(3, floor=0), "floor must be"),
        (lambda: sy.BinaryCrossEntropy(adaptive.Seesaw(3)), "use Equalized"),
        (lambda: sy.CrossEntropy(adaptive.Seesaw(2))(torch.zeros(1, 2), torch.ones(1, 2) / 2), "probabilities"),
        (lambda: sy.CrossEntropy(adaptive.Seesaw(2))(torch.zeros(1, 2), torch.tensor([2])), "target has label 2"),
        (lambda: sy.CrossEntropy(adaptive.Seesaw(3))(torch.zeros(1, 2), torch.tensor([0])), "for 3 classes"),
    ],
)
def test_what_cannot_be_is_said(make, match):
    with pytest.raises(ValueError, match=match):
        make()


@pytest.mark.parametrize(
    ("make", "z", "y", "match"),
    [
        (lambda: adaptive.Seesaw(2), torch.zeros(4, 2), NONE, "no label was seen"),
        (lambda: adaptive.Seesaw(2), torch.zeros(4, 2), SOME, "equally often"),
        (lambda: adaptive.Seesaw(4), torch.zeros(4, 4), SOME * 2, r"2 of 4 classes were never seen \(1, 3\)"),
    ],
)
def test_that_it_does_nothing_is_said_once(make, z, y, match):
    says_once(loss_of(make(), "softmax"), z, y, match)


@pytest.mark.parametrize(
    ("make", "link", "expected", "error"),
    [
        (lambda: adaptive.Seesaw(10), "softmax", 0.023, 0.0024),
        pytest.param(lambda: adaptive.Seesaw(10, p=1.0, q=0.0), "softmax", 0.031, 0.0026, marks=pytest.mark.slow),
    ],
    ids=["Seesaw", "Seesaw's mitigation"],
)
def test_long_tailed_digits(make, link, expected, error):
    gains(loss_of(make(), link), expected, error)
