"""The numbers of an explanation, by hand."""

import numpy as np
import pytest

import steelyard as sy
from steelyard import Counts, Recipe
from steelyard.explain import explain

COUNTS = Counts.of(900, 100, classes=["healthy", "ill"])
LONG_TAIL = Counts([5000, 1000, 300, 40])


def column(explanation, name):
    return np.array([getattr(o, name) for o in explanation.outcomes], dtype=float)


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
