"""What emits the next Recipe while training goes on: what a rule is, and the driver between it and a loss.

A loss calls, in this order and with logits [N, C, *space] and target [N, *space] (sigmoid: like the logits):

    weigh, adjust   what this call's loss is made of      always
    emit            the tables of this call               always
    observe         what there is to learn from the call  in training mode, detached
    learn           what was observed takes effect        in training mode, after the loss; once at the end of `accumulate`

so the tables of a call never depend on the call itself, and all micro-batches of a step share theirs.
"""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

import torch
from torch import Tensor, nn

from ..link import SOFTMAX, Link, link_of
from ..ops.beside import Beside, Told
from ..ops.factors import Tables, factors, snapshot, wide
from ..ops.shapes import Call
from ..ops.watched import transformed
from ..options import checked
from ..recipe import Recipe
from .clock import Clock
from .history import History, Trace

FORMER = {  # hooks of rules written before 0.1, which would be silently left out
    "settle": "observe() returns sums shaped like the buffer `pending`, and learn(sums) takes them in, over all ranks",
    "complaints": "write warnings()",
    "check_clock": "set self.clock = Clock()",
}
CHECKED_FIRST = 64  # steps; then at twice as many, and so on: looking at values makes a GPU wait
PATIENCE = 512  # steps before a rule that waits for a call from outside says so


@runtime_checkable
class Adaptive(Protocol):
    """What a loss takes in place of a Recipe. `Rule` has all of it and more; an object of your own needs these five."""

    def recipe(self) -> Recipe: ...
    def observe(self, logits: Tensor, target: Tensor) -> Any: ...
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
    link: Link

    def restore(self, values: Tensor) -> Tensor:
        """One value per row (softmax) or element (sigmoid), in the layout of the unreduced loss."""
        if self.link.exclusive or len(self.shape) < 2:
            return values.reshape(self.shape)
        n, k, *space = self.shape
        return values.reshape(n, *space, k).movedim(-1, 1)

    @property
    def p(self) -> Tensor:
        return self.link.probabilities(self.z)


