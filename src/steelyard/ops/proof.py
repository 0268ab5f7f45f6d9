"""Kernels on a GPU prove themselves: before a family of them is used for the first time in a process, it computes a small case
(loss, mass, lse, gradients, the mean and its gradient) that the eager backend computes too. Where these differ, or where the
kernels do not compile, one warning says what to report, and the family is left to the eager backend from then on.

A family is what Triton compiles apart: link, dtypes, the kind of both curves, which tables there are, how the classes lie in memory.
The first call of one waits for the device; no other does. While a CUDA graph is being recorded nobody may wait, so that a family
which was not used before goes to the eager backend there, and is looked at again at its next call.
"""

import contextlib
import math
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from . import eager, launch, tables
from .bound import Bound
from .factors import FIELDS
from .fused import Call
from .watched import unrounded

LINE = 32  # pixels of one that lie next to each other
CLOSE = 1e-4  # both compute in float32: rounding is a hundredth of that, a wrong formula is more
IGNORED = -100

_known: dict[tuple[Any, ...], str] = {}
_lock = threading.RLock()


class Case(NamedTuple):
    """A small call, and what arrives at its loss and lse in the backward pass."""

    logits: Tensor
    target: Tensor
    weight: Tensor | None
    upstream: Tensor
    through: Tensor


def refusal(
    make: Callable[..., Call], scale: Any, logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None
) -> str:
    """Why the family of this call is not to be used, or "". `make` and `scale` are those of fused.Kernels."""
    family = _family(logits, target, bound, weight)
    known = _known.get(family)
    if known is None:
        known = _ask(family, make, scale, logits, target, bound, weight)
    return known


def forget() -> None:
    """Every family is looked at again."""
    _known.clear()


def _family(logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None) -> tuple[Any, ...]:
    made = tables.layout(bound).made
    if "family" not in made:
        curves = [tables.numbers(curve)[:2] for curve in (bound.yes, bound.no)]
        there = tuple(t is not None for f in FIELDS for t in getattr(bound, f) or (None,) * 3)
        made["family"] = (
            bound.link.name,
            there,
            bound.label_dependent,
            *((k, a if a in range(5) else "") for k, a in curves),
        )
    shape = logits.shape
    C, planes = (1, False) if len(shape) < 2 else (shape[1], len(shape) > 2 and math.prod(shape[2:]) > 1)
    form = (1 << max(0, C - 1).bit_length(), math.gcd(C, 16)) if bound.link.exclusive else C > 1
    types = logits.dtype, target.dtype, weight is None
    return logits.device, types, form, planes, made["family"]


def _ask(
    family: tuple[Any, ...], make: Any, scale: Any, logits: Tensor, target: Tensor, bound: Bound, weight: Any
) -> str:
    if not logits.numel():
        return ""  # nothing is launched
    cuda = logits.device.type == "cuda"
    if cuda and torch.cuda.is_current_stream_capturing():
        return "a CUDA graph is being recorded, and these kernels have not been used before: run one step before"
    with _lock, _alone(logits.device):
        if family not in _known:
            case = _case(logits, target, bound, weight)
            expected = _eager(case, bound)  # outside of try: what it raises is not the kernels' fault
            try:
                why = _differences(make, scale, case, bound, expected)
            except torch.OutOfMemoryError:
                raise  # says nothing about the kernels
            except Exception as error:  # Triton's own are many: what does not compile, or what it does not know
                why = f"they fail with {type(error).__name__}: {' '.join(str(error).split())[:300]}"
            _known[family] = why and f"the Triton kernels for it were found wrong here: {why}"
            if why:
                warnings.warn(_report(why, logits, bound), stacklevel=2)
    return _known[family]


@contextlib.contextmanager
def _alone(device: torch.device) -> Iterator[None]:
    """No gradients, no autocast, and waiting for the device allowed."""
    cuda = device.type == "cuda"
    mode = torch.cuda.get_sync_debug_mode() if cuda else 0
    with torch.no_grad(), unrounded(device):
        if not mode:
            yield
            return
        torch.cuda.set_sync_debug_mode(0)
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode(mode)


