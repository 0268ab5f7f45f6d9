"""Weights and smoothing: two conventions, each computed here from its own formula, and where each has its optimum."""

import pytest
import torch
from torch import nn

import steelyard as sy

E = 0.1
W = torch.tensor([0.1, 0.9, 2.0], dtype=torch.float64)
Z = torch.tensor([[1.0, 0.0, -1.0], [0.3, 0.2, 0.1], [-2.0, 1.0, 0.5]], dtype=torch.float64)
Y = torch.tensor([0, 2, 0])


def asked() -> torch.Tensor:
    return (1 - E) * nn.functional.one_hot(Y, 3) + E / 3


def torchs() -> torch.Tensor:
    """sum_i sum_c w_c T_ic (-log p_ic) / sum_i w_{y_i}: the weight multiplies the target, class by class."""
    return (W * asked() * -Z.log_softmax(1)).sum() / W[Y].sum()


def ours() -> torch.Tensor:
    """sum_i w_{y_i} sum_c T_ic (-log p_ic) / sum_i w_{y_i}: the weight multiplies the sample."""
    return (W[Y] * (asked() * -Z.log_softmax(1)).sum(1)).sum() / W[Y].sum()


def test_the_two_conventions_differ():
    assert abs(torchs() - ours()) > 0.05


def test_the_drop_in_keeps_torchs():
    for cls in (sy.CrossEntropyLoss, nn.CrossEntropyLoss):
        torch.testing.assert_close(cls(weight=W, label_smoothing=E)(Z, Y), torchs())


def test_a_weight_per_label_weighs_the_sample():
    torch.testing.assert_close(sy.CrossEntropy(sy.Recipe(weight=W, target=E, norm="mass"))(Z, Y), ours())


def test_a_weight_per_class_is_torchs_convention():
    found = sy.CrossEntropy(sy.Recipe(weight=W[None], target=E, norm="mass"))(Z, Y)
    torch.testing.assert_close(found, torchs())


def test_the_same_rows_as_probabilities_are_divided_by_their_number():
    expected = (W * asked() * -Z.log_softmax(1)).sum() / 3
    for cls in (sy.CrossEntropyLoss, nn.CrossEntropyLoss):
        torch.testing.assert_close(cls(weight=W)(Z, asked()), expected)


def slope(loss, p: list[float] | torch.Tensor, labels: list[int], shares: list[float]) -> torch.Tensor:
    """The gradient of the expected loss where the network always answers `p`."""
    z = torch.as_tensor(p, dtype=torch.float64).log().expand(len(labels), -1).requires_grad_()
    return torch.autograd.grad(loss(z, torch.tensor(labels)) @ torch.tensor(shares, dtype=torch.float64), z)[0].sum(0)


@pytest.mark.parametrize(("weight", "published"), [([0.01, 0.99], 0.840), ([0.1, 0.9], 0.323), ([1.0, 1.0], 0.05)])
def test_torchs_optimum_moves_to_the_wrong_class_and_ours_stays(weight, published):
    """For a sample of class 0 torch's is p_1 = w_1 e/2 / (w_1 e/2 + w_0 (1 - e/2)) (pytorch issue 104776)."""
    w = torch.tensor(weight, dtype=torch.float64)
    theirs = (w[1] * E / 2 / (w[1] * E / 2 + w[0] * (1 - E / 2))).item()
    assert theirs == pytest.approx(published, abs=3e-3)
    for cls in (nn.CrossEntropyLoss, sy.CrossEntropyLoss):
        loss = cls(weight=w, label_smoothing=E, reduction="none")
        assert slope(loss, [1 - theirs, theirs], [0], [1.0]).abs().max() < 1e-12
    loss = sy.CrossEntropy(sy.Recipe(weight=weight, target=E), reduction="none")
    assert slope(loss, [1 - E / 2, E / 2], [0], [1.0]).abs().max() < 1e-12
    if weight[0] != weight[1]:
        assert slope(loss, [1 - theirs, theirs], [0], [1.0]).abs().max() > 1e-3


def test_inverse_frequency_with_smoothing_favours_the_rarest_class_in_torch_and_none_in_ours():
    """p_c ~ w_c ((1 - e) pi_c + e / C) for torch's convention, at w = 1 / pi."""
    prior, labels = [0.7, 0.2, 0.08, 0.02], [0, 1, 2, 3]
    w = 1 / torch.tensor(prior, dtype=torch.float64)
    theirs = w * ((1 - E) / w + E / 4)
    theirs = theirs / theirs.sum()
    torch.testing.assert_close(theirs, torch.tensor([0.176, 0.193, 0.228, 0.404]).double(), rtol=0, atol=1e-3)
    for cls in (nn.CrossEntropyLoss, sy.CrossEntropyLoss):
        found = slope(cls(weight=w, label_smoothing=E, reduction="none"), theirs, labels, prior)
        assert found.abs().max() < 1e-12
    loss = sy.CrossEntropy(sy.Recipe(weight=w, target=E), reduction="none")
    assert slope(loss, [0.25] * 4, labels, prior).abs().max() < 1e-12


def test_the_printed_formula_that_never_smooths():
    """-((1 - e) log p_y + e / K) has (1 - e) times the gradient of cross-entropy; ours has the smoothed one."""
    z = Z.clone().requires_grad_()
    plain = torch.autograd.grad(sy.CrossEntropy()(z, Y), z)[0]
    smoothed = torch.autograd.grad(sy.CrossEntropy(sy.smooth(E))(z, Y), z)[0]
    expected = (Z.softmax(1) - asked()) / 3
    torch.testing.assert_close(smoothed, expected)
    assert not torch.allclose(smoothed, (1 - E) * plain, atol=1e-3)
