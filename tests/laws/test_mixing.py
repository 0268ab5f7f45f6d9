"""mix: a commutative monoid on recipes, to the bit."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples_of import examples

import steelyard as sy
from steelyard import curves
from steelyard.recipe import COMBINE
from steelyard.table import Smooth

positive = st.floats(0.01, 100.0)
vectors = st.lists(positive, min_size=3, max_size=3)
tables = st.one_of(
    positive,
    vectors,
    vectors.map(lambda v: [v]),
    st.lists(vectors, min_size=3, max_size=3),
)
combining = st.builds(
    lambda fields: sy.Recipe(**fields), st.dictionaries(st.sampled_from(tuple(COMBINE)), tables, min_size=1)
)
once = st.one_of(
    st.builds(lambda a: {"target": Smooth(a)}, st.floats(0, 1)),
    st.builds(lambda g: {"curve": curves.Focal(g)}, st.floats(0, 5)),
    st.sampled_from([{"norm": "mass"}, {"norm": 3.0}, {"classes": ["a", "b", "c"]}]),
)


@st.composite
def mixtures(draw):
    """Two to four recipes that can be mixed, one of them with a field that may be set once."""
    found = draw(st.lists(combining, min_size=2, max_size=4))
    found[0] = dataclasses.replace(found[0], **draw(once))
    return found


@settings(max_examples=examples(60), deadline=None)
@given(mixtures())
def test_the_order_of_mixing_never_matters_to_the_bit(recipes):
    first = sy.mix(*recipes)
    for order in itertools.permutations(recipes):
        mixed = sy.mix(*order)
        assert mixed == first
        assert mixed.source == first.source
        for field in COMBINE:
            if getattr(first, field) is not None:
                assert getattr(mixed, field).numpy().tobytes() == getattr(first, field).numpy().tobytes()
    assert repr(sy.mix(*reversed(recipes))) == repr(first)


@settings(max_examples=examples(60), deadline=None)
@given(mixtures())
def test_mixing_in_steps_is_mixing_at_once_to_the_bit(recipes):
    a, b, *rest = recipes
    left, right, flat = sy.mix(sy.mix(a, b), *rest), sy.mix(a, sy.mix(b, *rest)), sy.mix(*recipes)
    assert left == right == flat


@settings(max_examples=examples(60), deadline=None)
@given(combining)
def test_the_empty_recipe_changes_nothing(recipe):
    assert sy.mix(recipe, sy.Recipe()) == sy.mix(sy.Recipe(), recipe) == sy.mix(recipe) == recipe
    assert sy.mix() == sy.Recipe()


@settings(max_examples=examples(60), deadline=None)
@given(mixtures())
def test_json_brings_every_bit_back(recipes):
    mixed = sy.mix(*recipes)
    again = sy.Recipe.from_json(mixed.to_json())
    assert again == mixed
    assert again.to_json() == mixed.to_json()


def test_json_brings_every_registered_recipe_back(subject):
    assert sy.Recipe.from_json(subject.recipe.to_json()) == subject.recipe


def test_scales_and_weights_multiply_offsets_and_margins_add():
    a, b = (sy.Recipe(scale=x, offset=x, margin=x, weight=x) for x in ([2.0, 3.0], [5.0, 7.0]))
    mixed = sy.mix(a, b)
    assert mixed.scale.numpy()[:, 0].tolist() == mixed.weight.numpy()[:, 0].tolist() == [10.0, 21.0]
    assert mixed.offset.numpy()[:, 0].tolist() == mixed.margin.numpy()[:, 0].tolist() == [7.0, 10.0]


def test_rows_and_columns_are_never_multiplied_out():
    wide = 200_000  # [C, C] would be 320 GB
    mixed = sy.mix(sy.Recipe(weight=np.ones(wide)), sy.Recipe(weight=np.full((1, wide), 2.0)))
    loss = sy.CrossEntropy(mixed)
    assert sum(b.numel() for b in loss.buffers()) == 2 * wide


@pytest.mark.parametrize(
    ("field", "one", "two"), [("target", 0.1, 0.2), ("curve", curves.Log(), curves.GCE()), ("norm", "mass", "count")]
)
def test_a_field_that_may_be_set_once_refuses_a_second_value_even_the_same(field, one, two):
    for other in (one, two):
        with pytest.raises(ValueError, match=f"mix: {field} is set twice"):
            sy.mix(sy.Recipe(**{field: one}), sy.Recipe(**{field: other}))


def test_recipes_for_other_classes_do_not_mix():
    with pytest.raises(ValueError, match="different classes"):
        sy.mix(sy.Recipe(classes=["a", "b"]), sy.Recipe(classes=["b", "a"]))
    with pytest.raises(ValueError, match="do not broadcast"):
        sy.mix(sy.Recipe(weight=[1.0, 2.0]), sy.Recipe(weight=[1.0, 2.0, 3.0]))
