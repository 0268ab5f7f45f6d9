"""Weights learned beside the net, kept from shrinking by their own logarithm; per class, and per term of a loss."""

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn

from ..counts import Counts
from ..losses.modules import RecipeLoss
from ..ops.factors import Tables, wide
from ..recipe import Recipe
from ..rule.history import History, Trace
from ..rule.protocol import CHECKED_FIRST, Rule

Term = Callable[..., Tensor]


class Uncertainty(Rule):
    """A learned log-variance s_c per class: every item of class c costs

        e^(-s_c) (l + 1 / largest) + s_c        at the optimum  e^(-s_c) = 1 / (L_c + 1 / largest)

    with L_c the mean loss of the class. So it EQUALISES the weighted losses of the classes, and nothing more. It does
    not find good weights: no gradient of a training loss can, and without the s_c on top the best weight is always the
    smallest. What is left to minimise is sum_c pi_c log(L_c + 1 / largest), which gains most where a loss is small
    already: classes that are hard, often the rare ones, are weighted down, and where classes overlap they may be given
    up for an easy one. The larger `largest`, the sooner; the rule warns of it. It suits classes that differ in label
    noise. Weights have no unit mass, and grow as the net fits.

    classes  how many, or Counts; multilabel counts (sigmoid): a weight per class for "is not" and for "is", [2, K];
             exclusive counts of two, or 2, with BinaryCrossEntropy: (is not, is)
    largest  > 1

    s is a parameter that starts at 0: give `loss.parameters()` to the optimiser. Meant for norm "count": divided by the
    mass of its own weights the loss means nothing. Raises ValueError for fewer than two classes, and largest <= 1.

    Source: Kendall, Gal & Cipolla 2018, arXiv:1705.07115, section 3, for tasks; per class, and the bound, are ours.
    Their classification term is e^(-s) l + s / 2: weights half as large.

    >>> import steelyard as sy
    >>> loss = sy.CrossEntropy(sy.adaptive.Uncertainty(2))
    >>> optimizer = torch.optim.SGD(loss.parameters(), lr=0.5)
    >>> z, y = torch.tensor([[0.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 1])
    >>> for step in range(200):
    ...     optimizer.zero_grad()
    ...     loss(z, y).backward()
    ...     optimizer.step()
    >>> [round(w, 2) for w in loss.recipe.class_weight.tolist()]  # 1 / (log 2 + .1), 1 / (log(1 + e^-2) + .1)
    [1.26, 4.41]
    """

    s: nn.Parameter

    def __init__(self, classes: int | Counts, *, largest: float = 10.0):
        super().__init__()
        self.largest = _bound("Uncertainty", largest)
        if isinstance(classes, Counts):
            size = len(classes.classes)
            shape, about = ((2, size) if classes.kind == "multilabel" else (size, 1)), (classes.classes, classes.kind)
        else:
            if isinstance(classes, bool) or not isinstance(classes, int):
                raise TypeError(f"Uncertainty: classes must be a number of classes or Counts, got {classes!r}.")
            shape, about = (classes, 1), (None, None)
        if shape[0] < 2:
            raise ValueError(f"Uncertainty: there must be at least two classes to weigh, got {shape[0]}.")
        self.s = nn.Parameter(torch.zeros(shape))
        self._structure = Recipe(weight=torch.ones(shape), classes=about[0], kind=about[1], source=("uncertainty",))

    def emit(self) -> tuple[Recipe, Tables]:
        return self._structure, {"weight": ((-self.s).exp(),)}

    def penalty(self) -> Tensor:
        return self.s + (-self.s).exp() / self.largest

    def warnings(self) -> dict[str, str]:
        weights = (-self.s.detach()).exp()
        names = self._structure.classes or tuple(str(c) for c in range(weights.shape[0]))
        found = _unlearned(self.s, self.driver.steps)
        axis = 0 if self.s.shape[1] == len(names) else 1
        high = (weights > self.largest / 2).any(dim=axis).tolist()
        if any(high):
            told = ", ".join(repr(n) for n, h in zip(names, high, strict=True) if h)
            found["largest"] = (
                f"the weight of {told} is above half of largest={self.largest:g}: the net fits the training data of it, and the"
                " weight only grows. It says nothing about the data then; stop earlier, or hold the weights fixed."
            )
        # at the optimum 1 / weight is the loss; that of a guess is log C
        lost = (1 / weights - 1 / self.largest > 1.5 * math.log(max(weights.shape[0], 2))).any(dim=axis).tolist()
        if any(lost):
            told = ", ".join(repr(n) for n, h in zip(names, lost, strict=True) if h)
            found["lost"] = (
                f"the weight of {told} is that of a class whose loss is far worse than a guess: it is being given up for the others."
                " Take a smaller largest=, or weights by count."
            )
        return found

    def extra_repr(self) -> str:
        return f"{list(self.s.shape)}, largest={self.largest:g}"


