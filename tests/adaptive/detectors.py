"""What the tests of Seesaw, Equalized, Harmonized and hardest share."""

import warnings

import pytest
import torch
from tests.adaptive import digits

import steelyard as sy

SOME, NONE = torch.tensor([0, 1, 0, 1]), torch.full((4,), -100)
TABLE = torch.tensor([[1, 0], [0, 0], [0, 0], [0, 0]])


def batch(seed: int, *, rows: int = 40, classes: int = 5, link: str = "softmax", spread: float = 3.0):
    random = torch.Generator().manual_seed(seed)
    z = spread * torch.randn(rows, classes, generator=random, dtype=torch.float64)
    if link == "sigmoid":
        return z, (torch.rand(rows, classes, generator=random) < 0.3).long()
    shares = torch.tensor([0.5, 0.3, 0.15, 0.05, 0.0], dtype=torch.float64)[:classes]
    return z, torch.multinomial(shares, rows, replacement=True, generator=random)


def loss_of(rule, link: str):
    return (sy.CrossEntropy if link == "softmax" else sy.BinaryCrossEntropy)(rule)


def says_once(loss, z, y, match: str) -> None:
    """That it does nothing, and not before it has seen some."""
    for _ in range(63):
        loss(z, y)  # warnings are errors here: nothing is said so early
    with pytest.warns(UserWarning, match=match):
        loss(z, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(64):
            loss(z, y)


def gains(loss, expected: float, error: float) -> None:
    """Measured with 25 seeds on this protocol, plain softmax .833, plain sigmoid .816: `expected`, +- its standard `error`; three
    standard errors of five seeds are allowed. (Harmonized and hardest see the nets of all seeds as one batch, so the seeds are not
    quite independent.) Gains are small here: what detectors suffer from, thousands of easy negatives per object, digits do not have.
    """
    gain, _ = digits.gain(loss)
    assert gain == pytest.approx(expected, abs=3 * error * 5**0.5)
