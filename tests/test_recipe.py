"""Recipe: what is refused, what its weights are per label, and that it is kept whole. How recipes mix is in laws/test_mixing.py."""

import numpy as np
import pytest
import torch

import steelyard as sy
from steelyard.recipe import Recipe, mean_weight, unit_mass

COUNTS = sy.Counts.of(90, 10, classes=["no", "yes"])


def test_weights_per_label_are_those_that_were_given_or_one():
    assert Recipe(weight={"no": 0.5, "yes": 4}).label_weights().tolist() == [0.5, 4.0]
    assert Recipe(weight=3.0, classes="ab").label_weights().tolist() == [3.0, 3.0]
    assert Recipe(classes="abc").class_weight.tolist() == [1.0, 1.0, 1.0]
    assert Recipe(weight=[[1.0], [9.0]], kind="multilabel", classes="abc").label_weights().tolist() == [1.0, 9.0]
    with pytest.raises(ValueError, match="number of classes is unknown; give classes="):
        Recipe().label_weights()
    with pytest.raises(ValueError, match=r"the weight table is \[1, 2\], not one weight per label"):
        Recipe(weight=[[1.0, 2.0]]).label_weights()


def test_unit_mass_has_mean_weight_one_and_the_same_ratios():
    recipe = Recipe(weight={"no": 1.0, "yes": 9.0})
    assert mean_weight(recipe, COUNTS) == pytest.approx(0.9 + 0.9)
    one = unit_mass(recipe, COUNTS)
    assert mean_weight(one, COUNTS) == pytest.approx(1)
    np.testing.assert_allclose(one.label_weights(), [1 / 1.8, 5.0])
    assert unit_mass(Recipe(), COUNTS) == Recipe()
    with pytest.raises(ValueError, match="the mean weight over these counts is 0"):
        unit_mass(Recipe(weight=[0.0, 0.0]), COUNTS)
    with pytest.raises(ValueError, match="for classes a, b but the counts are for no, yes"):
        unit_mass(Recipe(weight={"a": 1, "b": 2}), COUNTS)


def test_a_saved_recipe_comes_back_with_where_it_came_from(tmp_path):
    recipe = sy.mix(sy.inverse_frequency(COUNTS), sy.focal(gamma=2.0), sy.smooth(0.1))
    recipe.save(tmp_path / "recipe.json")
    again = Recipe.load(tmp_path / "recipe.json")
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert again.source == recipe.source
    assert repr(again) == repr(recipe)


def test_equal_recipes_may_come_from_elsewhere():
    assert Recipe(weight=[1.0, 2.0]).named("here") == Recipe(weight=[1.0, 2.0])
    assert Recipe(weight=[1.0, 2.0]).named("here").source == ("here",)
    assert Recipe(weight=[1.0, 2.0]) != Recipe(weight=[1.0, 2.5])
    assert Recipe(norm="mass") != Recipe()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"scale": 0.0}, "scale must be > 0, got 0"),
        ({"weight": [-1.0, 1.0]}, "weight must be >= 0, got -1"),
        ({"margin": [np.inf, 1.0]}, "margin holds an infinite value"),
        ({"offset": [[np.inf, 0.0]]}, r"offset holds \+inf"),
        ({"weight": [np.nan, 1.0]}, "weight holds NaN"),
        ({"weight": [1.0, 2.0, 3.0], "classes": "abcd"}, "weight has 3 label rows for 4 classes"),
        ({"offset": [[1.0, 2.0, 3.0]], "classes": "ab"}, "offset has 3 class columns for 2 classes"),
        ({"weight": {"a": 1.0}, "classes": "ab"}, "'b' is in only one of them"),
        ({"norm": 0}, "norm must be one of count, mass, sum or a number > 0, got 0"),
        ({"norm": True}, "got True"),
        ({"kind": "binary"}, "kind must be exclusive, multilabel or None"),
        ({"curve": "focal"}, r"curve must have value\(logp, q\) and slope\(logp, q\)"),
    ],
)
def test_what_is_no_recipe_is_refused(options, says):
    with pytest.raises(ValueError, match=says):
        Recipe(**options)


@pytest.mark.parametrize(
    ("recipe", "y", "expected"),
    [
        (Recipe(weight={"0": 0.5, "1": 4.0}), [0, 1, 1], {0: 0.5, 1: 4.0}),
        (Recipe(weight={"0": 0.5, "1": 4.0}), np.array([1.0, 0.0]), {0.0: 0.5, 1.0: 4.0}),
        (Recipe(weight={"0": 0.5, "1": 4.0}), [True, False], {False: 0.5, True: 4.0}),
        (Recipe(weight={"False": 0.5, "True": 4.0}), np.array([True, False]), {False: 0.5, True: 4.0}),
        (Recipe(weight={"7": 0.5, "11": 4.0}), torch.tensor([11, 7, 7]), {7: 0.5, 11: 4.0}),
        (Recipe(weight={"ill": 4.0, "well": 0.5}), np.array(["well", "ill"], dtype=object), {"ill": 4.0, "well": 0.5}),
        (Recipe(weight={"ill": 4.0, "well": 0.5}), ["well"], {"well": 0.5}),
        (Recipe(weight=[0.5, 4.0]), [-1, 1, 1], {-1: 0.5, 1: 4.0}),
        (Recipe(weight=[0.5, 4.0, 1.0]), [2, 0], {0: 0.5, 2: 1.0}),
        (Recipe(weight=2.0), ["a", "b"], {"a": 2.0, "b": 2.0}),
        (Recipe(), ["a", "b"], {"a": 1.0, "b": 1.0}),
        (Recipe(weight=[0.5, 4.0], kind="multilabel", classes=["a", "b", "c"]), [0, 1], {0: 0.5, 1: 4.0}),
    ],
)
def test_weights_by_label_have_the_types_of_y(recipe, y, expected):
    found = recipe.weights_by_label(y)
    assert found == expected
    assert list(map(type, found)) == list(map(type, expected))


def test_weights_by_label_are_those_that_scikit_learn_computes():
    from sklearn.utils.class_weight import compute_class_weight

    y = np.array([3] * 900 + [8] * 100)
    counts = sy.Counts([900, 100], classes=[3, 8])
    ours = sy.inverse_frequency(counts).weights_by_label(y)
    assert list(ours) == [3, 8]
    np.testing.assert_allclose(list(ours.values()), compute_class_weight("balanced", classes=np.unique(y), y=y))


@pytest.mark.parametrize(
    ("recipe", "y", "says"),
    [
        (Recipe(weight={"a": 1, "b": 2}), ["a", "c"], "y holds 'c', but the recipe has weights for a, b"),
        (Recipe(weight=[1.0, 2.0]), [0, 5, 7], "y holds 5, 7, but the recipe has weights for 0, 1"),
        (Recipe(weight=[1.0, 2.0]), [0.0, float("nan")], "missing label"),
        (Recipe(weight=[[1.0, 2.0]]), [0, 1], "not one weight per label"),
    ],
)
def test_labels_without_a_weight_are_named(recipe, y, says):
    with pytest.raises(ValueError, match=says):
        recipe.weights_by_label(y)
