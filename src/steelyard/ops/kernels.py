"""The fused kernels that may compute on a device."""

from typing import NoReturn

import torch

from . import choice, gpu, native
from .fused import Kernels


def of(device: torch.device) -> Kernels:
    name = choice.chosen()
    if name == choice.AUTO:
        return native.KERNELS if device.type == "cpu" else gpu.KERNELS
    return _NAMED[name]


def available(device: torch.device) -> bool:
    kernels = of(device)
    if kernels is gpu.KERNELS:
        return gpu.available(device)
    return kernels is native.KERNELS and native.available() and device.type == "cpu"


def _nothing(*_: object) -> NoReturn:
    raise AssertionError("whoever calls kernels has asked for their refusal")


_NONE = Kernels("none", lambda *_: f"the backend {choice.EAGER!r} was chosen", _nothing, _nothing)
_NAMED = {choice.EAGER: _NONE, choice.NATIVE: native.KERNELS, choice.TRITON: gpu.KERNELS}
