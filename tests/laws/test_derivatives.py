"""Gradients against finite differences, against the reference's autograd, and to tables that are learned."""

import pytest
import torch
from torch import nn

import steelyard as sy
from steelyard import curves, testing
from steelyard.ops import BACKENDS, plan

STEP = 1e-3
STENCIL = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}  # order 4


def test_gradients_are_central_differences_of_order_4(subject):
    loss = subject.loss(reduction="none")
    for kind, (logits, target, weight) in subject.calls(seed=2).items():
        logits = logits.requires_grad_()
        out = loss(logits, target, weight=weight)
        random = torch.Generator().manual_seed(4)
        upstream = torch.randn(out.shape, generator=random, dtype=torch.float64)
        gradient = torch.autograd.grad(out, logits, upstream)[0]
        for _ in range(4):  # along random directions, which no error in one entry can hide from
            direction = torch.randn(logits.shape, generator=random, dtype=torch.float64)
            with torch.no_grad():
                ahead = [
                    c * (loss(logits + k * STEP * direction, target, weight=weight) * upstream).sum()
                    for k, c in STENCIL.items()
                ]
            expected = sum(ahead) / STEP
            torch.testing.assert_close((gradient * direction).sum(), expected, rtol=1e-6, atol=1e-7, msg=kind)


def small(subject):
    """Two items: enough for every label but one, few enough for a full Jacobian."""
    found = subject.calls(seed=3, size=1.5)
    for logits, target, weight in (found["rows"], found.get("probabilities", found["image"])):
        pixels = (slice(2), slice(None), *[slice(1)] * (logits.dim() - 2))
        labels = pixels if target.dim() == logits.dim() else (pixels[0], *pixels[2:])
        same = None if weight is None else weight[pixels if weight.dim() == logits.dim() else (pixels[0], *pixels[2:])]
        yield logits[pixels].detach().requires_grad_(), target[labels], same


def test_first_and_second_derivatives_pass_torchs_own_check(subject):
    loss = subject.loss(reduction="none")
    for logits, target, weight in small(subject):
        assert torch.autograd.gradcheck(lambda z, t=target, w=weight: loss(z, t, weight=w), logits)
        # of the second, along random directions
        assert torch.autograd.gradgradcheck(lambda z, t=target, w=weight: loss(z, t, weight=w), logits, fast_mode=True)


def outputs(name, subject, call):
    """Everything a backend returns and its first and second derivatives, for random upstream gradients."""
    logits, weight = call.logits.clone().requires_grad_(), None
    inputs = [logits]
    if call.weight is not None:
        weight = call.weight.clone().requires_grad_()
        inputs.append(weight)
    found = BACKENDS[name](logits, call.target, subject.bound, weight, -100)
    random = torch.Generator().manual_seed(6)
    mixed = sum((t * torch.randn(t.shape, generator=random, dtype=torch.float64)).sum() for t in found[:3])
    first = torch.autograd.grad(mixed, inputs, create_graph=True)
    again = sum((g * torch.randn(g.shape, generator=random, dtype=torch.float64)).sum() for g in first)
    second = torch.autograd.grad(again, inputs, materialize_grads=True)
    return [t.detach() for t in (*found[:3], *first, *second)]


def test_eager_is_the_reference_up_to_second_order(subject):
    for kind, call in subject.calls(seed=5).items():
        for f, e in zip(outputs("eager", subject, call), outputs("reference", subject, call), strict=True):
            torch.testing.assert_close(f, e, rtol=1e-9, atol=1e-11, msg=lambda m, k=kind: f"{k}: {m}")


def test_eager_is_the_reference_in_every_dtype():
    testing.check_backend("eager")


def test_eager_saves_the_inputs_alone():
    logits = torch.randn(64, 100, requires_grad=True)
    target = torch.arange(64)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        sy.CrossEntropy(sy.focal(gamma=2.0))(logits, target)
    assert sum(t.numel() for t in kept if t.is_floating_point()) <= logits.numel() + 4


