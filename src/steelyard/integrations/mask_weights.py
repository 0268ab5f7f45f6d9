"""What the transforms have in common: labels as frameworks hold them to weights. Nothing here is of a framework.

All of it is plain data, so it goes to the workers of a DataLoader, forked or spawned.
"""

import dataclasses
from os import PathLike
from typing import Any

import numpy as np

from ..spatial import Cache, Map

ROUNDING = 1e-3


@dataclasses.dataclass(frozen=True)
class MaskWeights:
    """name   of the transform, for messages
    cache  None, or a folder: maps of masks that come again are read from there"""

    name: str
    map: Map
    cache: Cache | None

    @classmethod
    def of(cls, name: str, map: Map, cache: Cache | str | PathLike[str] | None) -> "MaskWeights":
        if not isinstance(map, Map):
            raise TypeError(
                f"{name}: map must be a steelyard.spatial.Map, as Map('border', share=0.3), got {type(map).__name__}."
            )
        return cls(name, map, cache if cache is None or isinstance(cache, Cache) else Cache(cache))

    def __call__(self, key: Any, mask: Any, *, channel: int | None, spacing: Any = None) -> np.ndarray:
        """Weights, float32, in the shape of `mask`.

        key      of the mask in its sample, for messages
        channel  the axis that is no space: it must have length 1
        """
        array = np.asarray(mask.detach().cpu() if hasattr(mask, "detach") else mask)
        if channel is not None and array.shape[channel] != 1:
            raise ValueError(
                f"{self.name}: {key!r} has shape {list(array.shape)}, {array.shape[channel]} channels; a map is made of one mask of"
                " labels, with one channel. No channel axis? Add it. One for each class? Put this transform before the one that makes them."
            )
        labels = self._whole(key, array if channel is None else array.squeeze(channel))
        map = self.map if spacing is None else self.map.replace(spacing=spacing)
        weights = map(labels) if self.cache is None else self.cache.weights(map, labels)
        return weights.reshape(array.shape)

    def _whole(self, key: Any, array: np.ndarray) -> np.ndarray:
        """Integers. Floats are what readers of medical images give, and resampling leaves them a rounding error; fractions come from
        interpolation."""
        if array.dtype.kind != "f":
            return array
        whole = np.round(array)
        off = ~(np.abs(array - whole) <= ROUNDING)
        if off.any():
            raise ValueError(
                f"{self.name}: {key!r} holds numbers that are no labels, such as {array[off].flat[0]:g};"
                " interpolate masks by nearest neighbour."
            )
        return whole.astype(np.int64)
