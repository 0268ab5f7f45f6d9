"""Finite at extreme logits, exact where probabilities underflow: against mpmath, and against known failures of others."""

import mpmath as mp
import pytest
import torch

import steelyard as sy
from steelyard import curves

POINTS = [-1e4, -89.0, -30.0, -3.0, 0.0, 0.5, 16.6, 30.0, 89.0, 1e4]


@pytest.mark.parametrize(
    ("dtype", "size"),
    [(torch.float32, 1e4), (torch.float64, 1e4), (torch.bfloat16, 1e3), (torch.float16, 1e3), (torch.float32, 88.0)],
    ids=str,
)
def test_value_and_gradient_are_finite_at_extreme_logits(subject, dtype, size):
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 0.0, 1.0])] * 3)
    logits = (size * signs).to(dtype)
    targets = [torch.full((27,), y) for y in range(3)] if subject.link == "softmax" else []
    targets += [torch.full((27, 3), y) for y in range(2)] if subject.link == "sigmoid" else []
    if not subject.bound.label_dependent:
        targets.append(torch.full((27, 3), 1 / 3, dtype=dtype))
    for target in targets:
        z = logits.clone().requires_grad_()
        loss = subject.loss()(z, target)
        gradient = torch.autograd.grad(loss, z)[0]
        assert loss.isfinite()
        assert gradient.isfinite().all()


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
@pytest.mark.parametrize("gamma", [0.3, 0.5, 1.0, 2.0])
def test_second_derivatives_of_focal_are_finite_at_extreme_logits(link, gamma):
    loss = (sy.CrossEntropy if link == "softmax" else sy.BinaryCrossEntropy)(sy.focal(gamma=gamma), reduction="sum")
    z = torch.tensor([[1e4, 0.0], [-100.0, 100.0], [0.0, 0.0]], requires_grad=True)
    target = torch.tensor([0, 0, 1]) if link == "softmax" else torch.tensor([[1, 0], [1, 0], [0, 1]])
    first = torch.autograd.grad(loss(z, target), z, create_graph=True)[0]
    assert torch.autograd.grad(first.square().sum(), z)[0].isfinite().all()


def penalty(curve, label: int, logp, p, q):
    """g(log p) as the papers print it, in mpmath; `label` tells the sides of a curve apart."""
    match curve:
        case curves.Log():
            return -logp
        case curves.Focal(gamma):
            return -(q ** mp.mpf(gamma)) * logp
        case curves.Asymmetric(pos, neg, clip):
            if label:
                return -(q ** mp.mpf(pos)) * logp
            m = max(q - mp.mpf(clip), 0)
            return -(m ** mp.mpf(neg)) * mp.log(p + mp.mpf(clip)) if m else mp.mpf(0)
        case curves.Poly(epsilon):
            return -logp + epsilon * q
        case curves.GCE(power):
            return -mp.expm1(mp.mpf(power) * logp) / mp.mpf(power)
        case curves.Symmetric(alpha, beta, floor):
            return -mp.mpf(alpha) * logp - beta * floor * q
        case curves.Square():
            return q**2
    raise AssertionError(curve)


def exact(curve, label: int):
    """l(z) of one yes-or-no logit, written with 1 - p and log p that do not cancel."""

    def sigma(x):
        return 1 / (1 + mp.exp(-x))

    def loss(z):
        u = z if label else -z
        return penalty(curve, label, -mp.log1p(mp.exp(-u)), sigma(u), sigma(-u))

    return loss


