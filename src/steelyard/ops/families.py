"""Every family of kernels, tried on a device: whether it stands up to the eager backend, and how long a call takes."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .. import curves
from ..link import link_of
from ..recipe import Recipe
from . import kernels, proof, tables
from .bind import bind
from .bound import Bound

CALLS = 5  # of which the fastest counts
FORMS = {
    "plain": {},
    "weighted": {"weight": True},
    "full": {"weight": True, "offset": True, "target": 0.1, "curve": True},
}
SHAPES = {  # [items, classes] or [items, classes, pixels], about a hundred thousand logits each
    "softmax": {"rows": (1024, 100), "long rows": (1, 40000), "planes": (2, 19, 2704)},
    "sigmoid": {"labels": (1024, 100), "one logit": (100000,)},
}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Tried(NamedTuple):
    """wrong  what was found wrong, or ""; first, later  seconds of the first call, which compiles and compares, and of later ones, loss and gradient"""

    link: str
    shape: str
    form: str
    dtype: str
    wrong: str
    first: float
    later: float


def tried(device: torch.device) -> Iterator[Tried]:
    """All of them, each as soon as it is known; none where no kernels serve the device.

    A family that was found wrong in this process before stays so, and its warning is not repeated.
    """
    if not kernels.available(device):
        return
    for link, shapes in SHAPES.items():
        for shape, size in shapes.items():
            for form in FORMS:
                for name, dtype in DTYPES.items():
                    yield Tried(link, shape, form, name, *_try(*example(link, form, size, dtype, device)))


def example(
    link: str, form: str, size: tuple[int, ...], dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor, Bound]:
    """Logits, labels and the recipe of one of FORMS."""
    return *_call(link, size, dtype, device), bind(_recipe(link, form, size), link).map(lambda t: t.to(device))


def _recipe(link: str, form: str, size: tuple[int, ...]) -> Recipe:
    fields: dict[str, Any] = dict(FORMS[form])
    classes = size[1] if len(size) > 1 else 1
    values = 2 if link == "sigmoid" else classes
    if fields.pop("weight", False):
        fields["weight"] = [1.0 + c % 7 for c in range(values)]
    if fields.pop("offset", False):
        fields["offset"] = [-0.1 * (c % 5) for c in range(values)]
    if fields.pop("curve", False):
        fields["curve"] = curves.Focal(2.0)
    return Recipe(**fields)


def _call(link: str, size: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(size, generator=random).to(device, dtype)
    items = link_of(link).items(size)
    return logits, torch.randint(size[1] if link == "softmax" else 2, items, generator=random).to(device)


def _try(logits: Tensor, target: Tensor, bound: Bound) -> tuple[str, float, float]:
    fastest = kernels.of(logits.device)
    start = time.perf_counter()
    wrong = tables.refusal(logits, target, bound, None) or proof.refusal(
        fastest.call, fastest.scale, logits, target, bound, None
    )
    times = []
    gradient = torch.empty_like(logits)
    for _ in range(0 if wrong else CALLS + 1):
        fastest.call(logits, target, bound, None, -100).mean(gradient, "count")
        if logits.device.type == "cuda":
            torch.cuda.synchronize(logits.device)
        now = time.perf_counter()
        times.append(now - start)
        start = now
    first, *later = times or [time.perf_counter() - start]
    return wrong, first, min(later, default=float("nan"))
