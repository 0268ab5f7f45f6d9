"""One test for each warning, and where it is not given."""

import numpy as np
import pytest
import torch

import steelyard as sy
from steelyard import Counts, Recipe, mix
from steelyard.curves import Focal
from steelyard.explain import explain

COUNTS = Counts.of(900, 100, classes=["healthy", "ill"])
LONG_TAIL = Counts([5000, 1000, 300, 40])


def column(explanation, name):
    return np.array([getattr(o, name) for o in explanation.outcomes], dtype=float)


def warned(explanation, words):
    return any(words in w for w in explanation.warnings)


def test_mean_weight_off_one_is_a_change_of_the_learning_rate():
    assert warned(explain(Recipe(weight=[1.0, 9.0]), COUNTS), "mean weight is 1.8")
    assert not warned(explain(Recipe(weight=[1.0, 1.09]), COUNTS), "mean weight")  # 1.009
    assert not warned(explain(Recipe(weight=[1.0, 9.0], norm="mass"), COUNTS), "mean weight")
    assert not warned(explain(sy.unit_mass(Recipe(weight=[1.0, 9.0]), COUNTS), COUNTS), "mean weight")


def test_weight_and_offset_that_both_undo_the_prior_are_one_too_many():
    twice = mix(sy.inverse_frequency(LONG_TAIL), sy.logit_adjustment(LONG_TAIL))
    assert warned(explain(twice, LONG_TAIL), "weight and offset both undo the prior")
    for once in (
        sy.inverse_frequency(LONG_TAIL),
        sy.logit_adjustment(LONG_TAIL),
        mix(sy.inverse_frequency(LONG_TAIL, beta=0.5), sy.logit_adjustment(LONG_TAIL, tau=0.5)),
    ):
        assert not warned(explain(once, LONG_TAIL), "undo the prior")
    # one correction may overshoot on purpose: costs
    assert not warned(explain(Recipe(weight=[0.1, 9.1]), COUNTS), "undo the prior")
    even = Counts.of(500, 500)
    assert not warned(explain(mix(Recipe(weight=[0.1, 1.9]), Recipe(offset=[[0.0, -3.0]])), even), "undo the prior")


def test_double_correction_names_the_label_it_happens_to():
    counts = Counts([30, 500], ["dog", "cat"], kind="multilabel", items=1000)
    e = explain(mix(sy.pos_neg(counts), sy.logit_adjustment(counts)), counts)
    assert warned(e, "97 % of 'dog: is'")
    assert warned(e, "for 1 of 2 labels")


def test_a_sampler_and_weights_are_one_too_many():
    shown = Counts.of(500, 500, classes=COUNTS.classes)
    e = explain(sy.inverse_frequency(COUNTS), COUNTS, sampled=shown)
    assert warned(e, "the sampler and weight both undo the prior")
    assert warned(e, "mean weight is 2.778")  # (5 / 9 + 5) / 2
    alone = explain(Recipe(), COUNTS, sampled=shown)
    assert alone.warnings == ()
    np.testing.assert_allclose(column(alone, "implied_prior"), 0.5)
    np.testing.assert_allclose(column(alone, "flip"), [0.9, 0.1])  # in the data, not in what the sampler shows
    with pytest.raises(ValueError, match="sampled= counts exclusive 0, 1 but"):
        explain(Recipe(), COUNTS, sampled=Counts.of(5, 5))


def test_weights_a_hundred_times_apart_are_extreme():
    assert warned(explain(Recipe(weight=[0.01, 1.01]), COUNTS), "101 times the smallest")
    assert not warned(explain(Recipe(weight=[0.01, 1.0]), COUNTS), "times the smallest")


def test_torch_weights_with_smoothing_pull_to_the_wrong_class():
    e = explain(sy.CrossEntropyLoss(weight=[0.01, 0.99], label_smoothing=0.1), COUNTS)
    assert warned(e, "'healthy' is pulled to p = 0.839 of 'ill'")  # .99 * .05 / (.99 * .05 + .01 * .95)
    z = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    loss = torch.nn.CrossEntropyLoss(weight=torch.tensor([0.01, 0.99], dtype=torch.float64), label_smoothing=0.1)
    search = torch.optim.LBFGS([z], max_iter=200, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def closure():
        search.zero_grad()
        value = loss(z, torch.tensor([0]))
        value.backward()
        return value

    search.step(closure)
    assert z.softmax(1)[0, 1].item() == pytest.approx(0.839, abs=5e-4)
    assert not warned(explain(mix(sy.fixed(weight=[0.01, 0.99]), sy.smooth(0.1)), COUNTS), "is pulled")
    assert not warned(explain(sy.CrossEntropyLoss(weight=[0.5, 5.0], label_smoothing=0.1), COUNTS), "is pulled")


def test_yes_or_no_targets_on_the_wrong_side_are_named():
    counts = Counts([30, 500], ["dog", "cat"], kind="multilabel", items=1000)
    recipe = Recipe(target=[[0.1, 0.6], [0.9, 0.9]], kind="multilabel", classes=["dog", "cat"])
    assert warned(explain(recipe, counts), "'cat: is not': the target asks for the opposite")


def test_weight_zero_and_count_zero_are_said():
    e = explain(Recipe(weight=[1.0, 0.0]), COUNTS)
    assert warned(e, "'ill' has weight 0")
    assert any("posterior cannot undo this: class 1 has weight 0" in n for n in e.notes)
    assert column(e, "implied_prior").tolist() == [1.0, 0.0]
    e = explain(Recipe(), Counts.of(5, 0))
    assert warned(e, "'1' counts 0")
    assert column(e, "implied_prior").tolist() == [1.0, 0.0]


def test_a_curve_that_shrinks_the_loss_gets_a_note():
    assert any("normalizer=" in n for n in explain(Recipe(curve=Focal(2.0)), COUNTS).notes)
    assert not explain(Recipe(weight=[5 / 9, 5.0]), COUNTS).notes
