"""Z of a step: what the loss itself would divide by, over any number of micro-batches. Files: losses/reduction.py."""

import pytest
import torch

import steelyard as sy


def test_it_is_what_the_loss_divides_by(subject):
    loss = subject.loss()
    for logits, target, weight in subject.calls().values():
        z = sy.global_mass(target, loss, weight=weight)
        torch.testing.assert_close(
            loss(logits, target, weight=weight, normalizer=z), loss(logits, target, weight=weight), rtol=1e-12, atol=0
        )


def test_it_follows_the_losses_class_axis_and_ignored_label():
    loss = sy.BinaryCrossEntropy(sy.Recipe(weight=[[1.0, 2.0, 4.0]], norm="mass"), class_dim=-1, ignore_index=9)
    target = torch.tensor([[[0, 1, 9], [9, 1, 1]]])
    assert sy.global_mass(target, loss) == 1 + 2 + 2 + 4


def test_mass_and_count_by_hand():
    recipe = sy.Recipe(weight=[1.0, 9.0])
    y, s = torch.tensor([0, 1, 1, -100]), torch.tensor([2.0, 1.0, 0.0, 5.0])
    assert sy.global_mass(y, recipe, weight=s) == 2
    assert sy.global_mass(y, sy.mix(recipe, sy.Recipe(norm="mass")), weight=s) == 2 * 1 + 1 * 9
    assert sy.global_mass([y, y], sy.mix(recipe, sy.Recipe(norm="mass"))) == 2 * (1 + 9 + 9)
    assert sy.global_mass(y, sy.mix(recipe, sy.Recipe(norm=7.0))) == 7
    assert sy.global_mass(y, sy.mix(recipe, sy.Recipe(norm="sum"))) == 1


def test_a_bare_two_class_recipe_takes_yes_or_no_labels():
    recipe = sy.Recipe(weight=[1.0, 9.0], norm="mass", kind="exclusive")
    y = torch.tensor([0, 1, 1])
    assert sy.global_mass(y, recipe) == sy.global_mass(y, sy.BinaryCrossEntropy(recipe)) == 19


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_counts_are_exact_beyond_float32(dtype):
    y = torch.zeros(2**24 + 1, dtype=dtype)
    assert sy.global_mass(y, sy.Recipe()) == 2**24 + 1
