"""The fused kernels of a device."""

import torch

from . import gpu, native
from .fused import Kernels


def of(device: torch.device) -> Kernels:
    return native.KERNELS if device.type == "cpu" else gpu.KERNELS


def available(device: torch.device) -> bool:
    return native.available() if device.type == "cpu" else gpu.available(device)