class Rule(nn.Module):
    """Base of every adaptive rule. A rule holds numbers and says what becomes of them; all else is its `driver`'s.

    The five of design.md are `recipe`, `observe`, `advance`, `weigh` and `adjust`. A rule writes `recipe`, or `emit`
    where it has its numbers as tensors (a Recipe is a copy, too slow for every call), and of the others what it needs:
    `learn` stands apart from `observe`, because what a call shows must not act before the whole step is seen; `penalty`
    keeps learned numbers from running away. State goes into buffers (it is checkpointed and moves with the loss) and is
    replaced, not written to, so that a graph that still waits for its backward pass keeps its numbers.

    What a rule says of itself:

    pending       a buffer that collects what `observe` returns, or None
    reads_logits  whether it needs the logits of a call: then it cannot serve LinearCrossEntropy, which never has them
    selects       whether `weigh` leaves items out by weights of 0, as a choice: a mean is then over the rest. Otherwise
                  what a rule weighs does not enter Z, which shards have to know before there are logits
    warns_from    steps before `warnings` is asked at an `advance`: what learns from the calls has to have seen some
    held          names of buffers that neither training nor `learn` changes, but an outer step does (adaptive.Bilevel)
    clock         of a rule that follows a schedule, or None

    and what others say to it: `link` and `ignore_index` are those of the loss that took it, `group` is the process
    group that its sums are over (None: all ranks). Options of its __init__ that are annotated with `In(...)` or `OneOf(...)`
    (steelyard.options) are checked, as an ingredient's are.
    """

    link: Link = SOFTMAX
    ignore_index: int = -100
    group: Any = None
    pending: Tensor | None
    reads_logits: bool = True
    selects: bool = False
    warns_from: int = 0
    held: tuple[str, ...] = ()
    clock: Clock | None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.recipe is Rule.recipe and cls.emit is Rule.emit:
            raise TypeError(f"{cls.__name__}: a rule must have recipe() or emit(); see steelyard.adaptive.Rule.")
        if "beside" not in vars(cls) and {"weigh", "adjust", "observe"} & set(vars(cls)):
            cls.beside = Rule.beside  # that of a base says something else than these
        for name, instead in FORMER.items():
            if name in vars(cls):
                raise TypeError(f"{cls.__name__}: nobody calls {name}() of a rule any more; {instead}.")
        if "__init__" in vars(cls):
            cls.__init__ = checked(cls.__init__)

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("pending", None)
        self.clock = None
        self.driver = Driver(self)

    def recipe(self) -> Recipe:
        """The tables as they stand: frozen, and no longer connected to this rule."""
        return snapshot(*self.emit())

    def emit(self) -> tuple[Recipe, Tables]:
        """Which tables there are, and their numbers. Called at every loss: a rule that holds its numbers as tensors
        returns them, and no value is looked at."""
        recipe = self.recipe()
        return recipe, factors(recipe)

    def observe(self, logits: Tensor, target: Tensor) -> Tensor | None:
        """What is to be learned from one call, as sums shaped like `pending`, to which they are added."""
        return None

    def learn(self, sums: Any) -> None:
        """A step is over: `sums` is what it brought to `pending`, over its calls and all ranks (None without one)."""

    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None:
        """Training is so far: before the first batch of an epoch (counted from 0), or before each step."""

    def weigh(self, logits: Tensor, target: Tensor) -> Tensor | None:
        """Call weights shaped like the unreduced loss, or None; detached. They multiply the caller's."""
        return None

    def adjust(self, logits: Tensor, target: Tensor) -> Tensor:
        """The logits the loss is taken of; differentiable."""
        return logits

    def beside(self) -> Beside | None:
        """What the pass of the loss can do in place of `weigh`, `adjust` and `observe`, or None. It says the same as these, which
        are asked wherever there is no such pass: a rule that has it writes `gather`, too."""
        return None

    def gather(self, told: Told) -> Tensor | None:
        """What `observe` returns, out of what the pass told."""
        return None

    def penalty(self) -> Tensor | None:
        """A term that every item's loss has on top, or None: one number [], or a table [label value, 1 or class] like a
        recipe's weight, of which each item has its label's."""
        return None

    def serve(self, link: Link, ignore_index: int) -> None:
        """A loss takes this rule: refuse it by a ValueError, or lay tables out for its link."""

    def move(self, name: str, value: Tensor) -> None:
        """Take a new value of a held buffer."""
        setattr(self, name, value)

    def warnings(self) -> dict[str, str]:
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

    # nothing from here on is for a rule to write

    def history(self) -> History:
        """The numbers over time as a table: at every `advance`, and at evenly thinned steps. Not checkpointed."""
        return self.driver.trace.history(self.emit()[0].classes)

    def read(self, logits: Tensor, target: Tensor) -> Seen:
        """The call as rows, without what is ignored."""
        dtype = torch.promote_types(logits.dtype, torch.float32)
        z = (logits.movedim(1, -1) if logits.dim() > 1 else logits.unsqueeze(-1)).to(dtype)
        z = z.reshape(-1, z.shape[-1])
        soft = target.is_floating_point()
        if self.link.exclusive:
            shape = torch.Size(self.link.items(logits.shape))
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

    def replace(self, **buffers: Tensor) -> None:
        """New tensors in the place of buffers; nn.Module's way of setting an attribute looks in five other places first."""
        if torch.compiler.is_compiling():
            for name, value in buffers.items():
                setattr(self, name, value)
        else:
            self._buffers.update(buffers)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        return super()._apply(wide(fn), recurse)


