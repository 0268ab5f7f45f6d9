"""The losses as nn.Modules: state, devices and dtypes, autocast, copies. Files: ops/factors.py."""

import copy

import pytest
import torch
from torch import nn

import steelyard as sy
from steelyard import testing

MAKE = {"softmax": sy.CrossEntropy, "sigmoid": sy.BinaryCrossEntropy}


def everything(link):
    return MAKE[link](testing.recipes(link)["everything"])


@pytest.mark.parametrize("link", MAKE)
def test_tables_are_buffers_of_a_model(link):
    loss = everything(link)
    model = nn.Sequential(nn.Linear(2, 2), loss)
    tables = {k for k in model.state_dict() if k.startswith("1.")}
    assert tables == {f"1.{f}_{i}" for f, those in loss.bound().tables().items() for i in range(len(those))}
    assert len(tables) >= 5
    assert not list(loss.parameters())


@pytest.mark.parametrize("link", MAKE)
def test_state_dict_carries_the_numbers(link, tmp_path):
    loss, call = everything(link), testing.calls(link)["rows"]
    changed = everything(link)
    for buffer in changed.buffers():
        buffer.mul_(1.5)
    assert not torch.equal(changed(call.logits, call.target), loss(call.logits, call.target))
    torch.save(changed.state_dict(), tmp_path / "state.pt")
    loss.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert torch.equal(changed(call.logits, call.target), loss(call.logits, call.target))


def test_checkpoints_with_the_old_names_of_tables_load():
    """weight_row, weight_column, weight_row_1, ...: factors in their order; what is learned comes first."""
    learned = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))
    recipe = sy.mix(sy.Recipe(weight=[4.0, 5.0, 6.0]), sy.Recipe(weight=learned, offset=[[1.0, 2.0, 3.0]]))
    loss = sy.CrossEntropy(recipe)
    old = {"weight_row_1": 2 * learned.detach(), "weight_row": torch.ones(3, 1), "offset_column": torch.zeros(1, 3)}
    loss.load_state_dict(old)
    assert [t.reshape(-1).tolist() for t in loss.bound().tensors] == [[0.0, 0.0, 0.0], [2.0, 4.0, 6.0]]
    wide = sy.CrossEntropy(sy.Recipe(weight=[[1.0, 2.0], [3.0, 4.0]], offset=[1.0, 2.0]))
    wide.load_state_dict({"offset_row": torch.zeros(2), "weight_full": torch.ones(2, 2)})
    assert float(torch.cat([t.reshape(-1) for t in wide.bound().tensors]).sum()) == 4
    rule = sy.adaptive.Deferred(sy.Recipe(), sy.Recipe(weight=[0.5, 5.0]), after_epoch=0)
    loss = nn.Sequential(sy.CrossEntropy(rule))
    new = loss.state_dict()
    loss.load_state_dict({k.replace("weight_0", "weight_row"): v if v.dim() == 0 else 2 * v for k, v in new.items()})
    assert loss[0].recipe.class_weight.tolist() == [1.0, 10.0]


@pytest.mark.parametrize("link", MAKE)
def test_a_deep_copy_is_independent(link):
    loss, call = everything(link), testing.calls(link)["rows"]
    twin = copy.deepcopy(loss)
    assert torch.equal(twin(call.logits, call.target), loss(call.logits, call.target))
    for buffer in loss.buffers():
        buffer.zero_()
    assert not torch.equal(twin(call.logits, call.target), loss(call.logits, call.target))


def test_a_deep_copy_learns_its_own_tables():
    loss = sy.CrossEntropy(sy.Recipe(weight=nn.Parameter(torch.ones(3))))
    twin = copy.deepcopy(loss)
    twin(torch.randn(2, 3), torch.tensor([0, 1])).backward()
    assert loss.weight_0.grad is None
    assert twin.weight_0.grad is not None
    with torch.no_grad():
        twin.weight_0.fill_(5.0)
    assert loss(torch.zeros(1, 3), torch.tensor([0])).item() * 5 == pytest.approx(
        twin(torch.zeros(1, 3), torch.tensor([0])).item()
    )


def test_an_optimiser_step_changes_the_loss_at_every_call():
    weight = nn.Parameter(torch.tensor([1.0, 1.0]))
    loss = sy.CrossEntropy(sy.mix(sy.Recipe(weight=weight), sy.Recipe(weight=[2.0, 3.0])))
    optimiser = torch.optim.SGD(loss.parameters(), lr=1.0)
    logits, target = torch.zeros(2, 2), torch.tensor([0, 1])
    seen = []
    for _ in range(3):
        optimiser.zero_grad()
        value = loss(logits, target)
        value.backward()
        optimiser.step()
        seen.append(value.item())
    step = 0.5 * torch.tensor([2.0, 3.0]).log_softmax(0).exp().sum() * torch.log(torch.tensor(2.0))
    assert seen[0] == pytest.approx(5 / 2 * torch.log(torch.tensor(2.0)).item(), rel=1e-6)
    assert step > 0
    assert seen[0] > seen[1] > seen[2]
    assert seen[0] - seen[1] == pytest.approx(seen[1] - seen[2], rel=1e-5)  # linear in the weight


@pytest.mark.parametrize("link", MAKE)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_moving_a_model_to_half_does_not_round_the_tables(link, dtype):
    loss, call = everything(link), testing.calls(link)["rows"]
    expected = loss(call.logits, call.target)
    model = nn.Sequential(nn.Linear(2, 2), loss).to(dtype)
    assert model[0].weight.dtype == dtype
    found = loss(call.logits, call.target)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)
    assert all(b.dtype.itemsize >= 4 for b in loss.buffers())


def test_a_weight_beyond_half_precision_survives_half():
    loss = sy.CrossEntropy(sy.Recipe(weight=[1.0, 1e6])).half()
    assert loss(torch.zeros(1, 2).half(), torch.tensor([1])).isfinite()


def test_a_device_without_float64_gets_float32_tables():
    """As MPS behaves: it raises TypeError for float64."""

    def move(t):
        if t.dtype == torch.float64:
            raise TypeError("no float64 here")
        return t

    loss = sy.CrossEntropy(sy.Recipe(weight=[1.0, 2.0]))
    loss._apply(move)
    assert loss.weight_0.dtype == torch.float32


@pytest.mark.parametrize("link", MAKE)
def test_autocast_computes_in_float32(link):
    for name, recipe in testing.recipes(link).items():
        loss = MAKE[link](recipe)
        for kind, call in testing.calls(link, loss.bound()).items():
            logits = call.logits.bfloat16().requires_grad_()
            weight = None if call.weight is None else call.weight.float()
            expected = loss(logits.float(), call.target, weight=weight)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                found = loss(logits, call.target, weight=weight)
            assert found.dtype == torch.float32
            torch.testing.assert_close(found, expected, rtol=2e-6, atol=1e-7, msg=lambda m, w=(name, kind): f"{w} {m}")
            (gradient,) = torch.autograd.grad(found, logits)
            assert gradient.dtype == torch.bfloat16
