"""Your own numbers."""

import numpy as np
import pytest
import torch

from steelyard.curves import Focal
from steelyard.ingredients import fixed
from steelyard.recipe import Recipe, mix


def test_every_field_of_a_recipe_passes_through():
    fields = {
        "scale": [[2.0, 3.0]],
        "offset": [[0.0, -np.inf]],
        "margin": [0.1, 0.2],
        "weight": [1.0, 9.0],
        "target": 0.1,
        "curve": Focal(1.0),
        "norm": "mass",
        "classes": ["no", "yes"],
        "kind": "exclusive",
    }
    assert fixed(**fields) == Recipe(**fields)
    assert fixed(**{k: v for k, v in fields.items() if k != "norm"}).source == ("fixed(target=0.1, kind='exclusive')",)


def test_numbers_too_long_to_print_are_left_out_of_the_source():
    assert fixed(weight=[1.0, 9.0]).source == ("fixed()",)


def test_nothing_is_the_identity_of_mix():
    recipe = Recipe(weight=[1.0, 2.0])
    assert mix(fixed(), recipe) == recipe


def test_a_learned_tensor_stays_the_same_object():
    learned = torch.nn.Parameter(torch.ones(3))
    assert fixed(weight=learned).weight.factors[0].values is learned


def test_weights_by_name_know_their_classes():
    assert fixed(weight={"no": 1, "yes": 9}).classes == ("no", "yes")


def test_an_unknown_field_is_named():
    with pytest.raises(TypeError, match=r"^fixed: unknown option 'wieght'; it takes scale, offset, margin, weight"):
        fixed(wieght=[1.0])
