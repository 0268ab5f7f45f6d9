"""The widest float of a device: sums and counts of large batches are kept in it."""

import torch
from torch import Tensor

_HAS_FLOAT64 = {"cpu": True, "cuda": True, "meta": True, "mps": False}  # by type of device; others are tried once


def widest(device: torch.device) -> torch.dtype:
    """float64, or float32 where the device has no float64 (an Apple GPU, some of Intel's)."""
    if device.type not in _HAS_FLOAT64:
        _HAS_FLOAT64[device.type] = _tried(device)
    return torch.float64 if _HAS_FLOAT64[device.type] else torch.float32


def widened(t: Tensor) -> Tensor:
    """`t` in the widest float of its device."""
    return t.to(widest(t.device))


def _tried(device: torch.device) -> bool:
    try:
        torch.zeros(1, dtype=torch.float64, device=device).add_(1)
    except (TypeError, RuntimeError):
        return False
    return True
