"""Weights, offsets and temperatures that are learned, in ways that cannot collapse."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..counts import Counts
from ..ops.factors import Tables
from ..recipe import Recipe
from ..rule.protocol import PATIENCE, Rule
from ._free import FIELDS, Free, spread
from ._simplex import Simplex

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
        prior: float = 0.1,
        rate: float = 0.1,
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
        for name, value in (("prior", prior), ("rate", rate)):
            if not 0 <= value < float("inf") or (name == "rate" and value == 0):
                raise ValueError(f"Learned: {name} must be {'>' if name == 'rate' else '>='} 0, got {value!r}.")
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

    def serve(self, link: str, ignore_index: int) -> None:
        self.free.serve(link)

    def observe(self, logits: Tensor, target: Tensor) -> Tensor | None:
        return self.simplex.sums(self.read(logits, target)) if self.how == "minimax" else None

    def learn(self, sums: Any) -> None:
        if self.how == "minimax":
            self.simplex.ascend(*sums)

    def penalty(self) -> Tensor | None:
        if self.how != "geometric":
            return None
        tables = self._tables()
        found = self.share.new_zeros(())
        for field, table in tables.items():
            if field == "weight":
                mass = (self.share * table).sum()
                found = found + mass - 1 - mass.log()
            else:
                found = found + (table if field == "offset" else table.log()).square().mean()
        return self.prior * found

    def move(self, name: str, value: Tensor) -> None:
        super().move(name, value)
        self.moves = self.moves + 1

    def warnings(self) -> dict[str, str]:
        cure = {
            "geometric": "raise prior",
            "minimax": "lower rate",
            "bilevel": "take fewer outer steps, or a larger held-out set",
        }[self.how]
        found = spread(cure, self._tables(), float(self.share.max() / self.share.min()))
        if self.how == "minimax" and float(self.simplex.q.max()) > 0.95:
            found["collapsed"] = (
                f"one class has {float(self.simplex.q.max()):.1%} of all the weight, so the others are hardly trained: it may be"
                " one that cannot be learned (noise, labels at chance). Lower rate, or leave that class out."
            )
        if self.how == "bilevel" and self.driver.steps >= PATIENCE and int(self.moves) == 0:
            found["unmoved"] = (
                f"no outer step was taken in {self.driver.steps} steps, so the numbers are what they were at the start:"
                " call adaptive.Bilevel(model, loss).step(train, held_out) every few steps."
            )
        return found

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
