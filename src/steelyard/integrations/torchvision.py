"""torchvision: a recipe for the classes of its models (`reweigh`, `Segmentation`, of detection.py), and a transform of transforms.v2 that
adds the weight map of the mask.

v2.Compose([v2.RandomHorizontalFlip(), v2.RandomCrop(256), WeightMap(Map("border", share=0.3))])
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

from collections.abc import Mapping
from os import PathLike
from typing import Any

import torch
from torchvision import tv_tensors

from ..spatial import Cache, Map
from .detection import Segmentation as Segmentation
from .detection import restore as restore
from .detection import reweigh as reweigh
from .mask_weights import MaskWeights


class WeightMap(torch.nn.Module):
    """(image, mask) -> (image, mask, weight), and {..., "mask": mask} -> {..., "mask": mask, "weight": weight}.

    The weight is float32 in the shape of the mask, a tv_tensors.Mask: what moves pixels later moves it, too, without mixing its
    numbers. Put it after what makes new pixels of old ones, so that the map fits the mask that is trained on.

    map         spatial.Map
    mask_key    in a dict, or in a dict within a tuple, (image, {"mask": mask}); outside of dicts it is the one tv_tensors.Mask
    weight_key  in the same dict
    cache       a folder, if the same masks come again; random crops are new masks each time, and would fill it

    masks  [H, W] or [1, H, W], whole numbers

    ValueError for other masks, or where there is none, or more than one.
    """

    def __init__(
        self,
        map: Map,
        mask_key: str = "mask",
        weight_key: str = "weight",
        *,
        cache: Cache | str | PathLike[str] | None = None,
    ):
        super().__init__()
        self.mask_key, self.weight_key = mask_key, weight_key
        self.mask_weights = MaskWeights.of("WeightMap", map, cache)

    def forward(self, *inputs: Any) -> Any:
        sample: Any = inputs[0] if len(inputs) == 1 else inputs
        if isinstance(sample, Mapping) and self.mask_key in sample:
            return self._into(sample)
        if isinstance(sample, (tuple, list)):
            targets = [i for i, part in enumerate(sample) if isinstance(part, Mapping) and self.mask_key in part]
            if len(targets) == 1:
                return type(sample)(self._into(part) if i in targets else part for i, part in enumerate(sample))
            masks = [part for part in sample if isinstance(part, tv_tensors.Mask)]
            if len(masks) == 1:
                return type(sample)([*sample, self._weight(masks[0])])
        raise ValueError(
            f"WeightMap: the sample must hold one mask, under {self.mask_key!r} in a dict or as the one tv_tensors.Mask of a tuple;"
            f" got {_described(sample)}. tv_tensors.Mask(tensor) marks a mask."
        )

    def extra_repr(self) -> str:
        return f"{self.mask_weights.map!r}, {self.mask_key!r} -> {self.weight_key!r}"

    def _into(self, sample: Mapping[Any, Any]) -> dict[Any, Any]:
        return {**sample, self.weight_key: self._weight(sample[self.mask_key])}

    def _weight(self, mask: torch.Tensor) -> tv_tensors.Mask:
        if mask.ndim == 3 and mask.shape[0] > 1:
            raise ValueError(
                f"WeightMap: the mask has shape {list(mask.shape)}, but a map is made of one mask of labels. One mask for each object:"
                " (masks * torch.arange(1, len(masks) + 1)[:, None, None]).amax(0) numbers them."
            )
        array = self.mask_weights(self.mask_key, mask, channel=0 if mask.ndim == 3 else None)
        return tv_tensors.Mask(torch.from_numpy(array).to(mask.device))


def _described(sample: Any) -> str:
    if isinstance(sample, Mapping):
        return f"a dict of {', '.join(map(repr, sample))}"
    if isinstance(sample, (tuple, list)):
        return f"a {type(sample).__name__} of {', '.join(type(part).__name__ for part in sample)}"
    return f"a {type(sample).__name__}"
