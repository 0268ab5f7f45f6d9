"""A weighted sum of losses, so that region losses (Dice, Tversky, ...) stand beside a recipe."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from ..losses.modules import BinaryCrossEntropy, CrossEntropy, RecipeLoss

Term = Callable[..., Tensor]


class Sum(nn.Module):
    """L = sum_k a_k l_k(logits, target), each term under a name.

    Sum(ce=loss, dice=(0.5, fn)): a term is a callable (logits, target) -> scalar, or (its factor, the callable).
    Call arguments such as weight= and normalizer= reach the steelyard losses among the terms; the others get
    (logits, target) alone. `parts` gives the terms by name, before their factors.

    TypeError for a term that cannot be called, ValueError for a factor that is not a finite number.
    """

    def __init__(self, **terms: Term | tuple[float, Term]):
        super().__init__()
        if not terms:
            raise ValueError("Sum: give at least one term, such as Sum(ce=loss, dice=(0.5, fn)).")
        self.factors: dict[str, float] = {}
        self._functions: dict[str, Term] = {}
        for name, term in terms.items():
            factor, function = term if isinstance(term, tuple) else (1.0, term)
            if not callable(function):
                raise TypeError(f"Sum: {name} must be a callable or (factor, callable), got {term!r}.")
            if not isinstance(factor, (int, float)) or not abs(factor) < float("inf"):
                raise ValueError(f"Sum: the factor of {name} must be a finite number, got {factor!r}.")
            self.factors[name] = float(factor)
            if isinstance(function, nn.Module):
                self.add_module(name, function)  # so that tables move, load and learn with the sum
            else:
                self._functions[name] = function  # type: ignore[assignment]  # callable was checked above

    def parts(self, logits: Tensor, target: Tensor, **call: Any) -> dict[str, Tensor]:
        out = {}
        for name in self.factors:
            term = self._functions[name] if name in self._functions else self.get_submodule(name)
            ours = isinstance(term, (CrossEntropy, BinaryCrossEntropy, Sum))
            out[name] = term(logits, target, **(call if ours else {}))
        return out

    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None:
        """Tell the adaptive rules of all losses in it, however deep, how far training is."""
        for loss in self.modules():
            if isinstance(loss, RecipeLoss):
                loss.advance(epoch=epoch, step=step, metric=metric)

    def forward(self, logits: Tensor, target: Tensor, **call: Any) -> Tensor:
        parts = self.parts(logits, target, **call)
        first, *rest = (self.factors[name] * part for name, part in parts.items())
        return sum(rest, start=first)

    def extra_repr(self) -> str:
        return " + ".join(f"{factor:g} {name}" for name, factor in self.factors.items())
