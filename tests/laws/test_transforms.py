"""Every loss under torch's other ways to differentiate: forward mode, torch.func, double backward, batches of gradients.

Files: ops/watched.py.
"""

import functools

import pytest
import torch
import torch.autograd.forward_ad as fwd
from torch import nn

import steelyard as sy
from steelyard.beyond import quality_focal
from steelyard.losses.sum import UncertainSum

Y = torch.tensor([0, 2, 1, -100, 2])
YES = torch.tensor([[1, 0, 1], [0, 0, 1], [-100, 1, 0], [1, 1, 1], [0, 1, 0]])
SHARE = torch.tensor([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4], [0.0, 0.9, 0.1]])
W, S = torch.tensor([0.5, 1.0, 3.0]), torch.tensor([1.0, 0.5, 2.0, 1.0, 0.0])


def ours(kind, recipe=None, target=Y, weight=None, **options):
    def make(dtype):
        loss, t = kind(recipe, **options), target.to(dtype) if target.is_floating_point() else target
        return lambda z: loss(z, t, weight=None if weight is None else weight.to(dtype))

    return make


def theirs(kind, target, options):
    def make(dtype):
        t = target.to(dtype) if target.is_floating_point() else target
        return kind(**{k: v.to(dtype) if isinstance(v, torch.Tensor) else v for k, v in options.items()}), t

    return make


def called(made):
    loss, target = made
    return lambda z: loss(z, target)


DROP_INS = {
    "cross-entropy": ("CrossEntropyLoss", Y, {}),
    "cross-entropy-weighted": ("CrossEntropyLoss", Y, {"weight": W, "label_smoothing": 0.1}),
    "cross-entropy-soft": ("CrossEntropyLoss", SHARE, {"weight": W}),
    "cross-entropy-sum": ("CrossEntropyLoss", Y, {"reduction": "sum"}),
    "cross-entropy-none": ("CrossEntropyLoss", Y, {"weight": W, "reduction": "none"}),
    "bce": ("BCEWithLogitsLoss", SHARE, {}),
    "bce-weighted": ("BCEWithLogitsLoss", SHARE, {"weight": W, "pos_weight": 2 * W}),
    "bce-none": ("BCEWithLogitsLoss", SHARE, {"pos_weight": W, "reduction": "none"}),
}


def linear(dtype):
    loss, x = sy.LinearCrossEntropy(sy.focal(gamma=2.0)), torch.linspace(-1, 1, 10, dtype=dtype).reshape(5, 2)
    return lambda matrix: loss(x, matrix[:3, :2] + 0 * matrix.sum(), Y)


def summed(kind):
    def make(dtype):
        loss = kind(ce=sy.CrossEntropy(sy.focal(gamma=1.5)), size=lambda z, y: z.square().mean()).to(dtype)
        return lambda z: loss(z, Y)

    return make


RULES = {
    "deferred": lambda: sy.adaptive.Deferred(sy.Recipe(), sy.Recipe(weight=W.tolist()), after_epoch=0),
    "learned": lambda: sy.adaptive.Learned(sy.Counts([60, 30, 10])),
    "uncertainty": lambda: sy.adaptive.Uncertainty(sy.Counts([60, 30, 10])),
    "seesaw": lambda: sy.adaptive.Seesaw(sy.Counts([60, 30, 10])),
}


def ruled(name):
    def make(dtype):
        loss = sy.CrossEntropy(RULES[name]())
        loss.advance(epoch=1, step=1)
        loss.eval()  # what learns from a call refuses these
        return lambda z: loss(z, Y)

    return make


CE, BCE = sy.CrossEntropy, sy.BinaryCrossEntropy
LOSSES = {
    "plain": ours(CE),
    "focal-none": ours(CE, sy.focal(gamma=2.0), reduction="none"),
    "weighted-call": ours(CE, sy.Recipe(weight=W.tolist(), norm="mass"), weight=S),
    "smooth": ours(CE, sy.Recipe(weight=W.tolist(), target=0.1)),
    "soft": ours(CE, sy.Recipe(curve=sy.curves.GCE()), SHARE),
    "adjusted": ours(CE, sy.Recipe(offset=[[0.3, -1.0, 0.5]], margin=[0.1, 0.2, 0.3], scale=[[1.0, 2.0, 0.5]])),
    "binary": ours(BCE, target=YES),
    "binary-asymmetric": ours(BCE, sy.asymmetric(), YES, reduction="sum"),
    "binary-soft": ours(BCE, sy.Recipe(scale=[1.0, 0.5], offset=[0.2, -0.1], curve=sy.curves.Focal(1.5)), SHARE),
    "binary-weighted-call": ours(BCE, sy.focal(gamma=2.0), YES, weight=S, reduction="none"),
    "quality-focal": lambda dtype: lambda z: quality_focal(z, SHARE.to(dtype)),
    "linear": linear,
    "sum": summed(sy.Sum),
    "uncertain-sum": summed(UncertainSum),
    **{f"rule-{name}": ruled(name) for name in RULES},
    **{n: lambda dtype, c=c: called(theirs(getattr(sy, c[0]), *c[1:])(dtype)) for n, c in DROP_INS.items()},
}


