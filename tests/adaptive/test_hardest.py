"""hardest: against sorting, by hand, and on long-tailed digits."""

import pytest
import torch
from tests.adaptive.detectors import SOME, batch, gains, loss_of, says_once

import steelyard as sy
from steelyard import adaptive


def test_hardest_keeps_what_sorting_keeps():
    for seed in range(5):
        z, y = batch(seed)
        y[:3] = -100
        loss = torch.nn.functional.cross_entropy(z, y, reduction="none", ignore_index=-100)
        found = sy.CrossEntropy(adaptive.hardest(7), reduction="none")(z, y)
        kept = sorted(range(3, len(y)), key=lambda i: -loss[i].item())[:7]
        expected = torch.zeros_like(loss)
        expected[kept] = loss[kept]
        torch.testing.assert_close(found, expected)
        assert float(sy.CrossEntropy(adaptive.hardest(7))(z, y)) == pytest.approx(loss[kept].mean().item())


@pytest.mark.parametrize(("share", "kept"), [(0.1, 4), (0.5, 20), (1.0, 40), (0.001, 1)])
def test_a_share_is_rounded_and_at_least_one(share, kept):
    z, y = batch(0)
    rule = adaptive.hardest(share)
    assert rule.weigh(z, y).sum() == kept
    sy.CrossEntropy(rule)(z, y)
    assert float(rule.kept) == pytest.approx(kept / 40)


def test_among_equals_the_first_is_kept():
    z, y = torch.zeros(6, 2), torch.tensor([-100, 0, 1, 0, 1, 0])
    assert adaptive.hardest(2).weigh(z, y).tolist() == [0, 1, 1, 0, 0, 0]


@pytest.mark.parametrize("per_item", [False, True])
def test_three_negatives_for_each_positive(per_item):
    """Two images of 30 anchors, written out with loops."""
    z, _ = batch(1, rows=60, classes=3)
    z = z.reshape(2, 30, 3).movedim(2, 1)
    y = torch.zeros(2, 30, dtype=torch.long)
    y[0, :2], y[0, 2:5], y[1, 7] = 1, -100, 2
    rule = adaptive.hardest(negatives=3.0, per_item=per_item)
    found = rule.weigh(z, y)
    loss = torch.nn.functional.cross_entropy(z, y, reduction="none", ignore_index=-100)
    expected = (y > 0).double()
    for group in ([0], [1]) if per_item else ([0, 1],):
        places = sorted(((i, a) for i in group for a in range(30) if y[i, a] == 0), key=lambda ia: -loss[ia].item())
        for place in places[: 3 * sum(int((y[i] > 0).sum()) for i in group)]:
            expected[place] = 1
    assert torch.equal(found, expected)
    assert found.sum() == 12
    sy.CrossEntropy(rule)(z, y)
    assert float(rule.kept) == pytest.approx(12 / 57)


def test_yes_or_no_negatives_may_be_floats_and_pixels():
    z = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    y = torch.zeros(2, 3, 4, 4)
    y[0, 0, 0, 0] = 1.0
    found = adaptive_weights(adaptive.hardest(negatives=2.0, per_item=True), z, y)
    assert found.sum() == 3
    assert found[0, 0, 0, 0] == 1
    assert found[1].sum() == 0  # no positive, no negative
    assert torch.equal(found, adaptive_weights(adaptive.hardest(negatives=2.0, per_item=True), z, y.long()))


def adaptive_weights(rule, z, y):
    rule.driver.serve("sigmoid", -100)
    return rule.weigh(z, y)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: adaptive.hardest(), "either k"),
        (lambda: adaptive.hardest(3, negatives=3.0), "either k"),
        (lambda: adaptive.hardest(0), "k must be"),
        (lambda: adaptive.hardest(1.5), "k must be"),
        (lambda: adaptive.hardest(True), "k must be"),
        (lambda: adaptive.hardest(negatives=-1.0), "negatives must be"),
        (lambda: sy.BinaryCrossEntropy(adaptive.hardest(negatives=3.0, background=2)), "label of CrossEntropy"),
        (
            lambda: sy.CrossEntropy(adaptive.hardest(2, per_item=True))(torch.zeros(3, 2), torch.zeros(3).long()),
            "an item is one element",
        ),
        (
            lambda: sy.CrossEntropy(adaptive.hardest(negatives=1.0))(torch.zeros(1, 2), torch.ones(1, 2) / 2),
            "needs labels",
        ),
    ],
)
def test_what_cannot_be_is_said(make, match):
    with pytest.raises(ValueError, match=match):
        make()


@pytest.mark.parametrize(
    ("make", "z", "y", "match"),
    [
        (lambda: adaptive.hardest(4), torch.zeros(4, 2), SOME, "everything was kept"),
        (lambda: adaptive.hardest(negatives=3.0), torch.zeros(4, 2), SOME * 0, "nothing was kept"),
    ],
)
def test_that_it_does_nothing_is_said_once(make, z, y, match):
    says_once(loss_of(make(), "softmax"), z, y, match)


@pytest.mark.parametrize(
    ("make", "link", "expected", "error"),
    [
        pytest.param(
            lambda: adaptive.hardest(0.25), "softmax", 0.005, 0.0025, marks=pytest.mark.slow
        ),  # no gain to speak of
        pytest.param(lambda: adaptive.hardest(negatives=3.0), "sigmoid", 0.013, 0.0032, marks=pytest.mark.slow),
    ],
    ids=["hardest", "hardest 3:1"],
)
def test_long_tailed_digits(make, link, expected, error):
    gains(loss_of(make(), link), expected, error)