class UncertainSum(nn.Module):
    """L = sum_k e^(-s_k) (L_k + 1 / largest) + s_k, with a learned s_k per term.

    UncertainSum(ce=loss, dice=fn): a term is a callable (logits, target) -> scalar >= 0, such as a steelyard loss or a
    region loss. At the optimum the weight e^(-s_k) is 1 / (L_k + 1 / largest): terms of different size come to count
    alike. What is left to minimise is sum_k log(L_k + 1 / largest), so a term that can reach 0 may win over all others;
    a large `largest` asks for it. Where you know factors, `Sum` takes them.

    Arguments of the call such as weight= and normalizer= reach the terms that hold a steelyard loss; the others get
    (logits, target) alone. `parts` are the terms by name, `weights` what they are multiplied by, `history()` both over
    time. Works inside `accumulate`. Give its parameters to the optimiser.

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
        super().__init__()
        if not terms:
            raise ValueError("UncertainSum: give at least one term, such as UncertainSum(ce=loss, dice=fn).")
        self.largest = _bound("UncertainSum", largest)
        self._functions: dict[str, Term] = {}
        self._names = tuple(terms)
        self._trace, self._warned = Trace(), set[str]()
        for name, term in terms.items():
            if not callable(term):
                raise TypeError(f"UncertainSum: {name} must be a callable (logits, target) -> scalar, got {term!r}.")
            if isinstance(term, nn.Module):
                self.add_module(name, term)  # so that tables move, load and learn with the sum
            else:
                self._functions[name] = term
        self.s = nn.Parameter(torch.zeros(len(terms)))

    @property
    def weights(self) -> dict[str, Tensor]:
        return dict(zip(self._names, (-self.s.detach()).exp().unbind(), strict=True))

    def parts(self, logits: Tensor, target: Tensor, **call: Any) -> dict[str, Tensor]:
        out = {}
        for name in self._names:
            term = self._term(name)
            out[name] = term(logits, target, **(call if _ours(term) else {}))
            if out[name].dim():
                raise ValueError(
                    f"UncertainSum: {name} must return a scalar, got shape {list(out[name].shape)}. Give it a reduction."
                )
        return out

    def forward(self, logits: Tensor, target: Tensor, **call: Any) -> Tensor:
        # before the terms: one of them may take the memory of the logits
        shares = torch.stack([self._share(self._term(name), logits, target, call) for name in self._names])
        parts = self.parts(logits, target, **call)
        weights = (-self.s).exp()
        total = (weights * torch.stack([*parts.values()])).sum()
        total = total + ((self.s + weights / self.largest) * shares).sum()
        if self.training and not torch.compiler.is_compiling():
            self._record(parts)
        return total

    def advance(self, epoch: int | None = None, step: int | None = None, metric: float | None = None) -> None:
        """Tell the adaptive rules among the terms how far training is."""
        for loss in self.modules():
            if isinstance(loss, RecipeLoss):
                loss.advance(epoch=epoch, step=step, metric=metric)

    def history(self) -> History:
        """Terms and their weights over time: evenly thinned training calls. Not checkpointed."""
        return self._trace.history()

    def _term(self, name: str) -> Term:
        return self._functions[name] if name in self._functions else self.get_submodule(name)

    def _share(self, term: Term, logits: Tensor, target: Tensor, call: Mapping[str, Any]) -> Tensor:
        """How much of a mean this call is: less than 1 for a micro-batch, so that the s of its term counts once."""
        ours = _ours(term)
        share = logits.new_ones(()) if ours is None else ours.share(logits, target, **call)
        return share.to(torch.promote_types(logits.dtype, torch.float32))

    def _record(self, parts: Mapping[str, Tensor]) -> None:
        weights = (-self.s.detach()).exp()
        self._trace.observed(
            lambda: {**parts, **{f"weight of {name}": weights[k] for k, name in enumerate(self._names)}}
        )
        steps = self._trace.steps
        if steps >= CHECKED_FIRST and steps & (steps - 1) == 0:
            found = _unlearned(self.s, steps)
            for name, part in parts.items():
                if float(part.detach()) < 0:
                    found[name] = f"the term {name} is negative, so its weight grows without end; add a constant to it."
            for key, sentence in found.items():
                if key not in self._warned:
                    self._warned.add(key)
                    warnings.warn(f"UncertainSum: {sentence}", stacklevel=4)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        return super()._apply(wide(fn), recurse)

    def extra_repr(self) -> str:
        return f"{' + '.join(self._names)}, largest={self.largest:g}"


def _ours(term: Term) -> RecipeLoss | None:
    """The steelyard loss that a term is, or holds."""
    return next((m for m in term.modules() if isinstance(m, RecipeLoss)), None) if isinstance(term, nn.Module) else None


def _bound(name: str, largest: float) -> float:
    if not 1 < largest < math.inf:
        raise ValueError(f"{name}: largest must be a finite number > 1, got {largest!r}.")
    return float(largest)


def _unlearned(s: Tensor, steps: int) -> dict[str, str]:
    if steps < CHECKED_FIRST or bool((s != 0).any()):
        return {}
    return {"learned": f"after {steps} steps no weight has moved: give loss.parameters() to the optimiser."}
