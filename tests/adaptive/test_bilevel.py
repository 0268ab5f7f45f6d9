"""Bilevel: hypergradients against closed forms and differences, what is checkpointed, and what it finds."""

import copy

import pytest
import torch
from torch import nn

import steelyard as sy
from steelyard import adaptive
from steelyard.adaptive.bilevel import balanced, balanced_binary, hypergradient

COUNTS = sy.Counts([60, 30, 10])


def problem(seed: int = 0, rows: int = 60):
    """A linear model, float64, and two batches."""
    torch.manual_seed(seed)
    model = nn.Linear(4, 3).double()
    x, y = torch.randn(rows, 4).double(), torch.randint(0, 3, (rows,))
    x[:, 0] += y
    return model, (x[::2], y[::2]), (x[1::2], y[1::2])


def loss_of(fields=("weight", "offset", "scale")):
    loss = sy.CrossEntropy(adaptive.Learned(COUNTS, how="bilevel", fields=fields))
    torch.manual_seed(1)
    for key in loss.rule.held:
        setattr(loss.rule, key, torch.randn(3, dtype=torch.float64) * 0.3)
    return loss


def test_the_series_goes_to_the_inverse():
    """A quadratic: inner = (theta - A h)' H (theta - A h) / 2, so theta* = A h and d outer / dh = A' d outer / d theta."""
    torch.manual_seed(0)
    A, B = torch.randn(5, 2).double(), torch.randn(5, 5).double()
    H, target = B @ B.T + torch.eye(5), torch.randn(5).double()
    h = torch.randn(2).double()
    theta = A @ h

    def inner(p, held):
        gap = p[0] - A @ held[0]
        return gap @ H @ gap / 2

    found = hypergradient(
        inner,
        lambda p: (p[0] - target).square().sum() / 2,
        [theta],
        [h],
        rate=1 / float(torch.linalg.eigvalsh(H).max()),
        terms=2000,
        damping=0.0,
        look_ahead=False,
    )
    torch.testing.assert_close(found.gradients[0], A.T @ (theta - target))
    assert found.growth < 1e-6


def test_the_implicit_derivative_is_that_of_training_to_the_end():
    """Against differences: train to the optimum with h + e and h - e."""
    model, train, held = problem()
    loss, decay = loss_of(("offset",)), 0.05

    def optimum(shift: torch.Tensor) -> float:
        one, other = copy.deepcopy(model), copy.deepcopy(loss)
        other.rule.free_offset = loss.rule.free_offset + shift
        optimizer = torch.optim.LBFGS(one.parameters(), lr=1, max_iter=100, tolerance_grad=1e-12, tolerance_change=0)

        def closure():
            optimizer.zero_grad()
            value = other(one(train[0]), train[1]) + decay / 2 * sum(p.square().sum() for p in one.parameters())
            value.backward()
            return value

        optimizer.step(closure)
        model.load_state_dict(one.state_dict())
        with torch.no_grad():
            return float(balanced(one(held[0]), held[1]))

    step, differences = 1e-4, []
    for c in range(3):
        e = torch.zeros(3, dtype=torch.float64)
        e[c] = step
        differences.append((optimum(e) - optimum(-e)) / (2 * step))
    optimum(torch.zeros(3, dtype=torch.float64))
    outer = adaptive.Bilevel(model, loss, inner_rate=0.5, terms=600, damping=decay)
    (found,) = outer.hypergradient(train, held).gradients
    assert found.tolist() == pytest.approx(differences, rel=1e-4, abs=1e-7)


def test_looking_ahead_is_the_derivative_through_one_step():
    model, train, held = problem()
    loss, rate = loss_of(), 0.3
    outer = adaptive.Bilevel(model, loss, method="look-ahead", inner_rate=rate)
    found = outer.hypergradient(train, held)

    def after(key, shift):
        one, other = copy.deepcopy(model), copy.deepcopy(loss)
        setattr(other.rule, key, getattr(other.rule, key) + shift)
        other(one(train[0]), train[1]).backward()
        with torch.no_grad():
            for p in one.parameters():
                p -= rate * p.grad
            return float(balanced(one(held[0]), held[1]))

    for key, gradient in zip(loss.rule.held, found.gradients, strict=True):
        for c in range(3):
            e = torch.zeros(3, dtype=torch.float64)
            e[c] = 1e-5
            assert gradient[c].item() == pytest.approx((after(key, e) - after(key, -e)) / 2e-5, rel=1e-5, abs=1e-9)
    assert float(found.value) == pytest.approx(after("free_weight", 0.0))


def test_balanced_is_the_mean_of_the_class_means():
    z = torch.randn(7, 3, 2)
    y = torch.tensor([0, 0, 0, 0, 1, -100, 1])[:, None].expand(7, 2)
    each = nn.functional.cross_entropy(z, y, reduction="none", ignore_index=-100)
    expected = (each[:4].mean() + each[[4, 6]].mean()) / 2  # class 2 is not there
    torch.testing.assert_close(balanced(z, y), expected)
    z, y = torch.randn(6), torch.tensor([0, 0, 0, 1, -100, 1])
    each = nn.functional.binary_cross_entropy_with_logits(z, y.float().clamp(min=0), reduction="none")
    torch.testing.assert_close(balanced_binary(z, y), (each[:3].mean() + each[[3, 5]].mean()) / 2)
    two = balanced_binary(torch.stack([z, z], dim=1), torch.stack([y, y], dim=1))
    torch.testing.assert_close(two, balanced_binary(z, y))


