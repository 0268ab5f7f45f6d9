"""Gradient harmonizing (GHM-C): elements count less where many others have a gradient of the same size."""

import functools
import math
from typing import Annotated, Any

import torch
from torch import Tensor

from ..ops.beside import Beside, Told
from ..ops.factors import Tables
from ..options import In
from ..recipe import Recipe
from ..rule.protocol import CHECKED_FIRST, Rule, Seen
from ..rule.small import small


class Harmonized(Rule):
    """Call weights that give every occupied region of gradient sizes the same say.

        g   = 1 - p_y (softmax), |sigma - y| (sigmoid)      region b = floor(g bins)
        s_b = share of the elements in region b, an exponential average over steps
        w   = 1 / (n max(s_b, least))                       n = sum over b of min(1, s_b / least), the occupied regions

    bins      unit regions of [0, 1]
    momentum  of the old share, in [0, 1); 0 looks at the last step alone
    least     in (0, 1 / bins]: the share that a region counts as holding at least, so no weight is above 1 / (n least)

    Under the shares s the mean weight is exactly 1. They are those up to the last step and never of the call itself, so
    that micro-batches and ranks share their weights; hence a batch unlike those before can have another mean, and the
    smaller `least`, the further off: softmax on digits in batches of 16 had mean weights up to 57 with 1e-3, up to 385
    with 1e-4, where it did not recover (balanced accuracy .55 instead of .84). Lower it only where a step holds many
    thousands of elements, as in detection. The shares start uniform, which makes all weights 1 before the first step
    and fades as momentum^t; a region that empties fades likewise, and below `least` it counts as the fraction s_b /
    least of an occupied one. With probabilities as targets g is half the sum of |p_c - t_c| over the classes (our
    extension, as is softmax at all).

    Differs from the authors' code: there the batch enters its own density, a region keeps its old count while it is
    empty, and the average starts at 0, so that with momentum 0.75 the first weights are four times too large.
    ValueError for options outside their domain.

    Source: Li, Liu and Wang 2019, arXiv:1811.05181 (GHM-C; unit regions and moving average with their defaults);
    `least` is ours.

    >>> import steelyard as sy
    >>> rule = sy.adaptive.Harmonized(bins=2, momentum=0.0)
    >>> z, y = torch.tensor([[2.0, 0.0]] * 3 + [[0.0, 2.0]]), torch.zeros(4, dtype=torch.long)  # three easy, one hard
    >>> _ = sy.CrossEntropy(rule)(z, y)
    >>> [round(w, 3) for w in rule.weigh(z, y).tolist()]
    [0.667, 0.667, 0.667, 2.0]
    """

    warns_from = CHECKED_FIRST
    share: Tensor

    def __init__(
        self,
        *,
        bins: Annotated[int, In(2, math.inf, whole=True)] = 30,
        momentum: Annotated[float, In(0.0, 1.0, open_high=True)] = 0.75,
        least: Annotated[float, In(0.0, 1.0, open_low=True)] = 1e-3,
    ):
        super().__init__()
        if least > 1 / bins:
            raise ValueError(f"Harmonized: least must be in (0, 1 / bins], got {least!r}.")
        self.bins, self.momentum, self.least = bins, float(momentum), float(least)
        self.register_buffer("share", torch.full((bins,), 1 / bins, dtype=torch.float64))
        self.register_buffer("pending", torch.zeros(bins, dtype=torch.float64))
        self._structure = Recipe(source=(f"harmonized(bins={bins}, momentum={momentum:g})",))

    def emit(self) -> tuple[Recipe, Tables]:
        return self._structure, {}

    @property
    def occupied(self) -> Tensor:
        """n: how many regions hold something."""
        return (self.share / self.least).clamp(max=1).sum()

    @property
    def weights(self) -> Tensor:
        """[bins]"""
        return small(self._weighed, self.share)[0]

    def _weighed(self, xp: Any, share: Any) -> tuple[Any]:
        occupied = xp.clip(share / self.least, None, 1.0).sum()
        return (1 / (occupied * xp.clip(share, self.least, None)),)

    def weigh(self, logits: Tensor, target: Tensor) -> Tensor:
        return self._by_region(self.weights, logits, target)

    def _by_region(self, weights: Tensor, logits: Tensor, target: Tensor) -> Tensor:
        seen = self.read(logits, target)
        return seen.restore(weights.to(seen.z.dtype)[self._region(seen)])

    def beside(self) -> Beside:
        weights = self.weights.float()
        return Beside("size", weights, weigh=functools.partial(self._by_region, weights))

    def gather(self, told: Told) -> Tensor:
        return told.regions(self.bins)

    def observe(self, logits: Tensor, target: Tensor) -> Tensor:
        seen = self.read(logits, target)
        region, valid = self._region(seen).reshape(-1), seen.valid.reshape(-1)
        return torch.zeros_like(self.share).scatter_add(0, region, valid.to(self.share.dtype))

    def _region(self, seen: Seen) -> Tensor:
        if not seen.link.exclusive:
            g = (seen.p - seen.y).abs()
        elif seen.y.is_floating_point():
            g = (seen.p - seen.y).abs().sum(dim=1) / 2
        else:
            g = 1 - seen.p.gather(1, seen.y[:, None]).squeeze(1)
        return (g * self.bins).long().clamp(0, self.bins - 1)

    def learn(self, sums: Tensor) -> None:
        self.replace(share=small(self._learned, sums, self.share)[0])

    def _learned(self, xp: Any, sums: Any, share: Any) -> tuple[Any]:
        total = sums.sum()
        new = self.momentum * share + (1 - self.momentum) * sums / xp.clip(total, 1, None)
        return (xp.where(total > 0, new, share),)

    def warnings(self) -> dict[str, str]:
        if float(self.occupied) >= 1.5:
            return {}
        most, region = self.share.max(dim=0)
        low, high = ((int(region) + end) / self.bins for end in (0, 1))
        return {
            "one region": f"{float(most):.1%} of the elements have a gradient between {low:.3g} and {high:.3g} and next to none another,"
            " so the weights are all near 1; lower least, or leave it out from here on."
        }

    def watched(self) -> dict[str, Tensor]:
        return {"share": self.share}

    def extra_repr(self) -> str:
        return f"bins={self.bins}, momentum={self.momentum:g}, least={self.least:g}"
