"""MONAI's and nnU-Net's losses beside a recipe: the layouts of Sum, Region and DeepSupervision, against MONAI's own."""

import pytest
import torch

import steelyard as sy

pytest.importorskip("monai")
from monai.losses import DeepSupervisionLoss, DiceCELoss, DiceFocalLoss, DiceLoss, TverskyLoss

RANDOM = torch.Generator().manual_seed(0)
LOGITS = torch.randn(2, 3, 8, 10, generator=RANDOM, dtype=torch.float64)
LABELS = torch.randint(0, 3, (2, 1, 8, 10), generator=RANDOM)  # MONAI's layout
WEIGHT = torch.tensor([1.0, 2.0, 7.0], dtype=torch.float64)

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.mark.parametrize("labels", [LABELS, LABELS.double(), LABELS[:, 0]], ids=["channel", "floats", "plain"])
def test_the_sum_is_monais_dice_and_cross_entropy(labels):
    """norm="mass" is the mean of torch's weights, which MONAI takes."""
    theirs = DiceCELoss(softmax=True, to_onehot_y=True, weight=WEIGHT, lambda_dice=0.5)
    # MONAI weighs Dice's classes by the same vector; here each term has its own
    dice = DiceLoss(weight=WEIGHT)
    ours = sy.Sum(ce=sy.CrossEntropy(sy.fixed(weight=WEIGHT.tolist(), norm="mass")), dice=(0.5, sy.Region(dice)))
    torch.testing.assert_close(ours(LOGITS, labels), theirs(LOGITS, LABELS), rtol=1e-10, atol=0)


@pytest.mark.parametrize(
    "region",
    [DiceLoss(include_background=False), TverskyLoss(), DiceLoss(batch=True, jaccard=True)],
    ids=["dice", "tversky", "jaccard"],
)
def test_ignored_pixels_are_absent_from_monais_losses(region):
    void = LABELS.clone()
    void[..., -3:] = 255
    cut, labels = LOGITS[..., :-3].clone().requires_grad_(), LABELS[..., :-3]
    z = LOGITS.clone().requires_grad_()
    loss = sy.Region(region, ignore_index=255)(z, void)
    expected = sy.Region(region)(cut, labels)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(z.grad[..., :-3], cut.grad)
    assert not z.grad[..., -3:].any()


def test_a_recipe_takes_the_place_of_monais_cross_entropy():
    recipe = sy.mix(sy.fixed(weight=WEIGHT.tolist()), sy.focal(gamma=1.0))
    theirs = DiceCELoss(softmax=True, to_onehot_y=True)
    theirs.cross_entropy = sy.CrossEntropy(recipe)
    expected = DiceLoss(softmax=True, to_onehot_y=True)(LOGITS, LABELS) + sy.CrossEntropy(recipe)(LOGITS, LABELS[:, 0])
    torch.testing.assert_close(theirs(LOGITS, LABELS), expected)
    focal = DiceFocalLoss(softmax=True, to_onehot_y=True, gamma=2.0)  # one-vs-rest there: not a softmax focal loss
    assert not torch.isclose(
        focal(LOGITS, LABELS), sy.Sum(ce=sy.CrossEntropy(sy.focal()), dice=sy.Region(DiceLoss()))(LOGITS, LABELS)
    )


def test_deep_supervision_weighs_as_monais_does():
    levels = [LOGITS, LOGITS[..., ::2, ::2].contiguous()]
    small = LABELS.double()
    ours = sy.Sum(ce=sy.CrossEntropy(), dice=sy.Region(DiceLoss()))
    theirs = DeepSupervisionLoss(DiceCELoss(softmax=True, to_onehot_y=True), weight_mode="exp")
    found = sy.DeepSupervision(ours, weights=[1.0, 0.5])(levels, LABELS)
    torch.testing.assert_close(
        found.float(), theirs(levels, small).float(), rtol=1e-6, atol=0
    )  # theirs adds up in float32


