"""What a loss takes for a rule, and what stands in a rule's place. Over ranks: tests/framework/test_ranks.py; every rule: tests/adaptive/test_laws.py."""

import pytest
import torch

import steelyard as sy
from steelyard import adaptive

A, B = sy.Recipe(weight=[1.0, 1.0], offset=[[0.0, 0.0]]), sy.Recipe(weight=[0.5, 5.0], offset=[[-1.0, -3.0]])


def test_a_plain_recipe_may_be_advanced_too():
    sy.CrossEntropy(A).advance(epoch=3)
    loss = sy.CrossEntropy(adaptive.Deferred(A, B, after_epoch=3))
    sy.Sum(both=adaptive.UncertainSum(ce=loss)).advance(epoch=3)
    assert loss.recipe.weight == B.weight


def test_an_object_of_the_callers_own_is_taken():
    class Own:
        def __init__(self):
            self.seen = 0

        def recipe(self):
            return sy.Recipe(weight=[1.0, 1.0 + self.seen])

        def observe(self, logits, target):
            assert not logits.requires_grad
            self.seen += 1

        def advance(self, epoch=None, step=None, metric=None):
            self.epoch = epoch

        def weigh(self, logits, target):
            return None

        def adjust(self, logits, target):
            return logits

    own = Own()
    loss = sy.CrossEntropy(own)
    x, y = torch.zeros(2, 2, requires_grad=True), torch.tensor([1, 1])
    assert loss(x, y).item() == pytest.approx(0.6931, abs=1e-4)
    assert loss(x, y).item() == pytest.approx(2 * 0.6931, abs=1e-4)
    loss.advance(epoch=7)
    assert own.epoch == 7


def test_a_schedule_serves_the_linear_layer_and_a_rule_that_reads_logits_does_not():
    torch.manual_seed(0)
    layer, x, y = torch.nn.Linear(4, 2), torch.randn(6, 4), torch.tensor([0, 1, 0, 1, 1, 0])
    linear = sy.LinearCrossEntropy(adaptive.Deferred(A, B, after_epoch=1))
    for epoch, recipe in ((0, A), (1, B)):
        linear.advance(epoch=epoch)
        torch.testing.assert_close(
            linear(x, layer.weight, y, linear_bias=layer.bias), sy.CrossEntropy(recipe)(layer(x), y)
        )

    class Looks(adaptive.Rule):
        def recipe(self):
            return A

        def weigh(self, logits, target):
            return torch.ones_like(target)

    with pytest.raises(ValueError, match="Looks needs the logits"):
        sy.LinearCrossEntropy(Looks())
    with pytest.raises(ValueError, match="Mixed needs the logits"):
        sy.LinearCrossEntropy(adaptive.Mixed(adaptive.Deferred(A, B, after_epoch=1), Looks()))


def test_explain_and_json_take_what_stands_now():
    counts = sy.Counts.of(900, 100)
    loss = sy.CrossEntropy(adaptive.Deferred(sy.Recipe(), sy.inverse_frequency(counts), after_epoch=1))
    for epoch, mean in ((0, [1.0, 1.0]), (1, [0.5556, 5.0])):
        loss.advance(epoch=epoch)
        for given in (loss, loss.rule):
            found = sy.explain(given, counts)
            assert [round(o.weight, 4) for o in found.outcomes] == mean


def test_mix_says_how_rules_are_mixed():
    with pytest.raises(TypeError, match=r"adaptive\.Mixed"):
        sy.mix(adaptive.Deferred(A, B, after_epoch=1), sy.focal(gamma=2.0))
