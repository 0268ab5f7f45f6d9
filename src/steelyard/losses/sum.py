"""A weighted sum of losses, so that region losses (Dice, Tversky, ...) stand beside a recipe; factors are given or learned."""

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn

from ..given import unwrapped
from ..ops.factors import wide
from ..ops.watched import transformed
from ..rule.history import History, Trace
from ..rule.protocol import CHECKED_FIRST
from .modules import RecipeLoss
from .region import labels_of

Term = Callable[..., Tensor]


class Sum(nn.Module):
    """L = sum_k a_k l_k(logits, target), each term under a name.

    Sum(ce=loss, dice=(0.5, fn)): a term is a callable (logits, target) -> scalar, or (its factor, the callable).
    Call arguments such as weight= and normalizer= reach the terms that are, or hold, a steelyard loss; the others get
    (logits, target) alone. `parts` gives the terms by name, before their factors. `Region` brings a term the layout that it wants, and
    keeps ignored pixels from it; labels [N, 1, *space] and labels as floats reach our losses as labels [N, *space].

    TypeError for a term that cannot be called, ValueError for a factor that is not a finite number.
    """

    def __init__(self, **terms: Term | tuple[float, Term]):
        super().__init__()
        name = type(self).__name__
        if not terms:
            raise ValueError(f"{name}: give at least one term, such as {name}(ce=loss, dice=fn).")
        self.factors: dict[str, float] = {}
        self._functions: dict[str, Term] = {}
        for key, term in terms.items():
            term = unwrapped(term)
            factor, function = term if isinstance(term, (tuple, list)) and len(term) == 2 else (1.0, term)
            if not callable(function):
                raise TypeError(f"{name}: {key} must be a callable or (factor, callable), got {term!r}.")
            if not isinstance(factor, (int, float)) or not abs(factor) < math.inf:
                raise ValueError(f"{name}: the factor of {key} must be a finite number, got {factor!r}.")
            self.factors[key] = float(factor)
            if isinstance(function, nn.Module):
                self.add_module(key, function)  # so that tables move, load and learn with the sum
            else:
                self._functions[key] = function  # type: ignore[assignment]  # callable was checked above

    def parts(self, logits: Tensor, target: Tensor, **call: Any) -> dict[str, Tensor]:
        terms = {key: self._term(key) for key in self.factors}
        return {
            key: term(logits, _for(term, logits, target), **(call if _ours(term) else {}))
            for key, term in terms.items()
        }

    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None:
        """Tell the adaptive rules of all losses in it, however deep, how far training is."""
        for loss in self.modules():
            if isinstance(loss, RecipeLoss):
                loss.advance(epoch=epoch, step=step, metric=metric)

    def forward(self, logits: Tensor, target: Tensor, **call: Any) -> Tensor:
        parts = self.parts(logits, target, **call)
        first, *rest = (self.factors[key] * part for key, part in parts.items())
        return sum(rest, start=first)

    __call__: Callable[..., Tensor]  # nn.Module says Any

    def _term(self, key: str) -> Term:
        return self._functions[key] if key in self._functions else self.get_submodule(key)

    def extra_repr(self) -> str:
        return " + ".join(f"{factor:g} {key}" for key, factor in self.factors.items())