def test_nothing_but_the_held_numbers_changes():
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)).double()
    _, train, held = problem()
    loss = sy.CrossEntropy(
        adaptive.Mixed(
            adaptive.Learned(COUNTS, how="bilevel"), adaptive.Learned(COUNTS, how="minimax"), sy.focal(gamma=1.0)
        )
    )
    before = {k: v.clone() for k, v in model.state_dict().items()}
    others = {k: v.clone() for k, v in loss.state_dict().items()}
    outer = adaptive.Bilevel(model, loss)
    outer.step(train, held)
    for k, v in model.state_dict().items():
        assert torch.equal(v, before[k]), k
    assert all(p.grad is None for p in model.parameters())
    assert all(m.training for m in loss.modules())
    for k, v in loss.state_dict().items():
        moved = "free_" in k or k.endswith("moves")
        assert torch.allclose(v, others[k], rtol=0, atol=0, equal_nan=True) != moved, k


def test_a_resumed_outer_optimiser_goes_on_to_the_bit():
    model, train, held = problem()
    loss = loss_of()
    outer = adaptive.Bilevel(model, loss)
    for _ in range(3):
        outer.step(train, held)
    kept = copy.deepcopy([loss.state_dict(), outer.state_dict()])
    for _ in range(3):
        outer.step(train, held)
    again = loss_of()
    resumed = adaptive.Bilevel(model, again)
    again.load_state_dict(kept[0])
    resumed.load_state_dict(kept[1])
    for _ in range(3):
        resumed.step(train, held)
    assert resumed.gradients == outer.gradients == 6 * 13
    for a, b in zip(again.buffers(), loss.buffers(), strict=True):
        assert torch.equal(a, b)


def test_a_series_that_grows_is_said_to():
    model, train, held = problem()
    outer = adaptive.Bilevel(model, loss_of(), inner_rate=50.0)
    with pytest.warns(UserWarning, match="inner_rate=50 is too large"):
        outer.step(train, held)


def test_held_out_data_turn_an_offset_towards_balance():
    """Ten rows of class 0 for each of class 1, held out one to one: the offset must rise for the common class, as log pi does."""
    torch.manual_seed(0)
    counts = sy.Counts.of(200, 20)
    y, y_held = torch.tensor([0] * 200 + [1] * 20), torch.tensor([0, 1] * 50)
    x, x_held = torch.randn(220, 2) + y[:, None], torch.randn(100, 2) + y_held[:, None]
    loss, model = sy.CrossEntropy(adaptive.Learned(counts, how="bilevel", fields="offset")), nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    outer = adaptive.Bilevel(model, loss, inner_rate=0.5, rate=0.1)
    for step in range(300):
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
        if step % 5 == 4:
            outer.step((x, y), (x_held, y_held))
    offset = loss.recipe.offset.numpy()[0]
    assert offset[0] - offset[1] == pytest.approx(2.303, abs=0.8)  # log 10, up to what 100 held-out rows say


def test_costs_are_moved_within_their_bound_and_off_the_diagonal():
    model, train, held = problem()
    loss = sy.CrossEntropy(adaptive.LearnedCosts(3, how="bilevel", bound=1.5))
    outer = adaptive.Bilevel(model, loss, rate=1.0)
    for _ in range(3):
        outer.step(train, held)
    costs = loss.rule.costs
    assert costs.diagonal().tolist() == [1, 1, 1]
    assert costs.max() <= 1.5 + 1e-9
    assert costs.max() > 1.1


def test_numbers_are_found_beside_a_family():
    """Whether a family holds a value is no list of numbers to move."""
    family = adaptive.Family(lambda tau: sy.logit_adjustment(COUNTS, tau=tau), low=0.0, high=3.0)
    learned = adaptive.Learned(COUNTS, how="bilevel", fields=("weight",))
    model, train, held_out = problem()
    loss = sy.CrossEntropy(adaptive.Mixed(learned, family))
    adaptive.Bilevel(model, loss).step(train, held_out)
    assert not torch.equal(learned.free_weight, torch.zeros(3, dtype=torch.float64))


def test_live_tables_are_differentiable_twice():
    z, y = torch.randn(5, 3).double().requires_grad_(), torch.tensor([0, 1, 2, -100, 1])
    tables = [
        t.requires_grad_()
        for t in (torch.rand(3).double() + 0.5, torch.randn(3, 3).double(), torch.rand(1, 3).double() + 0.5)
    ]
    for curve in (None, sy.curves.Focal(2.0)):

        def value(z, w, o, s, curve=curve):
            return sy.cross_entropy(z, y, sy.Recipe(weight=w, offset=o, scale=s, curve=curve, norm="mass"))

        assert torch.autograd.gradgradcheck(value, (z, *tables))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda m, l: adaptive.Bilevel(m, sy.CrossEntropy()), "holds no numbers"),
        (
            lambda m, l: adaptive.Bilevel(m, sy.CrossEntropy(adaptive.Learned(COUNTS, how="minimax"))),
            "holds no numbers",
        ),
        (lambda m, l: adaptive.Bilevel(nn.ReLU(), l), "no parameter that is trained"),
        (lambda m, l: adaptive.Bilevel(m, l, method="unroll"), "method must be one of"),
        (lambda m, l: adaptive.Bilevel(m, l, terms=-1), "terms must be"),
        (lambda m, l: adaptive.Bilevel(m, l, rate=0.0), r"rate must be in \(0, inf\)"),
        (lambda m, l: adaptive.Bilevel(m, l, damping=-1.0), r"damping must be in \[0, inf\)"),
    ],
)
def test_what_cannot_be_is_said(make, match):
    with pytest.raises(ValueError, match=match):
        make(nn.Linear(4, 3), loss_of())
