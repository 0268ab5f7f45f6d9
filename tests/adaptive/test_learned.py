"""Learned and LearnedCosts: the formulas by hand, what is refused, and long-tailed digits."""

import math

import pytest
import torch
from tests.adaptive import digits
from tests.adaptive.digits import COUNTS

import steelyard as sy
from steelyard import adaptive
from steelyard.recipe import mean_weight

TWO = sy.Counts.of(90, 10)
THREE = sy.Counts([60, 30, 10])
LABELS = sy.Counts([30, 10], kind="multilabel", items=100)


# -- geometric


def test_geometric_tables_stay_tables_whatever_the_numbers():
    rule = adaptive.Learned(THREE, how="geometric", fields=("weight", "offset", "scale"))
    for p in rule.parameters():
        p.data = torch.tensor([7.0, -3.0, 1.0])
    recipe = rule.recipe()
    assert recipe.weight.numpy().prod() == pytest.approx(1, rel=1e-5)
    assert recipe.scale.numpy().shape == (1, 3)
    assert recipe.scale.numpy().prod() == pytest.approx(1, rel=1e-5)
    assert recipe.offset.numpy().sum() == pytest.approx(0, abs=1e-5)
    assert recipe.offset.numpy()[0].tolist() == pytest.approx([7 - 5 / 3, -3 - 5 / 3, 1 - 5 / 3])


def test_the_penalty_is_zero_at_neutral_tables_and_by_hand_elsewhere():
    rule = adaptive.Learned(TWO, how="geometric", fields=("weight", "offset"), prior=2.0)
    assert rule.penalty().item() == pytest.approx(0, abs=1e-7)
    rule.free_weight.data = torch.tensor([0.0, 2.0])  # w = (1/e, e)
    rule.free_offset.data = torch.tensor([0.0, 2.0])  # o = (-1, 1)
    m = 0.9 / math.e + 0.1 * math.e
    assert rule.penalty().item() == pytest.approx(2 * (m - 1 - math.log(m) + 1), rel=1e-5)


def test_geometric_weights_even_out_the_parts_of_the_loss_up_to_the_prior():
    """With losses of the classes held fixed: pi_c w_c (L_c + prior (1 - 1/m)) is the same for all."""
    prior = 0.3
    rule = adaptive.Learned(THREE, how="geometric", prior=prior)
    loss, z = sy.CrossEntropy(rule), torch.tensor([[2.0, 0.0, 0.0]]).expand(100, 3)
    y = torch.arange(3).repeat_interleave(torch.tensor([60, 30, 10]))
    optimizer = torch.optim.SGD(loss.parameters(), lr=4.0)
    for _ in range(300):
        optimizer.zero_grad()
        loss(z, y).backward()
        optimizer.step()
    each = torch.nn.functional.cross_entropy(z[:3], torch.arange(3), reduction="none").double()
    w, pi = rule.recipe().class_weight.double(), torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
    m = (pi * w).sum()
    parts = pi * w * (each + prior * (1 - 1 / m))
    torch.testing.assert_close(parts, parts.mean().expand(3), rtol=1e-3, atol=0)
    assert (w.max() / w.min()) > 2


def test_the_class_that_is_fitted_better_gets_more_weight():
    """Which is why this finds no best weights."""
    rule = adaptive.Learned(sy.Counts.of(50, 50), how="geometric")
    loss = sy.CrossEntropy(rule)
    z, y = torch.tensor([[5.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1])
    loss(z, y).backward()
    assert rule.free_weight.grad[0] < 0 < rule.free_weight.grad[1]  # descent raises the first


# -- minimax


def test_minimax_by_hand():
    rule = adaptive.Learned(TWO, how="minimax", rate=0.5)
    loss = sy.CrossEntropy(rule)
    z, y = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 0.0], [9.0, 9.0]]), torch.tensor([0, 0, 1, -100])
    with torch.no_grad():
        loss(z, y)
    losses = [(math.log(2) + math.log1p(math.exp(-3))) / 2, math.log(2)]
    raw = [0.9 * math.exp(0.5 * losses[0]), 0.1 * math.exp(0.5 * losses[1])]
    q = [r / sum(raw) for r in raw]
    assert rule.simplex.q.tolist() == pytest.approx(q)
    assert rule.recipe().class_weight.tolist() == pytest.approx([q[0] / 0.9, q[1] / 0.1])
    assert mean_weight(rule.recipe(), TWO) == pytest.approx(1)