class UncertainSum(Sum):
    """L = sum_k e^(-s_k) (L_k + 1 / largest) + s_k, with a learned s_k per term: a Sum whose factors are e^(-s_k).

    UncertainSum(ce=loss, dice=fn): a term is a callable (logits, target) -> scalar >= 0, such as a steelyard loss or a
    region loss. At the optimum the weight e^(-s_k) is 1 / (L_k + 1 / largest): terms of different size come to count
    alike. What is left to minimise is sum_k log(L_k + 1 / largest), so a term that can reach 0 may win over all others;
    a large `largest` asks for it. Where you know factors, `Sum` takes them.

    `weights` are what the terms are multiplied by, `history()` both over time. Works inside `accumulate`. Give its
    parameters to the optimiser.

    TypeError for a term that cannot be called; ValueError for no terms, largest <= 1, and a term that returns no
    scalar.

    Source: Kendall, Gal & Cipolla 2018, arXiv:1705.07115, section 3; the bound is ours, and s_k in place of s_k / 2,
    which doubles all weights alike.

    >>> import steelyard as sy
    >>> both = UncertainSum(ce=sy.CrossEntropy(), size=lambda z, y: z.square().mean())
    >>> round(both(torch.zeros(2, 2), torch.tensor([0, 1])).item(), 3)  # log 2 + 2 / 10
    0.893
    """

    s: nn.Parameter

    def __init__(self, *, largest: float = 10.0, **terms: Term):
        super().__init__(**terms)
        if not 1 < largest < math.inf:
            raise ValueError(f"UncertainSum: largest must be a finite number > 1, got {largest!r}.")
        self.largest = float(largest)
        self._trace, self._warned = Trace(), set[str]()
        self.s = nn.Parameter(torch.zeros(len(terms)))

    @property
    def weights(self) -> dict[str, Tensor]:
        return dict(zip(self.factors, (-self.s.detach()).exp().unbind(), strict=True))

    def parts(self, logits: Tensor, target: Tensor, **call: Any) -> dict[str, Tensor]:
        parts = super().parts(logits, target, **call)
        for key, part in parts.items():
            if part.dim():
                raise ValueError(
                    f"UncertainSum: {key} must return a scalar, got shape {list(part.shape)}. Give it a reduction."
                )
        return parts

    def forward(self, logits: Tensor, target: Tensor, **call: Any) -> Tensor:
        # before the terms: one of them may take the memory of the logits
        shares = torch.stack([self._share(self._term(key), logits, target, call) for key in self.factors])
        parts = self.parts(logits, target, **call)
        weights = (-self.s).exp()
        total = (weights * torch.stack([*parts.values()])).sum()
        total = total + ((self.s + weights / self.largest) * shares).sum()
        if self.training and not transformed():  # a number inside torch.func is none outside
            self._record(parts)
        return total

    def history(self) -> History:
        """Terms and their weights over time: evenly thinned training calls. Not checkpointed."""
        return self._trace.history()

    def _share(self, term: Term, logits: Tensor, target: Tensor, call: Mapping[str, Any]) -> Tensor:
        """How much of a mean this call is: less than 1 for a micro-batch, so that the s of its term counts once."""
        ours = _ours(term)
        share = logits.new_ones(()) if ours is None else ours.share(logits, target, **call)
        return share.to(torch.promote_types(logits.dtype, torch.float32))

    def _record(self, parts: Mapping[str, Tensor]) -> None:
        self._trace.observed(lambda: {**parts, **{f"weight of {key}": weight for key, weight in self.weights.items()}})
        steps = self._trace.steps
        if steps >= CHECKED_FIRST and steps & (steps - 1) == 0:
            sentences = unlearned(self.s, steps)
            for key, part in parts.items():
                if float(part.detach()) < 0:
                    sentences[key] = (
                        f"the term {key} is negative, so its weight grows without end; add a constant to it."
                    )
            for key, sentence in sentences.items():
                if key not in self._warned:
                    self._warned.add(key)
                    warnings.warn(f"UncertainSum: {sentence}", stacklevel=4)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        return super()._apply(wide(fn), recurse)

    def extra_repr(self) -> str:
        return f"{' + '.join(self.factors)}, largest={self.largest:g}"


def _for(term: Term, logits: Any, target: Any) -> Any:
    """The target as this term takes it: a softmax loss of ours has labels without a channel, which other programs' data keep."""
    if not isinstance(term, RecipeLoss) or not term.link.exclusive or term.class_dim != 1:
        return target
    if not (isinstance(logits, Tensor) and isinstance(target, Tensor) and target.dim() == logits.dim() > 2):
        return target
    return labels_of("Sum", logits, target) if target.shape[1] == 1 < logits.shape[1] else target


def _ours(term: Term) -> RecipeLoss | None:
    """The steelyard loss that a term is, or holds."""
    return next((m for m in term.modules() if isinstance(m, RecipeLoss)), None) if isinstance(term, nn.Module) else None


def unlearned(s: Tensor, steps: int) -> dict[str, str]:
    """A warning where learned numbers are still 0."""
    if steps < CHECKED_FIRST or bool((s != 0).any()):
        return {}
    return {"learned": f"after {steps} steps no weight has moved: give loss.parameters() to the optimiser."}