@functools.cache
def logits(dtype):
    random = torch.Generator().manual_seed(0)
    return torch.randn(5, 3, generator=random, dtype=torch.float64).to(dtype), torch.randn(
        5, 3, generator=random, dtype=torch.float64
    ).to(dtype)


def jacobian(f, z):
    """Row by row, by plain backward passes."""
    x = z.clone().requires_grad_()
    out = f(x).reshape(-1)
    rows = [torch.autograd.grad(one, x, retain_graph=True)[0] for one in out]
    return torch.stack(rows).reshape(*f(z).shape, *z.shape)


def hessian(f, z):
    """Row by row, by plain double backward."""
    x = z.clone().requires_grad_()
    first = torch.autograd.grad(f(x).sum(), x, create_graph=True)[0].reshape(-1)
    rows = [torch.autograd.grad(one, x, retain_graph=True, materialize_grads=True)[0] for one in first]
    return torch.stack(rows).reshape(*z.shape, *z.shape)


@pytest.fixture(params=[torch.float64, torch.float32], ids=str)
def case(request, name):
    if name == "linear" and request.param == torch.float64:
        pytest.skip("takes float32 and narrower")
    return LOSSES[name](request.param), *logits(request.param)


# the tangent of a number times a scalar is float64 in torch, whatever the scalar is
close = functools.partial(torch.testing.assert_close, rtol=2e-4, atol=2e-6, check_dtype=False)


@pytest.mark.parametrize("name", LOSSES)
def test_forward_mode_is_the_jacobian_times_a_direction(case):
    f, z, v = case
    rows = jacobian(f, z)
    expected = (rows * v).sum((-1, -2))
    value, along = torch.func.jvp(f, (z,), (v,))
    close(value, f(z))
    close(along, expected)
    with fwd.dual_level():
        close(fwd.unpack_dual(f(fwd.make_dual(z, v))).tangent, expected)
    close(torch.autograd.functional.jvp(f, z, v)[1], expected)
    close(torch.func.jacfwd(f)(z), rows)
    close(torch.func.jacrev(f)(z), rows)
    close(torch.autograd.functional.jacobian(f, z, vectorize=True), rows)
    close(torch.autograd.functional.jacobian(f, z, vectorize=True, strategy="forward-mode"), rows)


@pytest.mark.parametrize("name", LOSSES)
def test_second_derivatives_in_every_mode_are_those_of_double_backward(case):
    f, z, v = case

    def total(x):
        return f(x).sum()

    expected = hessian(f, z)
    close(torch.func.hessian(total)(z), expected)
    close(torch.func.jacrev(torch.func.jacrev(total))(z), expected)
    close(torch.func.jacfwd(torch.func.jacfwd(total))(z), expected)
    for strategy in ("reverse-mode", "forward-mode"):
        close(torch.autograd.functional.hessian(total, z, vectorize=True, outer_jacobian_strategy=strategy), expected)
    close(torch.autograd.functional.hvp(total, z, v)[1], (expected * v).sum((-1, -2)))
    close(torch.func.jvp(torch.func.grad(total), (z,), (v,))[1], (expected * v).sum((-1, -2)))


@pytest.mark.parametrize("name", LOSSES)
def test_many_at_once_are_one_after_the_other(case):
    f, z, v = case
    several = torch.stack([z, v, z - v])
    close(torch.func.vmap(f)(several), torch.stack([f(x) for x in several]))
    gradient = torch.func.grad(lambda x: f(x).sum())
    close(torch.func.vmap(gradient)(several), torch.stack([gradient(x) for x in several]))


@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_of_gradients_and_one_with_a_tangent_may_come_back(case):
    f, z, _ = case
    rows = jacobian(f, z)
    x = z.clone().requires_grad_()
    out = f(x)
    random = torch.Generator().manual_seed(1)
    upstream = torch.randn((4, *out.shape), generator=random, dtype=z.dtype).to(out.dtype)
    expected = torch.tensordot(upstream, rows.to(out.dtype), dims=out.dim())
    close(torch.autograd.grad(out, x, upstream, is_grads_batched=True, retain_graph=True)[0], expected.to(z.dtype))
    with fwd.dual_level():
        dual = fwd.make_dual(upstream[0], upstream[1])
        found = fwd.unpack_dual(torch.autograd.grad(out, x, dual)[0])
        close(found.primal, expected[0].to(z.dtype))
        close(found.tangent, expected[1].to(z.dtype))


