"""MONAI: a dictionary transform that adds the weight map of a label.

Compose([LoadImaged(["image", "label"]), EnsureChannelFirstd(...), RandAffined(..., mode=["bilinear", "nearest"]),
         WeightMapd("label", Map("border", share=0.3))])
"""

# Types are checked where the framework is not installed.
# pyright: basic, reportMissingImports=false

import copy
from collections.abc import Hashable, Mapping, Sequence
from os import PathLike
from typing import Any

import torch
from monai.data.meta_tensor import MetaTensor
from monai.transforms.transform import MapTransform

from ..spatial import Cache, Map
from .mask_weights import MaskWeights


class WeightMapd(MapTransform):
    """data[weight_keys] = map(data[keys]), float32, in the shape of the label, channel axis and all.

    Put it after what moves pixels, so that the map fits the mask that is trained on; what moves pixels later must move
    `weight_keys`, too (a MetaTensor label gives a MetaTensor weight, for that).

    keys         of labels [1, *space]: integers, or floats that are whole numbers
    map          spatial.Map
    weight_keys  as many as keys
    pixdim       True: each label's own spacing, from its affine, instead of the map's. Only for MetaTensors
    cache        a folder, if the same masks come again; random crops are new masks each time, and would fill it

    ValueError for labels of several channels and for fractions.
    """

    def __init__(
        self,
        keys: Hashable | Sequence[Hashable],
        map: Map,
        weight_keys: Hashable | Sequence[Hashable] = "weight",
        *,
        pixdim: bool = False,
        cache: Cache | str | PathLike[str] | None = None,
        allow_missing_keys: bool = False,
    ):
        super().__init__(keys, allow_missing_keys)
        self.weight_keys = (
            tuple(weight_keys)
            if isinstance(weight_keys, Sequence) and not isinstance(weight_keys, str)
            else (weight_keys,)
        )
        if len(self.weight_keys) != len(self.keys):
            raise ValueError(
                f"WeightMapd: {len(self.keys)} keys need as many weight_keys, got {len(self.weight_keys)}: {self.weight_keys!r}."
            )
        self.mask_weights = MaskWeights.of("WeightMapd", map, cache)
        self.pixdim = pixdim

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        sample = dict(data)
        for key, weight_key in self.key_iterator(sample, self.weight_keys):
            sample[weight_key] = self._weight(key, sample[key])
        return sample

    def _weight(self, key: Hashable, label: Any) -> Any:
        spacing = None
        if self.pixdim:
            if not isinstance(label, MetaTensor):
                raise ValueError(
                    f"WeightMapd: pixdim=True takes the spacing of a MetaTensor, but {key!r} is a {type(label).__name__};"
                    " give the map spacing= instead."
                )
            spacing = [float(step) for step in label.pixdim]
        array = self.mask_weights(key, label, channel=0, spacing=spacing)
        if isinstance(label, MetaTensor):
            meta, operations = copy.deepcopy(label.meta), copy.deepcopy(label.applied_operations)
            return MetaTensor(torch.from_numpy(array).to(label.device), meta=meta, applied_operations=operations)
        return torch.from_numpy(array).to(label.device) if isinstance(label, torch.Tensor) else array
