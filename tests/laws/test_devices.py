"""Losses, rules and the undo on a device that has no kernels and no float64, as an Apple GPU: the CPU plays it, where every float64 that an
operation makes is refused.

Files: ops/widest.py, ops/watched.py.
"""

import copy

import pytest
import torch
from tests.adaptive.rules import CASES
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import steelyard as sy
from steelyard import testing
from steelyard.ops import widest

RECIPES = [(link, name) for link in ("softmax", "sigmoid") for name in testing.recipes(link)]
DTYPES = [torch.float32, torch.float16]


class NoFloat64(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        if any(isinstance(t, torch.Tensor) and t.dtype == torch.float64 for t in tree_leaves(out)):
            raise TypeError(f"{function}: the device has no float64")
        return out


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setitem(widest._HAS_FLOAT64, "cpu", False)
    with sy.backend("eager"):
        yield


def moved(module):
    """As `wide` of ops/factors.py moves it to a device without float64."""
    return module._apply(lambda t: t.float() if t.is_floating_point() else t)


def stepped(loss, *arguments, **options):
    with NoFloat64():
        value = loss(*arguments, **options)
        value.sum().backward()
    assert value.dtype == torch.float32
    return value.detach()


def drawn(*shape, dtype=torch.float32):
    torch.manual_seed(0)
    return torch.randn(*shape).to(dtype).requires_grad_()


def test_the_mode_refuses():
    with NoFloat64(), pytest.raises(TypeError, match="no float64"):
        torch.ones(2).double()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("link", "name"), RECIPES)
def test_every_recipe(link, name, dtype):
    recipe = testing.recipes(link)[name]
    target = torch.zeros((8,) if link == "softmax" else (8, 3), dtype=torch.long)
    for reduction in ("mean", "none"):
        made = (sy.CrossEntropy if link == "softmax" else sy.BinaryCrossEntropy)(recipe, reduction=reduction)
        for options in ({}, {"weight": torch.ones(8)}):
            found = stepped(moved(copy.deepcopy(made)), drawn(8, 3, dtype=dtype), target, **options)
            right = made(drawn(8, 3).to(dtype).double(), target, **options).detach()
            assert torch.allclose(found.double(), right, rtol=1e-5)


@pytest.mark.parametrize("name", list(testing.recipes("softmax")))
def test_a_linear_layer_and_its_loss(name):
    loss = moved(sy.LinearCrossEntropy(testing.recipes("softmax")[name]))
    stepped(loss, drawn(8, 4), drawn(3, 4), torch.zeros(8, dtype=torch.long))


@pytest.mark.parametrize("name", list(CASES))
def test_every_rule(name):
    case = CASES[name]
    net, loss = case.net(torch.float32), moved(case.loss())
    x, y = case.data(dtype=torch.float32)
    for step in range(2):
        loss.advance(epoch=step, step=step)
        stepped(loss, net(x), y)
    loss.eval()
    stepped(loss, net(x), y)


@pytest.mark.parametrize("norm", ["count", "mass"])
def test_micro_batches(norm):
    loss, net = moved(sy.CrossEntropy(sy.Recipe(weight=[1.0, 2.0, 3.0], norm=norm))), torch.nn.Linear(4, 3)
    x, y = drawn(8, 4).detach(), torch.arange(8) % 3
    with NoFloat64(), sy.accumulate(loss, [y[:2], y[2:]]):
        for part in (slice(0, 2), slice(2, 8)):
            loss(net(x[part]), y[part]).backward()
    whole = torch.autograd.grad(loss(net(x), y), net.weight)[0]
    assert torch.allclose(net.weight.grad, whole, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("link", "name"), RECIPES)
def test_the_undo_answers_in_float32(link, name):
    recipe = testing.recipes(link)[name]
    loss = (sy.CrossEntropy if link == "softmax" else sy.BinaryCrossEntropy)(recipe)
    z = drawn(8, 3).detach()
    try:
        right = sy.posterior(z.double(), loss)
    except ValueError:
        return  # it has none
    found = sy.posterior(z, moved(loss))
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), right, rtol=1e-4, atol=1e-5)


def test_autocast_is_asked_for_only_where_there_is_one():
    from steelyard.ops.watched import unrounded

    for device in ("cpu", "meta"):
        with unrounded(torch.device(device)):
            pass
