"""Where logits end: infinities, the largest numbers of every dtype, and classes that tie or nearly do. Every backend has the limit.

A gradient at infinity is that at 1e4, where every probability is 0 or 1 in float64 already, and which tests/laws/test_extremes.py
holds against mpmath. The one limit that does not exist is that of a softmax over +inf: its row is NaN, as in torch, and no other.
"""

import math

import mpmath as mp
import pytest
import torch

import steelyard as sy
from steelyard import curves
from steelyard.ops import BACKENDS, bind, native

from .test_extremes import EXACT, penalty

INF = math.inf
DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
# what stands for a logit, as a share of the dtype's largest number, and where it is certain in float64
CERTAIN = {-INF: -2e4, -1.0: -1e4, -0.5: -5e3, 0.0: 0.0, 0.25: 2.5e3, 0.5: 5e3, 1.0: 1e4}
ROWS = [
    [1.0, 0.0, 0.0], [0.0, 1.0, -1.0], [-1.0, -1.0, 0.0], [0.5, 1.0, -0.5], [-INF, 0.0, 0.0], [0.0, -INF, -INF], [-INF, -1.0, 0.5],
]  # fmt: skip
TIED = [
    [1.0, 1.0, 0.0],
    [-1.0, -1.0, -1.0],
    [1.0, 1.0, 1.0],
    [-INF, 0.25, 0.25],
]  # next to which an offset is rounded away


def backends(dtype: torch.dtype) -> list[str]:
    own = native.available() and dtype != torch.float64
    return ["reference", "eager", *(["native"] if own else [])]


def shares(subject) -> torch.Tensor:
    moved = any(getattr(subject.recipe, f) is not None for f in ("scale", "offset", "margin"))
    left = [row for row in ROWS if subject.name != "classes-removed" or row.count(-INF) < 2]  # none would be left
    rows = left + ([[INF, 0.0, -1.0], [INF, INF, 1.0]] if subject.link == "sigmoid" else [] if moved else TIED)
    return torch.tensor(rows, dtype=torch.float64)


def targets(subject, rows: int) -> list[torch.Tensor]:
    if subject.link == "softmax":
        found = [torch.full((rows,), y) for y in range(3)]
    else:
        found = [torch.full((rows, 3), y) for y in range(2)]
    return (
        found
        if subject.bound.label_dependent and subject.link == "softmax"
        else [*found, torch.tensor([0.5, 0.25, 0.25]).expand(rows, 3)]
    )


def outputs(backend, logits, target, bound):
    x = logits.clone().requires_grad_()
    found = BACKENDS[backend](x, target, bound, None, -100)
    upstream = torch.full_like(found.loss, 0.7)
    gradient = torch.autograd.grad(found.loss, x, upstream, retain_graph=True)[0]
    through = torch.autograd.grad(found.lse, x, upstream)[0]
    return {"loss": found.loss.detach(), "lse": found.lse.detach(), "gradient": gradient, "through lse": through}