class Driver:
    """Around a rule, the same for all: when it is asked, sums over calls and ranks, its clock, its history, its warnings."""

    def __init__(self, rule: Rule):
        self.rule, self.trace = rule, Trace()
        self._warned: set[str] = set()

    @property
    def steps(self) -> int:
        """How many steps this process has seen; of a rule with a clock, which goes by that, 0."""
        return self.trace.steps

    def serve(self, link: str | Link, ignore_index: int) -> None:
        link = link_of(link)
        self.rule.serve(link, ignore_index)
        self.rule.link, self.rule.ignore_index = link, ignore_index

    def adapted(self, call: Call) -> tuple[Call, Call]:
        """(what the rule may look at, the call as the loss is taken of it): call weights of 0 are labels to ignore."""
        logits, target, weight = call.logits, call.target, call.weight
        if weight is not None:
            target = self._without(target, weight == 0, softmax=target.dim() > weight.dim())
        seen = call._replace(logits=logits.detach(), target=target)
        own = self.rule.weigh(seen.logits, seen.target)
        if own is not None:
            weight = own if weight is None else own * weight
        return seen, call._replace(logits=self.rule.adjust(logits, seen.target), weight=weight)

    def _without(self, target: Tensor, out: Tensor, *, softmax: bool) -> Tensor:
        """These elements ignored: probabilities have no label to say so and become NaN, which `Rule.read` knows."""
        if not target.is_floating_point():
            return target.masked_fill(out, self.rule.ignore_index)
        if isinstance(self.rule, Foreign):  # does not know of it
            return target
        return target.masked_fill(out.unsqueeze(1) if softmax else out, float("nan"))

    def observe(self, logits: Tensor, target: Tensor) -> None:
        """Keep what one call shows. Nothing changes before `settle`."""
        self.keep(self.rule.observe(logits, target))

    def keep(self, sums: Tensor | None) -> None:
        if sums is not None and (pending := self.rule.pending) is not None:
            self.rule.replace(pending=pending + sums.to(pending))

    def settle(self) -> None:
        """A step is over: let what was observed take effect, summed over ranks."""
        rule, sums = self.rule, None
        if (pending := rule.pending) is not None:
            sums = over_ranks(pending, rule.group)
            rule.replace(pending=torch.zeros_like(pending))
        rule.learn(sums)
        if transformed():
            return
        if rule.clock is not None:
            rule.clock.check(type(rule).__name__)
            return
        self.trace.observed(rule.watched)
        if self.steps >= CHECKED_FIRST and self.steps & (self.steps - 1) == 0:
            self._warn()

    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None:
        """Say how far training is."""
        self.rule.advance(epoch=epoch, step=step, metric=metric)
        if self.rule.clock is not None:
            self.rule.clock.advance(epoch, step, metric)
        self.record()

    def record(self) -> None:
        """The rule has changed between steps: a row of `history` that stays, and a look for warnings."""
        if torch.compiler.is_compiling():
            return
        self.trace.add(self.rule.watched(), {} if self.rule.clock is None else self.rule.clock.known())
        if self.steps >= self.rule.warns_from:
            self._warn()

    def _warn(self) -> None:
        for name, sentence in self.rule.warnings().items():
            if name not in self._warned:
                self._warned.add(name)
                warnings.warn(f"{type(self.rule).__name__}: {sentence}", stacklevel=4)


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

    def watched(self) -> dict[str, Tensor]:
        return {}  # its recipe is not ours to ask for at every step


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


def as_rule(subject: Any) -> Rule | None:
    """The rule that it is, or None."""
    if isinstance(subject, Rule):
        return subject
    return Foreign(subject) if _follows(subject) else None


def as_recipe(subject: Any) -> Any:
    """A rule's current recipe; anything else as it is."""
    return subject.recipe() if isinstance(subject, Rule) or _follows(subject) else subject


def _follows(subject: Any) -> bool:
    """Whether it has the methods of `Adaptive`. By its type: a loss has a property of one of these names, which costs."""
    return all(callable(getattr(type(subject), f, None)) for f in ("recipe", "observe", "advance", "weigh", "adjust"))