def test_a_class_that_a_step_does_not_hold_keeps_its_loss():
    rule = adaptive.Learned(TWO, how="minimax", rate=0.5)
    loss = sy.CrossEntropy(rule)
    both, one = torch.tensor([0, 1]), torch.tensor([0, 0])
    z = torch.tensor([[4.0, 0.0], [4.0, 0.0]])
    with torch.no_grad():
        loss(z, both)
        first = rule.simplex.losses.clone()
        before = rule.simplex.q[1]
        loss(z, one)
    torch.testing.assert_close(rule.simplex.losses, first)
    assert rule.simplex.q[1] > before


def test_classes_never_seen_keep_their_part_while_the_others_are_alike():
    rule = adaptive.Learned(THREE, how="minimax", rate=1.0)
    loss = sy.CrossEntropy(rule)
    before = rule.simplex.q.clone()
    with torch.no_grad():
        loss(torch.zeros(2, 3), torch.tensor([0, 1]))
    torch.testing.assert_close(rule.simplex.q, before)


def test_minimax_evens_out_the_losses_of_classes_that_compete():
    """One logit for all: only the balance between the classes can be chosen, and the minimax is where losses are equal."""
    rule = adaptive.Learned(TWO, how="minimax", rate=0.1)
    loss, bias = sy.CrossEntropy(rule), torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.SGD([bias], lr=0.5)
    y = torch.tensor([0] * 9 + [1])
    for _ in range(500):
        optimizer.zero_grad()
        loss(bias.expand(10, 2), y).backward()
        optimizer.step()
    losses = -bias.detach().log_softmax(dim=0)
    assert losses[0].item() == pytest.approx(losses[1].item(), abs=0.02)
    assert rule.recipe().class_weight.tolist() == pytest.approx([0.5 / 0.9, 5.0], rel=0.05)


def test_minimax_that_follows_one_class_only_says_so():
    loss = sy.CrossEntropy(adaptive.Learned(TWO, how="minimax", rate=1.0))
    z, y = torch.tensor([[9.0, 0.0], [9.0, 0.0]]), torch.tensor([0, 1])
    with torch.no_grad():
        loss(z, y)
    assert "collapsed" in loss.rule.warnings()
    with pytest.warns(UserWarning, match="one class has 99|times apart") as said:
        loss.advance(epoch=1)
    assert len(said) == 2


# -- what is held


def test_held_numbers_cannot_be_reached_by_an_optimiser():
    loss = sy.CrossEntropy(adaptive.Learned(THREE, how="bilevel", fields=("weight", "offset", "scale")))
    assert not list(loss.parameters())
    z = torch.zeros(3, 3, requires_grad=True)
    loss(z, torch.arange(3)).backward()
    assert all(not b.requires_grad for b in loss.buffers())
    assert loss.recipe.class_weight.tolist() == [1, 1, 1]


def test_a_start_is_the_recipe_up_to_its_normalisation():
    start = sy.mix(sy.logit_adjustment(THREE), sy.class_temperature(THREE, gamma=0.2))
    rule = adaptive.Learned(THREE, how="bilevel", start=start)
    found = rule.recipe()
    for mine, theirs in ((found.offset.numpy(), start.offset.numpy()),):
        assert (mine - mine.mean()).tolist()[0] == pytest.approx((theirs - theirs.mean()).tolist()[0])
    ratio = found.scale.numpy() / start.scale.numpy()
    assert ratio[0].tolist() == pytest.approx([ratio[0, 0]] * 3)
    balanced = sy.inverse_frequency(THREE)
    torch.testing.assert_close(
        adaptive.Learned(THREE, how="minimax", start=balanced).recipe().class_weight, balanced.class_weight
    )


