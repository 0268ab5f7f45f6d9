"""A loss that was called before says what one says that never was: whatever its next call changes."""

import pytest
import torch

import steelyard as sy
from steelyard.ops import fused

pytestmark = pytest.mark.usefixtures("native_core")


def losses():
    return {
        "yes or no": sy.BinaryCrossEntropy(sy.Recipe(weight=[0.5, 2.0], curve=sy.curves.Focal(2.0)), ignore_index=7),
        "by class": sy.BinaryCrossEntropy(sy.Recipe(weight=[[1.0] * 4, [1.0, 2.0, 3.0, 4.0]])),
        "softmax": sy.CrossEntropy(sy.Recipe(weight=[1.0, 2.0, 3.0, 4.0], norm="mass"), ignore_index=7),
        "as torch's": sy.BCEWithLogitsLoss(pos_weight=[1.0, 2.0, 3.0, 4.0]),
        "as torch's softmax": sy.CrossEntropyLoss(weight=[1.0, 2.0, 3.0, 4.0]),
    }


def arguments(loss, shape=(6, 4), dtype=torch.float32, labels=torch.int64):
    random = torch.Generator().manual_seed(sum(shape))
    logits = torch.randn(shape, generator=random).to(dtype)
    wide = "softmax" not in loss
    classes = 2 if wide else shape[1]
    items = shape if wide else shape[:1] + shape[2:]
    target = torch.randint(0, classes, items, generator=random).to(labels)
    return logits.requires_grad_(), target.float() if loss == "as torch's" else target


def answer(loss, logits, target, **more):
    value = loss(logits, target, **more)
    gradient = torch.autograd.grad(value.sum(), logits)[0]
    return value.detach(), gradient


CHANGES = {
    "nothing": {},
    "rows": {"shape": (9, 4)},
    "planes": {"shape": (3, 4, 5)},
    "logits": {"dtype": torch.bfloat16},
    "wide logits": {"dtype": torch.float64},
    "labels": {"labels": torch.uint8},
    "labels that are converted": {"labels": torch.int16},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", losses())
def test_another_kind_of_call(name, change):
    called, new = losses()[name], losses()[name]
    for _ in range(2):
        answer(called, *arguments(name))
    for _ in range(2):
        got = answer(called, *arguments(name, **CHANGES[change]))
    for a, b in zip(got, answer(new, *arguments(name, **CHANGES[change])), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", losses())
def test_another_setting_or_number(name):
    called, (logits, target) = losses()[name], arguments(name)
    target.view(-1)[:2] = 1
    settings = {}

    def as_a_new_one():
        new = losses()[name]
        new.load_state_dict(called.state_dict())
        for setting, value in settings.items():
            setattr(called, setting, value)
            setattr(new, setting, value)
        expected = answer(new, logits, target)
        for _ in range(2):
            for a, b in zip(answer(called, logits, target), expected, strict=True):
                assert torch.equal(a, b)
        return expected[1]

    before = as_a_new_one()
    with torch.no_grad():
        for table in called.buffers():
            table[..., 1] *= 3.0
    assert not torch.equal(before, as_a_new_one())
    for settings["reduction"] in ("sum", "none", "mean"):
        as_a_new_one()
    if hasattr(called, "ignore_index"):
        settings["ignore_index"] = 1
        as_a_new_one()


@pytest.mark.parametrize("name", losses())
def test_another_backend_is_heard(name, monkeypatch):
    loss, (logits, target) = losses()[name], arguments(name)
    for _ in range(2):
        native = answer(loss, logits, target)
    with sy.backend("eager"), monkeypatch.context() as patch:
        patch.setattr(fused, "reduced", None)
        eager = answer(loss, logits, target)
    for a, b in zip(native, eager, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("name", ["yes or no", "softmax"])
def test_a_label_that_is_no_class_is_said_at_a_later_call_too(name):
    loss, (logits, target) = losses()[name], arguments(name)
    answer(loss, logits, target)
    target.view(-1)[3] = 5
    with pytest.raises(ValueError, match="5"):
        loss(logits, target)


@pytest.mark.parametrize("name", losses())
def test_what_needs_more_than_one_gradient_gets_it(name):
    loss, (logits, target) = losses()[name], arguments(name)
    answer(loss, logits, target)
    value = loss(logits, target)
    (first,) = torch.autograd.grad(value, logits, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), logits)
    assert second.abs().max() > 0
    whole = torch.func.hessian(lambda z: loss(z, target))(logits.detach())
    expected = 2 * torch.einsum("ab,abcd->cd", first.detach(), whole)
    torch.testing.assert_close(second, expected, rtol=1e-4, atol=1e-7)


def test_soft_targets_that_need_a_gradient_get_it():
    loss, (logits, target) = losses()["by class"], arguments("by class")
    soft = target.float() * 0.8 + 0.1
    answer(loss, logits, soft)
    soft = soft.requires_grad_()
    assert torch.autograd.grad(loss(logits, soft), soft)[0].abs().max() > 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["as torch's", "as torch's softmax"])
def test_the_loss_has_the_logits_type_like_torchs_and_can_be_differentiated_again(name, dtype):
    loss, (logits, target) = losses()[name], arguments(name, dtype=dtype)
    found = []
    for _ in range(3):
        value = loss(logits, target)
        (first,) = torch.autograd.grad(value, logits, create_graph=True)
        found.append((value.detach(), first.detach(), torch.autograd.grad(first.float().square().sum(), logits)[0]))
        assert value.dtype is first.dtype is dtype
    for again in found[1:]:
        for a, b in zip(again, found[0], strict=True):
            torch.testing.assert_close(a, b)
