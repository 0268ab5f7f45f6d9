"""The Triton kernels against the reference: on a GPU where there is one, else step by step in Triton's interpreter.

Files: ops/gpu.py, ops/triton_curves.py, ops/triton_sigmoid.py, ops/triton_softmax.py, ops/triton_sums.py.

The interpreter has to be asked for before Triton is imported: TRITON_INTERPRET=1 python -m pytest tests/laws/test_triton.py -m "".
"""

import pytest
import torch
from tests.laws.oracle import same, sample

import steelyard as sy
from steelyard import testing
from steelyard.ops import bind, fused, gpu, plan, proof

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if not gpu.available(torch.device(DEVICE)):
    pytest.skip("neither a GPU nor TRITON_INTERPRET=1 with Triton installed", allow_module_level=True)

pytestmark = [
    pytest.mark.slow,
    # numpy, which plays the GPU, complains where a GPU makes inf and NaN in silence
    pytest.mark.filterwarnings("ignore::RuntimeWarning:triton"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:triton"),
]
RECIPES = [(link, name) for link in ("softmax", "sigmoid") for name in testing.recipes(link)]


def on_device(*tensors):
    return [None if t is None else t.to(DEVICE) for t in tensors]


def known(link, name):
    bound = bind(testing.recipes(link)[name], link)
    for kind, call in testing.calls(link, bound).items():
        call = call.to(torch.float32, DEVICE)
        if not gpu.refusal(call.logits, call.target, bound, call.weight):
            yield kind, call, bound


@pytest.mark.parametrize(("link", "name"), RECIPES)
def test_every_recipe(link, name):
    found = list(known(link, name))
    dense = link == "softmax" and name in ("target-rows", "target-and-weight-tables")
    assert bool(found) == (not dense)
    for kind, call, bound in found:
        norm = "mass" if kind == "image" else "count"
        same(gpu.KERNELS, call.logits, call.target, bound, call.weight, norm)


@pytest.mark.parametrize("name", list(testing.recipes("softmax")))
def test_every_recipe_on_rows_too_long_for_one_tile(name, monkeypatch):
    monkeypatch.setattr(gpu, "LARGEST", dict.fromkeys(gpu.LARGEST, 2))
    monkeypatch.setattr(
        gpu.launch, "of", lambda device: gpu.launch.Sizes(piece=2)
    )  # three classes: one piece, and half of another
    for _, call, bound in known("softmax", name):
        weight = None if call.weight is None else call.weight[1:]
        same(gpu.KERNELS, call.logits[1:], call.target[1:], bound, weight)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("shape", [(1, 2), (300, 10), (5, 129), (3, 1000), (2, 7, 13, 11), (1, 65, 40)], ids=str)
def test_every_shape_and_type(shape, dtype):
    torch.manual_seed(0)
    classes = shape[1]
    z, y = on_device(*sample(shape, dtype))
    w = torch.rand(classes).add(0.5)
    plain, smooth = sy.Recipe(weight=w.tolist()), sy.Recipe(weight=w.tolist(), target=0.1)
    same(gpu.KERNELS, z, y, bind(plain, "softmax"))
    same(gpu.KERNELS, z, y, bind(smooth, "softmax"), torch.rand(y.shape, device=DEVICE))
    same(gpu.KERNELS, z, torch.rand(shape, device=DEVICE), bind(smooth, "softmax"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("shape", [(1,), (40,), (5, 3), (2, 3, 50), (3, 1, 7), (3000,)], ids=str)
def test_every_shape_of_yes_and_no(shape, dtype):
    torch.manual_seed(0)
    z = (torch.randn(shape) * 4).to(DEVICE, dtype)
    y = torch.randint(0, 2, shape, device=DEVICE)
    y.view(-1)[0] = -100
    K = shape[1] if len(shape) > 1 else 1
    per_class = sy.Recipe(weight=[torch.rand(K).add(0.5).tolist()], offset=[0.3, -1.0], target=0.1)
    for recipe in (sy.Recipe(weight=[0.5, 3.0], curve=sy.curves.Asymmetric()), per_class):
        for target in (y, torch.rand(shape, device=DEVICE)):
            same(gpu.KERNELS, z, target, bind(recipe, "sigmoid"))


@pytest.mark.parametrize("norm", ["sum", "count", 7.0])
def test_every_norm(norm):
    z, y = on_device(*sample((30, 5), torch.float32))
    bound = bind(sy.Recipe(weight=[1.0, 2.0, 3.0, 0.0, 1.0]), "softmax")
    same(gpu.KERNELS, z, y, bound, torch.rand(30, device=DEVICE), norm)


def mean(z, y, bound=None, norm="mass", consume=False):
    return fused.reduced(gpu.KERNELS, z, y, bound or bind(sy.Recipe(), "softmax"), None, -100, norm, consume)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int16, torch.uint8, torch.bool], ids=str)
def test_every_type_of_label(dtype):
    z, y = on_device(*sample((20, 2), torch.float32))
    y = y.clamp(min=0)
    assert torch.equal(mean(z, y.to(dtype)), mean(z, y))


@pytest.mark.parametrize("ignored", [float("nan"), float("inf")])
@pytest.mark.parametrize("shape", [(20, 5), (2, 5, 7)], ids=str)
def test_what_is_ignored_may_hold_anything(shape, ignored):
    z, y = on_device(*sample(shape, torch.float32))
    x = torch.where((y == -100).unsqueeze(1), ignored, z).requires_grad_()
    loss = mean(x, y)
    loss.backward()
    assert torch.equal(loss, mean(z, y))
    assert x.grad.isfinite().all()
    assert (x.grad.movedim(1, -1)[y == -100] == 0).all()


def test_nothing_counts():
    z, y = on_device(*sample((4, 3), torch.float32))
    x = z.requires_grad_()
    for target in (torch.full_like(y, -100), y):
        loss = mean(x[: len(target) if target is not y else 0], target[: 0 if target is y else len(y)])
        loss.backward()
        assert loss == 0
    assert (x.grad == 0).all()


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_a_label_that_is_no_class_is_not_a_number(link):
    z, y = on_device(*sample((4, 3), torch.float32))
    y[1] = 3
    if link == "sigmoid":
        z, y = z[:, 0].contiguous(), torch.tensor([0, 5, 1, 0], device=DEVICE)
    assert mean(z, y, bind(sy.Recipe(), link)).isnan()


def test_the_gradient_is_handed_over_once_and_made_again():
    z, y = on_device(*sample((20, 12), torch.float32))
    x = z.requires_grad_()
    loss = mean(x, y, bind(sy.focal(gamma=2.0), "softmax"))
    (first,) = torch.autograd.grad(loss, x, retain_graph=True)
    (second,) = torch.autograd.grad(2 * loss, x, retain_graph=True)
    torch.testing.assert_close(second, 2 * first)
    (third,) = torch.autograd.grad(loss, x, create_graph=True)
    torch.testing.assert_close(third, first, rtol=1e-5, atol=1e-7)
    assert torch.autograd.grad(third.square().sum(), x)[0].abs().max() > 0


def test_logits_may_be_consumed():
    z, y = on_device(*sample((7, 200), torch.float32))
    x = z.requires_grad_()
    (kept,) = torch.autograd.grad(3 * mean(2 * x, y), x)
    (found,) = torch.autograd.grad(3 * mean(2 * x, y, consume=True), x)
    torch.testing.assert_close(found, kept)


def test_two_runs_are_the_same_to_the_bit():
    z, y = on_device(*sample((999, 37), torch.float32))
    x = z.requires_grad_()
    first, second = (mean(x, y) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(*(torch.autograd.grad(loss, x)[0] for loss in (first, second)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_kernel_that_is_wrong_is_left_to_torch(dtype, monkeypatch):
    """Weights that a kernel does not read: the gradient and the loss are those of another recipe."""
    monkeypatch.setattr(proof, "_known", {})
    made = gpu._tables
    monkeypatch.setattr(gpu, "_tables", lambda *args: made(*args)._replace(own=None, labelled=None))
    torch.manual_seed(0)
    z, y = torch.randn(6, 3).to(DEVICE, dtype).requires_grad_(), torch.tensor([0, 1, 2, 0, 1, 2], device=DEVICE)
    recipe = sy.Recipe(weight=[1.0, 2.0, 9.0])
    with sy.backend("triton"):
        loss = sy.CrossEntropy(recipe).to(DEVICE)
        with pytest.warns(UserWarning, match=r"Triton kernels for softmax on .* off by .* STEELYARD_BACKEND=eager"):
            value = loss(z, y)
        (found,) = torch.autograd.grad(value, z)
        assert "found wrong here" in plan(z, y, loss.bound(), None).why
    with sy.backend("eager"):
        right = sy.CrossEntropy(recipe).to(DEVICE)(z, y)
    assert torch.equal(value, right)
    assert torch.equal(found, torch.autograd.grad(right, z)[0])


def test_a_kernel_that_does_not_compile_is_left_to_torch(monkeypatch):
    monkeypatch.setattr(proof, "_known", {})
    monkeypatch.setattr(gpu, "_curves", lambda bound: {"UNKNOWN": 1})
    z, y = on_device(*sample((6, 3), torch.float32))
    loss = sy.BinaryCrossEntropy().to(DEVICE)
    with (
        sy.backend("triton"),
        pytest.warns(UserWarning, match=r"for sigmoid on .* they fail with \w+: .*Please report"),
    ):
        value = loss(z[:, 0], (y > 0).float())
    assert value.isfinite()


@pytest.mark.skipif(DEVICE != "cuda", reason="on a GPU only")
def test_on_a_gpu_it_is_what_a_loss_takes_and_nobody_waits():
    z, y = on_device(*sample((64, 10), torch.bfloat16))
    loss = sy.CrossEntropy(sy.smooth(0.1)).to(DEVICE)
    x = z.requires_grad_()
    loss(x, y).backward()  # compiles
    assert plan(x, y, loss.bound(), None).backend == "triton"
    torch.cuda.set_sync_debug_mode("error")
    try:
        loss(x, y).backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