def test_numbers_nobody_moves_are_said_to_be_so(monkeypatch):
    monkeypatch.setattr("steelyard.adaptive.learned.PATIENCE", 64)
    monkeypatch.setattr("steelyard.adaptive.costs.PATIENCE", 64)
    z, y = torch.zeros(3, 3), torch.arange(3)
    for rule in (adaptive.Learned(THREE, how="bilevel"), adaptive.LearnedCosts(3)):
        loss = sy.CrossEntropy(rule)
        for _ in range(63):
            loss(z, y)
        with pytest.warns(UserWarning, match="call"):
            loss(z, y)


def test_weights_far_apart_are_said_to_be_so():
    rule = adaptive.Learned(THREE, how="geometric")
    with torch.no_grad():
        rule.free_weight.copy_(torch.tensor([0.0, 0.0, 6.0]))
    assert "403 times apart" in rule.warnings()["weight"]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: adaptive.Learned(TWO, how="descent"), "through zero to minus infinity"),
        (lambda: adaptive.Learned(TWO, how="best"), "how must be one of geometric, minimax, bilevel"),
        (lambda: adaptive.Learned(TWO, how="geometric", fields=("weights",)), "fields must be some of"),
        (lambda: adaptive.Learned(TWO, how="minimax", fields=("offset",)), "weights only"),
        (lambda: adaptive.Learned(TWO, how="minimax", rate=0.0), r"rate must be in \(0, inf\)"),
        (lambda: adaptive.Learned(TWO, how="geometric", prior=-1.0), r"prior must be in \[0, inf\)"),
        (lambda: adaptive.Learned(3, how="minimax"), "needs Counts"),
        (lambda: adaptive.Learned(1, how="geometric"), "at least 2"),
        (lambda: adaptive.Learned(sy.Counts.of(5, 0), how="geometric"), "counts? 0"),
        (lambda: sy.LinearCrossEntropy(adaptive.Learned(TWO, how="minimax")), "needs the logits"),
    ],
)
def test_what_cannot_be_is_said_with_its_reason(make, match):
    with pytest.raises((ValueError, TypeError), match=match):
        make()


def test_binary_and_multilabel_tables():
    binary = adaptive.Learned(TWO, how="geometric", fields=("weight", "offset", "scale"))
    sy.BinaryCrossEntropy(binary)
    assert binary.recipe().scale.numpy().shape == (2, 1)  # per label: one logit has no class columns
    labels = adaptive.Learned(LABELS, how="minimax")
    sy.BinaryCrossEntropy(labels)
    assert mean_weight(labels.recipe(), LABELS) == pytest.approx(1)


# -- long-tailed digits. 20 seeds, nets of all seeds sharing the rule: geometric +.010 +- .002, minimax +.023 +- .003; three standard
# errors of five seeds are allowed. Plain inverse frequency gains .033.
@pytest.mark.parametrize(
    ("how", "expected", "error"),
    [pytest.param("geometric", 0.010, 0.0045, marks=pytest.mark.slow), ("minimax", 0.023, 0.006)],
)
def test_long_tailed_digits(how, expected, error):
    found, _ = digits.gain(sy.CrossEntropy(adaptive.Learned(COUNTS, how=how)))
    assert found == pytest.approx(expected, abs=3 * error)


@pytest.mark.slow
def test_minimax_with_a_large_rate_ruins_a_net_that_can_fit_everything_and_says_so():
    """-.37 +- .05 with 5 seeds at rate 1: which class has the largest of ten tiny losses changes all the time."""
    loss = sy.CrossEntropy(adaptive.Learned(COUNTS, how="minimax", rate=1.0))
    with pytest.warns(UserWarning, match="all the weight|times apart"):
        found, _ = digits.gain(loss, seeds=2)
    assert found < -0.1
