"""segmentation-models-pytorch: its region losses in the layouts that they take, beside a recipe, under a model of theirs."""

import pytest
import torch
from tests.integrations import torchvision_on_cpu  # noqa: F401

import steelyard as sy

pytest.importorskip("segmentation_models_pytorch")
import segmentation_models_pytorch as smp
from segmentation_models_pytorch import losses

RANDOM = torch.Generator().manual_seed(0)
LOGITS = torch.randn(2, 3, 8, 10, generator=RANDOM)
LABELS = torch.randint(0, 3, (2, 8, 10), generator=RANDOM)
VOID = LABELS.clone()
VOID[:, :, -3:] = 255
RECIPE = sy.fixed(weight=[1.0, 2.0, 7.0], norm="mass")


@pytest.mark.parametrize("kind", [losses.DiceLoss, losses.JaccardLoss, losses.TverskyLoss, losses.FocalLoss])
def test_their_losses_are_called_as_they_are_with_ignored_pixels(kind):
    theirs = kind("multiclass", ignore_index=255)
    region = sy.Region(theirs, target="labels", scores="logits", ignore_index=255)
    total = sy.Sum(ce=sy.CrossEntropy(RECIPE, ignore_index=255), region=(0.5, region))
    ce = torch.nn.functional.cross_entropy(LOGITS, VOID, torch.tensor([1.0, 2.0, 7.0]), ignore_index=255)
    expected = ce + 0.5 * kind("multiclass", ignore_index=255)(LOGITS, VOID)
    for target in (VOID, VOID[:, None], VOID[:, None].float()):
        torch.testing.assert_close(total(LOGITS, target), expected)


def test_a_loss_that_does_not_know_the_ignored_label_is_refused():
    region = sy.Region(losses.DiceLoss("multiclass"), target="labels", scores="logits", ignore_index=255)
    with pytest.raises(ValueError, match="set its own ignore_index"):
        region(LOGITS, VOID)


def test_one_binary_output():
    z, y = LOGITS[:, :1], (LABELS == 1).long()[:, None]
    recipe = sy.fixed(weight=[[1.0], [4.0]])
    dice = losses.DiceLoss("binary")
    total = sy.Sum(ce=sy.BinaryCrossEntropy(recipe), dice=dice)  # (y_pred, y_true), both [B, 1, H, W]
    each = torch.nn.functional.binary_cross_entropy_with_logits(z, y.float(), pos_weight=torch.tensor(4.0))
    torch.testing.assert_close(total(z, y), each + losses.DiceLoss("binary")(z, y))


def test_several_labels_at_once():
    y = torch.stack([LABELS == 0, LABELS != 1, LABELS == 2], dim=1).float()
    total = sy.Sum(ce=sy.BinaryCrossEntropy(sy.Recipe()), dice=losses.DiceLoss("multilabel"))
    each = torch.nn.functional.binary_cross_entropy_with_logits(LOGITS, y)
    torch.testing.assert_close(total(LOGITS, y), each + losses.DiceLoss("multilabel")(LOGITS, y))


def test_their_smooth_factor_is_half_of_ours():
    y = (LABELS == 1).float()[:, None]
    theirs = losses.SoftBCEWithLogitsLoss(smooth_factor=0.1)
    torch.testing.assert_close(sy.BinaryCrossEntropy(sy.smooth(0.2))(LOGITS[:, :1], y), theirs(LOGITS[:, :1], y))


@pytest.mark.slow
def test_a_model_of_theirs_trains_under_the_sum():
    torch.manual_seed(0)
    model = smp.Unet("resnet18", encoder_weights=None, encoder_depth=3, decoder_channels=(16, 8, 8), classes=3)
    loss = sy.Sum(
        ce=sy.CrossEntropy(RECIPE, ignore_index=255),
        dice=sy.Region(
            losses.DiceLoss("multiclass", ignore_index=255), target="labels", scores="logits", ignore_index=255
        ),
    )
    x, y = torch.rand(2, 3, 32, 32), torch.randint(0, 3, (2, 32, 32))
    y[:, :5] = 255
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    found = []
    for _ in range(4):
        value = loss(model(x), y)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        found.append(float(value.detach()))
    assert found[-1] < found[0]
