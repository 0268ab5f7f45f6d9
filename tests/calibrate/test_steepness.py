import math

import pytest
import torch

from steelyard.calibrate.steepness import log_steepness
from steelyard.curves import GCE, Asymmetric, Focal, Log, Poly, Square, Symmetric, sides

CURVES = (
    Log(),
    Focal(0.0),
    Focal(0.5),
    Focal(2.0),
    Poly(3.0),
    Poly(-0.5),
    Poly(-1.0),
    GCE(0.3),
    GCE(1.0),
    Symmetric(),
    Square(),
)
CURVES += (sides(Asymmetric(1.0, 4.0, 0.05))[1], sides(Asymmetric(0.0, 0.0, 0.2))[1])


@pytest.mark.parametrize("curve", CURVES, ids=repr)
def test_it_is_the_logarithm_of_the_slope(curve):
    p = torch.linspace(0.001, 0.999, 97, dtype=torch.float64)
    torch.testing.assert_close(log_steepness(curve, p.log(), (1 - p).log()), (-curve.slope(p.log(), 1 - p)).log())


@pytest.mark.parametrize("curve", [c for c in CURVES if not getattr(c, "clip", 0)], ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_stays_finite_where_the_slope_underflows(curve, dtype):
    far = torch.tensor([-1e15, -1e4, -800.0, -100.0], dtype=dtype)
    near = -far.exp()  # the logarithm of the other probability
    assert bool(log_steepness(curve, far, near).isfinite().all())
    assert bool(log_steepness(curve, near, far).isfinite().all())


def test_a_curve_from_elsewhere_is_asked_for_its_slope():
    class Twice:
        def value(self, logp, q):
            return -2 * logp

        def slope(self, logp, q):
            return torch.full_like(logp, -2.0)

    logp = torch.tensor([-1.0, -3.0])
    torch.testing.assert_close(log_steepness(Twice(), logp, torch.log1p(-logp.exp())), torch.full((2,), math.log(2)))
