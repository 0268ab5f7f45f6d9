"""Weights per class learned beside the net, kept from shrinking by their own logarithm."""

import math
from typing import Annotated

import torch
from torch import Tensor, nn

from ..counts import Counts
from ..losses.sum import unlearned
from ..ops.factors import Tables
from ..options import In
from ..recipe import Recipe
from ..rule.protocol import Rule


class Uncertainty(Rule):
    """Weights of classes by how uncertain each is: a learned log-variance s_c, every item of class c costs

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

    def __init__(self, classes: int | Counts, *, largest: Annotated[float, In(1.0, math.inf, open_low=True)] = 10.0):
        super().__init__()
        self.largest = float(largest)
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
        sentences = unlearned(self.s, self.driver.steps)
        axis = 0 if self.s.shape[1] == len(names) else 1
        high = (weights > self.largest / 2).any(dim=axis).tolist()
        if any(high):
            named = ", ".join(repr(n) for n, h in zip(names, high, strict=True) if h)
            sentences["largest"] = (
                f"the weight of {named} is above half of largest={self.largest:g}: the net fits the training data of it, and the"
                " weight only grows. It says nothing about the data then; stop earlier, or hold the weights fixed."
            )
        # at the optimum 1 / weight is the loss; that of a guess is log C
        lost = (1 / weights - 1 / self.largest > 1.5 * math.log(max(weights.shape[0], 2))).any(dim=axis).tolist()
        if any(lost):
            named = ", ".join(repr(n) for n, h in zip(names, lost, strict=True) if h)
            sentences["lost"] = (
                f"the weight of {named} is that of a class whose loss is far worse than a guess: it is being given up for the others."
                " Take a smaller largest=, or weights by count."
            )
        return sentences

    def extra_repr(self) -> str:
        return f"{list(self.s.shape)}, largest={self.largest:g}"
