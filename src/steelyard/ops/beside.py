"""What an adaptive rule has the pass of the loss do beside it, so that it needs no pass of its own over the logits.

The C++ kernels know of it (native/call.hpp: Beside); everywhere else a rule is asked by its methods `weigh`, `adjust` and
`observe`, which say the same in torch. Tables of the call may weigh items and move logits, no more: p is that of the logits.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .. import core
from ..link import Link

_native: Any = core.load()

AVAILABLE = hasattr(_native, "region_sums")  # a core that was built before lacks it
TOLD = {"": 0, "missed": 1, "surprise": 2, "size": 3}
LABELS = {torch.int64: 0, torch.int32: 1, torch.uint8: 2, torch.bool: 2, torch.float32: 3}
WORTH_A_THREAD = 2**18  # items


class Beside(NamedTuple):
    """told     what is told of every item's label (sigmoid: of every logit's outcome): "missed", 1 - p; "surprise", -log p (softmax
             only); "size", that of the gradient: 1 - p, |sigma - y|
    regions  [bins] float32: an item counts regions[floor(size * bins)] times
    power    softmax: z_c + power max(0, log p_c - max(log p_y, floor)) stands in place of z_c; `floor` is a logarithm
    weigh, adjust  the same in torch, for a gradient of the gradient: call weights and logits of (logits, target)
    out      where what is told goes, float32 in the layout of the unreduced loss; NaN where an item does not count
    """

    told: str = ""
    regions: Tensor | None = None
    power: float = 0.0
    floor: float = 0.0
    weigh: Callable[[Tensor, Tensor], Tensor] | None = None
    adjust: Callable[[Tensor, Tensor], Tensor] | None = None
    out: Tensor | None = None

    def native(self) -> Any:
        """As the C++ kernels take it."""
        out, regions = (0 if t is None else t.data_ptr() for t in (self.out, self.regions))
        bins = 0 if self.regions is None else len(self.regions)
        return _native.Beside(0 if self.out is None else TOLD[self.told], out, regions, bins, self.power, self.floor)

    def explicit(self, logits: Tensor, target: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """(logits, call weight) that make the same loss without a kernel."""
        if self.weigh is not None:
            own = self.weigh(logits.detach(), target)
            weight = own if weight is None else own * weight
        return (logits if self.adjust is None else self.adjust(logits, target)), weight


class Told(NamedTuple):
    """What a pass told: `values` as Beside.out, and the call it is of, [N, C, *space]."""

    values: Tensor | None
    logits: Tensor
    target: Tensor
    weight: Tensor | None
    link: Link
    ignore: int

    def sums(self) -> Tensor:
        """Softmax [2, C]: items of each label, and their values added up. Sigmoid [4, K], of "missed": how much "is not" and "is"
        there was, and what was missed of either. float64; soft sigmoid targets count by their parts."""
        return sums_by_class(self.values, self.target, self.weight, self.link, self.ignore, self.logits.shape)

    def regions(self, bins: int) -> Tensor:
        """[bins] float64: how many items there are of each region of "size"."""
        values = self.values
        assert values is not None
        found = torch.empty(bins, dtype=torch.float64)
        _native.region_sums(values.data_ptr(), values.numel(), bins, found.data_ptr(), _threads(values.numel()))
        return found


def sums_by_class(
    values: Tensor | None, target: Tensor, weight: Tensor | None, link: Link, ignore: int, shape: Sequence[int]
) -> Tensor:
    """See Told.sums, of logits of this `shape`; without values softmax items are only counted. On the CPU, for a label of LABELS or one that becomes int64."""
    soft = target.is_floating_point()
    target = target.float() if soft else target if target.dtype in LABELS else target.long()
    target, weight = target.contiguous(), None if weight is None else weight.float().contiguous()
    found = torch.empty(2 if link.exclusive else 4, 1 if len(shape) < 2 else shape[1], dtype=torch.float64)
    addresses = [0 if t is None else t.data_ptr() for t in (values, target, weight, found)]
    sizes = [ignore, math.prod(shape), 1, 1] if len(shape) < 2 else [ignore, shape[0], shape[1], math.prod(shape[2:])]
    _native.sums(link.exclusive, addresses, LABELS[target.dtype], sizes, _threads(target.numel()))
    return found


def _threads(items: int) -> int:
    return 1 if items < WORTH_A_THREAD else min(torch.get_num_threads(), items // WORTH_A_THREAD)
