"""A schedule wants to be told how far training is."""

import warnings

import pytest
import torch

import steelyard as sy
from steelyard import adaptive

A, B = sy.Recipe(weight=[1.0, 1.0], offset=[[0.0, 0.0]]), sy.Recipe(weight=[0.5, 5.0], offset=[[-1.0, -3.0]])


def test_a_schedule_that_is_never_advanced_warns_once():
    loss = sy.CrossEntropy(adaptive.Deferred(A, B, after_epoch=3))
    x, y = torch.zeros(2, 2), torch.tensor([0, 1])
    loss.eval()
    loss(x, y)  # evaluation is no reason
    loss.train()
    with pytest.warns(UserWarning, match="Deferred: the schedule was never advanced"):
        loss(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss(x, y)
