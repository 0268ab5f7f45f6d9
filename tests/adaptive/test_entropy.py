"""entropy_weights on cases that can be counted by hand."""

import math

import pytest
import torch

import steelyard as sy
from steelyard.adaptive import entropy_weights


def entropies(p):
    return -(p * p.clamp(min=1e-300).log()).sum(dim=-1)


def test_the_three_kinds_are_those_of_the_definition():
    torch.manual_seed(0)
    z = torch.randn(5, 7, 4, dtype=torch.float64)
    p = z.softmax(dim=2)
    total, aleatoric = entropies(p.mean(dim=0)), entropies(p).mean(dim=0)
    for kind, h in (("total", total), ("aleatoric", aleatoric), ("epistemic", total - aleatoric)):
        torch.testing.assert_close(entropy_weights(z, kind=kind), h / h.mean())
        torch.testing.assert_close(entropy_weights(z, kind=kind, power=2.0), h**2 / (h**2).mean())


def test_one_logit_is_two_classes():
    torch.manual_seed(0)
    z = torch.randn(3, 6, 2, 4, dtype=torch.float64)
    two = torch.stack([torch.zeros_like(z), z], dim=2).movedim(3, 1).reshape(3, 12, 2, 4)
    for kind in ("total", "aleatoric", "epistemic"):
        found = entropy_weights(z, kind=kind, link="sigmoid")
        assert found.shape == (6, 2, 4)
        expected = entropy_weights(two, kind=kind).reshape(2, 6, 4).movedim(0, 1)
        torch.testing.assert_close(found, expected)


def test_pixels_have_weights_that_fit_the_loss():
    z = torch.randn(2, 3, 4, 5, 6, requires_grad=True)
    w = entropy_weights(z)
    assert w.shape == (3, 5, 6)
    assert not w.requires_grad
    assert w.mean().item() == pytest.approx(1)
    sy.CrossEntropy()(z.mean(dim=0), torch.randint(0, 4, (3, 5, 6)), weight=w).backward()


def test_one_member_has_nobody_to_disagree_with():
    z = torch.randn(1, 6, 3)
    torch.testing.assert_close(entropy_weights(z), entropy_weights(z, kind="aleatoric"))
    assert entropy_weights(z, kind="epistemic").tolist() == [1.0] * 6  # nothing is uncertain: no weights
    assert entropy_weights(z, power=0.0).tolist() == [1.0] * 6


@pytest.mark.parametrize("kind", ["total", "aleatoric", "epistemic"])
@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_extreme_logits_and_classes_that_cannot_be(kind, link):
    z = torch.tensor([[[1e4, -1e4, 0.0], [3.0, 1.0, 2.0]], [[-1e4, 1e4, 0.0], [3.0, 1.1, 2.0]]])
    found = entropy_weights(z, kind=kind, link=link)
    assert torch.isfinite(found).all()
    assert (found >= 0).all()
    masked = torch.cat([z, torch.full_like(z[:, :, :1], -math.inf)], dim=2)
    if link == "softmax":
        torch.testing.assert_close(entropy_weights(masked, kind=kind), found)
        assert (found[0] > found[1]) == (kind == "epistemic")  # each is sure, and they disagree


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: entropy_weights(torch.zeros(2, 3, 4), kind="both"), "kind must be one of"),
        (lambda: entropy_weights(torch.zeros(2, 3, 4), link="probit"), "link must be"),
        (lambda: entropy_weights(torch.zeros(2, 3, 4), power=-1.0), "power must be"),
        (lambda: entropy_weights(torch.zeros(3, 4)), r"logits.unsqueeze\(0\)"),
        (lambda: entropy_weights(torch.zeros(2, 3, 4, dtype=torch.int64)), "must be floats"),
    ],
)
def test_what_cannot_be_is_said(call, match):
    with pytest.raises(ValueError, match=match):
        call()
