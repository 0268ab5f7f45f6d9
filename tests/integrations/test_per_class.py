"""Rows for the background, and class weights as yes-or-no tables."""

import numpy as np
import pytest

import steelyard as sy
from steelyard.integrations.per_class import on_targets, positive_weights, with_background

COUNTS = sy.Counts([900, 90, 10], ["a", "b", "c"], unit="boxes", source="", kind="exclusive")
BINARY = sy.Counts([90, 10, 500], ["a", "b", "c"], unit="labels", source="", kind="multilabel", items=1000)


def test_a_background_row_comes_first_and_the_rest_is_kept():
    recipe = sy.mix(sy.inverse_frequency(COUNTS), sy.focal(gamma=1.0))
    made = with_background("reweigh", recipe, 4, 0.5)
    assert made.classes == ("background", "a", "b", "c")
    assert np.array_equal(made.label_weights(), [0.5, *recipe.label_weights()])
    assert made.curve == recipe.curve
    assert with_background("reweigh", recipe, 3, None) is recipe  # it has all the rows
    assert with_background("reweigh", sy.focal(), 4, None).weight is None
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="background must be a finite weight >= 0"):
            with_background("reweigh", recipe, 4, wrong)
    with pytest.raises(ValueError, match="is a rule"):
        with_background("reweigh", sy.adaptive.Seesaw(4), 4, 1.0)
    with pytest.raises(ValueError, match="rows of targets"):
        with_background("reweigh", sy.fixed(target=np.eye(3), weight=[1.0, 2.0, 3.0]), 4, 1.0)


@pytest.mark.parametrize(("columns", "first"), [(3, False), (4, True), (3, True)])
def test_weights_of_classes_act_on_the_target_alone(columns, first):
    recipe = sy.inverse_frequency(COUNTS)
    made = on_targets("reweigh", recipe, columns, first=first)
    table = made.weight.numpy()
    assert np.array_equal(table[0], np.ones(columns))
    assert np.array_equal(table[1, columns - 3 :], recipe.label_weights())
    assert np.array_equal(table[1, : columns - 3], np.ones(columns - 3))
    assert made.kind == "multilabel"
    assert len(made.classes) == columns
    assert np.array_equal(positive_weights(made, columns, exclusive=False), table[1])


def test_answers_per_class_get_a_neutral_output_0():
    recipe = sy.mix(sy.pos_neg(BINARY), sy.logit_adjustment(BINARY))
    made = on_targets("reweigh", recipe, 4, first=True)
    assert np.array_equal(made.weight.numpy()[:, 0], [1, 1])
    assert np.array_equal(made.weight.numpy()[:, 1:], recipe.weight.numpy())
    assert np.array_equal(made.offset.numpy()[:, 0], np.zeros(len(made.offset.numpy())))
    assert on_targets("reweigh", recipe, 3, first=True) is recipe
    with pytest.raises(ValueError, match=r"for 3 classes, and the model has 4 outputs\."):
        on_targets("reweigh", recipe, 4, first=False)


def test_what_no_output_has_is_refused():
    for recipe, words in (
        (sy.logit_adjustment(COUNTS), "offset is one of exclusive classes"),
        (sy.mix(sy.inverse_frequency(COUNTS), sy.smooth(0.1)), "target is one of exclusive classes"),
        (sy.fixed(weight=[1.0, 2.0]), r"are \(is not, is\), or two classes"),
    ):
        with pytest.raises(ValueError, match=words):
            on_targets("reweigh", recipe, 3, first=True)
    one = sy.Recipe(weight=[1.0, 9.0], kind="exclusive", classes=["no", "yes"])
    assert on_targets("reweigh", one, 1, first=False) is one