@pytest.mark.parametrize("name", DROP_INS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_the_drop_ins_have_torchs_numbers_in_every_mode(name, dtype):
    kind, target, options = DROP_INS[name]
    mine, torchs = (called(theirs(getattr(m, kind), target, options)(dtype)) for m in (sy, nn))
    z, v = logits(dtype)
    for found, expected in zip(torch.func.jvp(mine, (z,), (v,)), torch.func.jvp(torchs, (z,), (v,)), strict=True):
        torch.testing.assert_close(found, expected)
    for way in (torch.func.jacrev, torch.func.jacfwd, lambda f: torch.func.hessian(lambda x: f(x).sum())):
        torch.testing.assert_close(way(mine)(z), way(torchs)(z))


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_forward_mode_reaches_weights_probabilities_and_tables(link):
    function = sy.cross_entropy if link == "softmax" else sy.binary_cross_entropy
    z, v = logits(torch.float64)
    s, w = S.double(), torch.tensor([0.5, 1.0, 3.0] if link == "softmax" else [0.5, 3.0], dtype=torch.float64)

    def given(z, t, s):
        return function(z, t, sy.Recipe(curve=sy.curves.Focal(2.0)), weight=s)

    points = z, SHARE.double(), s
    steps = v, 0.1 * v, torch.linspace(-1, 1, 5, dtype=torch.float64)
    expected = sum((g * d).sum() for g, d in zip(torch.func.grad(given, (0, 1, 2))(*points), steps, strict=True))
    torch.testing.assert_close(torch.func.jvp(given, points, steps)[1], expected)
    module = (sy.CrossEntropy if link == "softmax" else sy.BinaryCrossEntropy)(sy.Recipe(weight=nn.Parameter(w)))
    ((key, _),) = module.named_parameters()

    def learned(w):
        return torch.func.functional_call(module, {key: w}, points[:2], {"weight": s})

    found = torch.func.jvp(learned, (w,), (torch.ones_like(w),))[1]
    torch.testing.assert_close(found, torch.func.grad(learned)(w).sum())


def test_linear_cross_entropy_gives_what_one_pass_does_not():
    """Gradients to call weights and probabilities, and a graph of gradients: those of all logits."""
    random = torch.Generator().manual_seed(0)
    x, matrix = (torch.randn(shape, generator=random, requires_grad=True) for shape in ((5, 4), (3, 4)))
    t, s = SHARE.clone().requires_grad_(), S.clone().requires_grad_()
    loss, plain = sy.LinearCrossEntropy(sy.focal(gamma=2.0)), sy.CrossEntropy(sy.focal(gamma=2.0))
    found = torch.autograd.grad(loss(x, matrix, t, weight=s), (x, matrix, t, s), create_graph=True)
    expected = torch.autograd.grad(plain(x @ matrix.t(), t, weight=s), (x, matrix, t, s), create_graph=True)
    for f, e in zip(found, expected, strict=True):
        close(f, e)
    again = torch.autograd.grad(sum(f.square().sum() for f in found[:2]), (x, matrix))
    for f, e in zip(again, torch.autograd.grad(sum(e.square().sum() for e in expected[:2]), (x, matrix)), strict=True):
        close(f, e)
    value = loss(x, matrix, Y)
    first = torch.autograd.grad(value, (x, matrix), retain_graph=True)
    second = torch.autograd.grad(value, (x, matrix))
    for f, e in zip(first, second, strict=True):
        close(f, e)


@pytest.mark.parametrize("name", RULES)
def test_in_training_too_a_rule_keeps_nothing_that_is_no_number_outside(name):
    loss = sy.CrossEntropy(RULES[name]())
    loss.advance(epoch=1, step=1)
    z, v = logits(torch.float32)
    if name in ("seesaw", "learned"):
        before = {key: value.clone() for key, value in loss.state_dict().items()}
        with pytest.raises(RuntimeError, match=r"loss\.eval\(\)"):
            torch.func.grad(lambda x: loss(x, Y))(z)
        torch.testing.assert_close(loss.state_dict(), before, equal_nan=True)
    else:
        x = z.clone().requires_grad_()
        expected = torch.autograd.grad(loss(x, Y), x)[0]
        close(torch.func.grad(lambda x: loss(x, Y))(z), expected)
        torch.func.hessian(lambda x: loss(x, Y))(z)
    with fwd.dual_level():  # of which the rule sees the numbers alone
        loss(fwd.make_dual(z, v), Y)
    loss(z, Y)
    assert str(loss.rule.history())  # numbers all of them
    assert str(loss.state_dict())
