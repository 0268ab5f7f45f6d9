"""What emits the next Recipe while training goes on: the protocol between a loss and an adaptive rule.

A loss calls, in this order and with logits [N, C, *space] and target [N, *space] (sigmoid: like the logits):

    weigh, adjust   what this call's loss is made of      always
    emit            the tables of this call               always
    observe         what there is to learn from the call  in training mode, detached
    settle          what was observed takes effect        in training mode, after the loss; once at the end of `accumulate`

so the tables of a call never depend on the call itself, and all micro-batches of a step share theirs.
"""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

import torch
from torch import Tensor, nn

from ..ops.factors import Tables, factors
from ..ops.shapes import Call
from ..recipe import COMBINE, Recipe
from ..table import Rows, is_live
from .clock import Clock
from .history import History, Trace

CHECKED_FIRST = 64  # observed steps; then at twice as many, and so on: looking at values makes a GPU wait
PATIENCE = 512  # observed steps before a rule that waits for a call from outside says so


@runtime_checkable
class Adaptive(Protocol):
    """What a loss takes in place of a Recipe. `Rule` has all of it and more; an object of your own needs these five."""

    def recipe(self) -> Recipe: ...
    def observe(self, logits: Tensor, target: Tensor) -> None: ...
    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None: ...
    def weigh(self, logits: Tensor, target: Tensor) -> Tensor | None: ...
    def adjust(self, logits: Tensor, target: Tensor) -> Tensor: ...


class Seen(NamedTuple):
    """One call as rows: what is ignored has logits 0 and label 0, so that no value there can reach a sum.

    z      [R, C] in float32 or wider (sigmoid without a class axis: [R, 1])
    y      softmax: labels [R], or probabilities [R, C]; sigmoid: probability of "is" [R, C]
    valid  softmax: [R]; sigmoid: [R, C]
    """

    z: Tensor
    y: Tensor
    valid: Tensor
    shape: torch.Size
    link: str

    def restore(self, values: Tensor) -> Tensor:
        """One value per row (softmax) or element (sigmoid), in the layout of the unreduced loss."""
        if self.link == "softmax" or len(self.shape) < 2:
            return values.reshape(self.shape)
        n, k, *space = self.shape
        return values.reshape(n, *space, k).movedim(-1, 1)

    @property
    def p(self) -> Tensor:
        return self.z.softmax(dim=1) if self.link == "softmax" else self.z.sigmoid()