def test_one_hot_labels_are_labels_to_every_term():
    hot = torch.nn.functional.one_hot(LABELS[:, 0], 3).movedim(-1, 1).double()
    for recipe in (sy.Recipe(), sy.mix(sy.fixed(weight=WEIGHT.tolist()), sy.focal(gamma=1.0))):
        for dice in (DiceLoss(), DiceLoss(include_background=False)):
            loss = sy.Sum(ce=sy.CrossEntropy(recipe), dice=sy.Region(dice))
            torch.testing.assert_close(loss(LOGITS, hot), loss(LOGITS, LABELS), rtol=1e-10, atol=0)


def test_a_background_left_out_of_dice_is_left_out_of_the_cross_entropy_by_weight_0():
    """MONAI's include_background=False is Dice's alone; its cross-entropy counts the background."""
    theirs = DiceCELoss(softmax=True, to_onehot_y=True, include_background=False)
    both = sy.Sum(ce=sy.CrossEntropy(), dice=sy.Region(DiceLoss(include_background=False)))
    torch.testing.assert_close(both(LOGITS, LABELS), theirs(LOGITS, LABELS), rtol=1e-10, atol=0)
    none = sy.CrossEntropy(sy.fixed(weight=[0.0, 1.0, 1.0], norm="mass"))
    kept = LABELS[:, 0] > 0
    expected = torch.nn.functional.cross_entropy(LOGITS.movedim(1, -1)[kept], LABELS[:, 0][kept])
    torch.testing.assert_close(none(LOGITS, LABELS[:, 0]), expected, rtol=1e-10, atol=0)


def test_levels_with_ignored_labels_are_the_sum_of_levels():
    void = LABELS.clone()
    void[:, :, :3] = 255
    levels = [LOGITS, LOGITS[..., ::2, ::2].contiguous()]
    targets = [void.float(), void[..., ::2, ::2].float()]  # a target for each level, as nnU-Net's loaders give them
    loss = sy.Sum(ce=sy.CrossEntropy(ignore_index=255), dice=sy.Region(DiceLoss(), ignore_index=255))
    found = sy.DeepSupervision(loss, weights=[2 / 3, 1 / 3])(levels, targets)
    expected = 2 / 3 * loss(levels[0], targets[0]) + 1 / 3 * loss(levels[1], targets[1])
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    cut = loss(levels[0][:, :, 3:], targets[0][:, :, 3:])
    torch.testing.assert_close(loss(levels[0], targets[0]), cut, rtol=1e-10, atol=0)


@pytest.mark.parametrize("norm", ["count", "mass"])
@pytest.mark.parametrize("layout", ["channel", "floats", "plain", "onehot"])
def test_micro_batches_add_up_to_one_batch_in_every_layout(layout, norm):
    """Of the cross-entropy; Dice is a ratio of sums, and keeps the mean of its own of each micro-batch."""
    labels = torch.cat([LABELS, LABELS.flip(2)])
    if layout != "onehot":
        labels[0, :, :5] = 255
    hot = torch.nn.functional.one_hot(labels[:, 0] % 255, 3).movedim(-1, 1).double()
    y = {"channel": labels, "floats": labels.double(), "plain": labels[:, 0], "onehot": hot}[layout]
    z = torch.cat([LOGITS, LOGITS.flip(0)])
    ce = sy.CrossEntropy(sy.fixed(weight=WEIGHT.tolist(), norm=norm), ignore_index=255)
    loss = sy.Sum(ce=ce, dice=(0.0, sy.Region(DiceLoss(), ignore_index=255)))
    pieces = [slice(0, 1), slice(1, 4)]
    with sy.accumulate(loss, [y[i] for i in pieces]):
        found = sum(loss(z[i], y[i]) for i in pieces)
    torch.testing.assert_close(found, loss(z, y), rtol=1e-12, atol=0)
    assert abs(sum(loss(z[i], y[i]) for i in pieces) / 2 / found - 1) > 1e-3
