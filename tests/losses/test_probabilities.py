"""A softmax too many is noticed where logits are undone."""

import numpy as np
import pytest
import torch

import steelyard as sy
from steelyard.losses.probabilities import look_like_probabilities

RECIPE = sy.Recipe(weight=[1.0, 2.0, 4.0])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_probabilities_in_the_place_of_logits_are_noticed(dtype):
    z = 3 * torch.randn(200, 3)
    p = z.softmax(1).to(dtype)
    assert look_like_probabilities(p)
    assert not look_like_probabilities(z.to(dtype))
    with pytest.raises(ValueError, match=r"posterior: takes logits, but all 200 rows are in .0, 1. and sum to 1"):
        sy.posterior(p, RECIPE)
    assert sy.posterior(p.float().log(), RECIPE).shape == (200, 3)


def test_answers_in_the_place_of_logits_are_doubted():
    p = torch.rand(30)
    for logits in (p, p.numpy(), p.reshape(10, 3)):
        with pytest.warns(UserWarning, match=r"all 30 are in \[0, 1\].*log\(p / \(1 - p\)\)"):
            sy.posterior(logits, sy.Recipe(weight=[[1.0], [9.0]]), link="sigmoid")
    for logits in (p[:19], p.sort().values, p - 0.5, (p > 0.5).float(), torch.full((30,), 0.3)):
        sy.posterior(logits, sy.Recipe(weight=[[1.0], [9.0]]), link="sigmoid")


def test_on_other_axes_and_in_numpy():
    p = torch.randn(4, 3, 5, 6).softmax(1)
    with pytest.raises(ValueError, match="all 120 rows"):
        sy.posterior(p, sy.CrossEntropy(RECIPE))
    with pytest.raises(ValueError, match="probabilities; pass the logits before the softmax"):
        sy.posterior(p[:, :, 0, 0].numpy(), RECIPE)


@pytest.mark.parametrize(
    "logits", [[[0.0, 1.0, 0.0]], np.eye(3), np.zeros((4, 3)), [[0.3, 0.3, 0.4]], [[0.2, 0.3, 0.5], [0.2, 0.3, 0.6]]]
)
def test_what_may_well_be_logits_is_left_alone(logits):
    assert sy.posterior(logits, RECIPE).shape == np.shape(logits)


def test_a_loss_says_it_once_and_goes_on():
    z, y = torch.randn(20, 3), torch.randint(3, (20,))
    for loss in (sy.CrossEntropy(RECIPE), sy.CrossEntropy(), sy.CrossEntropyLoss()):
        with pytest.warns(UserWarning, match="logits look like probabilities.*drop the softmax"):
            first = loss(z.softmax(1), y)
        assert loss(z.softmax(1), y) == first  # any warning is an error
    loss = sy.CrossEntropy()
    loss(z, y)
    loss(torch.eye(3), torch.arange(3))
    with pytest.warns(UserWarning, match="look like probabilities"):
        sy.CrossEntropy(class_dim=-1)(torch.randn(4, 5, 3).softmax(-1), torch.zeros(4, 5, dtype=torch.long))


def test_the_linear_layer_says_it_of_the_logits_that_it_never_holds():
    p, y = torch.randn(20, 3).softmax(1), torch.randint(3, (20,))
    loss = sy.LinearCrossEntropy(RECIPE)
    with pytest.warns(UserWarning, match="LinearCrossEntropy: the logits look like probabilities"):
        first = loss(p, torch.eye(3), y)
    assert loss(p, torch.eye(3), y) == first
    loss = sy.LinearCrossEntropy()
    loss(p, torch.randn(3, 3), y)
    loss(p, torch.eye(3), y)  # looked at once
    sy.LinearCrossEntropy()(p, torch.eye(3), y, linear_bias=torch.randn(3))


@pytest.mark.parametrize(
    ("targets", "says"),
    [
        ([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], "of rows that sum to 2"),
        ([[0.3, 0.3, 0.3], [0.0, 1.0, 0.0]], "of rows that sum to 0.9"),
        ([[3.0, 1.0, 0.0], [0.0, 1.0, 0.0]], "some are 3"),
        ([[-1.0, 1.0, 1.0], [0.0, 1.0, 0.0]], "some are -1"),
        ([[255.0, 0.0, 0.0], [0.0, 255.0, 0.0]], "some are 255"),
    ],
)
def test_float_targets_of_classes_that_are_no_probabilities_are_noticed_once(targets, says):
    logits, target = torch.randn(2, 3), torch.tensor(targets)
    for loss, z, t in (
        (sy.CrossEntropy(RECIPE), logits, target),
        (sy.CrossEntropy(), logits[..., None], target[..., None]),
    ):
        with pytest.warns(
            UserWarning, match=f"float targets are probabilities of the classes.*{says}.*BinaryCrossEntropy"
        ):
            loss(z, t)
        loss(z, t)  # any warning is an error
    soft = torch.tensor([[0.2, 0.3, 0.5], [0.0, 0.0, 0.0]])  # the second does not count
    sy.CrossEntropy()(logits, soft)
    sy.CrossEntropy()(logits, soft.bfloat16())


@pytest.mark.parametrize("unknown", [-1.0, float("nan")])
def test_float_targets_that_are_no_probabilities_are_noticed_once(unknown):
    target, logits = torch.tensor([[1.0, 0.0], [unknown, 1.0]]), torch.randn(2, 2, requires_grad=True)
    loss = sy.BinaryCrossEntropy()
    with pytest.warns(UserWarning, match=r"probabilities in \[0, 1\], and here some are .* ignore_index=-1"):
        loss(logits, target)
    loss(logits, target)
    # what it says to do
    known = target >= 0
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits[known], target[known])
    for way in (
        sy.BinaryCrossEntropy()(logits, target, weight=(target >= 0).float()),
        sy.BinaryCrossEntropy(ignore_index=-1)(logits, target.nan_to_num(-1).long()),
    ):
        logits.grad = None
        way.backward()
        torch.testing.assert_close(way, expected)
        assert logits.grad[1, 0] == 0
    sy.BinaryCrossEntropy()(logits, torch.tensor([[0.0, 1.0], [0.5, 0.0]]))