class Rule(nn.Module):
    """Base of every adaptive rule: has all of the protocol, and does nothing but hold state.

    A subclass writes `recipe`, and overrides what it needs. State goes into buffers (it is checkpointed and moves with
    the loss) and is replaced, not written to, so that a graph that still waits for its backward pass keeps its numbers.

    link, ignore_index  of the loss that took it
    group               the process group its statistics are summed over; None is all ranks
    selects             whether `weigh` leaves items out by weights of 0, as a choice: a mean is then over the rest.
                        Otherwise what a rule weighs does not enter Z, which shards have to know before there are logits
    held                names of buffers that neither training nor `settle` changes, but an outer step does
                        (adaptive.Bilevel)
    checked_from        settled steps before `complaints` is asked at an `advance`: what learns from the calls has to have
                        seen some
    clock               set by rules that follow a schedule
    """

    link: str = "softmax"
    ignore_index: int = -100
    group: Any = None
    selects: bool = False
    checked_from: int = 0
    held: tuple[str, ...] = ()
    clock: Clock | None

    def __init__(self) -> None:
        super().__init__()
        self.clock = None
        self._trace = Trace()
        self._said: set[str] = set()

    # the protocol of design.md
    def recipe(self) -> Recipe:
        """The tables as they stand: frozen, and no longer connected to this rule."""
        raise NotImplementedError(f"{type(self).__name__}: a rule must have recipe(); see steelyard.adaptive.Rule.")

    def observe(self, logits: Tensor, target: Tensor) -> None:
        """Keep what is to be learned from one call. Nothing changes before `settle`."""

    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None:
        """Say how far training is: before the first batch of an epoch (counted from 0), or before each step."""
        if self.clock is not None:
            self.clock.advance(epoch, step, metric)
        self.record(check=True)

    def weigh(self, logits: Tensor, target: Tensor) -> Tensor | None:
        """Call weights shaped like the unreduced loss, or None; detached. They multiply the caller's."""
        return None

    def adjust(self, logits: Tensor, target: Tensor) -> Tensor:
        """The logits the loss is taken of; differentiable."""
        return logits

    # what a rule may add to it
    def emit(self) -> tuple[Recipe, Tables]:
        """Which tables there are, and their numbers as `ops.factors` has them. Called at every loss: a rule that holds
        its numbers as tensors returns them, and no value is looked at."""
        recipe = self.recipe()
        return recipe, factors(recipe)

    def settle(self) -> None:
        """Let what was observed take effect, summed over ranks."""

    def move(self, name: str, value: Tensor) -> None:
        """Take a new value of a held buffer."""
        setattr(self, name, value)

    def penalty(self) -> Tensor | None:
        """A term that every item's loss has on top, or None: one number [], or a table [label value, 1 or class] like a
        recipe's weight, of which each item has its label's. It keeps learned numbers from running away."""
        return None

    def serve(self, link: str, ignore_index: int) -> None:
        """Called by the loss that takes this rule."""
        self.link, self.ignore_index = link, ignore_index

    def check_clock(self) -> None:
        """Called by the loss in training mode: warn once where a schedule was never advanced."""
        if self.clock is not None:
            self.clock.check(type(self).__name__)

    def complaints(self) -> dict[str, str]:
        """{short name: sentence} of what looks wrong now, such as a rule that has reached the end of its range."""
        return {}

    def notes(self) -> list[str]:
        """Sentences that `explain` has to add: what the numbers rest on."""
        return []

    def watched(self) -> dict[str, Tensor]:
        """What `history` records: small tensors by name. A field whose table is one factor goes by its own name."""
        tables = self.emit()[1]
        named = {f if len(those) == 1 else f"{f}_{i}": t for f, those in tables.items() for i, t in enumerate(those)}
        return {name: t for name, t in named.items() if t.numel() <= 4096}

    # for subclasses
    @property
    def settled(self) -> int:
        """How many steps have been settled in this process."""
        return self._trace.steps

    @property
    def reads_logits(self) -> bool:
        """Whether it needs the logits of the call (then it cannot serve LinearCrossEntropy, which never has them)."""
        mine = type(self)
        return any(getattr(mine, f) is not getattr(Rule, f) for f in ("observe", "weigh", "adjust", "penalty"))

    def read(self, logits: Tensor, target: Tensor) -> Seen:
        """The call as rows, without what is ignored."""
        dtype = torch.promote_types(logits.dtype, torch.float32)
        z = (logits.movedim(1, -1) if logits.dim() > 1 else logits.unsqueeze(-1)).to(dtype)
        z = z.reshape(-1, z.shape[-1])
        soft = target.is_floating_point()
        if self.link == "softmax":
            shape = target.shape if not soft else torch.Size((logits.shape[0], *logits.shape[2:]))
            if soft:
                y = target.movedim(1, -1).reshape(z.shape).to(dtype)
                valid = ~y.isnan().any(dim=1)
                out = ~valid[:, None]
                return Seen(z.masked_fill(out, 0.0), y.masked_fill(out, 0.0), valid, shape, self.link)
            y = target.reshape(-1).long()
            valid = y != self.ignore_index
            return Seen(z.masked_fill(~valid[:, None], 0.0), y.masked_fill(~valid, 0), valid, shape, self.link)
        y = (target.movedim(1, -1) if target.dim() > 1 else target).reshape(z.shape)
        valid = ~y.isnan() if soft else y != self.ignore_index
        z, y = z.masked_fill(~valid, 0.0), y.masked_fill(~valid, 0).to(dtype)
        return Seen(z, y, valid, logits.shape, self.link)

    def over_ranks(self, sums: Tensor) -> Tensor:
        """The sum over all ranks of `group`, one all-reduce; without ranks the same tensor."""
        return over_ranks(sums, self.group)

    def record(self, *, check: bool = False) -> None:
        """A row of `history`, and once in a while a look for `complaints`, each said once. Not while compiling."""
        if torch.compiler.is_compiling():
            return
        if check:
            self._trace.add(self.watched(), {} if self.clock is None else self.clock.told())
        else:
            self._trace.observed(self.watched)
        steps = self.settled
        due = steps >= self.checked_from if check else steps >= CHECKED_FIRST and steps & (steps - 1) == 0
        for name, sentence in (self.complaints() if due else {}).items():
            if name not in self._said:
                self._said.add(name)
                warnings.warn(f"{type(self).__name__}: {sentence}", stacklevel=3)

    def history(self) -> History:
        """The numbers over time as a table: at every `advance`, and at evenly thinned observed steps. Not checkpointed."""
        return self._trace.history(self.emit()[0].classes)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        return super()._apply(wide(fn), recurse)