def _case(logits: Tensor, target: Tensor, bound: Bound, weight: Tensor | None) -> Case:
    """Of the shape of `logits`, but smaller; the same for the same shape, and the generators of the caller stay where they are."""
    random, link, device = torch.Generator().manual_seed(0), bound.link, logits.device
    shape = list(logits.shape[:2])
    C = shape[1] if len(shape) > 1 else 1
    size = launch.of(device).tile  # a family's kernels are those of larger calls from here on
    if logits.dim() > 2:
        shape = [min(shape[0], 2), C, min(math.prod(logits.shape[2:]), max(LINE, size // C))]
    else:
        shape[0] = min(shape[0], max(4, size // C))
    z = 3 * torch.randn(shape, generator=random)
    items = link.items(shape)
    t: Tensor
    if target.is_floating_point():
        t = torch.randn(shape, generator=random)
        t = (t.softmax(dim=1) if link.exclusive else t.sigmoid()).to(target.dtype)
    else:
        high = min(C if link.exclusive else 2, 2 if target.dtype == torch.bool else 128)
        t = torch.randint(high, items, generator=random).to(target.dtype)
        if target.dtype not in (torch.bool, torch.uint8) and t.numel() > 1:
            t.view(-1)[-1] = IGNORED
    s = None
    if weight is not None:
        s = torch.rand(items, generator=random).add(0.5)
        s.view(-1)[0] = float(s.numel() < 2)
        s = s.to(device, weight.dtype)
    upstream, through = (torch.randn(items, generator=random).to(device) for _ in range(2))
    return Case(z.to(device, logits.dtype), t.to(device), s, upstream, through)


def _eager(case: Case, bound: Bound) -> dict[str, Tensor]:
    logits, target, weight, upstream, through = case
    terms = eager.terms(logits, target, bound, weight, IGNORED)
    z = terms.valid.sum()
    share = torch.where(z == 0, 0.0, 1 / z.clamp(min=1))
    of_mean = eager.gradient(
        logits, target, bound, weight, IGNORED, share.expand_as(upstream), torch.zeros_like(through)
    )
    return {
        "loss": terms.loss,
        "mass": terms.mass,
        "lse": torch.where(terms.valid, terms.lse, 0.0),
        "gradient": eager.gradient(logits, target, bound, weight, IGNORED, upstream, through),
        "mean": terms.loss.sum() * share,
        "gradient of the mean": 2 * of_mean,
    }


def _differences(make: Any, scale: Any, case: Case, bound: Bound, expected: dict[str, Tensor]) -> str:
    """What is computed otherwise, or ""."""
    logits, target, weight, upstream, through = case
    call = make(logits, target, bound, weight, IGNORED)
    loss, mass, lse = (torch.empty_like(upstream) for _ in range(3))
    gradient, of_mean = torch.empty_like(logits), torch.empty_like(logits)
    call.each(loss=loss, mass=mass, lse=lse)
    call.each(gradient=gradient, upstream=upstream, through=through)
    mean = call.mean(of_mean, "count")
    of_mean = scale(of_mean, torch.full((), 2.0, device=logits.device))
    got = (loss, mass, torch.where(expected["lse"] == 0, 0.0, lse), gradient, mean, of_mean)
    for (name, right), found in zip(expected.items(), got, strict=True):
        rounding = 4 * torch.finfo(found.dtype).eps
        finite = right.float()[torch.isfinite(right)]
        size = float(finite.abs().max()) if finite.numel() else 0.0
        near = torch.isclose(
            found.float(), right.float(), rtol=CLOSE + rounding, atol=(CLOSE + rounding) * size, equal_nan=True
        )
        if not bool(near.all()):
            off = float((found.float() - right.float()).abs().nan_to_num(float("inf")).max())
            return f"{name} is off by {off:.3g} where the largest is {size:.3g}"
    return ""


def _report(why: str, logits: Tensor, bound: Bound) -> str:
    device = logits.device
    name = f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
    return (
        f"steelyard: of the Triton kernels for {bound.link} on {name}, logits {str(logits.dtype).removeprefix('torch.')} {list(logits.shape)}, "
        f"{why}. Torch's own operations compute this in their place, right and slower. Please report this line, with torch "
        f"{torch.__version__} and Triton {_version()}; STEELYARD_BACKEND=eager leaves these kernels out."
    )


def _version() -> str:
    from importlib import metadata  # needed by a report alone

    try:
        return metadata.version("triton")
    except metadata.PackageNotFoundError:
        return "of unknown version"
