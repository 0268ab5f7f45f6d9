"""What a sample counts: ignoring, repeating, splitting, and what the sum is divided by."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import steelyard as sy
from steelyard import testing


def value_and_gradient(loss, logits, target, **options):
    logits = logits.detach().clone().requires_grad_()
    out = loss(logits, target, **options)
    upstream = torch.randn(out.shape, generator=torch.Generator().manual_seed(5), dtype=out.dtype)
    return out.detach(), torch.autograd.grad(out, logits, upstream)[0]


def close(found, expected):
    for f, e in zip(found, expected, strict=True):
        torch.testing.assert_close(f, e, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("norm", ["count", "mass"])
def test_logits_at_ignored_positions_do_not_exist(subject, norm):
    loss = subject.loss(dataclasses.replace(subject.recipe, norm=norm))
    logits, target, weight = subject.calls()["image"]
    nobody = (target == -100) | (weight == 0)
    if subject.link == "softmax":
        nobody = nobody.unsqueeze(1).expand_as(logits)
    poison = torch.tensor([math.inf, math.nan, -math.inf]).repeat(logits.numel() // 3).reshape(logits.shape).double()
    clean = value_and_gradient(loss, logits, target, weight=weight)
    dirty = value_and_gradient(loss, torch.where(nobody, poison, logits), target, weight=weight)
    assert nobody.any()
    assert clean[0].isfinite()
    assert torch.equal(clean[0], dirty[0])
    assert torch.equal(clean[1], dirty[1])
    assert (dirty[1][nobody] == 0).all()
    assert (dirty[1][~nobody] != 0).any()


@pytest.mark.parametrize(("norm", "how"), [("mass", "label"), ("count", "call weight")])
def test_ignored_items_are_absent_items(subject, norm, how):
    loss = subject.loss(dataclasses.replace(subject.recipe, norm=norm))
    logits, target, _ = subject.calls()["rows"]
    gone = torch.arange(len(logits)) % 3 == 1
    if how == "label":
        ignored = target.clone()
        ignored[gone] = -100
        found = value_and_gradient(loss, logits, ignored)
    else:
        found = value_and_gradient(loss, logits, target, weight=(~gone).double())
    expected = value_and_gradient(loss, logits[~gone], target[~gone])
    close((found[0], found[1][~gone]), expected)
    assert (found[1][gone] == 0).all()


@pytest.mark.parametrize("value", [255, 1])
def test_any_label_can_be_the_ignored_one(typical, value):
    logits, target, weight = typical.calls()["image"]
    renamed = target.clone()
    if value == 1:  # a real class is given up
        target = target.masked_fill(target == 1, -100)
    renamed[target == -100] = value
    close(
        value_and_gradient(typical.loss(ignore_index=value), logits, renamed, weight=weight),
        value_and_gradient(typical.loss(), logits, target, weight=weight),
    )


@pytest.mark.parametrize("norm", ["sum", "mass"])
def test_an_integer_call_weight_is_a_repeated_item(typical, norm):
    loss = typical.loss(dataclasses.replace(typical.recipe, norm=norm))
    logits, target, _ = typical.calls()["rows"]
    times = torch.tensor([1, 3, 2, 0, 1, 1, 4, 2])
    weighted = loss(logits, target, weight=times.double())
    repeated = loss(logits.repeat_interleave(times, 0), target.repeat_interleave(times, 0))
    torch.testing.assert_close(weighted, repeated, rtol=1e-11, atol=0)


@pytest.mark.parametrize("norm", ["sum", "mass"])
def test_an_integer_class_weight_is_a_repeated_item(subject, norm):
    if subject.link == "sigmoid" and subject.bound.width is not None:
        pytest.skip("with a class axis, repeating an item repeats every label of it")
    times = torch.tensor([2, 1, 5] if subject.link == "softmax" else [2, 5])
    plain = dataclasses.replace(subject.recipe, norm=norm)
    heavy = sy.mix(plain, sy.Recipe(weight=times))
    logits, target, _ = subject.calls()["rows"]
    if subject.link == "sigmoid":
        logits, target = logits.reshape(-1), target.reshape(-1)
    n = times[target]
    torch.testing.assert_close(
        subject.loss(heavy)(logits, target),
        subject.loss(plain)(logits.repeat_interleave(n, 0), target.repeat_interleave(n, 0)),
        rtol=1e-11,
        atol=0,
    )


@settings(max_examples=2, deadline=None)
@given(factor=st.floats(1e-3, 1e3))
def test_a_common_factor_cancels_under_mass(typical, factor):
    plain = dataclasses.replace(typical.recipe, norm="mass")
    scaled = sy.mix(plain, sy.Recipe(weight=factor))
    for logits, target, weight in typical.calls().values():
        expected = value_and_gradient(typical.loss(plain), logits, target, weight=weight)
        close(value_and_gradient(typical.loss(scaled), logits, target, weight=weight), expected)


@pytest.mark.parametrize("norm", ["count", "mass"])
def test_parts_under_one_normaliser_add_up_to_the_whole(subject, norm):
    loss = subject.loss(dataclasses.replace(subject.recipe, norm=norm))
    for logits, target, weight in subject.calls().values():
        whole = value_and_gradient(loss, logits, target, weight=weight)
        pieces = torch.arange(len(logits)).split([1, len(logits) - 1])  # uneven, as batches are
        z = sy.global_mass(
            [target[i] for i in pieces], loss, weight=None if weight is None else [weight[i] for i in pieces]
        )
        assert z.dtype == torch.float64
        parts = [
            value_and_gradient(loss, logits[i], target[i], weight=None if weight is None else weight[i], normalizer=z)
            for i in pieces
        ]
        close((sum(v for v, _ in parts), torch.cat([g * 1.0 for _, g in parts])), whole)


def test_the_mean_is_the_sum_over_what_the_norm_says(typical):
    for logits, target, weight in typical.calls().values():
        each = typical.loss(reduction="none")(logits, target, weight=weight)
        total = typical.loss(reduction="sum")(logits, target, weight=weight)
        expected_shape = target.shape if typical.link == "sigmoid" or not target.is_floating_point() else (2, 4, 3)
        assert each.shape == torch.Size(expected_shape)
        torch.testing.assert_close(total, each.sum(), rtol=1e-12, atol=0)
        found = typical.loss().terms(logits, target, weight=weight)
        norm = typical.bound.norm
        z = {"count": found.valid.sum(), "mass": found.mass.sum(), "sum": 1.0}.get(norm, norm)
        torch.testing.assert_close(typical.loss()(logits, target, weight=weight), total / z, rtol=1e-12, atol=0)
        torch.testing.assert_close(
            typical.loss()(logits, target, weight=weight, normalizer=3), total / 3, rtol=1e-12, atol=0
        )


def test_call_weights_multiply_each_loss(typical):
    loss = typical.loss(reduction="none")
    for logits, target, weight in typical.calls().values():
        if weight is not None:
            expected = loss(logits, target) * weight
            torch.testing.assert_close(loss(logits, target, weight=weight), expected, rtol=1e-12, atol=0)


def test_where_everything_is_ignored_the_loss_is_0_with_gradient_0(subject):
    logits, target, _ = subject.calls()["image"]
    for norm in ("count", "mass", 7.0):
        loss = subject.loss(dataclasses.replace(subject.recipe, norm=norm))
        value, gradient = value_and_gradient(loss, logits, torch.full_like(target, -100))
        assert value == 0
        assert (gradient == 0).all()


def test_an_empty_batch_has_loss_0(typical):
    for logits, target, weight in typical.calls().values():
        none = None if weight is None else weight[:0]
        for reduction in ("mean", "sum"):
            value, gradient = value_and_gradient(typical.loss(reduction=reduction), logits[:0], target[:0], weight=none)
            assert value == 0
            assert gradient.shape == logits[:0].shape
        unreduced = typical.loss(reduction="none")(logits[:0], target[:0], weight=none)
        assert unreduced.shape == typical.loss(reduction="none")(logits, target)[:0].shape


def test_a_batch_of_weight_0_has_loss_0():
    loss = sy.CrossEntropy(sy.Recipe(weight=[0.0, 1.0], norm="mass"))
    value, gradient = value_and_gradient(loss, torch.randn(4, 2), torch.zeros(4, dtype=torch.int64))
    assert value == 0
    assert (gradient == 0).all()


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_nan_at_a_position_that_counts_is_never_dropped(link):
    for name, recipe in testing.recipes(link).items():
        if name == "weight-zero":
            continue  # what has no weight is absent
        loss = (sy.CrossEntropy if link == "softmax" else sy.BinaryCrossEntropy)(recipe)
        logits, target, _ = testing.calls(link)["rows"]
        logits[2, 1] = math.nan
        value, gradient = value_and_gradient(loss, logits, target)
        assert value.isnan(), name
        assert gradient[2, 1].isnan(), name
        assert gradient[3].isfinite().all(), name


def test_the_count_leaves_call_weights_out_except_0():
    logits, target = torch.randn(4, 3), torch.tensor([0, 1, 2, -100])
    z = sy.CrossEntropy().terms(logits, target, weight=torch.tensor([2.0, 0.5, 0.0, 1.0])).valid.sum()
    assert z == 2
