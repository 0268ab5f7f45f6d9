"""A recipe bound to an nn.Module: CrossEntropy and BinaryCrossEntropy."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Self

import torch
from torch import Tensor, nn

from ..link import SIGMOID, SOFTMAX, Link
from ..ops import Bound, Terms, bind
from ..ops.bind import again, lay_out
from ..ops.factors import Held, Tables, factors, wide
from ..ops.loaded import recipe_of
from ..ops.shapes import Call, arrange
from ..ops.tables import inherit
from ..ops.watched import forward_mode, transformed
from ..ops.widest import widest
from ..recipe import Recipe
from ..rule.protocol import Adaptive, Rule, as_rule
from .functional import adapt, check_reduction, explained, reduced, terms_of, whole
from .one_pass import one_pass
from .penalty import penalized
from .probabilities import warn_once, warn_once_of_answers

DROP_INS = {"weight": "CrossEntropyLoss", "label_smoothing": "CrossEntropyLoss", "pos_weight": "BCEWithLogitsLoss"}
INGREDIENTS = {
    "weight": "fixed(weight=...)",
    "label_smoothing": "smooth(...)",
    "pos_weight": "fixed(weight=[[1.0], [p]])",
}


def refuse_options_of_torch(name: str, options: dict[str, Any]) -> None:
    """TypeError for keywords that the losses do not take; for those of torch's losses it says where they are taken."""
    for option in options:
        if option not in INGREDIENTS:
            raise TypeError(
                f"{name}: unknown option {option!r}; it takes recipe, ignore_index, reduction, class_dim, consume_logits."
            )
        drop_in = "BCEWithLogitsLoss" if name == "BinaryCrossEntropy" and option == "weight" else DROP_INS[option]
        raise TypeError(
            f"{name}: takes a recipe, not {option}=. With torch's signature and numbers that is {drop_in}({option}=...);"
            f" as a recipe it is {name}({INGREDIENTS[option]}), which takes effective_number(counts) and others, too."
        )


def refuse_to_learn_in_a_transform(name: str, rule: Rule) -> None:
    """RuntimeError where torch.func calls a loss in training mode whose rule keeps something of it: that is no number outside."""
    keeps = type(rule).observe is not Rule.observe or type(rule).learn is not Rule.learn
    if keeps and transformed() and not torch.compiler.is_compiling():
        raise RuntimeError(
            f"{name}: {type(rule).__name__} learns from every call in training mode, and a call inside torch.func (grad, vmap, jvp,"
            " hessian) is none to learn from. Call loss.eval() before it, or differentiate by backward()."
        )


