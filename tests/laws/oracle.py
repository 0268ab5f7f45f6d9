"""A fused backend beside the reference: unreduced and reduced, values and gradients."""

import torch

from steelyard.losses.reduction import reduce
from steelyard.ops import fused, reference

EPS = {torch.float32: 2e-6, torch.bfloat16: 2**-8, torch.float16: 2**-10}


def sample(shape, dtype, seed=0):
    """Logits and labels of a softmax; one label in seven is ignored."""
    random = torch.Generator().manual_seed(seed)
    z = (torch.randn(shape, generator=random) * 4).to(dtype)
    y = torch.randint(0, shape[1], shape[:1] + shape[2:], generator=random)
    y.view(-1)[:: max(2, y.numel() // 7)] = -100
    return z, y


def same(kernels, z, target, bound, weight=None, norm="mass", ways=lambda: ("",)):
    """No further from float64 than twice what the reference is, and rounding; in each of the ways that the kernels go."""
    assert not kernels.refusal(z, target, bound, weight)
    wide = target.double() if target.is_floating_point() else target
    exact = outputs(None, z.double(), wide, bound, weight, norm)
    plain = outputs(None, z, target, bound, weight, norm)
    for way in ways():
        found = outputs(kernels, z, target, bound, weight, norm)
        for name, should in exact.items():
            is_, was = found[name], plain[name]
            assert is_.dtype == was.dtype, name
            eps = EPS[z.dtype if name.startswith("gradient") else torch.float32]
            own = (was - should).abs().max()
            allowed = 2 * own + 4 * eps * should.abs().clamp(min=1)
            off = (is_ - should).abs()
            assert (off <= allowed).all(), f"{way} {name}: {off.max()}, reference {own}"


def outputs(kernels, z, target, bound, weight, norm):
    """Of the reference where `kernels` is None."""

    def terms(x):
        if kernels is None:
            return reference.terms(x, target, bound, weight, -100)
        return fused.terms(kernels, x, target, bound, weight, -100)

    x = z.clone().requires_grad_()
    out = terms(x)
    upstream = torch.linspace(-1, 1, out.loss.numel(), device=z.device).reshape(out.loss.shape)
    (each,) = torch.autograd.grad((out.loss * upstream + out.lse * 0.1).sum(), x)
    x = z.clone().requires_grad_()
    if kernels is None:
        mean = reduce(terms(x), norm, "mean")
    else:
        mean = fused.reduced(kernels, x, target, bound, weight, -100, norm)
    (whole,) = torch.autograd.grad(mean * 0.7, x)
    found = {"loss": out.loss, "mass": out.mass, "lse": out.lse, "valid": out.valid.float(), "mean": mean}
    return found | {"gradient of each": each, "gradient of the mean": whole}
