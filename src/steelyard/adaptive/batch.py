"""Weights from what the batches hold: how often each class comes, and how hard it is."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

import torch
from torch import Tensor

from ..counts import Counts
from ..link import Link, link_for
from ..ops.beside import Beside, Told
from ..ops.factors import Tables
from ..options import In
from ..recipe import Recipe
from ..rule.protocol import Rule
from ..rule.small import small


class BatchStatistics(Rule):
    """Balance by running class shares and running difficulties, without counting first.

        w_c = pi_c^(-beta) d_c^gamma / sum_c' pi_c' pi_c'^(-beta) d_c'^gamma       (unit mass under the running shares)

    pi_c are shares and d_c the mean of 1 - p_y over the items of class c, both exponential averages over steps with
    `momentum` (without a bias towards their start). Sigmoid: the two outcomes of each label are balanced, each label
    with unit mass. Probabilities as targets add their probabilities.

    classes   the number of classes (BinaryCrossEntropy: of logits), their names, or Counts, which are then the shares
              to start from; exclusive counts of two classes also serve BinaryCrossEntropy with one logit
    beta      >= 0; 0 leaves the shares as they are, 1 makes every class weigh the same
    gamma     >= 0; how much a class with many misses counts beyond its share
    momentum  in [0, 1); the memory is about 1 / (1 - momentum) steps
    warm_up   steps (those that saw something) over which weights go from 1 to these
    widest    > 1; no weight is more than this many times the smallest

    A class that has hardly been seen counts as one item within the memory (its known share, if Counts gave a smaller
    one), so its weight stays finite; the memory should hold several items of the rarest class. It warns where it does
    not, and where `widest` decides. ValueError for numbers out of range and for classes that do not fit the loss.

    Source: Sinha et al. 2020, arXiv:2010.01824 for the factor d_c^gamma, there one minus the class's accuracy on
    validation data; here from the probabilities on the training batches, which is ours, and which a net that fits
    everything brings to 0.

    >>> import steelyard as sy
    >>> loss = sy.CrossEntropy(sy.adaptive.BatchStatistics(2, warm_up=0))
    >>> _ = loss(torch.zeros(10, 2), torch.tensor([0] * 9 + [1]))
    >>> [round(w, 4) for w in loss.recipe.class_weight.tolist()]
    [0.5556, 5.0]
    """

    count: Tensor
    difficulty: Tensor
    start: Tensor
    steps: Tensor
    weight: Tensor

    def __init__(
        self,
        classes: int | Counts | Sequence[str],
        *,
        beta: Annotated[float, In(0.0, math.inf)] = 1.0,
        gamma: Annotated[float, In(0.0, math.inf)] = 0.0,
        momentum: Annotated[float, In(0.0, 1.0, open_high=True)] = 0.99,
        warm_up: Annotated[int, In(0, math.inf, whole=True)] = 100,
        widest: Annotated[float, In(1.0, math.inf, open_low=True)] = 1000.0,
    ):
        super().__init__()
        if isinstance(classes, bool) or (isinstance(classes, int) and classes < 1):
            raise ValueError(f"BatchStatistics: classes must be a number >= 1, names, or Counts, got {classes!r}.")
        if isinstance(classes, str) or not isinstance(classes, (int, Counts, Sequence)):
            raise TypeError(f"BatchStatistics: classes must be a number, names, or Counts, got {classes!r}.")
        self.beta, self.gamma, self.momentum = float(beta), float(gamma), float(momentum)
        self.warm_up, self.widest = warm_up, float(widest)
        self.counts = classes if isinstance(classes, Counts) else None
        self.names = (
            tuple(map(str, range(classes)))
            if isinstance(classes, int)
            else classes.classes
            if isinstance(classes, Counts)
            else tuple(map(str, classes))
        )
        self._named = not isinstance(classes, int)
        self.register_buffer("steps", torch.tensor(0))
        self._lay_out(link_for(None if self.counts is None else self.counts.kind))

    def serve(self, link: Link, ignore_index: int) -> None:
        if link != self.link:
            if self.counts is not None and self.counts.kind == "multilabel":
                raise ValueError(
                    "BatchStatistics: the counts are yes or no per class (multilabel); use BinaryCrossEntropy."
                )
            if self.counts is not None and len(self.names) != 2 and not link.exclusive:
                raise ValueError(
                    f"BatchStatistics: the counts are of {len(self.names)} exclusive classes; use CrossEntropy, or count"
                    ' with kind="multilabel".'
                )
            if int(self.steps):
                raise ValueError(
                    f"BatchStatistics: it has learned from a {self.link} loss; make a new one for this loss."
                )
            self._lay_out(link)

    def _lay_out(self, link: Link) -> None:
        """Tables [label value, column]: softmax [C, 1], sigmoid [2, K]."""
        self.link = link
        if self.counts is not None:
            start = torch.tensor(self.counts.prior)
            start = start.reshape(len(start), -1)
            kind, self._few = self.counts.kind, 1 / self.counts.items
        else:
            size = len(self.names)
            start = torch.ones(size, 1).double() / size if link.exclusive else torch.full((2, size), 0.5).double()
            kind, self._few = link.kind if self._named else None, 1.0
        for name, value in (
            ("start", start),
            ("count", torch.zeros_like(start)),
            ("difficulty", torch.full_like(start, 1 - 1 / len(start))),
            ("pending", torch.zeros(2, *start.shape).double()),
        ):
            self.register_buffer(name, value)
        self.register_buffer("weight", self._weights())
        table = self.weight.reshape(start.shape)
        classes = self.names if self._named else None
        self._structure = Recipe(
            weight=table, classes=classes, kind=kind, source=(f"batch statistics, {self._told()}",)
        )

    def emit(self) -> tuple[Recipe, Tables]:
        return self._structure, {"weight": (self.weight,)}

    def observe(self, logits: Tensor, target: Tensor) -> Tensor:
        seen = self.read(logits, target)
        size = self._check_width(seen.z.shape[1])
        if not self.link.exclusive:
            valid = seen.valid.to(seen.z.dtype)
            yes, no = seen.y * valid, (1 - seen.y) * valid
            n = torch.stack([no, yes])
            missed = torch.stack([no * seen.p, yes * (-seen.z).sigmoid()])
            sums = torch.stack([n, missed]).to(self.count.dtype).sum(dim=2)
        elif seen.y.dim() == 2:
            sums = (
                torch.stack([seen.y, seen.y * -seen.z.log_softmax(1).expm1()])
                .to(self.count.dtype)
                .sum(dim=1)[:, :, None]
            )
        else:
            miss = -seen.z.log_softmax(1).gather(1, seen.y[:, None]).expm1().squeeze(1)
            each = (torch.stack([torch.ones_like(miss), miss]) * seen.valid).to(self.count.dtype)
            sums = each.new_zeros(2, size).index_add(1, seen.y, each)[:, :, None]
        return sums

    def beside(self) -> Beside:
        return Beside("missed")

    def gather(self, told: Told) -> Tensor:
        size = self._check_width(told.logits.shape[1] if told.logits.dim() > 1 else 1)
        return told.sums().reshape(2, -1, 1 if self.link.exclusive else size)

    def _check_width(self, width: int) -> int:
        size = len(self.start) if self.link.exclusive else self.start.shape[1]
        if width != size:
            raise ValueError(
                f"BatchStatistics: made for {size} {'classes' if self.link.exclusive else 'logits'}, but the logits have"
                f" {width}; give it that number, or Counts of these classes."
            )
        return size

    def learn(self, sums: Tensor) -> None:
        names = ("count", "difficulty", "steps", "weight")
        found = small(self._learned, sums, self.count, self.difficulty, self.start, self.steps)
        self.replace(**dict(zip(names, found, strict=True)))

    def _learned(self, xp: Any, sums: Any, count: Any, difficulty: Any, start: Any, steps: Any) -> tuple[Any, ...]:
        """(count, difficulty, steps, weight) after a step of these sums."""
        n, missed = sums[0], sums[1]
        items = n.sum(0)
        before = count if self.counts is None else xp.where(count.sum(0) > 0, count, start * items)
        new = 1 - self.momentum
        count = xp.where(items > 0, self.momentum * before + new * n, count)
        # the mean weighed as `count` is, in the form that stays exact for a class that was not seen for long
        difficulty = difficulty + new * (missed - n * difficulty) / xp.where(n > 0, count, 1.0)  # n = 0: nothing missed
        steps = steps + (items > 0).any()
        return count, difficulty, steps, self._weighed(xp, count, difficulty, start, steps)[0]

    def _shared(self, xp: Any, count: Any, start: Any) -> tuple[Any, Any]:
        """Running shares, and the smallest that the memory can tell from 0."""
        total = count.sum(0)
        seen = total > 0
        total = xp.where(seen, total, 1.0)
        shares = xp.where(seen, count / total, start)
        few = xp.where(seen, (1 - self.momentum) / total, self._few)
        if self.counts is not None:
            few = xp.where(start > 0, xp.minimum(few, start), few)
        return shares, xp.clip(few, None, 1.0)

    def _apart(self, xp: Any, shares: Any, few: Any, difficulty: Any) -> Any:
        """log of pi^-beta d^gamma over the smallest of its column."""
        ratios = -self.beta * xp.log(xp.maximum(shares, few))
        if self.gamma:
            hard = self.gamma * xp.log(xp.clip(difficulty, torch.finfo(self.count.dtype).tiny, None))
            # a class without a miss left is not infinitely easier: the others would all be cut alike
            ratios = ratios + xp.maximum(hard, xp.amax(hard, 0) - math.log(self.widest))
        return ratios - xp.amin(ratios, 0)

    def _weighed(self, xp: Any, count: Any, difficulty: Any, start: Any, steps: Any) -> tuple[Any]:
        shares, few = self._shared(xp, count, start)
        raw = xp.clip(xp.exp(self._apart(xp, shares, few, difficulty)), None, self.widest)
        weights = raw / (shares * raw).sum(0)
        if self.warm_up:
            weights = 1 + (weights - 1) * xp.clip(steps, None, self.warm_up) / self.warm_up
        return (weights if weights.shape[1] > 1 else weights[:, 0],)

    def _shares(self) -> tuple[Tensor, Tensor]:
        shares, few = small(self._shared, self.count, self.start)
        return shares, few

    def _ratios(self) -> Tensor:
        return self._apart(torch, *self._shares(), self.difficulty)

    def _weights(self) -> Tensor:
        return small(self._weighed, self.count, self.difficulty, self.start, self.steps)[0]

    def watched(self) -> dict[str, Tensor]:
        shares = self._shares()[0]
        shown = {"weight": self.weight, "share": shares if self.link.exclusive else shares[1]}
        shown |= {"difficulty": self.difficulty} if self.gamma else {}
        return {name: t for name, t in shown.items() if t.numel() <= 4096}

    def warnings(self) -> dict[str, str]:
        sentences: dict[str, str] = {}
        shares, _ = self._shares()
        total = self.count.sum(dim=0)
        rare = (shares * total < 1 - self.momentum) & (total > 0)
        if rare.any():
            sentences["rare"] = (
                f"{self._some(rare)} came less than once within the memory of {1 / (1 - self.momentum):.4g} steps, so the weight"
                " there is a guess; raise momentum, or give Counts of the whole data."
            )
        wide = self._ratios() > math.log(self.widest) + 1e-9
        if wide.any():
            sentences["widest"] = (
                f"{self._some(wide)} would weigh more than widest={self.widest:g} times the smallest; it is cut there."
            )
        return sentences

    def _some(self, which: Tensor) -> str:
        rows = which.any(dim=1 if self.link.exclusive else 0).nonzero().flatten().tolist()
        names = [
            self.names[i] if len(which) != 2 or self.link.exclusive or which.shape[1] > 1 else self.names[-1]
            for i in rows
        ]
        return ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")

    def _told(self) -> str:
        return f"beta {self.beta:g}" + (f", gamma {self.gamma:g}" if self.gamma else "")

    def extra_repr(self) -> str:
        return f"{self._told()}, momentum {self.momentum:g}, warm_up={self.warm_up}, widest {self.widest:g}"
