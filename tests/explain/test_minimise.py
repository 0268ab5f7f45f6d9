"""The search reaches the minimum of smooth functions to the last digits, and says how flat it is there."""

import math

import numpy as np
import pytest
import torch
from scipy import optimize

from steelyard.explain.minimise import lowest


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def test_a_bent_valley_is_followed_to_its_end():
    x, slope = lowest(rosenbrock, torch.tensor([1.3, 0.7, 0.8, 1.9], dtype=torch.float64))
    torch.testing.assert_close(x, torch.ones(4, dtype=torch.float64), rtol=0, atol=1e-10)
    assert float(slope.abs().max()) < 1e-9


def test_a_steep_quadratic_is_solved():
    scale = torch.logspace(-1, 1.5, 40, dtype=torch.float64)
    goal = torch.linspace(-1, 1, 40, dtype=torch.float64)
    x, _ = lowest(lambda v: (scale * (v - goal) ** 2).sum(), torch.zeros(40, dtype=torch.float64))
    torch.testing.assert_close(x, goal, rtol=0, atol=1e-8)


def test_it_goes_as_low_as_scipy():
    torch.manual_seed(0)
    X, y = torch.randn(200, 6, dtype=torch.float64), (torch.rand(200) < 0.3).double()

    def loss(w):
        return torch.nn.functional.binary_cross_entropy_with_logits(X @ w, y) + 0.01 * w @ w

    found = optimize.minimize(lambda w: float(loss(torch.from_numpy(w))), np.zeros(6), method="BFGS")
    x, slope = lowest(loss, torch.zeros(6, dtype=torch.float64))
    assert float(loss(x)) <= found.fun + 1e-15
    assert float(slope.abs().max()) <= 1e-12


@pytest.mark.parametrize("of", [lambda x: x.exp().sum(), lambda x: (x * math.nan).sum(), lambda x: -x.sum()])
def test_where_there_is_no_minimum_it_ends(of):
    _, slope = lowest(of, torch.zeros(2, dtype=torch.float64))
    assert slope.shape == (2,)
