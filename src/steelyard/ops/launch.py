"""How much one program of the Triton kernels takes on, for each architecture of a GPU.

launch.json holds what was measured, with its source; `python -m benchmarks gpu --sizes` writes it from results/gpu.json. An architecture
that is not in it gets the sizes of `Sizes`, which were chosen without a GPU. No size changes a number beyond its rounding.
"""

import functools
import json
from pathlib import Path
from typing import Any, NamedTuple

import torch


class Sizes(NamedTuple):
    """Powers of 2.

    tile      logits of a program that holds whole rows, at least
    piece     classes at a time of rows too long for that
    elements  logits of a program of the sigmoid
    *_warp    logits of each of its warps: 256 are 8 to a thread
    """

    tile: int = 1024
    tile_warp: int = 256
    piece: int = 4096
    piece_warp: int = 256
    elements: int = 2048
    elements_warp: int = 256


ANY = Sizes()
PATH = Path(__file__).with_name("launch.json")


@functools.cache
def table() -> dict[str, Sizes]:
    """Of every architecture that was measured; "9.0" is compute capability 9.0."""
    found: dict[str, dict[str, Any]] = json.loads(PATH.read_text("utf-8"))
    return {name: Sizes(**{k: v for k, v in sizes.items() if k in Sizes._fields}) for name, sizes in found.items()}


def of(device: torch.device) -> Sizes:
    return table().get(architecture(device), ANY)


@functools.cache
def architecture(device: torch.device) -> str:
    """The name of it in the table; of what is no GPU its type."""
    if device.type != "cuda":
        return device.type
    major, minor = torch.cuda.get_device_capability(device)
    return f"{major}.{minor}"


def warps(logits: int, each: int) -> int:
    """4 to 32: registers are what a multiprocessor runs out of first."""
    return min(32, max(4, logits // each))
