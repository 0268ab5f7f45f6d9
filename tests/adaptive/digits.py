"""Long-tailed digits (examples/digits_long_tail.py): does a rule train a net, and what does it do to balanced accuracy?

Nets of all seeds are trained at once; a rule sees their batches as one, and classes are in the order of their counts.
"""

import functools
from collections.abc import Callable

import torch
from torch import Tensor

import steelyard as sy
from examples import digits_long_tail as lt

COUNTS: sy.Counts = lt.COUNTS  # ten classes, 100 down to 2
LABELS = sy.Counts(COUNTS.per_class, kind="multilabel", items=sum(COUNTS.per_class))


def trained(
    loss: torch.nn.Module,
    seeds: int,
    *,
    steps: int = 400,
    each: Callable[[int], object] | None = None,
    lr: float = 5e-3,
) -> tuple[Tensor, float]:
    """(recall [seed, class], last loss) of nets trained by `loss`; a sigmoid loss: one yes-or-no output per class.

    each  called with the number of the step before it, such as `lambda step: loss.advance(step=step)`
    """
    x, y, x_test, y_test = lt.data(seeds)
    parameters, forward = lt.net(len(x))
    optimizer = torch.optim.Adam(
        [{"params": parameters}, *([{"params": learned, "lr": 5e-2}] if (learned := [*loss.parameters()]) else [])],
        lr=lr,
        weight_decay=1e-4,
    )
    labels = y.repeat(len(x))
    if getattr(loss, "link", "softmax") == "sigmoid":
        labels = torch.nn.functional.one_hot(labels, lt.CLASSES)
    value = torch.tensor(float("nan"))
    for step in range(steps):
        if each is not None:
            each(step)
        optimizer.zero_grad()
        value = loss(forward(x).flatten(0, 1), labels)
        (value * len(x)).backward()
        optimizer.step()
    with torch.no_grad():
        return lt.recall(forward(x_test), y_test), float(value)


@functools.cache
def plain(seeds: int, link: str = "softmax") -> Tensor:
    """Balanced accuracy [seed] without any weights."""
    return trained(sy.CrossEntropy() if link == "softmax" else sy.BinaryCrossEntropy(), seeds)[0].mean(dim=1)


def gain(loss: torch.nn.Module, seeds: int = 5, **options) -> tuple[float, float]:
    """(mean, standard error) of the balanced accuracy minus plain's, paired by seed."""
    found = trained(loss, seeds, **options)[0].mean(dim=1) - plain(seeds, getattr(loss, "link", "softmax"))
    return float(found.mean()), float(found.std() / seeds**0.5)


def rare_or_not(loss: torch.nn.Module, seeds: int = 5, steps: int = 400) -> Tensor:
    """Balanced accuracy [seed] of one yes-or-no output: one of the four rarest classes (17 of 280 images), or not."""
    x, y, x_test, y_test = lt.data(seeds)
    parameters, forward = lt.net(seeds)
    optimizer = torch.optim.Adam(parameters, lr=5e-3, weight_decay=1e-4)
    labels = (y >= 6).long().repeat(seeds)
    for _ in range(steps):
        optimizer.zero_grad()
        (loss(forward(x)[..., 0].flatten(), labels) * seeds).backward()
        optimizer.step()
    with torch.no_grad():
        found = forward(x_test)[..., 0] > 0
    rare = y_test >= 6
    return (found[:, rare].double().mean(dim=1) + (~found[:, ~rare]).double().mean(dim=1)) / 2
