"""Focal loss."""

import torch
import torch.nn.functional as F

from steelyard.ingredients import fixed, focal
from steelyard.recipe import mix

P = torch.linspace(0.001, 0.999, 200, dtype=torch.float64)


def test_alpha_is_a_weight():
    recipe = mix(fixed(weight=[0.75, 0.25]), focal(gamma=2.0))
    assert recipe.curve == focal().curve
    assert recipe.label_weights().tolist() == [0.75, 0.25]


def test_gamma_zero_is_cross_entropy():
    torch.testing.assert_close(
        focal(gamma=0).curve.value(P.log(), 1 - P),
        F.nll_loss(P.log()[:, None], torch.zeros(200, dtype=torch.long), reduction="none"),
    )
