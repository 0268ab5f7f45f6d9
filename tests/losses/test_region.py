"""Losses of others in the layout that they want: ignored pixels are absent there as in ours."""

import pytest
import torch
from torch import nn

import steelyard as sy


def dice(p, t):
    axes = (0, *range(2, p.dim()))
    both, each = (p * t).sum(axes), (p + t).sum(axes)
    return (1 - (2 * both + 1) / (each + 1)).mean()


class Seen:
    """What a loss was handed."""

    def __call__(self, scores, target):
        self.scores, self.target = scores, target
        return scores.sum() * 0.0


LOGITS = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
LABELS = torch.randint(0, 3, (2, 4, 5), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("given", [LABELS, LABELS[:, None], LABELS[:, None].float(), LABELS.to(torch.uint8)])
def test_every_layout_of_labels_becomes_the_one_asked_for(given):
    hot = nn.functional.one_hot(LABELS, 3).movedim(-1, 1).double()
    for target, expected in (("labels", LABELS), ("channel", LABELS[:, None]), ("onehot", hot)):
        seen = Seen()
        sy.Region(seen, target=target, scores="logits")(LOGITS, given)
        assert torch.equal(seen.target, expected)
        assert seen.scores is LOGITS
    seen = Seen()
    sy.Region(seen)(LOGITS, given)
    torch.testing.assert_close(seen.scores, LOGITS.softmax(1))


def test_ignored_pixels_are_absent():
    """The loss and the gradient of an image whose last column is ignored are those of the image without that column."""
    y = LABELS.clone()
    y[..., -1] = 255
    both = sy.Sum(ce=sy.CrossEntropy(ignore_index=255), dice=(0.5, sy.Region(dice, ignore_index=255)))
    alone = sy.Sum(ce=sy.CrossEntropy(), dice=(0.5, sy.Region(dice)))
    z, cut = LOGITS.clone().requires_grad_(), LOGITS[..., :-1].clone().requires_grad_()
    loss, expected = both(z, y), alone(cut, y[..., :-1])
    torch.testing.assert_close(loss, expected)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(z.grad[..., :-1], cut.grad)
    assert not z.grad[..., -1].any()
    assert not torch.isclose(
        loss, sy.Sum(ce=sy.CrossEntropy(ignore_index=255), dice=(0.5, sy.Region(dice)))(z, y.where(y < 255, 0))
    )


def test_yes_or_no_has_one_channel():
    z, y = LOGITS[:, :1], (LABELS > 0).long()
    y[0, 0] = -100
    valid = y[:, None] >= 0
    expected = dice(z.sigmoid() * valid, (y[:, None] == 1) * valid)
    for target in (y, y[:, None]):
        torch.testing.assert_close(sy.Region(dice, scores="sigmoid")(z, target), expected)


def test_where_a_loss_would_count_ignored_pixels_it_is_said():
    y = LABELS.clone()
    y[0, 0, 0] = -100
    with pytest.raises(ValueError, match=r"would count those pixels.*target=\"onehot\""):
        sy.Region(Seen(), target="channel")(LOGITS, y)
    its_own = nn.CrossEntropyLoss()  # knows -100 itself
    torch.testing.assert_close(
        sy.Region(its_own, target="labels", scores="logits")(LOGITS, y), sy.CrossEntropyLoss()(LOGITS, y)
    )


def test_one_value_per_class_is_handed_on():
    seen, t = Seen(), LOGITS.softmax(1).float()
    sy.Region(seen)(LOGITS, t)
    assert torch.equal(seen.target, t.double())


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"need labels of shape \[2, 4, 5\] or \[2, 1, 4, 5\]"):
        sy.Region(dice)(LOGITS, LABELS[:, :3])
    with pytest.raises(ValueError, match="fractions; resize masks by nearest"):
        sy.Region(dice)(LOGITS, LABELS + 0.5)
    with pytest.raises(ValueError, match="target must be one of labels, channel, onehot, got 'b1hw'"):
        sy.Region(dice, target="b1hw")
    with pytest.raises(TypeError, match="takes a callable"):
        sy.Region("dice")