@pytest.mark.filterwarnings("ignore:.*float targets are probabilities")  # a step off them is none
def test_call_weights_and_probabilities_get_gradients(subject):
    for logits, target, weight in subject.calls(seed=8).values():
        if weight is None:
            continue
        w = weight.clone().requires_grad_()
        t = target.clone().requires_grad_() if target.is_floating_point() else target
        each = subject.loss(reduction="none")(logits, t, weight=w)
        wanted = [w, t] if t.requires_grad else [w]
        found = torch.autograd.grad(each.sum(), wanted)
        plain = subject.loss(reduction="none")(logits, target)
        valid = weight != 0
        torch.testing.assert_close(found[0][valid & (plain != 0)], plain[valid & (plain != 0)], rtol=1e-9, atol=1e-12)
        assert all(g.isfinite().all() for g in found)
        if t.requires_grad:
            step = 1e-6 * torch.randn(t.shape, dtype=torch.float64)
            if subject.link == "softmax":
                step = step - step.mean(1, keepdim=True)
            ahead = subject.loss(reduction="sum")(logits, target + step, weight=weight)
            behind = subject.loss(reduction="sum")(logits, target - step, weight=weight)
            torch.testing.assert_close((found[1] * step).sum(), (ahead - behind) / 2, rtol=1e-6, atol=1e-12)


LEARNED = {
    "softmax": {
        "weight": [(3,), (1, 3), (3, 3), ()],
        "offset": [(3,), (1, 3), (3, 3)],
        "scale": [(3,), (1, 3), (3, 3), (1,)],
        "margin": [(3,)],
    },
    "sigmoid": {
        "weight": [(2,), (1, 3), (2, 3)],
        "offset": [(2,), (1, 3), (2, 3)],
        "scale": [(2,), (1, 3), (2, 3), (1,)],
        "margin": [(2,), (2, 3)],
    },
}


@pytest.mark.parametrize(
    ("link", "field", "shape"),
    [(k, f, s) for k, fields in LEARNED.items() for f, shapes in fields.items() for s in shapes],
    ids=str,
)
@pytest.mark.parametrize("norm", ["count", "mass"])
def test_tables_can_be_learned(link, field, shape, norm):
    torch.manual_seed(0)
    table = nn.Parameter(0.5 + torch.rand(shape, dtype=torch.float64))
    recipe = sy.Recipe(**{field: table}, curve=curves.Focal(1.5), norm=norm)
    loss = (sy.CrossEntropy if link == "softmax" else sy.BinaryCrossEntropy)(recipe)
    assert [id(p) for p in loss.parameters()] == [id(table)]
    call = testing.calls(link)["rows"]
    assert plan(call.logits, call.target, loss.bound(), None).backend == "reference"
    loss(call.logits, call.target).backward()
    assert table.grad.shape == shape
    assert table.grad.abs().max() > 0 or (norm == "mass" and field == "weight" and table.numel() == 1)

    function = sy.cross_entropy if link == "softmax" else sy.binary_cross_entropy
    fields = {"curve": curves.Focal(1.5), "norm": norm}
    assert torch.autograd.gradcheck(
        lambda p, z: function(z, call.target, sy.Recipe(**{field: p}, **fields)),
        (table, call.logits.requires_grad_()),
    )


def test_a_learned_weight_mixes_with_fixed_ones():
    table = nn.Parameter(torch.tensor([1.0, 2.0], dtype=torch.float64))
    loss = sy.CrossEntropy(sy.mix(sy.Recipe(weight=[2.0, 3.0]), sy.Recipe(weight=table), sy.focal(gamma=1.0)))
    logits, target = torch.zeros(2, 2, dtype=torch.float64), torch.tensor([0, 1])
    loss(logits, target).backward()
    # d/dw_y of (2 w_0 + 3 w_1) * 0.5 log 2 / 2
    torch.testing.assert_close(
        table.grad, torch.tensor([2.0, 3.0], dtype=torch.float64) * 0.25 * torch.log(torch.tensor(2.0))
    )


def test_learned_target_rows_get_a_gradient():
    rows = nn.Parameter(torch.tensor([[0.9, 0.1], [0.2, 0.8]], dtype=torch.float64))
    loss = sy.CrossEntropy(sy.Recipe(target=rows))
    logits = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    loss(logits, torch.tensor([1])).backward()
    expected = torch.zeros(2, 2, dtype=torch.float64)
    expected[1] = -torch.log_softmax(logits, 1)[0]
    torch.testing.assert_close(rows.grad, expected)
