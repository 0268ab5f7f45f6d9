"""Albumentations: a transform that adds the weight map of the mask.

A.Compose([A.HorizontalFlip(), A.RandomCrop(256, 256), WeightMap(Map("border", share=0.3)), ToTensorV2()])
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

from os import PathLike
from typing import Any

import numpy as np
from albumentations.core.transforms_interface import NoOp

from ..spatial import Cache, Map
from .mask_weights import MaskWeights

VOLUME = "mask3d"  # what Albumentations calls a mask [D, H, W]


class WeightMap(NoOp):
    """sample[weight_key] = map(sample[mask_key]), float32, in the shape and kind of the mask; all else is left as it is.

    Put it after what moves pixels. What comes later does not know `weight_key`: ToTensorV2 leaves it a numpy array, of
    which collating makes a tensor; `additional_targets={"weight": "mask"}` of Compose has it moved and converted along.

    map       spatial.Map
    mask_key  [H, W] or [H, W, 1] (a tensor [1, H, W]) of integers; "mask3d": [D, H, W]
    cache     a folder, if the same masks come again; random crops are new masks each time, and would fill it

    ValueError for masks of several channels and for fractions; KeyError without a mask.
    """

    def __init__(
        self,
        map: Map,
        mask_key: str = "mask",
        weight_key: str = "weight",
        cache: Cache | str | PathLike[str] | None = None,
    ):
        super().__init__(p=1.0)
        self.map, self.mask_key, self.weight_key, self.cache = map, mask_key, weight_key, cache
        self.mask_weights = MaskWeights.of("WeightMap", map, cache)

    def __call__(self, *args: Any, force_apply: bool = False, **sample: Any) -> dict[str, Any]:
        if args or self.mask_key not in sample:
            raise KeyError(
                f"WeightMap: the sample has no {self.mask_key!r}; call the pipeline with names, as image=..., {self.mask_key}=..."
            )
        mask = sample[self.mask_key]
        channel = None
        if mask.ndim == 3 + (self.mask_key == VOLUME):
            channel = -1 if isinstance(mask, np.ndarray) else 0
        array = self.mask_weights(self.mask_key, mask, channel=channel)
        if isinstance(mask, np.ndarray):
            return {**sample, self.weight_key: array}
        import torch

        return {**sample, self.weight_key: torch.from_numpy(array).to(mask.device)}