class Foreign(Rule):
    """An object of the caller's own that follows the protocol; its call weights act like the caller's."""

    selects = True

    def __init__(self, rule: Adaptive):
        super().__init__()
        self.rule = rule  # a module among them is registered, so that its state is checkpointed

    def recipe(self) -> Recipe:
        return self.rule.recipe()

    def observe(self, logits: Tensor, target: Tensor) -> None:
        self.rule.observe(logits, target)

    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None:
        self.rule.advance(epoch=epoch, step=step, metric=metric)

    def weigh(self, logits: Tensor, target: Tensor) -> Tensor | None:
        return self.rule.weigh(logits, target)

    def adjust(self, logits: Tensor, target: Tensor) -> Tensor:
        return self.rule.adjust(logits, target)


def world_size(group: Any = None) -> int:
    dist = torch.distributed
    return dist.get_world_size(group) if dist.is_available() and dist.is_initialized() else 1


def over_ranks(sums: Tensor, group: Any = None) -> Tensor:
    """The sum over all ranks of the group, one all-reduce; without ranks the same tensor."""
    if world_size(group) == 1:
        return sums
    total = sums.clone()
    torch.distributed.all_reduce(total, group=group)
    return total


def as_rule(given: Any) -> Rule | None:
    """The rule that `given` is, or None."""
    if isinstance(given, Rule):
        return given
    return Foreign(given) if _follows(given) else None


def as_recipe(given: Any) -> Any:
    """A rule's current recipe; anything else as it is."""
    return given.recipe() if isinstance(given, Rule) or _follows(given) else given


def _follows(given: Any) -> bool:
    """Whether it has the methods of `Adaptive`. By its type: a loss has a property of one of these names, which costs."""
    return all(callable(getattr(type(given), f, None)) for f in ("recipe", "observe", "advance", "weigh", "adjust"))


def adapted(rule: Rule, call: Call) -> tuple[Call, Call]:
    """(what the rule may look at, the call as the loss is taken of it): call weights of 0 are labels to ignore."""
    logits, target, weight = call.logits, call.target, call.weight
    if weight is not None:
        target = _without(rule, target, weight == 0, softmax=target.dim() > weight.dim())
    seen = call._replace(logits=logits.detach(), target=target)
    found = rule.weigh(seen.logits, seen.target)
    if found is not None:
        weight = found if weight is None else found * weight
    return seen, call._replace(logits=rule.adjust(logits, seen.target), weight=weight)


def _without(rule: Rule, target: Tensor, out: Tensor, *, softmax: bool) -> Tensor:
    """The target with these elements ignored: probabilities have no label to say so and become NaN, which `read` knows."""
    if not target.is_floating_point():
        return target.masked_fill(out, rule.ignore_index)
    if isinstance(rule, Foreign):  # does not know of it
        return target
    return target.masked_fill(out.unsqueeze(1) if softmax else out, float("nan"))


def wide(fn: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """`fn` of `nn.Module._apply`, but floats stay in float32 or wider: `model.half()` must not round weights, nor make
    1e5 infinite."""

    def keep(tensor: Tensor) -> Tensor:
        try:
            moved = fn(tensor)
        except TypeError:  # MPS has no float64
            moved = fn(tensor.float())
        narrow = moved.is_floating_point() and moved.dtype.itemsize < 4
        return tensor.to(moved.device, torch.promote_types(moved.dtype, torch.float32)) if narrow else moved

    return keep


def refuse_learned(name: str, *recipes: Recipe) -> None:
    """ValueError for recipes whose tables are learned, where a rule makes copies of the numbers."""
    for recipe in recipes:
        tables = [t for f in COMBINE if (t := getattr(recipe, f)) is not None]
        if any(t.live for t in tables) or (isinstance(recipe.target, Rows) and is_live(recipe.target.values)):
            raise ValueError(f"{name}: a recipe with learned tables cannot change by a schedule; see adaptive.Learned.")
