"""Weights, offsets and temperatures that are learned, in ways that cannot collapse."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn

from ..counts import Counts
from ..link import Link, link_for
from ..ops.beside import Beside, Told
from ..ops.factors import Tables
from ..ops.widest import widened
from ..options import In
from ..recipe import Recipe
from ..rule.protocol import PATIENCE, Rule, Seen
from ..rule.small import small

WAYS = ("geometric", "minimax", "bilevel")
NO_DESCENT = (
    "the gradient of the training loss in a weight is the mean loss of its class (in the log of a cost: the share of the"
    " mistakes it makes expensive), which is never negative, so descent only ever shrinks it: a weight goes through zero to minus"
    ' infinity, and then pays for mistakes; a cost goes to 0 and the loss vanishes. Take how="bilevel", which learns them on held-out data'
)


class Learned(Rule):
    """Weights w, offsets o and scales (inverse temperatures) S of the classes, learned while the model is.

        w_c = exp(s_c - mean s)     S_c likewise     o_c = s_c - mean s          free numbers s; no step leads out of these tables

    how="geometric"   the default. s are Parameters: give loss.parameters() to the optimiser. The training loss, plus
                      `prior` times

                          m - 1 - log m + mean (log S)^2 + mean o^2        m = sum_c pi_c w_c

                      which is 0 at unit mass and neutral tables. At a minimum over s every
                      pi_c w_c (L_c + prior (1 - 1/m)) is the same, L_c the mean loss of class c: up to the prior it makes the classes' parts of
                      the loss equal. That is all it does: a class that is fitted well gets MORE weight, and no gradient
                      here says which weights are good. An offset does what the bias of the last layer does, so learning
                      rates decide which of both learns the prior
    how="minimax"     w_c = q_c / pi_c (unit mass), q on the simplex by ascent: after each step q_c is multiplied by
                      exp(rate L_c) and brought to sum 1, so the classes with the largest loss count most. L_c is the
                      plain cross-entropy without call weights, over all ranks and micro-batches; a class that a step
                      does not hold keeps the L_c it had. Buffers, weights only, `counts` needed
    how="bilevel"     s are buffers that training never touches; adaptive.Bilevel moves them by the loss on held-out
                      data

    counts  Counts, or the number of classes (the prior is then uniform)
    fields  any of "weight", "offset", "scale"; by default the weight, and for bilevel the offset and the scale (VS)
    prior   of geometric, >= 0; 0 lets the loss be made small by giving up a class
    rate    of the ascent, > 0
    start   a recipe whose weight, offset and scale to start from; default neutral. Weights are brought to geometric
            mean 1 (minimax: unit mass)

    ValueError for how="descent" and the like, with the reason; for unknown fields; classes that count 0; minimax with
    other fields.

    Source: minimax: Sagawa et al. 2020, arXiv:1911.08731, algorithm 1 (there one group per step; here all that the step
    holds). bilevel with offset and scale: Li et al. 2021, arXiv:2201.01212, of the VS loss of Kini et al. 2021,
    arXiv:2103.01550.

    >>> import steelyard as sy
    >>> loss = sy.CrossEntropy(sy.adaptive.Learned(sy.Counts.of(900, 100), how="minimax", rate=0.1))
    >>> _ = loss(torch.tensor([[4.0, 0.0], [4.0, 0.0]]), torch.tensor([0, 1]))  # the rare class is wrong by 4
    >>> [round(w, 3) for w in loss.recipe.class_weight.tolist()]
    [0.953, 1.422]
    """

    def __init__(
        self,
        counts: Counts | int,
        *,
        how: str = "geometric",
        fields: Sequence[str] | None = None,
        prior: Annotated[float, In(0.0, math.inf)] = 0.1,
        rate: Annotated[float, In(0.0, math.inf, open_low=True)] = 0.1,
        start: Recipe | None = None,
    ):
        super().__init__()
        if how not in WAYS:
            refuse("Learned", how, WAYS)
        if fields is None:
            fields = ("offset", "scale") if how == "bilevel" else ("weight",)
        fields = (fields,) if isinstance(fields, str) else tuple(fields)
        if not fields or set(fields) - set(FIELDS):
            raise ValueError(f"Learned: fields must be some of {', '.join(FIELDS)}, got {fields!r}.")
        if how == "minimax" and fields != ("weight",):
            raise ValueError(
                'Learned: how="minimax" is about weights only: the largest loss is no aim for an offset or a scale. Leave fields out.'
            )
        if isinstance(counts, Counts):
            counts.nonempty("Learned")
        elif isinstance(counts, bool) or not isinstance(counts, int) or counts < 2:
            raise ValueError(f"Learned: give Counts, or the number of classes, at least 2; got {counts!r}.")
        elif how == "minimax":
            raise ValueError('Learned: how="minimax" divides by the shares of the classes, so it needs Counts.')
        self.how, self.prior, self.free = how, float(prior), Free(fields, counts, f"learned({how})")
        begin = {f: torch.tensor(v) for f, v in self.free.start(start).items()}
        self.register_buffer("share", torch.tensor(self.free.share))
        if how == "minimax":
            self.simplex = Simplex(self.share, begin["weight"].exp(), rate)
            self.pending = torch.zeros_like(torch.stack([self.simplex.q] * 2))  # sums of losses, and counts
            self.register_load_state_dict_pre_hook(_pending_was_in_the_simplex)
        for field, numbers in begin.items() if how != "minimax" else ():
            if how == "geometric":
                self.register_parameter(f"free_{field}", nn.Parameter(numbers.float()))
            else:
                self.register_buffer(f"free_{field}", numbers)
        self.reads_logits = how != "bilevel"
        if how == "bilevel":
            self.held = tuple(f"free_{f}" for f in self.free.fields)
            self.register_buffer("moves", torch.tensor(0))

    share: Tensor
    moves: Tensor

    def _tables(self) -> dict[str, Tensor]:
        if self.how == "minimax":
            return {"weight": self.simplex.q / self.share}
        return self.free.tables({f: getattr(self, f"free_{f}") for f in self.free.fields})

    def emit(self) -> tuple[Recipe, Tables]:
        return self.free.structure, self.free.emitted(self._tables())

    def serve(self, link: Link, ignore_index: int) -> None:
        self.free.serve(link)

    def observe(self, logits: Tensor, target: Tensor) -> Tensor | None:
        return self.simplex.sums(self.read(logits, target)) if self.how == "minimax" else None

    def beside(self) -> Beside | None:
        return Beside("surprise") if self.how == "minimax" and self.link.exclusive else None

    def gather(self, told: Told) -> Tensor:
        return told.sums().flip(0)

    def learn(self, sums: Any) -> None:
        if self.how == "minimax":
            self.simplex.ascend(*sums)

    def penalty(self) -> Tensor | None:
        if self.how != "geometric":
            return None
        tables = self._tables()
        penalty = self.share.new_zeros(())
        for field, table in tables.items():
            if field == "weight":
                mass = (self.share * table).sum()
                penalty = penalty + mass - 1 - mass.log()
            else:
                penalty = penalty + (table if field == "offset" else table.log()).square().mean()
        return self.prior * penalty

    def move(self, name: str, value: Tensor) -> None:
        super().move(name, value)
        self.moves = self.moves + 1

    def warnings(self) -> dict[str, str]:
        cure = {
            "geometric": "raise prior",
            "minimax": "lower rate",
            "bilevel": "take fewer outer steps, or a larger held-out set",
        }[self.how]
        sentences = spread(cure, self._tables(), float(self.share.max() / self.share.min()))
        if self.how == "minimax" and float(self.simplex.q.max()) > 0.95:
            sentences["collapsed"] = (
                f"one class has {float(self.simplex.q.max()):.1%} of all the weight, so the others are hardly trained: it may be"
                " one that cannot be learned (noise, labels at chance). Lower rate, or leave that class out."
            )
        if self.how == "bilevel" and self.driver.steps >= PATIENCE and int(self.moves) == 0:
            sentences["unmoved"] = (
                f"no outer step was taken in {self.driver.steps} steps, so the numbers are what they were at the start:"
                " call adaptive.Bilevel(model, loss).step(train, held_out) every few steps."
            )
        return sentences

    def extra_repr(self) -> str:
        return f"{self.how}, {', '.join(self.free.fields)}"


def _pending_was_in_the_simplex(module: nn.Module, state: dict, where: str, *_: Any) -> None:
    """In checkpoints from before."""
    if f"{where}simplex.pending" in state:
        state[f"{where}pending"] = state.pop(f"{where}simplex.pending")


def refuse(name: str, how: str, ways: Sequence[str]) -> None:
    if how in ("descent", "gradient", "plain", "train", "free", "sgd"):
        raise ValueError(f"{name}: how={how!r} is not offered: {NO_DESCENT}.")
    raise ValueError(f"{name}: how must be one of {', '.join(ways)}, got {how!r}.")


FIELDS = ("weight", "offset", "scale")


class Free:
    """Which tables there are, and how free numbers s become them.

    weight  exp(s - mean s): geometric mean 1; one per label [C], multilabel [2, K]
    scale   exp(s - mean s): geometric mean 1; one per class [1, C] (sigmoid, two classes: per label [2]; multilabel [2,
            K])
    offset  s - mean s: adds up to 0, as a common offset does nothing in a softmax; [1, C]. Multilabel: s itself, [1, K]
    """

    def __init__(self, fields: Sequence[str], counts: Counts | int, source: str):
        self.fields, self.source = tuple(f for f in FIELDS if f in fields), source
        if isinstance(counts, Counts):
            self.classes, self.kind, prior = counts.classes, counts.kind, counts.prior
        else:
            self.classes, self.kind, prior = None, None, np.full(counts, 1 / counts)
        self.share = prior if self.kind != "multilabel" else prior / len(self.classes or ())  # of all terms of the mean
        self.per_label = prior.shape
        self.link: Link | None = None
        self.serve(link_for(self.kind))

    def serve(self, link: Link) -> None:
        """Which way each table lies; the structure stays the same object for as long as the link does."""
        if link == self.link:
            return
        self.link = link
        size = self.per_label
        self.shapes = {"weight": size, "offset": (1, size[-1]), "scale": size}
        if link.exclusive:
            self.shapes["scale"] = (1, size[-1])
        neutral: dict[str, Any] = {f: np.full(self.shapes[f], 0.0 if f == "offset" else 1.0) for f in self.fields}
        kind = "exclusive" if self.kind is None and not link.exclusive else self.kind
        self.structure = Recipe(**neutral, classes=self.classes, kind=kind, source=(self.source,))

    def start(self, recipe: Recipe | None) -> dict[str, np.ndarray]:
        """The free numbers of `recipe`; zeros where it says nothing."""
        free = {}
        for field in self.fields:
            shape = self.shapes[field] if field == "offset" else self.per_label
            table = None if recipe is None else getattr(recipe, field)
            numbers = None if table is None else table.numpy() if field == "offset" else np.log(table.numpy())
            if numbers is not None and len(shape) == 1:
                numbers = numbers.reshape(-1)
            free[field] = np.zeros(shape) if numbers is None else np.broadcast_to(numbers, shape).copy()
            if field == "offset":
                free[field] = free[field].reshape(-1)
        return free

    def tables(self, free: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{field: table} in the shape of the free numbers."""
        tables = {}
        for field in self.fields:
            s = free[field]
            if field == "offset":
                tables[field] = s if self.kind == "multilabel" else s - s.mean()
            else:
                tables[field] = (s - s.mean()).exp()
        return tables

    def emitted(self, tables: Mapping[str, Tensor]) -> Tables:
        """The same as `Rule.emit` has them."""
        return {f: (table.reshape(self.shapes[f]),) for f, table in tables.items()}


