"""The drop-ins on the samples that torch tests its own functions with: values, gradients, second derivatives."""

import functools
import warnings

import pytest
import torch

import steelyard as sy

OURS = {
    "nn.functional.cross_entropy": (sy.CrossEntropyLoss, 21),
    "nn.functional.binary_cross_entropy_with_logits": (sy.BCEWithLogitsLoss, 26),
}
DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]


@functools.cache
def opinfo(name: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's test helpers import what torch itself has deprecated
        from torch.testing._internal.common_methods_invocations import op_db
    return next(op for op in op_db if op.name == name)


@functools.cache
def samples(name: str, dtype: torch.dtype) -> list:
    torch.manual_seed(0)
    return list(opinfo(name).sample_inputs("cpu", dtype, requires_grad=True))


def theirs(name: str, sample):
    return lambda x, y: opinfo(name).op(x, y, **{k: plain(v) for k, v in sample.kwargs.items()})


def ours(name: str, sample):
    return lambda x, y: OURS[name][0](**sample.kwargs)(x, y)


def plain(value):
    return value.detach() if isinstance(value, torch.Tensor) else value


def widened(value):
    return value.double() if isinstance(value, torch.Tensor) and value.is_floating_point() else value


def leaves(sample) -> list[torch.Tensor]:
    given = (sample.input, *sample.args)
    return [a.detach().clone().requires_grad_(a.requires_grad) for a in given]


def derivatives(function, args: list[torch.Tensor], order: int, seed: int) -> list[torch.Tensor]:
    """The value, then every derivative up to `order`, each contracted with random numbers."""
    generator = torch.Generator().manual_seed(seed)
    wanted = [a for a in args if a.requires_grad]
    found, out = [], function(*args)
    found.append(out)
    outs: list[torch.Tensor] = [out]
    for k in range(order):
        live = [o for o in outs if o.requires_grad]
        upstream = [torch.randn(o.shape, generator=generator, dtype=torch.float64).to(o.dtype) for o in live]
        outs = list(torch.autograd.grad(live, wanted, upstream, create_graph=k + 1 < order, materialize_grads=True))
        found += outs
    return [f.detach() for f in found]


@pytest.mark.parametrize("name", OURS)
def test_torch_still_brings_its_samples(name):
    assert opinfo(name).supports_gradgrad
    for dtype in DTYPES:
        assert len(samples(name, dtype)) >= OURS[name][1]
        assert all(s.input.requires_grad for s in samples(name, dtype))


@pytest.mark.parametrize("name", OURS)
def test_values_first_and_second_derivatives_equal_torch(name):
    for seed, sample in enumerate(samples(name, torch.float64)):
        expected = derivatives(theirs(name, sample), leaves(sample), 2, seed)
        found = derivatives(ours(name, sample), leaves(sample), 2, seed)
        for f, e in zip(found, expected, strict=True):
            torch.testing.assert_close(f, e, rtol=1e-11, atol=1e-12, msg=lambda m, s=sample: f"{s}\n{m}")


@pytest.mark.parametrize("name", OURS)
def test_gradgradcheck_passes_on_torchs_samples(name):
    for sample in samples(name, torch.float64)[1::6]:
        args = leaves(sample)
        assert torch.autograd.gradcheck(ours(name, sample), args)
        assert torch.autograd.gradgradcheck(
            ours(name, sample), args, fast_mode=True
        )  # along random directions, as torch's own


@pytest.mark.parametrize("dtype", DTYPES[1:], ids=str)
@pytest.mark.parametrize("name", OURS)
def test_error_is_no_larger_than_torchs(name, dtype):
    for seed, sample in enumerate(samples(name, dtype)):
        wide = sample.transform(widened)
        wide_args = [widened(a.detach()).requires_grad_(a.requires_grad) for a in leaves(sample)]
        truth = derivatives(theirs(name, wide), wide_args, 1, seed)
        expected = derivatives(theirs(name, sample), leaves(sample), 1, seed)
        found = derivatives(ours(name, sample), leaves(sample), 1, seed)
        assert len(found) == len(expected) == len(truth) >= 2
        for f, e, t in zip(found, expected, truth, strict=True):
            assert f.dtype == e.dtype
            rounding = 4 * torch.finfo(dtype).eps * t.abs().max() + torch.finfo(dtype).tiny
            assert (f.double() - t).abs().max() <= (e.double() - t).abs().max() + rounding, sample
