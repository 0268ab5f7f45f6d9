"""Who else follows the operations of a call than plain autograd: kernels that only see memory must then stand aside."""

import contextlib
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch._C import _functorch  # pyright: ignore[reportAttributeAccessIssue]
from torch.autograd import forward_ad


def transformed() -> bool:
    """Inside torch.compile or a transform of torch.func."""
    return torch.compiler.is_compiling() or _functorch.peek_interpreter_stack() is not None


def forward_mode() -> bool:
    """Inside `forward_ad.dual_level()`, as are torch.func's jvp, jacfwd, hessian and linearize."""
    return forward_ad._current_level >= 0  # pyright: ignore[reportPrivateUsage]


def of_a_transform(tensors: Iterable[Tensor]) -> bool:
    """Whether any of them was made inside a transform of torch.func: an autograd.Function may get it as an argument alone."""
    inside = not torch.compiler.is_compiling() and _functorch.peek_interpreter_stack() is not None
    return inside and any(_functorch.is_functorch_wrapped_tensor(t) for t in tensors)


def plain(t: Tensor) -> bool:
    """Whether a tensor is memory alone: a gradient that autograd sends back may be a batch of them, or carry a tangent."""
    if torch.compiler.is_compiling():
        return True  # it stands for one, and what follows is traced
    wrapped = _functorch.is_functorch_wrapped_tensor(t) or _functorch.is_legacy_batchedtensor(t)
    return type(t) in (Tensor, torch.nn.Parameter) and not wrapped and not forward_mode()


def rounded(device: torch.device) -> bool:
    """Whether autocast rounds on this device; not every type of device has an autocast."""
    return torch.amp.is_autocast_available(device.type) and torch.is_autocast_enabled(device.type)


def unrounded(device: torch.device) -> Any:
    """A context in which autocast does not round products of matrices."""
    known = torch.amp.is_autocast_available(device.type)
    return torch.autocast(device.type, enabled=False) if known else contextlib.nullcontext()
