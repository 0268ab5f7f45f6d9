"""nnU-Net's cross-entropy of ours on two ranks: `torchrun across_runs.py FILE` saves means over ranks of loss and gradient, and of one process."""

import sys
from typing import Any

import torch
from torch import distributed as dist

import steelyard as sy
from steelyard.integrations.nnunet import _Pixels

WEIGHT = [0.5, 2.0, 9.0]
ROWS = (1, 3)  # of the ranks


def data() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    z = torch.randn(sum(ROWS), 3, 6, 7, generator=random, dtype=torch.float64)
    y = torch.randint(0, 3, (sum(ROWS), 1, 6, 7), generator=random).double()
    y[0, :, :4] = 3
    return z, y, torch.rand(sum(ROWS), 6, 7, generator=random, dtype=torch.float64)


def found(norm: str, mapped: bool, part: slice) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss of these rows, and its gradient to a temperature, one number for all."""
    z, y, pixels = (t[part] for t in data())
    layer = _Pixels(sy.CrossEntropy(sy.Recipe(weight=WEIGHT, norm=norm), ignore_index=3))
    layer.pixels = pixels if mapped else None
    temperature = torch.ones((), dtype=torch.float64, requires_grad=True)
    value = layer(z * temperature, y)
    return value.detach(), torch.autograd.grad(value, temperature)[0]


if __name__ == "__main__":
    whole = {
        f"{norm} {mapped}": found(norm, mapped, slice(None)) for norm in ("count", "mass") for mapped in (False, True)
    }
    dist.init_process_group("gloo")
    first = sum(ROWS[: dist.get_rank()])
    part = slice(first, first + ROWS[dist.get_rank()])
    saved: dict[str, Any] = {}
    for name, one in whole.items():
        norm, mapped = name.split()
        means = found(norm, mapped == "True", part)
        for mean in means:
            dist.all_reduce(mean)
            mean /= dist.get_world_size()
        saved[name] = [[float(a), float(b)] for a, b in zip(means, one, strict=True)]
    if dist.get_rank() == 0:
        torch.save(saved, sys.argv[1])
    dist.destroy_process_group()
