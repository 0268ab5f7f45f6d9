"""Arms: unit mass, names, and which of them a linear model cannot tell from plain."""

import pytest

from steelyard import Counts, Recipe, focal, inverse_frequency, logit_adjustment, mix
from steelyard.recipe import mean_weight
from steelyard.tuning.arms import Arm, arms, distance, equals_plain, usual

COUNTS = Counts.of(950, 50)


@pytest.mark.parametrize("arm", usual(), ids=lambda a: a.name)
def test_every_candidate_has_unit_mass_and_is_called_as_its_recipe_says(arm):
    recipe = arm.recipe(COUNTS)
    assert mean_weight(recipe, COUNTS) == pytest.approx(1)
    assert recipe.classes == COUNTS.classes
    assert arm.name == (" × ".join(recipe.source) or "plain")


def test_plain_comes_first_and_once():
    assert [a.name for a in usual()][:2] == ["plain", "inverse_frequency(beta=0.25)"]
    given = arms({"plain": Recipe(), "mine": Recipe(weight=[1, 9])})
    assert [a.name for a in given] == ["plain", "mine"]
    mine = given[1].recipe(COUNTS)
    assert mine.label_weights().tolist() == pytest.approx([1 / 1.4, 9 / 1.4])  # 0.95 x 1 + 0.05 x 9 = 1.4


def test_arms_may_be_recipes_functions_and_arms():
    made = arms([inverse_frequency, Arm("mine", lambda c: Recipe()), focal(gamma=1.0)])
    assert [a.name for a in made] == ["plain", "inverse_frequency", "mine", "focal(gamma=1)"]


def test_two_arms_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"'focal\(gamma=1\)' is given twice"):
        arms([focal(gamma=1.0), focal(gamma=1.0)])
    with pytest.raises(ValueError, match="a Recipe, a function of Counts"):
        arms([3])


@pytest.mark.parametrize(
    ("recipe", "same"),
    [
        (Recipe(), True),
        (logit_adjustment(COUNTS, tau=0.7), True),
        (inverse_frequency(Counts.of(500, 500)), True),
        (inverse_frequency(COUNTS, beta=0.25), False),
        (focal(gamma=2.0), False),
        (mix(logit_adjustment(COUNTS), inverse_frequency(COUNTS)), False),
        (Recipe(offset=[[0, 0], [0, 2]]), False),
        (Recipe(margin=[0, 1]), False),
    ],
)
def test_what_equals_plain_by_construction(recipe, same):
    assert bool(equals_plain(recipe)) is same


def test_nearer_to_plain_means_a_smaller_ratio_and_no_change_of_shape():
    ordered = [inverse_frequency(COUNTS, beta=b) for b in (0.25, 0.5, 1.0)] + [focal(gamma=2.0)]
    assert sorted(ordered, key=distance) == ordered
    assert distance(ordered[2])[1] == pytest.approx(19)
