import pytest
import torch

from steelyard import CrossEntropy, Recipe, Sum


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
