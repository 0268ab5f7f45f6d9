"""Seesaw loss: rare classes are pushed down less, until they are mistaken for."""

import math
from typing import Annotated, Any

import torch
from torch import Tensor

from ..counts import Counts
from ..link import Link
from ..ops.beside import Beside, Told
from ..ops.factors import Tables
from ..options import In
from ..recipe import Recipe
from ..rule.protocol import CHECKED_FIRST, Rule
from ..rule.small import small


class Seesaw(Rule):
    """Softmax in which a sample of label i pushes class j down by S_ij = M_ij C_ij times as much as itself.

        l    = -log( e^z_i / (e^z_i + sum over j != i of S_ij e^z_j) )
        M_ij = min(1, (N_j / N_i)^p)                        mitigation: N_c counts the labels seen up to the last step, at least 1
        C_ij = max(1, (sigma_j / max(sigma_i, floor))^q)    compensation: sigma is this sample's softmax, a constant here

    classes   how many, or exclusive Counts to start the counting from: with them the first epoch is mitigated like the
              last
    p, q      >= 0; 0 leaves a factor out
    floor     in (0, 1]: what sigma_i counts as at least, so that log C is at most -q log(floor)

    log M is an offset table [C, C], so memory grows with C^2 (1,203 classes: 12 MB). log C is added to the logits of
    the call. An optimum under C is not a probability that `posterior` could undo; what it undoes is M.

    Differs from the authors' code: there a batch is counted before its own loss, here after it, so that micro-batches
    and ranks share one table; there a second pair of outputs tells object from background, here that is a loss of its
    own. ValueError for targets that are probabilities, for BinaryCrossEntropy, and for options outside their domain.

    Source: Wang et al. 2021, arXiv:2008.10032, section 3 (M, C); `floor` is the authors' code's.

    >>> import steelyard as sy
    >>> rule = sy.adaptive.Seesaw(sy.Counts.of(900, 100), p=1.0)
    >>> rule.recipe().offset.numpy().round(3).tolist()  # label 0 pushes class 1 by 1/9, label 1 pushes class 0 fully
    [[0.0, -2.197], [0.0, 0.0]]
    """

    warns_from = CHECKED_FIRST
    seen: Tensor
    offset: Tensor

    def __init__(
        self,
        classes: int | Counts,
        *,
        p: Annotated[float, In(0.0, math.inf)] = 0.8,
        q: Annotated[float, In(0.0, math.inf)] = 2.0,
        floor: Annotated[float, In(0.0, 1.0, open_low=True)] = 0.01,
    ):
        super().__init__()
        if isinstance(classes, Counts):
            if classes.kind != "exclusive":
                raise ValueError("Seesaw: takes counts of exclusive classes; for yes or no per class use Equalized.")
            names, start = classes.classes, torch.from_numpy(classes.table)
        elif isinstance(classes, int) and classes >= 2:
            names, start = None, torch.zeros(int(classes), dtype=torch.float64)
        else:
            raise ValueError(f"Seesaw: takes the number of classes (2 or more) or Counts, got {classes!r}.")
        self.p, self.q, self.floor, self.names = float(p), float(q), float(floor), names
        self.register_buffer("seen", start)
        self.register_buffer("pending", torch.zeros_like(start))
        self.register_buffer("offset", self._mitigation())
        source = (f"seesaw(p={p:g}, q={q:g})",)
        self._structure = Recipe(offset=self.offset, classes=names, kind="exclusive", source=source)

    def _mitigation(self) -> Tensor:
        """log M [label, class]"""
        return small(self._mitigated, self.seen)[0]

    def _mitigated(self, xp: Any, seen: Any) -> tuple[Any]:
        log = self.p * xp.log(xp.clip(seen, 1, None))
        return (xp.clip(log - log[:, None], None, 0),)

    def emit(self) -> tuple[Recipe, Tables]:
        return self._structure, {"offset": (self.offset,)}

    def adjust(self, logits: Tensor, target: Tensor) -> Tensor:
        _labels_only(target)
        if self.q == 0:
            return logits
        valid = (target != self.ignore_index).unsqueeze(1)
        z = logits.detach().to(torch.promote_types(logits.dtype, torch.float32)).masked_fill(~valid, 0.0)
        log = z.log_softmax(dim=1)
        label = target.unsqueeze(1).long().masked_fill(~valid, 0)
        own = log.gather(1, label).clamp(min=math.log(self.floor))
        return logits + (self.q * (log - own)).clamp(min=0)  # 0 at the label itself, and all 0 where it is ignored

    def observe(self, logits: Tensor, target: Tensor) -> Tensor:
        _labels_only(target)
        labels = target.reshape(-1).long()
        valid = labels != self.ignore_index
        return torch.zeros_like(self.seen).scatter_add(0, labels.masked_fill(~valid, 0), valid.to(self.seen.dtype))

    def beside(self) -> Beside:
        if self.q == 0:
            return Beside()
        return Beside(power=self.q, floor=math.log(self.floor), adjust=self.adjust)

    def gather(self, told: Told) -> Tensor:
        return told.sums()[0]

    def learn(self, sums: Tensor) -> None:
        self.replace(seen=self.seen + sums)
        self.replace(offset=self._mitigation())

    def serve(self, link: Link, ignore_index: int) -> None:
        if not link.exclusive:
            raise ValueError(
                "Seesaw: weighs classes against each other within a softmax; with BinaryCrossEntropy use Equalized."
            )

    def warnings(self) -> dict[str, str]:
        n = self.seen.tolist()
        if not sum(n):
            return {"nothing": "no label was seen yet (all ignored?), so it does nothing but the compensation."}
        if self.p and len(set(n)) == 1:
            return {
                "equal": "every class was seen equally often, so the mitigation is 1 everywhere; leave it out (p=0)."
            }
        missing = [self.names[c] if self.names else str(c) for c, count in enumerate(n) if count == 0]
        if missing:
            shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
            return {
                "missing": f"{len(missing)} of {len(n)} classes were never seen ({shown}); they count as seen once."
            }
        return {}

    def watched(self) -> dict[str, Tensor]:
        return {"seen": self.seen} if len(self.seen) <= 4096 else {}

    def extra_repr(self) -> str:
        return f"classes={len(self.seen)}, p={self.p:g}, q={self.q:g}, floor={self.floor:g}"


def _labels_only(target: Tensor) -> None:
    if target.is_floating_point():
        raise ValueError(
            "Seesaw: the target holds probabilities, but it needs one label per sample; mix the losses of the labels."
        )