def at_many_digits(function, points: list[float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Values and slopes; the difference quotient is good to 1e-95."""
    with mp.workdps(150):
        h, exactly = mp.mpf(10) ** -50, [mp.mpf(x) for x in points]
        values = [float(function(x)) for x in exactly]
        slopes = [float((function(x + h) - function(x - h)) / (2 * h)) for x in exactly]
    return torch.tensor(values, dtype=torch.float64), torch.tensor(slopes, dtype=torch.float64)


EXACT = [
    curves.Log(),
    curves.Focal(2.0),
    curves.Focal(0.5),
    curves.Focal(0.3),
    curves.Asymmetric(0.0, 4.0, 0.05),
    curves.Asymmetric(1.0, 4.0, 0.0),
    curves.Poly(1.0),
    curves.Poly(-1.0),
    curves.GCE(0.7),
    curves.Symmetric(),
    curves.Square(),
]


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("curve", EXACT, ids=repr)
def test_sigmoid_values_and_gradients_are_mpmaths(curve, label):
    loss = sy.BinaryCrossEntropy(sy.Recipe(curve=curve), reduction="none")
    for dtype, rtol in ((torch.float64, 1e-11), (torch.float32, 3e-5)):
        z = torch.tensor(POINTS, dtype=dtype, requires_grad=True)
        value = loss(z, torch.full((len(POINTS),), label))
        gradient = torch.autograd.grad(value.sum(), z)[0]
        expected, slope = at_many_digits(exact(curve, label), z.tolist())
        tiny = 10 * torch.finfo(dtype).tiny
        # -log p - q is a difference by definition
        cancels = torch.finfo(dtype).eps if curve == curves.Poly(-1.0) else tiny
        torch.testing.assert_close(value.detach().double(), expected, rtol=rtol, atol=cancels)
        torch.testing.assert_close(gradient.double(), slope, rtol=rtol, atol=max(tiny, 1e-95))


@pytest.mark.parametrize("curve", [c for c in EXACT if "softmax" in curves.links(c)], ids=repr)
def test_softmax_values_and_gradients_are_mpmaths(curve):
    """Two classes, where softmax is the sigmoid of the difference."""
    loss = sy.CrossEntropy(sy.Recipe(curve=curve), reduction="none")
    z = torch.tensor([[0.0, x] for x in POINTS], dtype=torch.float64, requires_grad=True)
    value = loss(z, torch.ones(len(POINTS), dtype=torch.int64))
    gradient = torch.autograd.grad(value.sum(), z)[0]
    expected, slope = at_many_digits(exact(curve, 1), POINTS)
    cancels = 1e-16 if curve == curves.Poly(-1.0) else 1e-300
    torch.testing.assert_close(value.detach(), expected, rtol=1e-11, atol=cancels)
    torch.testing.assert_close(gradient[:, 1], slope, rtol=1e-11, atol=1e-95)
    torch.testing.assert_close(gradient[:, 0], -gradient[:, 1], rtol=1e-11, atol=1e-300)


def test_the_worst_mistake_has_a_loss():
    """log(1 + exp(-x)) overflows in float32 at z = -89, and programs built on it return 0 there."""
    loss = sy.BinaryCrossEntropy(sy.focal(gamma=2.0), reduction="none")
    assert loss(torch.tensor([-89.0]), torch.tensor([1])).item() == pytest.approx(89.0, rel=1e-6)


def test_a_hard_positive_keeps_its_gradient():
    """A clamp of p at 1e-8 makes the gradient exactly 0 at z = -30."""
    z = torch.tensor([-30.0], requires_grad=True)
    sy.BinaryCrossEntropy(sy.asymmetric(gamma_pos=0.0), reduction="sum")(z, torch.tensor([1])).backward()
    assert z.grad.item() == pytest.approx(-1.0, rel=1e-6)


def test_a_confident_row_keeps_its_gradient():
    """1 - softmax is 0 in float32 once p rounds to 1; the exact value is exp(-30)."""
    z = torch.tensor([[30.0, 0.0]], requires_grad=True)
    sy.CrossEntropy()(z, torch.tensor([0])).backward()
    assert z.grad[0, 0].item() == pytest.approx(-9.357623e-14, rel=1e-5)
    assert z.grad[0, 1].item() == pytest.approx(9.357623e-14, rel=1e-5)


def test_removed_classes_have_no_loss_and_no_gradient():
    for curve in (None, curves.Focal(2.0), curves.Focal(0.5), curves.GCE(), curves.Symmetric()):
        recipe = sy.Recipe(offset=[[0.0, float("-inf"), 0.0]], curve=curve)
        z = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
        target = torch.tensor([0, 2, 0, 2])
        two = z.detach()[:, [0, 2]].requires_grad_()
        sy.CrossEntropy(recipe)(z, target).backward()
        sy.CrossEntropy(sy.Recipe(curve=curve))(two, target // 2).backward()
        assert (z.grad[:, 1] == 0).all()
        torch.testing.assert_close(z.grad[:, [0, 2]], two.grad)


@pytest.mark.parametrize("backend", ["eager", "reference"])
@pytest.mark.parametrize("curve", [None, curves.Focal(2.0), curves.Focal(0.5), curves.GCE()], ids=repr)
def test_what_is_masked_with_minus_infinity_may_be_asked_for_with_probability_0(curve, backend):
    from steelyard.ops import BACKENDS, bind

    z = torch.tensor([[0.3, -0.2, float("-inf")]], dtype=torch.float64, requires_grad=True)
    t = torch.tensor([[0.25, 0.75, 0.0]], dtype=torch.float64)
    loss = BACKENDS[backend](z, t, bind(sy.Recipe(curve=curve), "softmax"), None, -100).loss.sum()
    gradient = torch.autograd.grad(loss, z)[0]
    two = z.detach()[:, :2].requires_grad_()
    expected = sy.CrossEntropy(sy.Recipe(curve=curve))(two, t[:, :2])
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(gradient[:, :2], torch.autograd.grad(expected, two)[0])
    assert gradient[0, 2] == 0


def test_an_ignored_label_that_stands_for_a_removed_class_leaves_no_trace():
    recipe = sy.Recipe(offset=[[float("-inf"), 0.0, 0.0]])  # class 0 is void, and so is its label
    z = torch.randn(4, 3, requires_grad=True)
    loss = sy.CrossEntropy(recipe, ignore_index=0)(z, torch.tensor([0, 1, 2, 0]))
    loss.backward()
    assert loss.isfinite()
    assert (z.grad[[0, 3]] == 0).all()
    assert z.grad.isfinite().all()