class RecipeLoss(nn.Module):
    """Tables as buffers (parameters where they are learned), or a rule that emits them; the rest of the recipe as plain data."""

    link: Link

    def __init__(
        self, recipe: Recipe | Adaptive | None, ignore_index: int, reduction: str, class_dim: int, consume_logits: bool
    ):
        super().__init__()
        name = type(self).__name__
        rule = as_rule(recipe)
        if recipe is None:
            recipe = Recipe()
        if rule is None and not isinstance(recipe, Recipe):
            raise TypeError(
                f"{name}: takes a Recipe, got {type(recipe).__name__}. Weights alone: fixed(weight=...), or"
                " CrossEntropyLoss(weight=...) with torch's numbers."
            )
        check_reduction(name, reduction)
        self.ignore_index, self.reduction, self.class_dim = ignore_index, reduction, class_dim
        self.consume_logits = consume_logits
        self._recipe: Recipe | None = None if rule is not None else recipe  # type: ignore[assignment]  # checked above
        self._step: Tensor | None = None  # Z of the step that is held open
        self._made: tuple[list[int], Any, Bound] | None = None
        if rule is not None:
            rule.driver.serve(self.link, ignore_index)
            bind(rule.recipe(), self.link)  # what does not fit is said here, not at the first batch
            self.rule = rule
            return
        self.rule = None
        bound = bind(recipe, self.link)  # type: ignore[arg-type]
        # numbers that are learned are laid out anew at every call, for a fresh graph; others once
        self._structure = None if bound.live else bound
        self._held = Held(self, factors(recipe) if bound.live else bound.tables())  # type: ignore[arg-type]

    @property
    def recipe(self) -> Recipe:
        """What it was made of, with the numbers that it holds now (`load_state_dict` may have brought others); with an adaptive
        rule, that rule's current recipe."""
        if self.rule is not None:
            return self.rule.recipe()
        assert self._recipe is not None
        return recipe_of(self._recipe, self.link, self._held.of(self), by_factor=self._structure is None)

    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None:
        """Tell the adaptive rule how far training is (epochs count from 0); with a plain recipe nothing happens."""
        if self.rule is not None:
            self.rule.driver.advance(epoch=epoch, step=step, metric=metric)

    def bound(self) -> Bound:
        """The recipe as the ops take it, holding the tensors this module, or its rule, holds now."""
        if self.rule is not None:
            structure, tables = self.rule.emit()
            tensors = [t for numbers in tables.values() for t in numbers]
            return self._kept(tensors, lambda: self._laid_out(structure, tables), structure)
        fixed = self._structure
        if fixed is None:
            assert self._recipe is not None
            return lay_out(self._recipe, self.link, self._held.of(self))
        return self._kept(self._held.flat(self), lambda: fixed.with_tables(self._held.of(self)))

    def _kept(self, tensors: list[Tensor], make: Callable[[], Bound], structure: Recipe | None = None) -> Bound:
        """The same object as long as the numbers are the same: what backends made of the tables stays with it."""
        if transformed() or forward_mode():
            return make()
        # which tensors, and how often they were written to; they are kept, so that no other takes their place in memory
        held = [id(structure)]
        for t in tensors:
            if t.is_inference() or t.requires_grad:
                return make()
            held += id(t), t._version
        if self._made is None or self._made[0] != held:
            self._made = held, (structure, tensors), make()
        return self._made[2]

    def _laid_out(self, structure: Recipe, tables: Tables) -> Bound:
        """Of a rule, whose structure is mostly that of the last time."""
        if self._made is None or self._made[1][0] is not structure or torch.compiler.is_compiling():
            return lay_out(structure, self.link, tables)
        bound = again(self._made[2], structure, tables)
        if bound is None:
            bound = lay_out(structure, self.link, tables)
            inherit(bound, self._made[2])
        return bound

    def terms(self, logits: Tensor, target: Tensor, *, weight: Any = None) -> Terms:
        """Unreduced loss, mass and lse; the square of lse is the z-loss."""
        name, bound = type(self).__name__, self.bound()
        call = arrange(name, logits, target, weight, bound, self.class_dim)
        if self.rule is not None:
            _, call, _ = adapt(name, self.rule, call, bound, self.ignore_index, "none", None)
        return terms_of(name, call, bound, ignore_index=self.ignore_index)

    def forward(
        self, logits: Tensor, target: Tensor, *, weight: Any = None, normalizer: float | Tensor | None = None
    ) -> Tensor:
        name = type(self).__name__
        check_reduction(name, self.reduction, normalizer)
        if self.link.exclusive:
            warn_once(self, logits, self.class_dim, target)
        elif weight is None:
            warn_once_of_answers(self, target)
        normalizer, bound = self._divisor(normalizer), self.bound()
        if self.rule is not None:
            call = arrange(name, logits, target, weight, bound, self.class_dim)
            return self._adaptive(self.rule, call, bound, normalizer)
        return whole(
            name,
            logits,
            target,
            bound,
            weight=weight,
            ignore_index=self.ignore_index,
            class_dim=self.class_dim,
            reduction=self.reduction,
            normalizer=normalizer,
            consume=self.consume_logits,
        )

    __call__: Callable[..., Tensor]  # nn.Module says Any

    def share(
        self, logits: Tensor, target: Tensor, *, weight: Any = None, normalizer: float | Tensor | None = None
    ) -> Tensor:
        """How much of the step's mean this call is [], in the widest float: 1, and less inside `accumulate`. A number that is to be
        added once per step is multiplied by it."""
        name, bound, normalizer = type(self).__name__, self.bound(), self._divisor(normalizer)
        call = arrange(name, logits, target, weight, bound, self.class_dim)
        one = torch.ones((), dtype=widest(logits.device), device=logits.device)
        return penalized(one, call, bound, self.ignore_index, self.reduction, normalizer)

    @property
    def in_step(self) -> bool:
        """Whether an `accumulate` holds a step of it open."""
        return self._step is not None

    @contextlib.contextmanager
    def step_over(self, z: Tensor) -> Iterator[None]:
        """Inside, every mean divides by `z` and what the rule learned does not take effect."""
        self._step = z
        try:
            yield
        finally:
            self._step = None

    def _divisor(self, normalizer: float | Tensor | None) -> float | Tensor | None:
        return self._step if normalizer is None and self.reduction == "mean" else normalizer

    def _reduced(self, call: Call, bound: Bound, normalizer: float | Tensor | None) -> Tensor:
        return reduced(
            type(self).__name__,
            call,
            bound,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            normalizer=normalizer,
            consume=self.consume_logits,
        )

    def _adaptive(self, rule: Rule, call: Call, bound: Bound, normalizer: float | Tensor | None) -> Tensor:
        name, ignored, given = type(self).__name__, self.ignore_index, call
        if self.training:
            refuse_to_learn_in_a_transform(name, rule)
        value = one_pass(
            name,
            rule,
            given,
            bound,
            ignore_index=ignored,
            reduction=self.reduction,
            normalizer=normalizer,
            consume=self.consume_logits,
            learning=self.training,
        )
        if value is None:
            seen, call, divisor = adapt(name, rule, given, bound, ignored, self.reduction, normalizer)
            if self.training:
                # before the logits may be consumed
                explained(name, given, self.link, ignored, lambda: rule.driver.observe(seen.logits, seen.target))
            value = self._reduced(call, bound, divisor)
        extra = rule.penalty()
        if extra is not None:
            value = value + penalized(extra, given, bound, ignored, self.reduction, normalizer).to(value.dtype)
        if self.training and not self.in_step:
            rule.driver.settle()
        return value

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        return super()._apply(wide(fn), recurse)

    def extra_repr(self) -> str:
        try:
            recipe_text = "" if self.rule is not None else repr(self.recipe).replace("\n", "\n  ") + ", "
        except ValueError as error:  # of numbers that were loaded, and are none of a recipe
            recipe_text = f"no recipe ({error}), "
        return f"{recipe_text}ignore_index={self.ignore_index}, reduction={self.reduction!r}"


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

    consume_logits=True allows the gradient to take the memory of the logits, which hold no logits after the call: half
    the memory, and no time for fresh pages. Take metrics before. It acts with the native kernels and a reduction, for
    one backward pass; a layer that needs its output for its own backward pass is refused by autograd.

    Probabilities act as an expectation over labels, so they cannot meet scales, offsets or margins that depend on the
    label. Raises ValueError for shapes that do not fit and, on the CPU, for labels outside 0..C-1.

    >>> loss = CrossEntropy(Recipe(weight=[1.0, 9.0]))
    >>> round(loss(torch.zeros(2, 2), torch.tensor([0, 1])).item(), 4)  # (1 + 9) log 2 / 2
    3.4657
    """

    link = SOFTMAX

    def __init__(
        self,
        recipe: Recipe | Adaptive | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        class_dim: int = 1,
        consume_logits: bool = False,
        **of_torch: Any,
    ):
        refuse_options_of_torch(type(self).__name__, of_torch)
        super().__init__(recipe, ignore_index, reduction, class_dim, consume_logits)


class BinaryCrossEntropy(RecipeLoss):
    """Sigmoid cross-entropy under a recipe: every logit is an example with two outcomes.

        u = S[y,k] z + O[y,k] - (2y - 1) margin[y,k]
        l = W[y,k] (T[y,k] g1(log sigmoid(u)) + (1 - T[y,k]) g0(log sigmoid(-u)))
        L = sum_e s_e l_e / Z

    logits     any shape; the class axis K is class_dim for two or more dimensions
    target     shaped like the logits: integers 0, 1 or ignore_index, or probabilities of "is" (floats)
    weight     s, per call: [N], [N, K] or the logits' shape; 0 means ignored. Unknown answers are ignore_index in integers; where a
               float target says -1 or NaN, weight=(target >= 0).float(): no loss, no gradient, for that label alone
    normalizer Z instead of the recipe's norm (default: the count of what is not ignored)
    returns    a scalar, or the logits' shape for reduction="none", in float32 or wider

    consume_logits as in CrossEntropy. Tables are [2, K] with row 1 = "is". A recipe from exclusive counts of two
    classes is brought to the one logit z = z1 - z0. Raises ValueError for shapes that do not fit and, on the CPU, for
    integer targets other than those.

    >>> loss = BinaryCrossEntropy(Recipe(weight=[1.0, 9.0]))
    >>> round(loss(torch.zeros(2), torch.tensor([0, 1])).item(), 4)
    3.4657
    """

    link = SIGMOID

    def __init__(
        self,
        recipe: Recipe | Adaptive | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        class_dim: int = 1,
        consume_logits: bool = False,
        **of_torch: Any,
    ):
        refuse_options_of_torch(type(self).__name__, of_torch)
        super().__init__(recipe, ignore_index, reduction, class_dim, consume_logits)