def layouts(logits, target):
    """(logits, target, how to bring gradients back): rows, columns, planes, and a view with gaps."""
    wide = target.dim() > 1
    yield logits, target, lambda g: g
    columns = logits.t().contiguous().t()
    yield columns, target, lambda g: g
    n = len(logits)
    planes = logits.t().unsqueeze(0).contiguous()
    yield (
        planes,
        (target.t().unsqueeze(0) if wide else target.unsqueeze(0)),
        lambda g: g[0].t() if g.dim() == 3 else g.reshape(n),
    )
    gaps = torch.stack([logits, torch.zeros_like(logits)], dim=-1)[..., 0]
    yield gaps, target, lambda g: g


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_backend_has_the_limit_at_infinity_and_at_the_largest_numbers(subject, dtype):
    share = shares(subject)
    scaled = subject.recipe.scale is not None
    largest = torch.finfo(dtype).max / (4 if scaled else 1)  # beyond it a scale is an overflow, and that is infinity
    logits = torch.where(share.isinf() | (share == 0), share, share * largest).to(dtype)
    certain = share.clone().apply_(lambda x: CERTAIN.get(x, 2e4))
    for target in targets(subject, len(share)):
        soft = target.double() if target.is_floating_point() else target
        limit = outputs("reference", certain, soft, subject.bound)
        assert all(v.isfinite().all() for v in limit.values())
        for backend in backends(dtype):
            call = layouts(logits, target.to(dtype) if target.is_floating_point() else target)
            for x, y, back in call if dtype == torch.float32 else [next(call)]:
                found = {k: back(v).double() for k, v in outputs(backend, x, y, subject.bound).items()}
                for name in ("gradient", "through lse"):
                    torch.testing.assert_close(
                        found[name], limit[name], rtol=2e-2 if dtype.itemsize < 4 else 2e-5, atol=2e-6,
                        msg=lambda m, b=backend, k=name: f"{b}, {k}: {m}",
                    )  # fmt: skip
                assert not found["loss"].isnan().any(), backend
                small = limit["loss"] < 50  # of bounded curves, and where the answer is right
                torch.testing.assert_close(
                    found["loss"][small], limit["loss"][small], rtol=2e-2 if dtype.itemsize < 4 else 1e-5, atol=1e-6
                )
                assert (found["loss"][~small] >= largest / 100).all(), backend


@pytest.mark.parametrize("curve", EXACT, ids=repr)
@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_second_derivatives_have_limits_too(link, curve):
    """At infinity all of them are 0: nothing moves any more, or it moves along a line."""
    if link not in curves.links(curve):
        return
    bound = bind(sy.Recipe(curve=curve), link)
    for dtype in (torch.float32, torch.float64):
        most = torch.finfo(dtype).max
        rows = [[most, 0.0], [-most, 0.0], [-INF, 0.0], *([] if link == "softmax" else [[INF, 0.0]])]
        for y in (0, 1):
            target = torch.full((len(rows),) if link == "softmax" else (len(rows), 2), y)
            for backend in ("reference", "eager"):
                z = torch.tensor(rows, dtype=dtype, requires_grad=True)
                loss = BACKENDS[backend](z, target, bound, None, -100).loss.sum()
                first = torch.autograd.grad(loss, z, create_graph=True)[0]
                second = torch.autograd.grad(first[:, 0].sum(), z, materialize_grads=True)[0]
                assert (second[:, 0] == 0).all(), backend
                assert second.isfinite().all(), backend


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_row_with_plus_infinity_is_nan_under_softmax_and_no_other_row_is(dtype):
    z = torch.tensor([[INF, 0.0], [1.0, 0.0], [INF, INF], [-INF, -INF]], dtype=dtype)
    for target in (torch.tensor([0, 1, 1, 0]), torch.full((4, 2), 0.5, dtype=dtype)):
        theirs = torch.nn.functional.cross_entropy(z, target, reduction="none")
        for backend in backends(dtype):
            found = outputs(backend, z, target, bind(sy.Recipe(), "softmax"))
            for name, values in found.items():
                torch.testing.assert_close(
                    values.isnan().reshape(4, -1).any(1), theirs.isnan(), msg=f"{backend}, {name}"
                )


NEAR = [0.0, 1e-17, 7.5e-9, -7.5e-9, 1e-7, 3e-5]
OFFSETS = [0.0, 0.1, -1.0, 300.0, -1e4, 6e4]


