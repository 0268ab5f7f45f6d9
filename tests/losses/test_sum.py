import math

import pytest
import torch

import steelyard as sy
from steelyard import CrossEntropy, Recipe, Sum, adaptive


def dice(logits, target):
    p = logits.softmax(1)[:, 1]
    return 1 - 2 * (p * target).sum() / (p.sum() + target.sum())


@pytest.fixture
def batch():
    torch.manual_seed(0)
    return torch.randn(8, 2, 5, 5), torch.randint(0, 2, (8, 5, 5))


def test_terms_add_with_their_factors(batch):
    ce = CrossEntropy(Recipe(weight=[1.0, 3.0]))
    both = Sum(ce=ce, dice=(0.5, dice))
    torch.testing.assert_close(both(*batch), ce(*batch) + 0.5 * dice(*batch))
    parts = both.parts(*batch)
    torch.testing.assert_close(parts["dice"], dice(*batch))


def test_call_weights_reach_recipes_and_not_other_terms(batch):
    weight = torch.rand(8, 5, 5)
    ce = CrossEntropy()
    torch.testing.assert_close(Sum(ce=ce, dice=dice)(*batch, weight=weight), ce(*batch, weight=weight) + dice(*batch))


def test_learned_tables_are_parameters_of_the_sum():
    weight = torch.nn.Parameter(torch.ones(2))
    assert [p is weight for p in Sum(ce=CrossEntropy(Recipe(weight=weight))).parameters()] == [True]


def test_bad_terms_are_named():
    with pytest.raises(TypeError, match="dice must be a callable"):
        Sum(dice=3)
    with pytest.raises(ValueError, match="factor of dice"):
        Sum(dice=(float("nan"), dice))
    with pytest.raises(ValueError, match="at least one term"):
        Sum()


def test_call_weights_reach_a_loss_inside_a_module(batch):
    class Softer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.loss = CrossEntropy()

        def forward(self, logits, target, **call):
            return self.loss(logits / 2, target, **call)

    weight = torch.rand(8, 5, 5)
    torch.testing.assert_close(Sum(a=Softer())(*batch, weight=weight), Softer()(*batch, weight=weight))


# -- UncertainSum: factors that are learned


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


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: adaptive.UncertainSum(), "at least one term"),
        (lambda: adaptive.UncertainSum(ce=3), "ce must be a callable"),
        (lambda: adaptive.UncertainSum(ce=sy.CrossEntropy(), largest=float("inf")), "largest must be"),
        (
            lambda: adaptive.UncertainSum(ce=sy.CrossEntropy(reduction="none"))(
                torch.zeros(2, 2), torch.tensor([0, 1])
            ),
            "must return a scalar",
        ),
    ],
)
def test_what_cannot_be_is_said(make, match):
    with pytest.raises((ValueError, TypeError), match=match):
        make()


def size(z, y):
    return z.square().mean()


def test_terms_of_any_size_come_to_count_alike():
    both = adaptive.UncertainSum(ce=sy.CrossEntropy(), size=lambda z, y: 50 + 0 * z.sum())
    z, y = torch.zeros(2, 2), torch.tensor([0, 1])
    minimise([*both.parameters()], lambda: both(z, y))
    assert {k: float(w) for k, w in both.weights.items()} == pytest.approx(
        {"ce": 1 / (math.log(2) + 0.1), "size": 1 / (50 + 0.1)}, rel=1e-2
    )
    history = both.history()
    assert history.columns == ("observed", "ce", "size", "weight of ce", "weight of size")
    assert history.column("ce") == pytest.approx([math.log(2)] * len(history))


def test_terms_in_micro_batches_are_those_of_the_whole_batch():
    both = adaptive.UncertainSum(ce=sy.CrossEntropy(sy.Recipe(weight=[1.0, 3.0, 2.0])), also=sy.CrossEntropy())
    with torch.no_grad():
        both.s.copy_(torch.tensor([0.7, -0.4]))
    z, y = torch.randn(12, 3), torch.randint(0, 3, (12,))
    y[:3] = -100
    whole = both(z, y)
    whole.backward()
    gradient, both.s.grad = both.s.grad, None
    pieces = list(zip(z.split(5), y.split(5), strict=True))
    with sy.accumulate(both, [b for _, b in pieces]):
        total = sum(both(a, b) for a, b in pieces)
        total.backward()
    torch.testing.assert_close(total, whole)
    torch.testing.assert_close(both.s.grad, gradient)


def test_call_weights_reach_the_terms_that_hold_a_steelyard_loss():
    ce = sy.CrossEntropy()
    both = adaptive.UncertainSum(inner=sy.Sum(ce=(2.0, ce)), size=size, largest=1e6)
    z, y, w = torch.randn(4, 3), torch.tensor([0, 1, 2, 1]), torch.rand(4)
    torch.testing.assert_close(both(z, y, weight=w), 2 * ce(z, y, weight=w) + size(z, y), rtol=1e-5, atol=1e-5)


def test_the_sum_is_resumed_and_compiles():
    both = adaptive.UncertainSum(ce=sy.CrossEntropy(adaptive.Curriculum(sy.Counts([3, 2, 1]), over=(0, 2))), size=size)
    both.advance(epoch=1)
    with torch.no_grad():
        both.s.copy_(torch.tensor([0.7, -0.4]))
    other = adaptive.UncertainSum(ce=sy.CrossEntropy(adaptive.Curriculum(sy.Counts([3, 2, 1]), over=(0, 2))), size=size)
    other.advance(epoch=0)
    other.load_state_dict(both.state_dict())
    z, y = torch.randn(6, 3), torch.randint(0, 3, (6,))
    assert other(z, y) == both(z, y)
    torch._dynamo.reset()
    compiled = torch.compile(both, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(z, y), both(z, y))
    torch._dynamo.reset()
    assert all(p.dtype == torch.float32 for p in both.half().parameters())


def test_a_negative_term_is_said():
    both = adaptive.UncertainSum(worse=lambda z, y: -z.exp().mean())
    with torch.no_grad():
        both.s.fill_(0.1)
    with pytest.warns(UserWarning, match="the term worse is negative"):
        repeat(64, both, torch.zeros(2, 2), torch.tensor([0, 1]))
