"""Weight maps whose strength is steered while training goes on."""

import inspect
import math
from collections.abc import Callable
from typing import Annotated, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..losses.functional import terms_of
from ..ops.bind import lay_out
from ..ops.factors import Held, Tables, factors
from ..ops.shapes import Call
from ..options import In
from ..recipe import Recipe
from ..rule.protocol import Rule
from ._between import refuse_learned


class CalibratedMaps(Rule):
    """Pixel weights 1 + a (m - base), with the strength a steered so that geometry gets its share of the loss.

        share       a B / (A + a B) = share,   A = sum l,  B = sum (m - base) l       averages of a step's sums, with `momentum`
        boundary_f  log a += gain (boundary_f - F) at every step,   F the boundary F-score, averaged alike

    A map's own calibration (`spatial`, `share=`) holds where all pixels have the same loss; a net that learns changes
    that at every step, and this follows it. The loss becomes 1 / (1 - share) times as large. With boundary_f the map
    grows as long as boundaries are worse than asked, and shrinks where they are better.

    make        what makes a map of a target: labels [N, *space] -> m of that shape, tensor or numpy, m >= base. A
                `spatial.Map` (or any callable that takes `batch`) is called with batch=True on images [N, H, W] or
                volumes [N, D, H, W]; in a sigmoid loss on every label's [H, W]. Ignored pixels hold ignore_index:
                Map(..., ignore=-100). Probabilities come as labels, softmax: the likeliest class, sigmoid: 1 from 1/2
                on. Without `make`, maps are brought ready-made: `loss(logits, target, weight=rule(maps))`, in training
                once per call of the loss
    recipe      the rest of the loss, l is taken under it; None is plain
    share       in [0, 1); of what l the map's part is
    boundary_f  in (0, 1]; F = 2PR / (P + R), where a boundary pixel of the predicted labels (a neighbour has another
                label, whichever) counts for P if a true one is at most `radius` pixels away along each axis, and the
                other way round for R
    largest     > 1; the strength stays in [0, largest], with boundary_f in [1 / largest, largest]
    start       the strength before the first step
    gain        > 0; at most so much does log a change in a step

    The caller's own call weights are not seen (0 is: ignored). It warns where the strength is at the end of its range,
    where maps hold values below `base` (taken as base), and where they are flat. ValueError for numbers out of range,
    and unless exactly one of share and boundary_f is given. Formula and controller are ours; the boundary F-score is
    the BF of Csurka et al. 2013.

    >>> import steelyard as sy
    >>> loss = sy.CrossEntropy(sy.adaptive.CalibratedMaps(lambda y: 1 + 5 * (y == 1), share=0.5))
    >>> _ = loss(torch.zeros(1, 2, 10), torch.tensor([[0] * 9 + [1]]))
    >>> loss.rule.weigh(torch.zeros(1, 2, 10), torch.tensor([[0] * 9 + [1]]))[0, -1].item()  # 1 + 9, against 9 times 1
    11.0
    """

    sums: Tensor
    strength: Tensor
    reached: Tensor
    score: Tensor

    def __init__(
        self,
        make: Callable[[Any], Any] | None = None,
        recipe: Recipe | None = None,
        *,
        share: Annotated[float | None, In(0.0, 1.0, open_high=True)] = None,
        boundary_f: Annotated[float | None, In(0.0, 1.0, open_low=True)] = None,
        base: float = 1.0,
        momentum: Annotated[float, In(0.0, 1.0, open_high=True)] = 0.9,
        radius: Annotated[int, In(0, math.inf, whole=True)] = 2,
        gain: Annotated[float, In(0.0, math.inf, open_low=True)] = 0.05,
        start: Annotated[float, In(0.0, math.inf)] = 1.0,
        largest: Annotated[float, In(1.0, math.inf, open_low=True)] = 100.0,
    ):
        super().__init__()
        if (share is None) == (boundary_f is None):
            raise ValueError("CalibratedMaps: give either share= or boundary_f=, what the strength is steered towards.")
        smallest = 0.0 if boundary_f is None else 1 / largest
        if not smallest <= start <= largest:
            raise ValueError(f"CalibratedMaps: start must be in [{smallest:g}, {largest:g}], got {start!r}.")
        if make is not None and not callable(make):
            raise TypeError(
                f"CalibratedMaps: make must be callable, such as a spatial.Map, got {type(make).__name__}. Maps themselves go"
                " through the call: weight=rule(maps)."
            )
        recipe = Recipe() if recipe is None else recipe
        if not isinstance(recipe, Recipe):
            raise TypeError(f"CalibratedMaps: recipe must be a Recipe, got {type(recipe).__name__}.")
        refuse_learned("CalibratedMaps", recipe)
        self.make, self._batch = make, make is not None and _takes_batch(make)
        self.share, self.boundary_f = share, boundary_f
        self.base, self.momentum, self.radius = float(base), float(momentum), radius
        self.gain, self.smallest, self.largest = float(gain), smallest, float(largest)
        self._structure, self._held = recipe, Held(self, factors(recipe))
        # A, B, values below base; with boundary_f also its four sums
        size = 3 if boundary_f is None else 7
        for name in ("sums", "pending"):
            self.register_buffer(name, torch.zeros(size, dtype=torch.float64))
        self.register_buffer("strength", torch.tensor(float(start), dtype=torch.float64))
        self.register_buffer("reached", torch.zeros((), dtype=torch.float64))
        self.register_buffer("score", torch.zeros((), dtype=torch.float64))
        self._kept: tuple[Tensor | None, Tensor] | None = None  # the map of the call that is under way

    def emit(self) -> tuple[Recipe, Tables]:
        return self._structure, self._held.of(self)

    def forward(self, maps: Any) -> Tensor:
        """The call weights of ready-made maps, shaped like the unreduced loss."""
        if self.make is not None:
            raise ValueError("CalibratedMaps: maps are made by `make`; leave it out to bring them ready-made.")
        extra = self._extra(maps, self.strength.device)
        if self.training:
            self._kept = None, extra
        return self._weights(extra)

    def weigh(self, logits: Tensor, target: Tensor) -> Tensor | None:
        if self.make is None:
            return None
        extra = self._made(self.make, logits, target)
        if self.training and not torch.compiler.is_compiling():
            self._kept = target, extra
        return self._weights(extra)

    def observe(self, logits: Tensor, target: Tensor) -> Tensor:
        extra = self._of_this_call(logits, target)
        bound = lay_out(self._structure, self.link, self.emit()[1])
        with torch.no_grad():
            call = Call(logits, target, None, 1, True)
            loss = terms_of("CalibratedMaps", call, bound, ignore_index=self.ignore_index).loss
            loss = loss.to(self.sums.dtype)
            valid = torch.ones_like(loss, dtype=torch.bool)
            if not target.is_floating_point():
                valid = target != self.ignore_index
            extra = extra.to(loss)
            below = (valid & (extra < 0)).sum(dtype=loss.dtype)
            sums = torch.stack([loss.sum(), (loss * torch.where(valid, extra.clamp(min=0), 0.0)).sum(), below])
            if self.boundary_f is not None:
                sums = torch.cat([sums, self._boundaries(logits, target, valid)])
        return sums

    def learn(self, sums: Tensor) -> None:
        self._kept = None
        some = sums[0] > 0
        plain, mapped = sums[0], self.strength * sums[1]
        whole = plain + mapped
        self.reached = torch.where(some, mapped / torch.where(some, whole, 1.0), self.reached)
        self.sums = torch.where(some, self.momentum * self.sums + (1 - self.momentum) * sums, self.sums)
        if self.boundary_f is not None:
            # no boundary anywhere teaches nothing
            outlined = sums[4] + sums[6] > 0
            self.score = torch.where(outlined, f_score(self.sums[3:]), self.score)
            moved = self.strength * torch.exp(self.gain * (self.boundary_f - self.score))
            self.strength = torch.where(outlined, moved, self.strength).clamp(self.smallest, self.largest)
        else:
            share, mapped = float(self.share or 0.0), self.sums[1]
            wanted = share / (1 - share) * self.sums[0] / torch.where(mapped > 0, mapped, 1.0)
            self.strength = torch.where(mapped > 0, wanted, self.strength).clamp(self.smallest, self.largest)

    def watched(self) -> dict[str, Tensor]:
        shown = {"strength": self.strength, "share": self.reached}
        return shown if self.boundary_f is None else shown | {"boundary_f": self.score}

    def warnings(self) -> dict[str, str]:
        sentences: dict[str, str] = {}
        total, mapped, below, *_ = self.sums.tolist()
        if not total:
            return sentences
        goal = f"share={self.share:g}" if self.boundary_f is None else f"boundary_f={self.boundary_f:g}"
        a = float(self.strength)
        if below:
            sentences["below"] = (
                f"the maps hold values below base={self.base:g}; they count as base. What is the maps' base?"
            )
        if not mapped:
            sentences["flat"] = f"the maps are flat, all at base={self.base:g}, so no strength brings {goal}."
        elif a >= self.largest:
            sentences["largest"] = f"the strength is at its end, largest={self.largest:g}, and {goal} is not reached."
        elif a <= self.smallest and (self.share is None or self.share > 0):
            sentences["smallest"] = (
                f"the strength is at its end, {self.smallest:g}, and {goal} is exceeded without the maps."
            )
        return sentences

    def _weights(self, extra: Tensor) -> Tensor:
        return 1 + self.strength.to(extra) * extra.clamp(min=0)

    def _of_this_call(self, logits: Tensor, target: Tensor) -> Tensor:
        kept, self._kept = self._kept, None
        if self.make is None:
            if kept is None:
                raise ValueError(
                    "CalibratedMaps: without make=, every call in training needs its maps: loss(logits, target, weight=rule(maps))."
                )
            shape = target.shape if self._one_per_target(target) else (len(logits), *logits.shape[2:])
            if kept[1].shape != torch.Size(shape):
                raise ValueError(
                    f"CalibratedMaps: the maps have shape {list(kept[1].shape)}, the unreduced loss {list(shape)}; they must be the same."
                )
            return kept[1]
        return kept[1] if kept is not None and kept[0] is target else self._made(self.make, logits, target)

    def _one_per_target(self, target: Tensor) -> bool:
        return not self.link.exclusive or not target.is_floating_point()

    def _labels(self, target: Tensor) -> Tensor:
        if not target.is_floating_point():
            return target
        return target.argmax(dim=1) if self.link.exclusive else (target >= 0.5).to(torch.int64)

    def _made(self, make: Callable[..., Any], logits: Tensor, target: Tensor) -> Tensor:
        labels = self._labels(target)
        if not self._batch:
            maps = make(labels)
        elif not self.link.exclusive and labels.dim() > 3:  # every label of every image is a mask
            maps = make(labels.flatten(0, 1), batch=True).reshape(labels.shape)
        else:
            maps = make(labels, batch=True)
        extra = self._extra(maps, logits.device)
        if extra.shape != labels.shape:
            raise ValueError(
                f"CalibratedMaps: make gave a map of shape {list(extra.shape)} for labels {list(labels.shape)}; it must be the same."
            )
        return extra

    def _extra(self, maps: Any, device: torch.device) -> Tensor:
        """m - base, detached; not below 0, of which `warnings` tells."""
        values = maps.detach() if isinstance(maps, Tensor) else torch.as_tensor(maps)
        return values.to(device, torch.promote_types(values.dtype, torch.float32)) - self.base

    def _boundaries(self, logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        labels = self._labels(target)
        predicted = self.link.decided(logits)
        if not self.link.exclusive and labels.dim() > 3:
            predicted, labels, valid = (t.flatten(0, 1) for t in (predicted, labels, valid))
        if labels.dim() - 1 not in POOLS:
            raise ValueError(
                f"CalibratedMaps: boundary_f needs pixels, labels [N, *space] with 1 to 3 axes of space, got {list(labels.shape)}."
            )
        return hits(predicted, labels, valid, self.radius, self.sums.dtype)

    def extra_repr(self) -> str:
        goal = (
            f"share={self.share:g}"
            if self.boundary_f is None
            else f"boundary_f={self.boundary_f:g}, radius={self.radius}"
        )
        return f"{self.make!r}, {goal}, momentum {self.momentum:g}"


def _takes_batch(make: Callable[..., Any]) -> bool:
    try:
        return "batch" in inspect.signature(make).parameters
    except (TypeError, ValueError):
        return False


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
    close, ours, met, theirs = sums.unbind()
    precision = torch.where(ours > 0, close / torch.where(ours > 0, ours, 1.0), (theirs == 0).to(sums.dtype))
    recall = torch.where(theirs > 0, met / torch.where(theirs > 0, theirs, 1.0), (ours == 0).to(sums.dtype))
    both = precision + recall
    return 2 * precision * recall / torch.where(both > 0, both, 1.0)


def _grown(x: Tensor, radius: int) -> Tensor:
    """The largest value within `radius`."""
    pool = POOLS[x.dim() - 1]
    return pool(x.unsqueeze(1), 2 * radius + 1, stride=1, padding=radius).squeeze(1)