def spread(cure: str, tables: Mapping[str, Tensor], imbalance: float) -> dict[str, str]:
    """A sentence for every table whose entries are far apart: weights 100 times, scales 10 times, offsets 100 times the imbalance."""
    sentences = {}
    for field, table in tables.items():
        flat = widened(table.detach()).reshape(-1)
        apart = float((flat.max() - flat.min()).exp() if field == "offset" else flat.max() / flat.min())
        most = {"weight": 100.0, "scale": 10.0, "offset": 100.0 * imbalance}[field]
        if not apart <= most:
            what = (
                f"offsets give one class {apart:.3g} times the start of another"
                if field == "offset"
                else f"{field}s are {apart:.3g} times apart"
            )
            sentences[field] = (
                f"the {what}, more than {most:.3g}: a few rows then decide every step. Lower the learning rate of these"
                f" numbers, or {cure}."
            )
    return sentences


LEAST = 1e-12  # a share of 0 could never grow again


class Simplex(nn.Module):
    """q_c <- q_c exp(rate L_c) / sum: exponentiated gradient ascent on sum_c q_c L_c over the simplex.

    q       starts at share * weight, brought to sum 1
    losses  L_c as last seen; a class never seen so far is taken at the mean of the others
    """

    q: Tensor
    losses: Tensor
    known: Tensor

    def __init__(self, share: Tensor, weight: Tensor, rate: float):
        super().__init__()
        q = share * weight
        self.rate = float(rate)
        self.register_buffer("q", q / q.sum())
        self.register_buffer("losses", torch.zeros_like(q))
        self.register_buffer("known", torch.zeros_like(q))

    def sums(self, seen: Seen) -> Tensor:
        """[2, ...] losses per class, and how many; soft labels count by their parts."""
        z, valid = seen.z, seen.valid
        if seen.link.exclusive:
            part = seen.y if seen.y.is_floating_point() else nn.functional.one_hot(seen.y, z.shape[1])
            part = widened(part) * valid[:, None]
            each = torch.stack([(part * -z.log_softmax(dim=1)).sum(dim=0), part.sum(dim=0)])
        else:
            is_ = widened(seen.y * valid)
            not_ = widened(1 - seen.y) * valid
            yes, no = -nn.functional.logsigmoid(z), -nn.functional.logsigmoid(-z)
            each = torch.stack([(not_ * no).sum(0), (is_ * yes).sum(0), not_.sum(0), is_.sum(0)])
        return each.reshape(2, *self.q.shape)

    def ascend(self, sums: Tensor, counts: Tensor) -> None:
        found = small(self._ascended, sums, counts, self.q, self.losses, self.known)
        for name, value in zip(("q", "losses", "known"), found, strict=True):
            setattr(self, name, value)

    def _ascended(self, xp: Any, sums: Any, counts: Any, q: Any, losses: Any, known: Any) -> tuple[Any, ...]:
        there = counts > 0
        known = xp.where(there, 1.0, known)
        losses = xp.where(there, sums / xp.where(there, counts, 1.0), losses)
        mean = (losses * known).sum() / xp.clip(known.sum(), 1, None)
        ascent = xp.log(xp.clip(q, LEAST, None)) + self.rate * xp.where(known > 0, losses, mean)
        raw = xp.exp(ascent - ascent.max())
        return raw / raw.sum(), losses, known
