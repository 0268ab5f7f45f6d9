"""torchvision's wheel is built for CUDA: beside a torch for CPUs its C++ does not load, and the import dies where it names its
operators. Where that happens they are named first, and nms, which detectors call, is written out. Imported before torchvision is."""

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
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
    library.impl("nms", _nms, "CPU")
    _kept.append(library)
    boxes: Any = importlib.import_module("torchvision.ops.boxes")
    boxes._assert_has_ops = lambda: None
    align: Any = importlib.import_module(
        "torchvision.ops.roi_align"
    )  # in Python, which would be compiled for minutes first
    align._roi_align = align._roi_align.__wrapped__


def _nms(dets: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Places of the boxes that no better one overlaps by more than the threshold, the best first."""
    boxes: Any = importlib.import_module("torchvision.ops.boxes")
    order = scores.argsort(descending=True, stable=True)
    over = (boxes.box_iou(dets[order], dets[order]) > iou_threshold).numpy()
    kept = np.ones(len(order), dtype=bool)
    for i in range(len(order)):
        if kept[i]:
            kept[i + 1 :] &= ~over[i, i + 1 :]
    return order[torch.from_numpy(kept)]


allow()
