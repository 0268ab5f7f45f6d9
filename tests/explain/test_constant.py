"""The constant prediction that a recipe pulls to is what undo and the other link say it is."""

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


def test_a_sigmoid_only_curve_is_read_as_sigmoid():
    np.testing.assert_allclose(column(explain(Recipe(curve=Square()), COUNTS), "implied_prior"), [0.9, 0.1])
    e = explain(Recipe(curve=Asymmetric()), COUNTS)
    assert column(e, "implied_prior").sum() == pytest.approx(1)
