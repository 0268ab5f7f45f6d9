"""Masks as they come in, numpy or torch, one image or many, and maps as they go out: the same kind, float32."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .transforms import Spacing

if TYPE_CHECKING:
    from torch import Tensor

Mask = TypeVar("Mask", np.ndarray, "Tensor")
DIMENSIONS = (2, 3)
STRIP = 2**18  # pixels that are looked at together where several arrays of all would take much memory


@dataclasses.dataclass(frozen=True)
class Images:
    """labels  int64, one array per image, 0 where `ignored`
    spacing the distance between neighbouring pixels along each axis
    ignored bool, one array per image, or None"""

    labels: list[np.ndarray]
    spacing: Spacing
    ignored: list[np.ndarray] | None
    batch: bool
    like: Any

    def kept(self, i: int) -> np.ndarray | slice:
        """Which pixels of image i are not ignored."""
        return slice(None) if self.ignored is None else ~self.ignored[i]

    def out(self, maps: Sequence[np.ndarray], dtype: Any = np.float32) -> Any:
        """The maps in the form of the masks, 0 where they are ignored."""
        if self.ignored is not None:
            maps = [np.where(i, 0.0, m) for i, m in zip(self.ignored, maps, strict=True)]
        shape = self.like.shape if self.batch else self.labels[0].shape
        array = np.empty(shape, dtype)
        if self.batch:
            for i, m in enumerate(maps):
                array[i] = m
        else:
            array[...] = maps[0]
        return as_given(array, self.like)


def read(name: str, mask: Any, spacing: Sequence[float] | None, batch: bool, ignore: int | None) -> Images:
    """Labels of 2-D images or 3-D volumes, checked with words. `batch`: the first axis counts them."""
    array = as_array(name, mask)
    dims = array.ndim - batch
    if dims not in DIMENSIONS:
        many = " a batch of" if batch else ""
        hint = " Pass batch=True if the first axis counts images." if not batch and dims == 4 else ""
        raise ValueError(
            f"{name}: the mask must be{many} a 2-D image or a 3-D volume of labels, got shape {list(array.shape)}.{hint}"
        )
    if array.dtype.kind not in "iub":
        raise ValueError(f"{name}: the mask holds labels, so integers or booleans; got {array.dtype}.")
    labels = array.astype(np.int64, copy=False)
    ignored = None
    if ignore is not None:
        ignored = labels == ignore
        labels = np.where(ignored, 0, labels)
    if labels.size and labels.min() < 0:
        raise ValueError(
            f"{name}: labels are 0 for the background and positive for objects, got {labels.min()}."
            f" Void pixels? pass ignore={labels.min()}."
        )
    steps = (1.0,) * dims if spacing is None else tuple(float(s) for s in spacing)
    if len(steps) != dims or not all(0 < s < float("inf") for s in steps):
        raise ValueError(f"{name}: spacing must be {dims} positive numbers, one for each axis, got {spacing!r}.")
    void = None if ignored is None else (list(ignored) if batch else [ignored])
    return Images(list(labels) if batch else [labels], steps, void, batch, mask)


def as_array(name: str, mask: Any) -> np.ndarray:
    if isinstance(mask, np.ndarray):
        return mask
    if hasattr(mask, "detach"):
        return mask.detach().cpu().numpy()
    raise ValueError(f"{name}: the mask must be a numpy array or a torch tensor, got {type(mask).__name__}.")


def as_given(array: np.ndarray, like: Any) -> Any:
    """numpy where `like` is, else a tensor on its device."""
    if isinstance(like, np.ndarray):
        return array
    import torch

    return torch.from_numpy(array).to(like.device)


def number(name: str, field: str, value: float, *, least: float = 0.0, open_end: bool = False) -> float:
    checked = float(value)
    if not (checked > least if open_end else checked >= least) or checked == float("inf"):
        raise ValueError(
            f"{name}: {field} must be a number {'above' if open_end else 'from'} {least:g}, got {value!r}."
        )
    return checked


def strips(shape: Sequence[int]) -> Iterator[slice]:
    """Stretches of the first axis, of about STRIP pixels each."""
    rows = max(1, STRIP * shape[0] // max(1, math.prod(shape)))
    return (slice(start, start + rows) for start in range(0, shape[0], rows))
