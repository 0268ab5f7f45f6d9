"""Every row of docs/reference/differences.md: what torch does, asserted too, so that the page stays true, and what we do."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import steelyard as sy

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "differences.md"


def gradient(loss, logits, target):
    logits = logits.detach().clone().requires_grad_()
    value = loss(logits, target)
    value.sum().backward()
    return value.detach(), logits.grad


def test_all_ignored_is_0_with_gradient_0():
    logits, target = torch.randn(3, 2), torch.full((3,), -100)
    assert nn.CrossEntropyLoss()(logits, target).isnan()
    for loss in (sy.CrossEntropyLoss(), sy.CrossEntropy(), sy.CrossEntropy(sy.Recipe(norm="mass"))):
        value, grad = gradient(loss, logits, target)
        assert value == 0
        assert (grad == 0).all()


def test_an_empty_batch_is_0():
    for theirs, ours, target in (
        (nn.CrossEntropyLoss(), sy.CrossEntropyLoss(), torch.zeros(0, dtype=torch.int64)),
        (nn.BCEWithLogitsLoss(), sy.BCEWithLogitsLoss(), torch.zeros(0, 2)),
    ):
        assert theirs(torch.zeros(0, 2), target).isnan()
        assert ours(torch.zeros(0, 2), target) == 0


def test_weights_that_sum_to_0_are_0():
    logits, target, w = torch.randn(3, 2), torch.zeros(3, dtype=torch.int64), torch.tensor([0.0, 1.0])
    assert nn.CrossEntropyLoss(weight=w)(logits, target).isnan()
    value, grad = gradient(sy.CrossEntropyLoss(weight=w), logits, target)
    assert value == 0
    assert (grad == 0).all()


@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf])
def test_logits_at_ignored_positions_stay_ignored_in_the_gradient(poison):
    logits, target = torch.randn(3, 2), torch.tensor([0, -100, 1])
    logits[1, 0] = poison
    value, grad = gradient(nn.CrossEntropyLoss(), logits, target)
    assert value.isfinite()
    assert grad[1].isnan().any() == (poison != -math.inf)
    for loss in (sy.CrossEntropyLoss(), sy.CrossEntropy()):
        value, grad = gradient(loss, logits, target)
        assert value.isfinite()
        assert (grad[1] == 0).all()
        assert grad.isfinite().all()


def test_minus_infinity_with_probability_0_or_smoothing():
    logits, target = torch.tensor([[0.0, 1.0, -math.inf]]), torch.tensor([[0.5, 0.5, 0.0]])
    assert nn.CrossEntropyLoss()(logits, target).isnan()
    value, grad = gradient(sy.CrossEntropyLoss(), logits, target)
    torch.testing.assert_close(value, sy.CrossEntropyLoss()(logits[:, :2], target[:, :2]))
    assert grad[0, 2] == 0
    assert grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.int32, torch.int16, torch.int8, torch.uint16, torch.uint32, torch.bool])
def test_every_integer_dtype_is_a_label(dtype):
    logits, target = torch.randn(3, 2), torch.tensor([0, 1, 1])
    with pytest.raises(RuntimeError):
        nn.CrossEntropyLoss()(logits, target.to(dtype))
    expected = nn.CrossEntropyLoss()(logits, target)
    torch.testing.assert_close(sy.CrossEntropyLoss()(logits, target.to(dtype)), expected)


def test_integer_targets_for_yes_or_no():
    logits, target = torch.randn(3), torch.tensor([0, 1, 1])
    with pytest.raises(RuntimeError):
        nn.BCEWithLogitsLoss()(logits, target)
    expected = nn.BCEWithLogitsLoss()(logits, target.float())
    torch.testing.assert_close(sy.BCEWithLogitsLoss()(logits, target), expected)


def test_weights_of_another_float_dtype():
    logits, target, w = torch.randn(3, 2).bfloat16(), torch.tensor([0, 1, 1]), torch.tensor([1.0, 2.0])
    with pytest.raises(RuntimeError, match="expected scalar type"):
        nn.CrossEntropyLoss(weight=w)(logits, target)
    found = sy.CrossEntropyLoss(weight=w)(logits, target)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), nn.CrossEntropyLoss(weight=w)(logits.float(), target), rtol=1e-2, atol=0)


@pytest.mark.parametrize("weight", [[1.0, 2.0], (1, 2), np.array([1.0, 2.0]), np.array([1, 2])], ids=repr)
def test_weights_as_lists_or_arrays(weight):
    with pytest.raises(TypeError):
        nn.CrossEntropyLoss(weight=weight)
    logits, target = torch.randn(3, 2), torch.tensor([0, 1, 1])
    expected = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0]))(logits, target)
    torch.testing.assert_close(sy.CrossEntropyLoss(weight=weight)(logits, target), expected)


def test_a_pos_weight_per_class_of_an_image():
    logits, target, p = torch.randn(4, 2, 8, 6), torch.rand(4, 2, 8, 6), torch.tensor([1.0, 5.0])
    with pytest.raises(RuntimeError, match="must match"):
        nn.BCEWithLogitsLoss(pos_weight=p)(logits, target)
    expected = nn.BCEWithLogitsLoss(pos_weight=p.reshape(2, 1, 1))(logits, target)
    torch.testing.assert_close(sy.BCEWithLogitsLoss(pos_weight=p)(logits, target), expected)


@pytest.mark.parametrize(
    ("shape", "p"),
    [((4, 2, 2, 2), (2,)), ((4, 3, 6, 7), (6, 7)), ((4, 3, 6, 7), (1, 7)), ((4, 3, 6, 7), (3, 6, 1)), ((5, 4), (5, 4)),
     ((4, 3), (4, 1)), ((3,), (3,)), ((4, 3), ()), ((), ()), ((0, 3), (3,))],
    ids=str,
)  # fmt: skip
def test_where_torch_broadcasts_pos_weight_so_do_we(shape, p):
    logits, target, p = torch.randn(shape).double(), torch.rand(shape).double(), torch.rand(p).double()
    expected = gradient(nn.BCEWithLogitsLoss(pos_weight=p, reduction="none"), logits, target)
    found = gradient(sy.BCEWithLogitsLoss(pos_weight=p, reduction="none"), logits, target)
    for f, e in zip(found, expected, strict=True):
        torch.testing.assert_close(f, e, rtol=1e-12, atol=1e-14)


def test_the_callers_weight_is_copied():
    logits, target = torch.randn(3, 2), torch.tensor([0, 1, 1])
    for cls, copied in ((nn.CrossEntropyLoss, False), (sy.CrossEntropyLoss, True)):
        w = torch.tensor([1.0, 2.0])
        loss = cls(weight=w)
        before = loss(logits, target)
        w.copy_(torch.tensor([7.0, 1.0]))
        assert torch.equal(loss(logits, target), before) == copied


def test_weights_can_be_learned():
    logits, target = torch.randn(3, 2), torch.tensor([0, 1, 1])
    w = nn.Parameter(torch.tensor([1.0, 2.0]))
    with pytest.raises(RuntimeError, match="not differentiable"):
        nn.functional.cross_entropy(logits, target, weight=w)
    sy.CrossEntropy(sy.Recipe(weight=w))(logits, target).backward()
    assert w.grad.abs().min() > 0
    assert sy.CrossEntropyLoss(weight=w).weight.requires_grad is False


def test_smoothing_with_weights_keeps_its_optimum_at_the_label():
    """For a sample of class 0 the gradient must vanish at p_1 = e / 2, whatever the weights are."""
    target, e, w = torch.tensor([0]), 0.1, torch.tensor([0.01, 0.99])
    logits = torch.tensor([[1 - e / 2, e / 2]]).log()
    theirs = gradient(nn.CrossEntropyLoss(weight=w, label_smoothing=e, reduction="none"), logits, target)[1]
    drop_in = gradient(sy.CrossEntropyLoss(weight=w, label_smoothing=e, reduction="none"), logits, target)[1]
    ours = gradient(sy.CrossEntropy(sy.mix(sy.fixed(weight=w), sy.smooth(e)), reduction="none"), logits, target)[1]
    torch.testing.assert_close(drop_in, theirs)
    assert theirs.abs().max() > 0.01
    assert ours.abs().max() < 1e-8


def test_the_mean_of_a_recipe_is_over_the_count():
    logits, target, w = torch.randn(1, 2), torch.tensor([1]), torch.tensor([1.0, 9.0])
    theirs = nn.CrossEntropyLoss(weight=w)(logits, target)
    torch.testing.assert_close(theirs, nn.CrossEntropyLoss()(logits, target))  # one sample: the weight cancels
    torch.testing.assert_close(sy.CrossEntropyLoss(weight=w)(logits, target), theirs)
    torch.testing.assert_close(sy.CrossEntropy(sy.Recipe(weight=w))(logits, target), 9 * theirs)


def test_the_page_lists_every_test_of_this_file_and_no_other():
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    here = {name for name in globals() if name.startswith("test_")}
    here -= {
        "test_the_page_lists_every_test_of_this_file_and_no_other",
        "test_where_torch_broadcasts_pos_weight_so_do_we",
    }
    assert named == here
