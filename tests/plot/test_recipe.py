"""Files: plot/curves_of.py."""

import math

import numpy as np
import pytest
import torch

import steelyard as sy
from steelyard.plot.curves_of import curves_of
from steelyard.plot.recipe import MOST

P = np.array([0.05, 0.4, 0.9])
TWO = sy.Counts.of(900, 100, classes=["healthy", "ill"])


def test_plain_cross_entropy_is_minus_log_p_and_pulls_by_what_is_missing():
    found = curves_of(sy.Recipe(classes=["a", "b", "c"]), None, P)
    np.testing.assert_allclose(found.loss, np.tile(-np.log(P), (3, 1)), rtol=1e-9)
    np.testing.assert_allclose(found.gradient, np.tile(1 - P, (3, 1)), rtol=1e-9)


def test_weights_multiply_and_the_curve_is_torchs():
    weight = torch.tensor([0.5, 5.0])
    found = curves_of(sy.CrossEntropyLoss(weight=weight), None, P)
    for y in (0, 1):
        z = torch.tensor(np.log([[p, 1 - p] if y == 0 else [1 - p, p] for p in P]), requires_grad=True)
        loss = torch.nn.functional.cross_entropy(z, torch.full((3,), y), weight=weight.double(), reduction="none")
        np.testing.assert_allclose(found.loss[y], loss.detach(), rtol=1e-6)
        (slope,) = torch.autograd.grad(loss.sum(), z)
        np.testing.assert_allclose(found.gradient[y], -slope[:, y], rtol=1e-6)


def test_yes_and_no_of_one_logit_are_those_of_torch():
    found = curves_of(sy.BCEWithLogitsLoss(pos_weight=torch.tensor([9.0])), None, P)
    assert found.names == ("is", "is not")
    np.testing.assert_allclose(found.loss[0], -9 * np.log(P), rtol=1e-6)
    np.testing.assert_allclose(found.loss[1], -np.log(P), rtol=1e-6)
    np.testing.assert_allclose(found.gradient, [9 * (1 - P), 1 - P], rtol=1e-6)


def test_two_exclusive_classes_under_one_logit_keep_their_names():
    found = curves_of(sy.BinaryCrossEntropy(sy.inverse_frequency(TWO)), None, P)
    assert found.names == ("ill: is", "healthy: is not") or found.names == ("ill", "healthy")
    assert found.loss[0][0] > found.loss[1][0]


def test_what_cannot_be_drawn_says_so():
    with pytest.raises(TypeError, match="takes a Recipe, a steelyard loss or a rule"):
        sy.plot.recipe(3)
    with pytest.raises(ValueError, match="there is no class 'sick'; there are healthy, ill"):
        sy.plot.recipe(sy.inverse_frequency(TWO), classes=["sick"])
    with pytest.raises(ValueError, match="is a softmax loss"):
        sy.plot.recipe(sy.CrossEntropy(sy.Recipe()), link="sigmoid")


def test_classes_that_weigh_alike_are_one_curve_and_many_are_spread():
    pytest.importorskip("altair")
    assert len(_names(sy.plot.recipe(sy.Recipe(weight=[1.0] * 9)))) == 2
    steps = sy.plot.recipe(sy.Recipe(weight=[float(k + 1) for k in range(40)]))
    names = _names(steps)
    assert len(names) == 1 + MOST
    assert {"0", "39"} <= set(names)


def test_the_scale_is_logarithmic_where_curves_are_far_apart():
    pytest.importorskip("altair")
    near, far = (sy.plot.recipe(sy.Recipe(weight=[1.0, w])).to_dict()["hconcat"][0] for w in (2.0, 1000.0))
    scales = [part["layer"][-1]["encoding"]["y"]["scale"].get("type", "linear") for part in (near, far)]
    assert scales == ["linear", "log"]
    assert math.isfinite(near["layer"][-1]["encoding"]["y"]["scale"]["domain"][1])


def _names(chart):
    spec = chart.to_dict()
    return [row["series"] for row in spec["datasets"][spec["hconcat"][-1]["layer"][0]["data"]["name"]]]
