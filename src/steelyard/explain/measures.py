"""The numbers of a recipe on these data: weights, shares, the prior it implies, where decisions flip."""

import dataclasses

import numpy as np
import torch

from ..counts import Counts
from ..ops import Bound
from . import constant


@dataclasses.dataclass
class Measures:
    """By label value and label, [Y, K]: softmax [C, 1]; sigmoid [2, K] with row 1 = "is". None: not computed."""

    bound: Bound
    counts: Counts
    sampled: bool
    n: np.ndarray
    shown_n: np.ndarray
    prior: np.ndarray
    shown: np.ndarray
    weight: np.ndarray
    weight_share: np.ndarray | None = None
    loss_share: np.ndarray | None = None
    implied: np.ndarray | None = None
    flips: np.ndarray | None = None
    notes: list[str] = dataclasses.field(default_factory=list)

    @property
    def softmax(self) -> bool:
        return self.bound.link.exclusive

    @property
    def labels(self) -> int:
        """Number of logits per item."""
        return len(self.n) if self.softmax else self.n.shape[1]

    @property
    def names(self) -> list[tuple[int, int, str]]:
        """(row, column, name) in the order people read them."""
        classes = self.counts.classes
        if self.counts.kind == "exclusive":
            return [(y, 0, name) for y, name in enumerate(classes)]
        return [(y, k, f"{name}: {'is' if y else 'is not'}") for k, name in enumerate(classes) for y in (1, 0)]

    @property
    def mean(self) -> float:
        return float((self.shown * self.weight).sum(axis=0).mean())

    @property
    def effective_size(self) -> float:
        square = float((self.shown_n * self.weight**2).sum())
        return float((self.shown_n * self.weight).sum() ** 2 / square) if square else 0.0


def measure(bound: Bound, counts: Counts, seen: Counts) -> Measures:
    """`seen` is what the network is shown: the counts, or what a sampler makes of them."""
    measures = weighed(bound, counts, seen)
    with torch.no_grad():
        measures.implied = implied(bound, measures.shown, measures.notes)
        measures.flips = _flips(measures)
    return measures


def weighed(bound: Bound, counts: Counts, seen: Counts) -> Measures:
    """Weights and shares alone, which need no search: what `measure` finds later is not there."""
    tables = (_two_axes(t) for t in (counts.table, seen.table, counts.prior, seen.prior))
    with torch.no_grad():
        weight = constant.weights(bound, len(counts) if counts.kind == "multilabel" or bound.link.exclusive else 1)
        measures = Measures(bound, counts, seen is not counts, *tables, weight=_two_axes(weight.numpy()))
        measures.weight_share = _shares(measures.shown * measures.weight)
        measures.loss_share = _loss_share(measures)
    return measures


def implied(bound: Bound, prior: np.ndarray, notes: list[str]) -> np.ndarray | None:
    """The constant prediction that minimises the expected loss under `prior` [Y, K]."""
    softmax = bound.link.exclusive
    try:
        z = constant.optimum(bound, torch.from_numpy(prior[:, 0].copy() if softmax else prior.copy()))
    except ValueError as error:
        notes.append(f"no implied prior: {str(error).rstrip('.')}")
        return None
    if z is None:
        notes.append("no implied prior: the constant prediction that this recipe pulls to was not measures")
        return None
    return (
        torch.softmax(z, 0).numpy()[:, None] if softmax else torch.stack([torch.sigmoid(-z), torch.sigmoid(z)]).numpy()
    )


def _loss_share(measures: Measures) -> np.ndarray | None:
    with np.errstate(divide="ignore"):
        z = np.log(measures.shown[:, 0]) if measures.softmax else np.log(measures.shown[1]) - np.log(measures.shown[0])
    losses = constant.losses_at(measures.bound, torch.from_numpy(z.clip(constant.NEVER, -constant.NEVER)))
    if losses is None:
        measures.notes.append(f"with {measures.labels} classes the shares of the loss were not computed")
        return None
    if measures.bound.target is not None and bool((measures.shown == 0).any()):
        return None  # some label asks for a class to which the constant prediction gives 0: an infinite loss
    losses_of_labels = measures.shown * _two_axes(losses.numpy())
    plain = -(measures.shown * measures.weight * np.log(np.where(measures.shown > 0, measures.shown, 1.0))).sum()
    if plain > 0 and 0 < losses_of_labels.sum() < 0.9 * plain:
        measures.notes.append(
            f"the curve makes the loss {plain / losses_of_labels.sum():.3g} times smaller than cross-entropy at the constant"
            " prediction, and more as the model learns; detectors pass normalizer= the number of positives"
        )
    return _shares(losses_of_labels)


def _flips(measures: Measures) -> np.ndarray | None:
    against = np.zeros(measures.labels, dtype=np.int64)
    if measures.softmax:
        if measures.labels == 1:
            return None
        largest, second = np.argsort(-measures.prior[:, 0], kind="stable")[:2]
        against = np.where(np.arange(measures.labels) == largest, second, largest)
    try:
        flips = constant.flips(measures.bound, torch.from_numpy(against))
    except ValueError as error:
        measures.notes.append(f"posterior cannot undo this: {str(error).removeprefix('posterior: ').rstrip('.')}")
        return None
    if flips is None:
        measures.notes.append(
            f"with {measures.labels} classes the probabilities from which decisions flip were not computed"
        )
        return None
    p = flips.numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        back = measures.prior / measures.shown  # from what the sampler shows to the data
        own, other = (back[:, 0], back[against, 0]) if measures.softmax else (back[1], back[0])
        p = p * own / (p * own + (1 - p) * other)
    return p[:, None] if measures.softmax else np.stack([1 - p, p])


def _two_axes(table: np.ndarray) -> np.ndarray:
    return table[:, None] if table.ndim == 1 else table


def _shares(parts: np.ndarray) -> np.ndarray | None:
    """Shares of each label's total."""
    total = parts.sum(axis=0)
    return parts / total if bool((np.isfinite(total) & (total > 0)).all()) else None
