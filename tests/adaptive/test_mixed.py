"""Mixed: what its parts say, together. What it is worth on long-tailed digits is in test_schedules.py."""

import pytest
import torch

import steelyard as sy
from steelyard import adaptive

COUNTS = sy.Counts.of(90, 10)
BALANCED = sy.inverse_frequency(COUNTS)
Z, Y = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 0, 1, 0])


def test_the_loss_is_that_of_the_mixed_recipe_at_every_epoch():
    loss = sy.CrossEntropy(adaptive.Mixed(adaptive.Deferred(sy.Recipe(), BALANCED, after_epoch=2), sy.focal(gamma=2.0)))
    for epoch, recipe in ((0, sy.focal(gamma=2.0)), (2, sy.mix(BALANCED, sy.focal(gamma=2.0))), (1, sy.focal())):
        loss.advance(epoch=epoch)
        torch.testing.assert_close(loss(Z, Y), sy.CrossEntropy(recipe)(Z, Y))


def test_weights_of_a_call_multiply_and_logits_are_adjusted_in_turn():
    hardest, seesaw = adaptive.hardest(2), adaptive.Seesaw(COUNTS)
    rule = adaptive.Mixed(hardest, seesaw, adaptive.hardest(3))
    assert rule.weigh(Z, Y).tolist() == (hardest.weigh(Z, Y) * adaptive.hardest(3).weigh(Z, Y)).tolist()
    assert rule.weigh(Z, Y).sum() == 2
    torch.testing.assert_close(rule.adjust(Z, Y), seesaw.adjust(Z, Y))
    assert adaptive.Mixed(seesaw, BALANCED).weigh(Z, Y) is None


def test_every_part_learns_what_it_would_alone():
    alone = adaptive.Seesaw(2)
    mixed = adaptive.Mixed(adaptive.Seesaw(2), BALANCED)
    for rule in (alone, mixed):
        sy.CrossEntropy(rule)(Z, Y)
    assert mixed.parts[0].seen.tolist() == alone.seen.tolist() == [3, 1]


def test_what_is_no_rule_is_refused():
    with pytest.raises(TypeError, match="takes rules and recipes, got str 'focal'"):
        adaptive.Mixed("focal")
