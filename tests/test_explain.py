"""explain: hand-computed numbers, and one test per warning."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import steelyard as sy
from steelyard import Counts, Recipe, mix
from steelyard.curves import Asymmetric, Focal, Square
from steelyard.explain import explain
from steelyard.table import Smooth

COUNTS = Counts.of(900, 100, classes=["healthy", "ill"])
LONG_TAIL = Counts([5000, 1000, 300, 40])


def column(explanation, name):
    return np.array([getattr(o, name) for o in explanation.outcomes], dtype=float)


def warned(explanation, words):
    return any(words in w for w in explanation.warnings)


def test_balanced_weights_of_900_and_100_by_hand():
    e = explain(Recipe(weight=[5 / 9, 5.0]), COUNTS)
    assert e.mean_weight == pytest.approx(1.0)
    np.testing.assert_allclose(column(e, "weight_share"), [0.5, 0.5])
    losses = np.array([0.9 * 5 / 9 * -np.log(0.9), 0.1 * 5 * -np.log(0.1)])
    np.testing.assert_allclose(column(e, "loss_share"), losses / losses.sum())
    np.testing.assert_allclose(column(e, "implied_prior"), [0.5, 0.5])
    np.testing.assert_allclose(column(e, "flip"), [0.9, 0.1])
    assert e.effective_size == pytest.approx((900 * 5 / 9 + 500) ** 2 / (900 * 25 / 81 + 2500))
    assert e.warnings == ()
    assert [o.name for o in e.outcomes] == ["healthy", "ill"]


def test_no_recipe_changes_nothing():
    e = explain(Recipe(), LONG_TAIL)
    np.testing.assert_allclose(column(e, "implied_prior"), LONG_TAIL.prior)
    np.testing.assert_allclose(column(e, "weight_share"), LONG_TAIL.prior)
    np.testing.assert_allclose(column(e, "flip"), 0.5)
    assert e.effective_size == LONG_TAIL.items
    assert (e.warnings, e.notes) == ((), ())


def test_logit_adjustment_aims_at_balance_and_flips_at_the_prior():
    e = explain(sy.logit_adjustment(LONG_TAIL), LONG_TAIL)
    np.testing.assert_allclose(column(e, "implied_prior"), 0.25)
    n = LONG_TAIL.per_class
    np.testing.assert_allclose(column(e, "flip")[1:], n[1:] / (n[1:] + n[0]))


RECIPES = {
    "focal": Recipe(curve=Focal(2.0), weight=[1.0, 2.0, 3.0, 20.0]),
    "vector scaling": Recipe(scale=[[1.0, 0.8, 0.6, 0.4]], offset=np.log(LONG_TAIL.prior)[None, :]),
    "margin": sy.margin(LONG_TAIL, scale=1.0),
    "label temperature": Recipe(scale=[1.0, 0.8, 0.6, 0.4], weight=[1.0, 2.0, 3.0, 4.0]),
    "smoothing": Recipe(target=Smooth([0.1, 0.1, 0.05, 0.0]), weight=[[1.0, 2.0, 3.0, 4.0]]),
    "everything": Recipe(
        scale=[1.0, 0.8, 0.6, 0.4], margin=0.5, target=0.02, curve=Focal(1.0), weight=[1.0, 2.0, 3.0, 20.0]
    ),
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_undo_of_the_implied_prior_is_the_prior(recipe):
    """Softmax probabilities do not fix logits under a scale per class, so the logits are found again by the undo."""
    from steelyard.explain import constant
    from steelyard.ops import bind

    z = constant.optimum(bind(recipe, "softmax"), torch.from_numpy(LONG_TAIL.prior))
    np.testing.assert_allclose(sy.posterior(z, recipe), LONG_TAIL.prior, atol=1e-7)
    np.testing.assert_allclose(column(explain(recipe, LONG_TAIL), "implied_prior"), torch.softmax(z, 0), atol=1e-9)


def test_a_thousand_classes_with_focal_are_explained():
    counts = Counts((10_000 * 0.99 ** np.arange(1000)).astype(int) + 1)
    e = explain(mix(sy.inverse_frequency(counts), sy.focal()), counts)
    np.testing.assert_allclose(column(e, "implied_prior"), 1e-3, rtol=1e-4)


def test_a_sigmoid_loss_reads_like_the_two_class_softmax():
    for recipe in (
        mix(sy.inverse_frequency(COUNTS), sy.focal()),
        mix(sy.logit_adjustment(COUNTS), sy.smooth(0.02)),
        mix(sy.margin(COUNTS, scale=1.0), sy.label_temperature(COUNTS)),
    ):
        one, two = explain(sy.BinaryCrossEntropy(recipe), COUNTS), explain(sy.CrossEntropy(recipe), COUNTS)
        for name in ("weight", "weight_share", "loss_share", "implied_prior", "flip"):
            np.testing.assert_allclose(column(one, name), column(two, name), rtol=1e-5, atol=1e-9, err_msg=name)


def test_yes_or_no_labels_have_two_outcomes_each():
    counts = Counts([30, 500], ["dog", "cat"], kind="multilabel", items=1000)
    e = explain(sy.pos_neg(counts), counts)
    assert [o.name for o in e.outcomes] == ["dog: is", "dog: is not", "cat: is", "cat: is not"]
    np.testing.assert_allclose(column(e, "weight"), [1000 / 60, 1000 / 1940, 1.0, 1.0])
    np.testing.assert_allclose(column(e, "weight_share"), 0.5)
    np.testing.assert_allclose(column(e, "implied_prior"), 0.5)
    np.testing.assert_allclose(column(e, "flip"), [0.03, 0.97, 0.5, 0.5])
    assert column(e, "count").tolist() == [30, 970, 500, 500]
    assert e.warnings == ()


def test_a_sigmoid_only_curve_is_read_as_sigmoid():
    np.testing.assert_allclose(column(explain(Recipe(curve=Square()), COUNTS), "implied_prior"), [0.9, 0.1])
    e = explain(Recipe(curve=Asymmetric()), COUNTS)
    assert column(e, "implied_prior").sum() == pytest.approx(1)


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


def test_drop_ins_and_learned_tables_are_read_with_the_numbers_they_hold():
    e = explain(sy.BCEWithLogitsLoss(pos_weight=[9.0]), COUNTS)
    np.testing.assert_allclose(column(e, "flip"), [0.9, 0.1])
    learned = sy.CrossEntropy(Recipe(weight=torch.nn.Parameter(torch.tensor([5 / 9, 5.0]))))
    np.testing.assert_allclose(column(explain(learned, COUNTS), "flip"), [0.9, 0.1], rtol=1e-6)


def test_json_holds_every_number():
    e = explain(Recipe(weight=[1.0, 0.0], curve=Focal()), COUNTS)
    told = json.loads(json.dumps(e.to_dict(), allow_nan=False))
    assert told["outcomes"][1]["weight"] == 0.0
    assert told["warnings"] == list(e.warnings)


def test_the_text_is_a_table_and_its_warnings():
    lines = str(explain(Recipe(weight=[1.0, 9.0]), COUNTS)).splitlines()
    assert lines[1].split()[:3] == ["class", "rows", "share"]
    assert len({len(line) for line in lines[1:4]}) == 1
    assert lines[-1].startswith("warning: the mean weight")
    assert "... and 960 more" in str(explain(Recipe(), Counts([1] * 1000)))


@pytest.mark.parametrize(
    ("what", "counts", "error", "why"),
    [
        (Recipe(weight={"a": 1.0, "b": 2.0}), COUNTS, ValueError, "for classes a, b"),
        (Recipe(weight=[1.0, 2.0, 3.0]), COUNTS, ValueError, "for 3 classes but the counts are for 2"),
        (sy.BinaryCrossEntropy(), LONG_TAIL, ValueError, "does not fit exclusive counts of 4"),
        (sy.CrossEntropy(), Counts([1], kind="multilabel", items=3), ValueError, "does not fit multilabel"),
        (torch.nn.CrossEntropyLoss(), COUNTS, TypeError, "takes a Recipe or a steelyard loss"),
    ],
)
def test_bad_calls_are_named(what, counts, error, why):
    with pytest.raises(error, match=why):
        explain(what, counts)


def test_importing_explain_does_not_import_torch():
    code = "import sys, steelyard; assert callable(steelyard.explain); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
