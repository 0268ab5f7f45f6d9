"""No step asks a device for a number: torch's device "meta" has none to give, as a GPU that has not got to it yet, and it has no kernels
of ours, as any device that nobody thought of."""

import pytest
import torch
from tests.adaptive.rules import CASES

import steelyard as sy
from steelyard import testing

RECIPES = [(link, name) for link in ("softmax", "sigmoid") for name in testing.recipes(link)]
DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64]
LOSSES = {"softmax": sy.CrossEntropy, "sigmoid": sy.BinaryCrossEntropy}
WAITS = {"CalibratedMaps by a spatial map"}  # a map is drawn from masks, on the CPU


def drawn(*shape, dtype=torch.float32):
    return torch.randn(*shape, device="meta", dtype=dtype).requires_grad_()


def test_the_device_has_no_numbers():
    with pytest.raises(RuntimeError, match="item"):
        drawn(1).item()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("link", "name"), RECIPES)
def test_every_recipe(link, name, dtype):
    target = torch.zeros((8,) if link == "softmax" else (8, 3), dtype=torch.long, device="meta")
    for reduction in ("mean", "sum", "none"):
        loss = LOSSES[link](testing.recipes(link)[name], reduction=reduction).to("meta")
        for options in ({}, {"weight": torch.ones(8, device="meta")}):
            z = drawn(8, 3, dtype=dtype)
            value = loss(z, target, **options)
            value.sum().backward()
            assert value.is_meta
            assert z.grad.shape == z.shape
            assert z.grad.dtype == dtype


@pytest.mark.parametrize("name", list(testing.recipes("softmax")))
def test_a_linear_layer_and_its_loss(name):
    hidden, weight = drawn(8, 4), drawn(3, 4)
    loss = sy.LinearCrossEntropy(testing.recipes("softmax")[name]).to("meta")
    loss(hidden, weight, torch.zeros(8, dtype=torch.long, device="meta")).backward()
    assert hidden.grad.is_meta
    assert weight.grad.is_meta


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_losses_of_torchs_names(dtype):
    y = torch.zeros(8, dtype=torch.long, device="meta")
    for value in (
        sy.CrossEntropyLoss(weight=torch.ones(3), label_smoothing=0.1).to("meta")(drawn(8, 3, dtype=dtype), y),
        sy.BCEWithLogitsLoss(pos_weight=torch.ones(3)).to("meta")(
            drawn(8, 3, dtype=dtype), drawn(8, 3, dtype=dtype).detach()
        ),
    ):
        value.backward()
        assert value.dtype == dtype


@pytest.mark.parametrize("name", sorted(CASES.keys() - WAITS))
def test_every_rule(name):
    """`advance`, which is told how far training is and writes the history, may wait; it is called once an epoch."""
    case = CASES[name]
    net, loss = case.net(torch.float32).to("meta"), case.loss().to("meta")
    x, y = (t.to("meta") for t in case.data(dtype=torch.float32))
    for _ in range(2):
        loss(net(x), y).backward()
    assert all(p.grad is not None and p.grad.is_meta for p in net.parameters())
