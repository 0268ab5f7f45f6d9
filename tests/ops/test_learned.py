"""Gradients of learned tables out of the pass of the loss, against the reference."""

import pytest
import torch
from torch import nn

import steelyard as sy
from steelyard import adaptive
from steelyard.ops import beside, learned

COUNTS = sy.Counts([50, 30, 20])


def table(*shape):
    return nn.Parameter(torch.rand(shape) + 0.1)


RECIPES = {
    "uncertainty": lambda: adaptive.Uncertainty(3),
    "all fields": lambda: adaptive.Learned(COUNTS, fields=("weight", "offset", "scale")),
    "weight, smoothed": lambda: sy.mix(sy.Recipe(weight=table(3, 1)), sy.smooth(0.1)),
    "weight, focal": lambda: sy.mix(sy.Recipe(weight=table(3, 1)), sy.focal(2.0)),
    "offset and scale": lambda: sy.Recipe(offset=table(1, 3), scale=table(1, 3)),
    "offset, weighed": lambda: sy.mix(sy.Recipe(offset=table(1, 3)), sy.inverse_frequency(COUNTS)),
}


def found(make, z, y, *, weight, normalizer, twice):
    torch.manual_seed(1)
    loss = sy.CrossEntropy(make())
    for p in loss.parameters():
        p.data.uniform_(0.2, 2)
    z = z.clone().requires_grad_()
    value, asked = 1.7 * loss(z, y, weight=weight, normalizer=normalizer), [z, *loss.parameters()]
    gradients = torch.autograd.grad(value, asked, retain_graph=twice)
    if twice:
        watched = torch.autograd.grad(value, asked, create_graph=True)
        gradients += watched + torch.autograd.grad(sum((g**2).sum() for g in watched), asked)
    return [value.detach(), *(g.detach() for g in gradients)]


@pytest.mark.usefixtures("native_core")
@pytest.mark.skipif(not beside.AVAILABLE, reason="the native core was built before")
@pytest.mark.parametrize("shape", [(40, 3), (6, 3, 5, 7)], ids=str)
@pytest.mark.parametrize("name", RECIPES)
def test_they_are_those_of_the_reference(name, shape, monkeypatch):
    torch.manual_seed(0)
    z, y = torch.randn(shape), torch.randint(0, 3, (shape[0], *shape[2:]))
    y.view(-1)[4] = -100
    weights = torch.rand(y.shape)
    weights.view(-1)[7] = 0
    calls = []
    pass_ = learned._Learned.apply
    monkeypatch.setattr(learned._Learned, "apply", lambda *a: calls.append(1) or pass_(*a))
    options = [{"weight": w, "normalizer": n, "twice": t} for w in (None, weights) for n in (None, 7.0) for t in (0, 1)]
    ours = [found(RECIPES[name], z, y, **each) for each in options]
    assert len(calls) == len(options)
    monkeypatch.setattr(learned, "total", lambda *a: None)
    for a, each in zip(ours, options, strict=True):
        for x, expected in zip(a, found(RECIPES[name], z, y, **each), strict=True):
            scale = float(expected.abs().max())
            torch.testing.assert_close(x, expected, rtol=1e-4, atol=2e-6 * scale + 1e-7)


@pytest.mark.parametrize(
    "make",
    [
        lambda: sy.Recipe(weight=nn.Parameter(torch.tensor([0.0, 1.0, 2.0]))),
        lambda: sy.Recipe(weight=table(3, 1), norm="mass"),
        lambda: sy.Recipe(weight=table(1, 3)),
        lambda: sy.Recipe(margin=table(3, 1)),
    ],
    ids=["a weight of 0", "a Z that is learned, too", "by class", "margin"],
)
def test_what_the_sums_cannot_say_is_left_to_the_reference(make, monkeypatch):
    monkeypatch.setattr(learned._Learned, "apply", lambda *a: pytest.fail("served"))
    loss, z = sy.CrossEntropy(make()), torch.randn(10, 3, requires_grad=True)
    loss(z, torch.arange(10) % 3).backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in loss.parameters())
