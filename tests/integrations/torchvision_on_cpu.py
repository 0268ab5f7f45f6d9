"""torchvision's wheel is built for CUDA: beside a torch for CPUs its C++ does not load, and the import dies where it names its
operators. Nothing here needs them, so where that happens they are named first. Imported before torchvision is."""

import importlib.util
from pathlib import Path

import torch

NAMES = ("nms", "qnms")
_kept = []  # a library lasts as long as something holds it


def allow() -> None:
    """Make `import torchvision` work; nothing where its C++ loads, or where it is not installed."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None or _kept:
        return
    try:
        for compiled in Path(spec.origin).parent.glob("_C*"):
            torch.ops.load_library(compiled)
            return
    except OSError:
        pass
    library = torch.library.Library("torchvision", "DEF")
    for name in NAMES:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _kept.append(library)


allow()
