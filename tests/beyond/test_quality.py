import pytest
import torch

from steelyard import BinaryCrossEntropy, focal, quality_focal


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 2.0])
def test_on_hard_labels_it_is_focal_loss(beta):
    z = torch.linspace(-100, 100, 41, dtype=torch.float64, requires_grad=True)
    for y in (0, 1):
        target = torch.full((41,), y)
        ours, theirs = quality_focal(z, target, beta=beta), BinaryCrossEntropy(focal(gamma=beta))(z, target)
        torch.testing.assert_close(ours, theirs)
        torch.testing.assert_close(torch.autograd.grad(ours, z)[0], torch.autograd.grad(theirs, z)[0])


def test_soft_targets_follow_the_formula_and_its_gradient():
    torch.manual_seed(0)
    z, t = torch.randn(4, 3, dtype=torch.float64, requires_grad=True), torch.rand(4, 3, dtype=torch.float64)
    p = z.sigmoid()
    expected = -((t - p).abs() ** 2) * (t * p.log() + (1 - t) * (1 - p).log())
    torch.testing.assert_close(quality_focal(z, t, reduction="none"), expected)
    torch.autograd.gradcheck(lambda z: quality_focal(z, t, beta=1.5), z)


def test_the_loss_is_zero_where_the_quality_is_met():
    t = torch.tensor([0.3, 0.8])
    z = torch.logit(t).requires_grad_()
    loss = quality_focal(z, t)
    loss.backward()
    assert loss.item() < 1e-12
    assert z.grad.abs().max().item() < 1e-6


def test_weight_normalizer_and_ignored_labels_act_as_in_the_other_losses():
    z, y = torch.randn(6), torch.tensor([0, 1, 1, -100, 0, 1])
    w = torch.tensor([1.0, 2.0, 0.0, 5.0, 1.0, 1.0])
    each = quality_focal(z, y.clamp(min=0), reduction="none")
    valid = torch.tensor([1.0, 1, 0, 0, 1, 1])
    torch.testing.assert_close(quality_focal(z, y, weight=w), (each * w * valid).sum() / 4)
    torch.testing.assert_close(quality_focal(z, y, weight=w, normalizer=2.0), (each * w * valid).sum() / 2)
    with pytest.raises(ValueError, match="beta"):
        quality_focal(z, y, beta=-1.0)
