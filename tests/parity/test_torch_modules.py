"""The drop-ins on every input that torch tests its own nn modules with."""

import functools
import warnings
from collections.abc import Iterator

import pytest
import torch
from torch import nn

import steelyard as sy

MODULES = {
    "nn.CrossEntropyLoss": (nn.CrossEntropyLoss, sy.CrossEntropyLoss, 105),
    "nn.BCEWithLogitsLoss": (nn.BCEWithLogitsLoss, sy.BCEWithLogitsLoss, 6),
}


@functools.cache
def cases(name: str, dtype: torch.dtype) -> list:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's test helpers import what torch itself has deprecated
        from torch.testing._internal.common_modules import module_db
    torch.manual_seed(0)
    info = next(m for m in module_db if m.name == name)
    return list(info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=True, training=True))


def value_and_gradients(make, case, dtype: torch.dtype, seed: int) -> list[torch.Tensor]:
    """The loss, then its gradient to every argument that wants one, for a random upstream gradient."""

    def cast(value):
        if not isinstance(value, torch.Tensor):
            return value
        value = value.detach().clone()
        return value.to(dtype) if value.is_floating_point() else value

    setup = case.constructor_input
    loss = make(*map(cast, setup.args), **{k: cast(v) for k, v in setup.kwargs.items()})
    given = case.forward_input.args
    args = [cast(a).requires_grad_() if isinstance(a, torch.Tensor) and a.requires_grad else cast(a) for a in given]
    out = loss(*args)
    upstream = torch.randn(out.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    wanted = [a for a in args if isinstance(a, torch.Tensor) and a.requires_grad]
    return [out.detach(), *torch.autograd.grad(out, wanted, upstream.to(out.dtype))]


def nothing_is_valid(case) -> bool:
    """Every label ignored: torch's mean is NaN, ours 0, the one difference among these inputs (docs/reference/differences.md)."""
    target, ignored = case.forward_input.args[1], case.constructor_input.kwargs.get("ignore_index", -100)
    return not target.is_floating_point() and bool((target == ignored).all())


def compared(name: str, dtype: torch.dtype) -> Iterator[tuple]:
    """(case, torch's value and gradients in float64, torch's in dtype, ours in dtype)"""
    theirs, ours, _ = MODULES[name]
    for seed, case in enumerate(cases(name, dtype)):
        makes = ((theirs, torch.float64), (theirs, dtype), (ours, dtype))
        yield case, *(value_and_gradients(make, case, of, seed) for make, of in makes)


@pytest.mark.parametrize("name", MODULES)
def test_torch_still_brings_its_cases(name):
    assert len(cases(name, torch.float64)) >= MODULES[name][2]
    assert all(c.forward_input.args[0].requires_grad for c in cases(name, torch.float64))
    assert sum(map(nothing_is_valid, cases(name, torch.float64))) <= 2


@pytest.mark.parametrize("name", MODULES)
def test_float64_values_and_gradients_equal_torch(name):
    for case, _, expected, found in compared(name, torch.float64):
        assert len(found) == len(expected) >= 2
        if nothing_is_valid(case) and expected[0].isnan().all():
            assert all((f == 0).all() for f in found)
            continue
        for f, e in zip(found, expected, strict=True):
            torch.testing.assert_close(f, e, rtol=1e-12, atol=1e-12, msg=lambda m, c=case: f"{c}\n{m}")


@pytest.mark.parametrize("name", MODULES)
def test_float32_error_is_no_larger_than_torchs(name):
    for case, truth, expected, found in compared(name, torch.float32):
        if nothing_is_valid(case):
            continue
        for f, e, t in zip(found, expected, truth, strict=True):
            assert f.dtype == e.dtype
            assert f.shape == e.shape
            budget = (e.double() - t).abs().max() + 1e-6 * t.abs().max() + 1e-8
            assert (f.double() - t).abs().max() <= budget, case
