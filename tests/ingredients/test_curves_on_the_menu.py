"""The ingredients that only choose a curve, against formulas written out in torch. Files: ingredients/robust.py."""

import pytest
import torch

from steelyard.ingredients import asymmetric, focal, generalized, poly, symmetric
from steelyard.recipe import mix

P = torch.linspace(0.001, 0.999, 200, dtype=torch.float64)
EXPECTED = {
    "focal": (focal(gamma=1.5), -((1 - P) ** 1.5) * P.log()),
    "focal by position": (focal(1.5), -((1 - P) ** 1.5) * P.log()),
    "poly": (poly(epsilon=2.0), -P.log() + 2 * (1 - P)),
    "generalized": (generalized(q=0.3), (1 - P**0.3) / 0.3),
    "symmetric": (symmetric(alpha=0.5, beta=2.0, floor=-3.0), -0.5 * P.log() + 2 * 3 * (1 - P)),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_curve_is_the_papers_formula(name):
    recipe, expected = EXPECTED[name]
    torch.testing.assert_close(recipe.curve.value(P.log(), 1 - P), expected, rtol=1e-9, atol=1e-12)


def test_two_curves_do_not_mix():
    with pytest.raises(ValueError, match="curve is set twice"):
        mix(focal(), poly())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: focal(gamma=-1), r"focal: gamma must be in [0, inf), got -1."),
        (lambda: poly(epsilon=-1.5), r"poly: epsilon must be in [-1, inf), got -1.5."),
        (lambda: generalized(q=0), r"generalized: q must be in (0, 1], got 0."),
        (lambda: symmetric(floor=0.0), r"symmetric: floor must be in (-inf, 0), got 0."),
        (lambda: asymmetric(clip=1), r"asymmetric: clip must be in [0, 1), got 1."),
    ],
)
def test_each_option_has_its_domain(call, message):
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == message
