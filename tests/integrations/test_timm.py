"""What docs/reference/differences.md says of timm's losses, asked of timm."""

import pytest
import torch
from tests.integrations import torchvision_on_cpu  # noqa: F401

import steelyard as sy

pytest.importorskip("timm")
from timm.loss import AsymmetricLossMultiLabel, BinaryCrossEntropy, LabelSmoothingCrossEntropy

RANDOM = torch.Generator().manual_seed(0)
N, K = 64, 10
LOGITS = 3 * torch.randn(N, K, generator=RANDOM)
ANSWERS = (torch.rand(N, K, generator=RANDOM) < 0.2).float()
LABELS = torch.randint(0, K, (N,), generator=RANDOM)
ASYMMETRIC = sy.asymmetric(gamma_neg=4, gamma_pos=1)


def gradient(loss):
    z = LOGITS.clone().requires_grad_()
    return torch.autograd.grad(loss(z), z)[0]


@pytest.mark.parametrize(("reduction", "times"), [("mean", 1), ("batchmean", K), ("sum", N * K)])
def test_its_asymmetric_loss_is_ours_times_what_it_does_not_divide_by(reduction, times):
    theirs = AsymmetricLossMultiLabel(gamma_neg=4, gamma_pos=1, reduction=reduction)
    ours = sy.BinaryCrossEntropy(ASYMMETRIC)
    torch.testing.assert_close(theirs(LOGITS, ANSWERS), ours(LOGITS, ANSWERS) * times, rtol=1e-5, atol=0)
    torch.testing.assert_close(
        gradient(lambda z: theirs(z, ANSWERS)),
        gradient(lambda z: ours(z, ANSWERS)) * times,
        rtol=1e-4,
        atol=2e-6 * times,
    )


def test_a_factor_out_of_the_gradient_and_a_floor_are_theirs():
    ours = gradient(lambda z: sy.BinaryCrossEntropy(ASYMMETRIC)(z, ANSWERS))
    still = AsymmetricLossMultiLabel(gamma_neg=4, gamma_pos=1, reduction="mean", disable_torch_grad_focal_loss=True)
    off = (gradient(lambda z: still(z, ANSWERS)) - ours).norm() / ours.norm()
    assert 0.35 < off < 0.55
    far, yes = torch.full((1, 1), -30.0), torch.ones(1, 1)
    assert AsymmetricLossMultiLabel(gamma_pos=0)(far, yes) == pytest.approx(18.42, abs=0.01)
    assert sy.BinaryCrossEntropy(sy.asymmetric())(far, yes) == pytest.approx(30, abs=1e-4)


def test_soft_targets_are_mixed_inside_the_curve_there_and_outside_here():
    soft = torch.rand(N, K, generator=torch.Generator().manual_seed(1))
    theirs = AsymmetricLossMultiLabel(gamma_neg=4, gamma_pos=1, reduction="mean")(LOGITS, soft)
    assert 0.4 < theirs / sy.BinaryCrossEntropy(ASYMMETRIC)(LOGITS, soft) < 0.6


def test_smoothing_is_ours_but_for_labels_of_one_class_in_its_yes_or_no_loss():
    smooth = sy.smooth(0.1)
    torch.testing.assert_close(LabelSmoothingCrossEntropy(0.1)(LOGITS, LABELS), sy.CrossEntropy(smooth)(LOGITS, LABELS))
    plain = AsymmetricLossMultiLabel(0, 0, clip=0, smoothing=0.1, reduction="mean")
    torch.testing.assert_close(plain(LOGITS, ANSWERS), sy.BinaryCrossEntropy(smooth)(LOGITS, ANSWERS))
    spread = torch.nn.functional.one_hot(LABELS, K) * 0.9 + 0.1 / K
    theirs = BinaryCrossEntropy(0.1)(LOGITS, LABELS)
    torch.testing.assert_close(theirs, sy.BinaryCrossEntropy()(LOGITS, spread))
    hot = torch.nn.functional.one_hot(LABELS, K)
    assert not torch.isclose(theirs, sy.BinaryCrossEntropy(smooth)(LOGITS, hot), rtol=1e-3)


def test_results_of_half_precision():
    z = LOGITS.half()
    assert LabelSmoothingCrossEntropy(0.1)(z, LABELS).dtype == torch.float16
    assert AsymmetricLossMultiLabel()(z, ANSWERS).dtype == torch.float32
    assert sy.CrossEntropy()(z, LABELS).dtype == sy.BinaryCrossEntropy()(z, ANSWERS).dtype == torch.float32
