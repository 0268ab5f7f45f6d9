"""A recipe bound to an nn.Module: CrossEntropy and BinaryCrossEntropy."""

from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn

from .functional import check_reduction, reduced, unreduced_terms
from .ops import Bound, Terms, bind
from .ops.bind import factors, lay_out
from .recipe import Recipe


class RecipeLoss(nn.Module):
    """Tables as buffers (parameters where they are learned); the rest of the recipe as plain data."""

    link: str

    def __init__(self, recipe: Recipe | None, ignore_index: int, reduction: str, class_dim: int, consume_logits: bool):
        super().__init__()
        name = type(self).__name__
        if recipe is None:
            recipe = Recipe()
        if not isinstance(recipe, Recipe):
            raise TypeError(f"{name}: takes a Recipe, got {type(recipe).__name__}. Weights alone: fixed(weight=...).")
        check_reduction(name, reduction)
        self.recipe, self.ignore_index, self.reduction, self.class_dim = recipe, ignore_index, reduction, class_dim
        self.consume_logits = consume_logits
        bound = bind(recipe, self.link)
        # numbers that are learned are laid out anew at every call, for a fresh graph; others once
        self._structure = None if bound.live else bound
        self._made: tuple[list[int], Bound] | None = None
        tensors = factors(recipe) if bound.live else bound.tensors()
        for key, tensor in tensors.items():
            if isinstance(tensor, nn.Parameter):
                self.register_parameter(key, tensor)
            else:
                self.register_buffer(key, tensor)
        self._names = tuple(tensors)

    def bound(self) -> Bound:
        """The recipe as the ops take it, holding the tensors this module holds now."""
        held = None if torch.compiler.is_compiling() else self._held()
        # the same object as long as the numbers are the same: what backends made of the tables stays with it
        if held is not None and self._made is not None and self._made[0] == held:
            return self._made[1]
        tensors = {name: getattr(self, name) for name in self._names}
        if self._structure is None:
            return lay_out(self.recipe, self.link, tensors)
        bound = self._structure.with_tensors(tensors)
        if held is not None:
            self._made = held, bound
        return bound

    def _held(self) -> list[int] | None:
        """Which tables these are, and how often they were written to; None where that cannot be said."""
        found = []
        for table in self._buffers.values():
            if table is None or table.is_inference():
                return None
            found += id(table), table._version
        return None if self._structure is None else found

    def terms(self, logits: Tensor, target: Tensor, *, weight: Any = None) -> Terms:
        """Unreduced loss, mass and lse; the square of lse is the z-loss."""
        name = type(self).__name__
        return unreduced_terms(
            name, logits, target, self.bound(), weight, ignore_index=self.ignore_index, class_dim=self.class_dim
        )

    def forward(
        self, logits: Tensor, target: Tensor, *, weight: Any = None, normalizer: float | Tensor | None = None
    ) -> Tensor:
        name = type(self).__name__
        check_reduction(name, self.reduction, normalizer)
        bound = self.bound()
        return reduced(
            name,
            logits,
            target,
            bound,
            weight,
            ignore_index=self.ignore_index,
            class_dim=self.class_dim,
            reduction=self.reduction,
            normalizer=normalizer,
            consume=self.consume_logits,
        )

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Moves, but keeps the tables in float32 or wider: `model.half()` must not round weights, nor make 1e5 infinite."""

        def keep(tensor: Tensor) -> Tensor:
            try:
                moved = fn(tensor)
            except TypeError:  # MPS has no float64
                moved = fn(tensor.float())
            narrow = moved.is_floating_point() and moved.dtype.itemsize < 4
            return tensor.to(moved.device, torch.promote_types(moved.dtype, torch.float32)) if narrow else moved

        return super()._apply(keep, recurse)

    def extra_repr(self) -> str:
        told = repr(self.recipe).replace("\n", "\n  ")
        return f"{told}, ignore_index={self.ignore_index}, reduction={self.reduction!r}"


class CrossEntropy(RecipeLoss):
    """Softmax cross-entropy under a recipe.

        u_c = S[y,c] z_c + O[y,c] - margin_y [c = y]
        l   = sum_c W[y,c] T[y,c] g(log softmax(u)_c)
        L   = sum_i s_i l_i / Z

    logits     [N, C, *space] (class_dim=-1: [N, *space, C]) or [C]; float16, bfloat16, float32, float64
    target     labels [N, *space], any integer dtype; or probabilities shaped like the logits, any float dtype
    weight     s, per call: [N], [N, 1, 1], [N, *space] or [N, 1, *space], any float dtype; 0 means ignored
    normalizer Z, a number or 0-d tensor, instead of the recipe's norm (default: the count of what is not ignored)
    returns    a scalar, or [N, *space] for reduction="none", in float32 or wider; 0 where everything is ignored

    consume_logits=True allows the gradient to take the memory of the logits, which hold no logits after the call: half the
    memory, and no time for fresh pages. Take metrics before. It acts with the native kernels and a reduction, for one backward
    pass; a layer that needs its output for its own backward pass is refused by autograd.

    Probabilities act as an expectation over labels, so they cannot meet scales, offsets or margins that depend on the
    label. Raises ValueError for shapes that do not fit and, on the CPU, for labels outside 0..C-1.

    >>> loss = CrossEntropy(Recipe(weight=[1.0, 9.0]))
    >>> round(loss(torch.zeros(2, 2), torch.tensor([0, 1])).item(), 4)  # (1 + 9) log 2 / 2
    3.4657
    """

    link = "softmax"

    def __init__(
        self,
        recipe: Recipe | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        class_dim: int = 1,
        consume_logits: bool = False,
    ):
        super().__init__(recipe, ignore_index, reduction, class_dim, consume_logits)


class BinaryCrossEntropy(RecipeLoss):
    """Sigmoid cross-entropy under a recipe: every logit is an example with two outcomes.

        u = S[y,k] z + O[y,k] - (2y - 1) margin[y,k]
        l = W[y,k] (T[y,k] g1(log sigmoid(u)) + (1 - T[y,k]) g0(log sigmoid(-u)))
        L = sum_e s_e l_e / Z

    logits     any shape; the class axis K is class_dim for two or more dimensions
    target     shaped like the logits: integers 0, 1 or ignore_index, or probabilities of "is" (floats)
    weight     s, per call: [N], [N, K] or the logits' shape; 0 means ignored
    normalizer Z instead of the recipe's norm (default: the count of what is not ignored)
    returns    a scalar, or the logits' shape for reduction="none", in float32 or wider

    consume_logits as in CrossEntropy. Tables are [2, K] with row 1 = "is". A recipe from exclusive counts of two classes is
    brought to the one logit z = z1 - z0. Raises ValueError for shapes that do not fit and, on the CPU, for integer targets other than those.

    >>> loss = BinaryCrossEntropy(Recipe(weight=[1.0, 9.0]))
    >>> round(loss(torch.zeros(2), torch.tensor([0, 1])).item(), 4)
    3.4657
    """

    link = "sigmoid"

    def __init__(
        self,
        recipe: Recipe | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        class_dim: int = 1,
        consume_logits: bool = False,
    ):
        super().__init__(recipe, ignore_index, reduction, class_dim, consume_logits)
