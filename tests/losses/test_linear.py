"""LinearCrossEntropy is the linear layer and CrossEntropy, without the logits. Files: ops/linear.py."""

import pytest
import torch
from torch.nn import functional as F

import steelyard as sy
from steelyard import testing
from steelyard.ops import linear

H = 5


def sample(classes=3, rows=23, dtype=torch.float32, seed=0):
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, H, generator=random).to(dtype).requires_grad_()
    w = torch.randn(classes, H, generator=random).to(dtype).requires_grad_()
    b = torch.randn(classes, generator=random).to(dtype).requires_grad_()
    y = torch.randint(0, classes, (rows,), generator=random)
    y[::6] = -100
    return x, w, b, y


def gradients(loss, *inputs):
    return loss.detach(), *torch.autograd.grad(loss, inputs)


@pytest.fixture(params=[1, 4, 2**20], ids=["rows one by one", "tail", "one chunk"])
def chunks(request, monkeypatch):
    monkeypatch.setattr(linear, "LEAST", 1)
    monkeypatch.setattr(linear, "CHUNK", 12 * request.param)


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", testing.recipes("softmax"))
def test_the_same_as_the_layer_and_the_loss(name, reduction):
    recipe = testing.recipes("softmax")[name]
    x, w, b, y = sample()
    s = torch.rand(len(y)).round(decimals=1)
    ours, plain = (
        sy.LinearCrossEntropy(recipe, reduction=reduction),
        sy.CrossEntropy(recipe, reduction=reduction),
    )
    for weight in (None, s):
        for bias in (None, b):
            inputs = (x, w) if bias is None else (x, w, b)
            found = gradients(ours(x, w, y, linear_bias=bias, weight=weight), *inputs)
            expected = gradients(plain(F.linear(x, w, bias), y, weight=weight), *inputs)
            for a, e in zip(found, expected, strict=True):
                torch.testing.assert_close(a, e, rtol=2e-5, atol=2e-6)


def test_torch_agrees():
    """torch's own linear_cross_entropy, which weighs classes inside the sum as our drop-in does."""
    x, w, b, y = sample(7)
    weight = torch.rand(7) + 0.5
    found = sy.LinearCrossEntropy(sy.Recipe(weight=weight.tolist(), norm="mass"))(x, w, y, linear_bias=b)
    expected = F.cross_entropy(F.linear(x, w, b), y, weight=weight)
    torch.testing.assert_close(found, expected)
    if hasattr(F, "linear_cross_entropy"):
        torch.testing.assert_close(found, F.linear_cross_entropy(x, w, y, linear_bias=b, weight=weight))


@pytest.mark.usefixtures("chunks")
def test_layouts_probabilities_and_a_given_divisor():
    x, w, b, y = sample(rows=24)
    plain, loss = sy.CrossEntropy(sy.smooth(0.1)), sy.LinearCrossEntropy(sy.smooth(0.1))
    z = F.linear(x, w, b)
    torch.testing.assert_close(
        loss(x.view(4, 6, H), w, y.view(4, 6), linear_bias=b, weight=torch.arange(4.0)),
        plain(z, y, weight=torch.arange(4.0).repeat_interleave(6)),
    )
    p = torch.rand(24, 3)
    torch.testing.assert_close(loss(x, w, p, linear_bias=b), plain(z, p))
    for divisor in (7.0, torch.tensor(7.0), torch.tensor(0.0)):
        found = gradients(loss(x, w, y, linear_bias=b, normalizer=divisor), x, w, b)
        expected = gradients(plain(F.linear(x, w, b), y, normalizer=divisor), x, w, b)
        for a, e in zip(found, expected, strict=True):
            torch.testing.assert_close(a, e, rtol=2e-5, atol=2e-6)
    one = loss(x[0], w, y[1], linear_bias=b)
    torch.testing.assert_close(one, plain(z[0], y[1]))


def test_nothing_but_ignored_rows():
    x, w, b, y = sample()
    found = gradients(sy.LinearCrossEntropy()(x, w, torch.full_like(y, -100), linear_bias=b), x, w, b)
    assert all((t == 0).all() for t in found)
    empty = gradients(sy.LinearCrossEntropy()(x[:0], w, y[:0]), w)
    assert all((t == 0).all() for t in empty)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_sums_chunks_in_float32(dtype, monkeypatch):
    """A chunk for every row: summed in bfloat16, the gradient of the weight would stop growing after some hundred rows."""
    monkeypatch.setattr(linear, "LEAST", 1)
    monkeypatch.setattr(linear, "CHUNK", 1)
    x, w, _, y = sample(rows=2000, dtype=dtype)
    loss = sy.LinearCrossEntropy(reduction="sum")
    value, d_x, d_w = gradients(loss(x, w, y), x, w)
    assert value.dtype == torch.float32
    assert (d_x.dtype, d_w.dtype) == (dtype, dtype)
    X, W = x.detach().float().requires_grad_(), w.detach().float().requires_grad_()
    exact = gradients(sy.CrossEntropy(reduction="sum")(X @ W.T, y), X, W)
    torch.testing.assert_close(value, exact[0], rtol=1e-2, atol=0)
    assert (d_w.float() - exact[2]).abs().max() < 0.02 * exact[2].abs().max()


def test_autocast_narrows_the_products():
    x, w, b, y = sample()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = gradients(sy.LinearCrossEntropy()(x, w, y, linear_bias=b), x, w, b)
        expected = gradients(sy.CrossEntropy()(F.linear(x, w, b), y), x, w, b)
    for a, e in zip(found, expected, strict=True):
        assert a.dtype == e.dtype == torch.float32
        torch.testing.assert_close(a, e, rtol=2e-2, atol=2e-3)


def test_learned_numbers_get_their_gradient():
    x, w, b, y = sample()
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))
    sy.LinearCrossEntropy(sy.Recipe(weight=weight))(x, w, y, linear_bias=b).backward()
    found, weight.grad = weight.grad, None
    sy.CrossEntropy(sy.Recipe(weight=weight))(F.linear(x, w, b), y).backward()
    torch.testing.assert_close(found, weight.grad)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"linear_weight": torch.zeros(H, 3)}, r"linear_weight must be \[C, H\] for an input \[..., H\], got \[5, 3\] and \[23, 5\]"),
        ({"linear_bias": torch.zeros(4)}, r"linear_bias must be \[3\], got \[4\]"),
        ({"target": torch.zeros(22, dtype=torch.long)}, r"labels must have the shape \[23\], got \[22\]"),
        ({"target": torch.zeros(23)}, r"probabilities must have the shape \[23, 3\], got \[23\]"),
        ({"weight": torch.zeros(3)}, r"weight \[3\] does not fit"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit(change, said):
    x, w, b, y = sample()
    arguments = {"input": x, "linear_weight": w, "target": y, "linear_bias": b, **change}
    with pytest.raises(ValueError, match=f"LinearCrossEntropy: {said}"):
        sy.LinearCrossEntropy()(**arguments)
    with pytest.raises(ValueError, match="target has label 3 but the logits have 3 classes"):
        sy.LinearCrossEntropy()(x, w, torch.full_like(y, 3))
    with pytest.raises(ValueError, match="the recipe is for 4 classes but linear_weight has 3 rows"):
        sy.LinearCrossEntropy(sy.Recipe(weight=[1.0] * 4))(x, w, y)
    with pytest.raises(ValueError, match='reduction must be "mean" or "sum"'):
        sy.LinearCrossEntropy(reduction="none")
