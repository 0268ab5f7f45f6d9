"""What may be done to logits, targets and layouts without changing the loss. Files: ops/shapes.py."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import steelyard as sy
from steelyard import curves
from steelyard.recipe import COMBINE
from steelyard.table import Rows, Smooth


def close(found, expected, **tolerance):
    torch.testing.assert_close(found, expected, **{"rtol": 1e-10, "atol": 1e-12, **tolerance})


def unreduced(loss, logits, target, **options):
    """The losses, and the gradient of a random combination of them."""
    logits = logits.detach().clone().requires_grad_()
    out = loss(logits, target, **options)
    upstream = torch.linspace(0.5, 1.5, out.numel(), dtype=out.dtype).reshape(out.shape)
    return out.detach(), torch.autograd.grad(out, logits, upstream)[0]


def total(loss, logits, target, weight):
    """The loss as one number, and its gradient."""
    logits = logits.detach().clone().requires_grad_()
    value = loss(logits, target, weight=weight)
    return value.detach(), torch.autograd.grad(value, logits)[0]


@settings(max_examples=2, deadline=None)
@given(constant=st.floats(-50, 50))
def test_a_constant_added_to_the_logits_cancels_in_softmax(subject, constant):
    scale = subject.recipe.scale
    if subject.link == "sigmoid" or (scale is not None and scale.shape[1] > 1):
        return  # sigmoid has no such freedom; scales that differ by class break it
    loss = subject.loss(reduction="none")
    for logits, target, weight in subject.calls().values():
        moved = unreduced(loss, logits + constant, target, weight=weight)
        for found, expected in zip(moved, unreduced(loss, logits, target, weight=weight), strict=True):
            close(found, expected, atol=1e-10)


def permuted(recipe: sy.Recipe, order: np.ndarray, link: str) -> sy.Recipe:
    """The same recipe for classes in another order."""

    def along(array, axis):
        return array if array.shape[axis] == 1 else np.take(array, order, axis)

    changed = {}
    for field in COMBINE:
        if (table := getattr(recipe, field)) is not None:
            array = along(table.numpy(), 1)
            changed[field] = along(array, 0) if link == "softmax" else array
    target = recipe.target
    if isinstance(target, Rows):
        changed["target"] = along(along(target.numpy(), 1), 0) if link == "softmax" else along(target.numpy(), 1)
    if isinstance(target, Smooth):
        amount = target.amount if target.amount.ndim == 0 or link == "sigmoid" else target.amount[order]
        changed["target"] = Smooth(amount, None if target.toward is None else target.toward[order])
    return dataclasses.replace(recipe, **changed)


@pytest.mark.parametrize("order", [[2, 0, 1], [1, 0, 2]], ids=str)
def test_permuting_the_classes_permutes_everything(subject, order):
    order = np.array(order)
    back = torch.from_numpy(np.argsort(order))
    plain, moved = subject.loss(), subject.loss(permuted(subject.recipe, order, subject.link))
    for logits, target, weight in subject.calls().values():
        labels = subject.link == "softmax" and not target.is_floating_point()
        relabelled = torch.where(target == -100, -100, back[target.clamp(min=0)]) if labels else target[:, order]
        reweighted = weight[:, order] if weight is not None and subject.link == "sigmoid" else weight
        expected = unreduced(plain, logits, target, weight=weight)
        found = unreduced(moved, logits[:, order], relabelled, weight=reweighted)
        close(found[0], expected[0])
        close(found[1], expected[1][:, order])


def test_the_class_axis_may_be_the_last(typical):
    for logits, target, weight in typical.calls().values():
        wide = typical.link == "sigmoid" or target.is_floating_point()
        target_last = target.movedim(1, -1) if wide else target
        weight_last = weight.movedim(1, -1) if weight is not None and typical.link == "sigmoid" else weight
        value, gradient = total(typical.loss(), logits, target, weight)
        found = total(typical.loss(class_dim=-1), logits.movedim(1, -1), target_last, weight_last)
        close(found[0], value)
        close(found[1].movedim(-1, 1), gradient)
        each = typical.loss(reduction="none")(logits, target, weight=weight)
        last = typical.loss(reduction="none", class_dim=-1)(logits.movedim(1, -1), target_last, weight=weight_last)
        close(last.movedim(-1, 1) if typical.link == "sigmoid" else last, each)


def test_strides_do_not_matter(typical):
    for logits, target, weight in typical.calls().values():
        expected = total(typical.loss(), logits, target, weight)
        every_other = torch.stack([logits, torch.full_like(logits, 9.0)], dim=-1)[..., 0]
        columns = logits.transpose(0, 1).contiguous().transpose(0, 1)
        target = target.transpose(0, -1).contiguous().transpose(0, -1)
        assert not every_other.is_contiguous()
        assert not columns.is_contiguous()
        for view in (every_other, columns):
            view = view.detach().requires_grad_()
            value = typical.loss()(view, target, weight=weight)
            close(value.detach(), expected[0])
            close(torch.autograd.grad(value, view)[0], expected[1])


def test_one_item_without_a_batch_axis_is_a_batch_of_one(typical):
    logits, target, _ = typical.calls()["rows"]
    loss = typical.loss(reduction="none")
    close(loss(logits[0], target[0]), loss(logits[:1], target[:1])[0])
    alone, batch = (total(typical.loss(reduction="sum"), logits[i], target[i], None) for i in (0, slice(1)))
    close(alone[0], batch[0])
    close(alone[1], batch[1][0])


def test_every_integer_dtype_is_a_label(typical):
    logits, target, _ = typical.calls()["rows"]
    expected = typical.loss()(logits, target)
    for dtype in (torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16, torch.uint32, torch.uint64):
        assert torch.equal(typical.loss()(logits, target.to(dtype)), expected), dtype


def test_bool_is_a_label(typical):
    logits, target, _ = typical.calls()["rows"]
    target = target.clamp(max=1)
    assert torch.equal(typical.loss()(logits, target.bool()), typical.loss()(logits, target))


@pytest.mark.parametrize("label", [156, 255])
def test_a_narrow_dtype_does_not_fold_labels_onto_the_ignored_one(label):
    logits = torch.randn(2, 256)
    target = torch.tensor([label, 3])
    assert (target.to(torch.uint8) == -100).sum() == (label == 156), "torch folds -100 to 156"
    found = sy.CrossEntropy()(logits, target.to(torch.uint8))
    assert torch.equal(found, sy.CrossEntropy()(logits, target))


def test_half_precision_logits_are_computed_in_float32(typical):
    for call in typical.calls().values():
        for dtype in (torch.float16, torch.bfloat16):
            logits, target, weight = call.logits.to(dtype), call.target, call.weight
            found = typical.loss()(logits, target, weight=weight)
            assert found.dtype == torch.float32
            # to rounding: a compiler may fuse a product and a sum in the kernel of one type and not in another's
            close(found, typical.loss()(logits.float(), target, weight=weight), rtol=5e-7)


def test_certain_probabilities_are_labels(subject):
    if "probabilities" not in subject.calls():
        return
    logits, target, _ = subject.calls()["rows"]
    one_hot = torch.nn.functional.one_hot(target, 3) if subject.link == "softmax" else target
    for found, expected in zip(
        unreduced(subject.loss(), logits, one_hot.double()), unreduced(subject.loss(), logits, target), strict=True
    ):
        close(found, expected)


def test_probabilities_are_an_expectation_over_labels(subject):
    if "probabilities" not in subject.calls():
        return
    logits, share, weight = subject.calls()["probabilities"]
    loss = subject.loss(reduction="none")
    if subject.link == "softmax":
        parts = [(share[:, y], torch.full_like(share[:, y], y, dtype=torch.int64)) for y in range(3)]
    else:
        parts = [(1 - share, torch.zeros_like(share).long()), (share, torch.ones_like(share).long())]
    expected = sum(s * loss(logits, y, weight=weight) for s, y in parts)
    close(loss(logits, share, weight=weight), expected)


TWO = {
    "plain": {},
    "weight": {"weight": [0.5, 3.0]},
    "weight-per-class": {"weight": [[0.5, 3.0]]},
    "weight-table": {"weight": [[0.5, 1.0], [2.0, 3.0]]},
    "offset-per-class": {"offset": [[-0.1, -2.3]]},
    "offset-per-label": {"offset": [1.0, -2.3]},
    "offset-table": {"offset": [[-0.1, -2.3], [0.7, 0.2]]},
    "margin": {"margin": [0.2, 0.9]},
    "scale": {"scale": 2.0},
    "scale-per-label": {"scale": [1.0, 0.4]},
    "scale-same-columns": {"scale": [[0.7, 0.7]]},
    "smooth": {"target": 0.2},
    "smooth-per-label": {"target": Smooth([0.3, 0.1])},
    "smooth-toward": {"target": Smooth(0.2, [0.9, 0.1])},
    "smooth-per-label-toward": {"target": Smooth([0.3, 0.1], [0.8, 0.2])},
    "rows": {"target": [[0.9, 0.1], [0.25, 0.75]]},
    **{type(c).__name__: {"curve": c} for c in (curves.Focal(1.5), curves.Poly(), curves.GCE(), curves.Symmetric())},
    "everything": {
        "scale": [1.0, 0.4],
        "offset": [[-0.1, -2.3], [0.7, 0.2]],
        "margin": [0.2, 0.9],
        "weight": [0.5, 3.0],
        "target": Smooth([0.3, 0.1], [0.8, 0.2]),
        "curve": curves.Focal(2.0),
    },
}


@pytest.mark.parametrize("norm", ["count", "mass"])
@pytest.mark.parametrize("fields", TWO.values(), ids=TWO)
def test_two_classes_are_one_logit_that_is_their_difference(fields, norm):
    recipe = sy.Recipe(**fields, norm=norm, classes=["no", "yes"], kind="exclusive")
    softmax, sigmoid = sy.CrossEntropy(recipe), sy.BinaryCrossEntropy(recipe)
    random = np.random.default_rng(0)
    two = torch.from_numpy(random.normal(0, 3, (12, 2)))
    one, weight = two[:, 1] - two[:, 0], torch.from_numpy(random.uniform(0.1, 2, 12))
    y = torch.arange(12) % 2
    y[5] = -100
    value, gradient = unreduced(softmax, two, y, weight=weight)
    close(value, unreduced(sigmoid, one, y, weight=weight)[0])
    close(gradient[:, 1], unreduced(sigmoid, one, y, weight=weight)[1])
    close(gradient[:, 0], -gradient[:, 1])
    if not softmax.bound().label_dependent:
        t = torch.from_numpy(random.uniform(0, 1, 12))
        value, gradient = unreduced(softmax, two, torch.stack([1 - t, t], 1), weight=weight)
        close(value, unreduced(sigmoid, one, t, weight=weight)[0])
        close(gradient[:, 1], unreduced(sigmoid, one, t, weight=weight)[1])


@pytest.mark.parametrize("shape", [(12,), (4, 1), (4, 1, 3, 2), (4, 3, 2)], ids=str)
def test_a_two_class_recipe_fits_any_shape_of_yes_or_no_logits(shape):
    recipe = sy.Recipe(weight=[0.5, 3.0], offset=[[-0.1, -2.3]], kind="exclusive")
    logits = torch.randn(shape, dtype=torch.float64)
    target = (torch.arange(logits.numel()) % 2).reshape(shape)
    found = sy.BinaryCrossEntropy(recipe, reduction="none")(logits, target)
    assert found.shape == shape
    close(found.reshape(-1), sy.BinaryCrossEntropy(recipe, reduction="none")(logits.reshape(-1), target.reshape(-1)))
