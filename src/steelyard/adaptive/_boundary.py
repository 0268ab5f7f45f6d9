"""How well predicted boundaries lie on those of the labels, as sums that add up over batches and ranks."""

import torch
from torch import Tensor
from torch.nn import functional as F

POOLS = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}


def hits(predicted: Tensor, labels: Tensor, valid: Tensor, radius: int, dtype: torch.dtype) -> Tensor:
    """[4], sums in `dtype`: predicted boundary pixels within `radius` of a true one, predicted ones; true ones within
    `radius` of a predicted one, true ones.

    predicted, labels  whole numbers [N, *space]; a pixel is boundary where a neighbour (diagonal ones too) has another
                       label, so a boundary is two pixels wide; what is not `valid` is nobody's neighbour
    radius             in pixels, as the larger of the distances along the axes
    """
    ours, theirs = boundary(predicted, valid), boundary(labels, valid)
    near = [ours * _grown(theirs, radius), ours, theirs * _grown(ours, radius), theirs]
    return torch.stack([t.sum(dtype=dtype) for t in near])


def boundary(labels: Tensor, valid: Tensor) -> Tensor:
    """1 where a valid neighbour of a valid pixel has another label, else 0."""
    x = labels.to(torch.float32)
    inf = float("inf")
    highest, lowest = _grown(x.masked_fill(~valid, -inf), 1), -_grown((-x).masked_fill(~valid, -inf), 1)
    return ((highest > lowest) & valid).to(torch.float32)


def f_score(sums: Tensor) -> Tensor:
    """Harmonic mean of precision and recall of `hits`; 1 where there is no boundary at all."""
    close, ours, found, theirs = sums.unbind()
    precision = torch.where(ours > 0, close / torch.where(ours > 0, ours, 1.0), (theirs == 0).to(sums.dtype))
    recall = torch.where(theirs > 0, found / torch.where(theirs > 0, theirs, 1.0), (ours == 0).to(sums.dtype))
    both = precision + recall
    return 2 * precision * recall / torch.where(both > 0, both, 1.0)


def _grown(x: Tensor, radius: int) -> Tensor:
    """The largest value within `radius`."""
    pool = POOLS[x.dim() - 1]
    return pool(x.unsqueeze(1), 2 * radius + 1, stride=1, padding=radius).squeeze(1)
