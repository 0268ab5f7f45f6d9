"""Online hard example mining: only the hardest elements of a call count."""

import math
from typing import Annotated

import torch
from torch import Tensor

from ..link import Link
from ..ops.factors import Tables
from ..ops.widest import widened
from ..options import In
from ..recipe import Recipe
from ..rule.protocol import CHECKED_FIRST, Rule, Seen


class Hardest(Rule):
    """Call weights 1 for the hardest elements and 0 for the others.

    k           how many: a whole number; or a float in (0, 1], that share of what is not ignored, rounded, at least one
    negatives   instead of k: all positives and, for each of them, this many of the hardest negatives (3.0 in SSD)
    background  the label of the negatives (sigmoid: 0, the elements that are "is not"; a probability from 1/2 on is
                positive)
    per_item    per image or row of the batch, where it holds several elements, instead of over the whole call

    Hard is -log p of the label (sigmoid: of the outcome), taken of the logits without any table; among equals the first
    is kept. The default norm then counts what is kept; SSD divides by the positives: pass `normalizer=`. Where there is
    no positive no negative is kept. The choice is made within a call: within each micro-batch, and on each rank. Inside
    `accumulate` the divisor counts all elements that are not ignored, because it is fixed before the choice is made.

    ValueError for both or neither of k and negatives, and for values outside their domain.

    Source: Shrivastava et al. 2016, arXiv:1604.03540 (k of the elements of a batch); Liu et al. 2016, arXiv:1512.02325,
    section 2.2 (3 to 1).

    >>> import steelyard as sy
    >>> rule = sy.adaptive.hardest(2)
    >>> rule.weigh(torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]]), torch.tensor([0, 0, 0])).tolist()
    [1.0, 0.0, 1.0]
    """

    warns_from = CHECKED_FIRST
    selects = True
    kept: Tensor

    def __init__(
        self,
        k: float | None = None,
        *,
        negatives: Annotated[float | None, In(0.0, math.inf)] = None,
        background: int = 0,
        per_item: bool = False,
    ):
        super().__init__()
        if (k is None) == (negatives is None):
            raise ValueError("Hardest: give either k, how many to keep, or negatives=, how many for each positive.")
        if isinstance(k, bool) or (isinstance(k, int) and k < 1) or (isinstance(k, float) and not 0 < k <= 1):
            raise ValueError(f"Hardest: k must be a whole number >= 1 or a float in (0, 1], got {k!r}.")
        self.k, self.negatives, self.background, self.per_item = k, negatives, background, per_item
        self.register_buffer("kept", torch.tensor(0.0, dtype=torch.float64))
        self.register_buffer("pending", torch.zeros(2, dtype=torch.float64))  # kept, all
        self._structure = Recipe(source=(f"hardest({self.extra_repr()})",))

    def emit(self) -> tuple[Recipe, Tables]:
        return self._structure, {}

    def weigh(self, logits: Tensor, target: Tensor) -> Tensor:
        seen = self.read(logits, target)
        positive, candidate = self._groups(seen)
        hard = self._grouped(seen, _loss(seen)).masked_fill(~candidate, -math.inf)
        order = hard.argsort(dim=1, descending=True, stable=True)
        keep = torch.arange(hard.shape[1], device=hard.device) < self._quota(positive, candidate)
        kept = torch.zeros_like(candidate).scatter(1, order, keep)  # from ranks back to places
        return ((kept & candidate) | positive).to(seen.z.dtype).reshape(seen.shape)

    def observe(self, logits: Tensor, target: Tensor) -> Tensor:
        seen = self.read(logits, target)
        positive, candidate = self._groups(seen)
        kept = (
            positive.sum() + torch.minimum(self._quota(positive, candidate), candidate.sum(dim=1, keepdim=True)).sum()
        )
        return torch.stack([kept, seen.valid.sum()])

    def learn(self, sums: Tensor) -> None:
        kept, seen = sums
        self.kept = torch.where(seen > 0, kept / seen.clamp(min=1), self.kept)

    def _groups(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """(kept in any case, chosen among) [group, element]"""
        valid = seen.valid
        if self.negatives is None:
            positive = torch.zeros_like(valid)
        elif not seen.link.exclusive:
            positive = valid & (seen.y >= 0.5)
        elif seen.y.is_floating_point():
            raise ValueError("Hardest: negatives= needs labels, but the target holds probabilities; use k instead.")
        else:
            positive = valid & (seen.y != self.background)
        return self._grouped(seen, positive), self._grouped(seen, valid & ~positive)

    def _quota(self, positive: Tensor, candidate: Tensor) -> Tensor:
        """How many candidates each group keeps [group, 1]"""
        if self.negatives is not None:
            return (self.negatives * widened(positive.sum(dim=1, keepdim=True))).round()
        number = candidate.sum(dim=1, keepdim=True)
        if isinstance(self.k, float):
            return (self.k * widened(number)).round().clamp(min=1)
        return torch.full_like(number, self.k or 0)

    def _grouped(self, seen: Seen, values: Tensor) -> Tensor:
        if not self.per_item:
            return seen.restore(values).reshape(1, -1)
        if len(seen.shape) < 2:
            raise ValueError(
                "Hardest: per_item=True chooses among the elements of each item, but here an item is one element."
            )
        return seen.restore(values).reshape(seen.shape[0], -1)

    def serve(self, link: Link, ignore_index: int) -> None:
        if not link.exclusive and self.background != 0:
            raise ValueError(
                "Hardest: background= is a label of CrossEntropy; in BinaryCrossEntropy the negatives are the 0 in the target."
            )

    def warnings(self) -> dict[str, str]:
        if float(self.kept) == 1:
            return {"all": "everything was kept in the last step, so it chooses nothing; lower k (or negatives)."}
        if float(self.kept) == 0:
            return {"none": "nothing was kept in the last step: no positives, or all is ignored; the loss is 0 there."}
        return {}

    def watched(self) -> dict[str, Tensor]:
        return {"kept": self.kept}

    def extra_repr(self) -> str:
        chosen = (
            f"k={self.k:g}" if self.k is not None else f"negatives={self.negatives:g}, background={self.background}"
        )
        return chosen + (", per_item=True" if self.per_item else "")


hardest = Hardest  # reads as what it does: CrossEntropy(hardest(0.25))


def _loss(seen: Seen) -> Tensor:
    """Softmax [R], sigmoid [R, K]: -log p of the label, an expectation for probabilities."""
    if not seen.link.exclusive:
        return torch.nn.functional.binary_cross_entropy_with_logits(seen.z, seen.y, reduction="none")
    log = seen.z.log_softmax(dim=1)
    if seen.y.is_floating_point():
        return -(seen.y * log).sum(dim=1)
    return -log.gather(1, seen.y[:, None]).squeeze(1)
