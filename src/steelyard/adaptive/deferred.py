"""One recipe first, another later."""

import torch
from torch import Tensor

from ..ops import bind
from ..ops.factors import Held, Tables, factors
from ..recipe import ONE_ONLY, Recipe
from ..rule.clock import Clock
from ..rule.protocol import Rule
from ._between import Between, refuse_learned


class Deferred(Rule):
    """`first` before epoch `after_epoch`, `then` from it on: deferred re-weighting (DRW).

    Epochs count from 0, so with 200 epochs and after_epoch=160 the first 160 are trained with `first`; 0 is at once.
    Call `loss.advance(epoch=epoch)` at the start of every epoch. Learning the features on the data as they are and
    weighting only the end is how most of a re-weighting's gain survives in nets that can fit everything.

    Raises ValueError for after_epoch < 0, and for recipes about different classes. Where curve, target and norm of both
    are the same only numbers change; otherwise torch.compile compiles once more at the switch.

    Source: Cao et al. 2019, arXiv:1906.07413, section 3.3 (algorithm 1).

    >>> import steelyard as sy
    >>> loss = sy.CrossEntropy(sy.adaptive.Deferred(sy.Recipe(), sy.Recipe(weight=[0.5, 5.0]), after_epoch=160))
    >>> loss.advance(epoch=160)
    >>> loss.recipe.class_weight.tolist()
    [0.5, 5.0]
    """

    reads_logits = False
    switched: Tensor

    def __init__(self, first: Recipe, then: Recipe, *, after_epoch: int):
        super().__init__()
        if isinstance(after_epoch, bool) or not isinstance(after_epoch, int) or after_epoch < 0:
            raise ValueError(f"Deferred: after_epoch must be a whole number >= 0, got {after_epoch!r}.")
        self.after_epoch = after_epoch
        self.clock = Clock(needed=after_epoch > 0)
        self._two: tuple[Recipe, Recipe] | None = None
        if isinstance(first, Recipe) and isinstance(then, Recipe) and _differ(first, then):
            refuse_learned("Deferred", first, then)
            Between("Deferred", _tables_of(first), _tables_of(then))  # the same classes, or an error
            self._two = first, then
            self._held = Held(self, factors(first), "first_"), Held(self, factors(then), "then_")
        else:
            self.between = Between("Deferred", first, then)
        self.register_buffer("switched", torch.tensor(False))
        self._switched = False
        self._switch(after_epoch == 0)
        self.register_load_state_dict_post_hook(_see_where_it_stands)

    def _switch(self, switched: bool) -> None:
        self.switched, self._switched = torch.full_like(self.switched, switched), switched
        if self._two is None:
            self.between.move(float(switched))

    def emit(self) -> tuple[Recipe, Tables]:
        if self._two is None:
            return self.between.structure, self.between.tables()
        return self._two[self._switched], self._held[self._switched].of(self)

    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None:
        if epoch is not None:
            self._switch(int(epoch) >= self.after_epoch)

    def serve(self, link: str, ignore_index: int) -> None:
        for recipe in self._two or ():
            bind(recipe, link)

    def extra_repr(self) -> str:
        return f"after_epoch={self.after_epoch}"


def _differ(first: Recipe, then: Recipe) -> bool:
    return any(getattr(first, f) != getattr(then, f) for f in ONE_ONLY)


def _tables_of(recipe: Recipe) -> Recipe:
    return Recipe(recipe.scale, recipe.offset, recipe.margin, recipe.weight, classes=recipe.classes, kind=recipe.kind)


def _see_where_it_stands(module: Deferred, _: object) -> None:
    module._switched = bool(module.switched)