def tied(dtype: torch.dtype) -> torch.Tensor:
    """Rows of four: two, three or all classes within a hair of one another, at any height."""
    rows = [[at, at + near, at - gap, at - gap - near] for at in OFFSETS for near in NEAR for gap in (0.0, 3.0)]
    return torch.tensor(rows, dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("curve", [c for c in EXACT if "softmax" in curves.links(c)], ids=repr)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_classes_that_tie_or_nearly_do(curve, dtype):
    z = tied(dtype)
    exact = [row_at_many_digits(curve, row, 1) for row in z.tolist()]
    loss, gradient, p = (torch.tensor([row[i] for row in exact], dtype=torch.float64) for i in range(3))
    tolerance = 1e-13 if dtype == torch.float64 else 2e-6
    rounding = {torch.bfloat16: 2**-8}.get(dtype, 0.0)
    bound = bind(sy.Recipe(curve=curve), "softmax")
    for backend in backends(dtype):
        for x, y, back in layouts(z, torch.ones(len(z), dtype=torch.int64)):
            found = {k: back(v).double() for k, v in outputs(backend, x, y, bound).items()}
            for name, should in (("loss", loss), ("gradient", 0.7 * gradient), ("through lse", 0.7 * p)):
                off = (found[name] - should).abs()
                assert (off <= tolerance + (rounding if name != "loss" else 0) * should.abs()).all(), (
                    backend,
                    name,
                    off.max(),
                )


def row_at_many_digits(curve, row: list[float], label: int) -> tuple[float, list[float], list[float]]:
    """(loss, its gradient, probabilities) of hard label `label`."""
    with mp.workdps(60):

        def loss(u):
            e = [mp.exp(x - max(u)) for x in u]
            p = e[label] / mp.fsum(e)
            return penalty(curve, 1, mp.log(p), p, 1 - p)

        u, h = [mp.mpf(x) for x in row], mp.mpf(10) ** -20
        ahead = [[x + h * (i == c) for i, x in enumerate(u)] for c in range(len(u))]
        behind = [[x - h * (i == c) for i, x in enumerate(u)] for c in range(len(u))]
        gradient = [float((loss(up) - loss(down)) / (2 * h)) for up, down in zip(ahead, behind, strict=True)]
        e = [mp.exp(x - max(u)) for x in u]
        return float(loss(u)), gradient, [float(x / mp.fsum(e)) for x in e]


def test_the_z_loss_of_a_near_tie():
    """The gradient of lse is the softmax, here one half each."""
    z = torch.tensor([[0.1, 0.1 + 7.5e-9]], dtype=torch.float64, requires_grad=True)
    for make in (
        lambda: sy.CrossEntropy(),
        lambda: sy.CrossEntropy(sy.Recipe(weight=torch.nn.Parameter(torch.ones(2)))),
    ):
        lse = make().terms(z, torch.tensor([0])).lse
        torch.testing.assert_close(torch.autograd.grad(lse.sum(), z)[0], z.detach().softmax(1), rtol=1e-14, atol=0)


@pytest.mark.parametrize("shape", [(64, 90), (16, 1000), (4, 32000), (4, 300, 20), (2, 3000, 8)], ids=str)
@pytest.mark.parametrize("name", ["plain", "weight", "smooth", "focal"])
def test_sums_over_many_classes_are_as_good_as_plain_ones(shape, name):
    """Mass, loss, lse and gradient within twice the error of torch's own sums, and rounding."""
    random = torch.Generator().manual_seed(0)
    z = 3 * torch.randn(shape, generator=random)
    t = (2 * torch.randn(shape, generator=random)).softmax(1)
    weight = (0.1 + 3 * torch.rand(shape[1], generator=random)).tolist()
    recipe = {
        "plain": sy.Recipe(),
        "weight": sy.Recipe(weight=weight),
        "smooth": sy.Recipe(target=0.1),
        "focal": sy.Recipe(target=0.1, curve=curves.Focal(2.0)),
    }[name]
    bound = bind(recipe, "softmax")
    for target in (t, t.argmax(1)):
        soft = target.is_floating_point()
        exact = everything("reference", z.double(), target.double() if soft else target, bound)
        plain = everything("reference", z, target, bound)
        for backend in backends(torch.float32):
            found = everything(backend, z, target, bound)
            for field, should in exact.items():
                size = should.abs() if field != "gradient" else 10 * should.abs().max().clamp(min=1)  # p = exp(log p)
                rounding = 2e-7 * size
                allowed = 2 * (plain[field] - should).abs().max() + rounding
                off = (found[field] - should).abs()
                assert (off <= allowed).all(), f"{backend}, {field}: {off.max():.2g}, soft {soft}"


def everything(backend, logits, target, bound):
    mass = BACKENDS[backend](logits, target, bound, None, -100).mass
    found = outputs(backend, logits, target, bound)
    return {"mass": mass, **{k: v for k, v in found.items() if k != "through lse"}}
