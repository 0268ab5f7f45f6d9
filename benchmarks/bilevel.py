"""VS learned on held-out images while the net trains (adaptive.Bilevel) against VS chosen by a grid on the same
held-out images.

Long-tailed digits as in examples/digits_long_tail.py: per seed 280 training images (100 of the commonest class down to
2 of the rarest). Of the 70 other images of each class 50 are for the test and 20, 200 in all, are held out; the grid
chooses by balanced accuracy on them, the outer steps descend on balanced cross-entropy of them, and nobody trains on
them, except where a line says so. Options of the outer steps were chosen on seeds 0 to 3; measured is on others.
"""

import argparse
import functools
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import steelyard as sy
from examples import digits_long_tail

from .measure import write

TAUS, GAMMAS = (0.0, 0.5, 1.0, 1.5, 2.0), (0.0, 0.1, 0.2, 0.3)
FIRST, EVERY, STEPS, HELD, TEST = 100, 10, 400, 20, 50
OUTER = {"rate": 0.05, "inner_rate": 0.1, "terms": 5, "damping": 1e-4}


class Seed(NamedTuple):
    number: int
    x: Tensor
    y: Tensor
    x_held: Tensor
    y_held: Tensor
    x_test: Tensor
    y_test: Tensor


class Fit(NamedTuple):
    model: nn.Module
    loss: nn.Module
    gradients: int
    seconds: float


def bilevel(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks bilevel", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=10, help="the first seed; 0 to 3 were used to choose the options")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    counts, seeds = _data(options.first, options.seeds)
    found: dict[str, list[dict[str, float]]] = {}
    for seed in seeds:
        for name, one in _arms(counts, seed).items():
            found.setdefault(name, []).append(one)
        print(seed.number, {n: round(f[-1]["balanced_accuracy"], 3) for n, f in found.items()}, flush=True)
    rows = [_row(name, each, found["grid"]) for name, each in found.items()]
    for row in rows:
        print(
            f"{row['name']:46} {row['balanced_accuracy']:.4f}  minus grid {row['minus_grid']:+.4f} +- {row['error']:.4f}"
            f"  {row['gradients']:.0f} gradients  {row['seconds']:.2f} s"
        )
    told = {"seeds": [s.number for s in seeds], "outer": OUTER, "from_step": FIRST, "every": EVERY}
    print(write("bilevel", rows, **told, grid={"tau": TAUS, "gamma": GAMMAS}))


def _data(first: int, many: int) -> tuple[sy.Counts, list[Seed]]:
    x, y, rest, _ = digits_long_tail.data(first + many)
    by_class = rest.reshape(len(rest), digits_long_tail.CLASSES, digits_long_tail.TEST, -1)
    label = torch.arange(digits_long_tail.CLASSES)
    y_held, y_test = label.repeat_interleave(HELD), label.repeat_interleave(TEST)
    seeds = [
        Seed(i, x[i], y, by_class[i, :, TEST:].flatten(0, 1), y_held, by_class[i, :, :TEST].flatten(0, 1), y_test)
        for i in range(first, first + many)
    ]
    return digits_long_tail.COUNTS, seeds


def _arms(counts: sy.Counts, seed: Seed) -> dict[str, dict[str, float]]:
    """{arm: balanced accuracy on the test images, gradients, seconds}"""
    adjusted = sy.logit_adjustment(counts)
    grid, fits = {}, {}
    for tau, gamma in itertools.product(TAUS, GAMMAS):
        recipe = sy.mix(sy.logit_adjustment(counts, tau=tau), sy.class_temperature(counts, gamma=gamma))
        fits[tau, gamma] = _fit(seed, sy.CrossEntropy(recipe))
        grid[tau, gamma] = _accuracy(fits[tau, gamma].model, seed.x_held, seed.y_held)
    tau, gamma = max(grid, key=lambda k: grid[k])
    best = fits[tau, gamma]._replace(
        gradients=sum(f.gradients for f in fits.values()), seconds=sum(f.seconds for f in fits.values())
    )
    held, own = (seed.x_held, seed.y_held), (seed.x, seed.y)
    learned = functools.partial(sy.adaptive.Learned, counts, how="bilevel")
    started = _fit(seed, sy.CrossEntropy(learned(start=adjusted)), held)
    again = _fit(seed, sy.CrossEntropy(started.loss.recipe))
    both = sy.Counts((torch.tensor(counts.per_class) + HELD).tolist())
    more = seed._replace(x=torch.cat([seed.x, seed.x_held]), y=torch.cat([seed.y, seed.y_held]))
    arms = {
        "grid": best,
        "plain": fits[0.0, 0.0],
        "logit adjustment, tau 1": fits[1.0, 0.0],
        "bilevel from logit adjustment": started,
        "bilevel from plain": _fit(seed, sy.CrossEntropy(learned()), held),
        "its numbers, trained anew": again._replace(
            gradients=again.gradients + started.gradients, seconds=again.seconds + started.seconds
        ),
        "bilevel from plain, on the training images": _fit(seed, sy.CrossEntropy(learned()), own),
        "logit adjustment, held-out images trained on": _fit(more, sy.CrossEntropy(sy.logit_adjustment(both)), None),
    }
    return {
        name: {
            "balanced_accuracy": _accuracy(fit.model, seed.x_test, seed.y_test),
            "gradients": fit.gradients,
            "seconds": fit.seconds,
        }
        for name, fit in arms.items()
    }


def _fit(seed: Seed, loss: nn.Module, held: tuple[Tensor, Tensor] | None = None) -> Fit:
    """The example's net and optimiser; outer steps on `held`. Seconds are of the processor."""
    torch.manual_seed(seed.number)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=1e-4)
    start = time.process_time()
    outer = None if held is None else sy.adaptive.Bilevel(model, loss, **OUTER)
    for step in range(STEPS):
        if outer and held and step >= FIRST and step % EVERY == 0:
            outer.step((seed.x, seed.y), held)
        optimizer.zero_grad()
        loss(model(seed.x), seed.y).backward()
        optimizer.step()
    return Fit(model, loss, STEPS + (outer.gradients if outer else 0), time.process_time() - start)


@torch.no_grad()
def _accuracy(model: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> float:
    """Classes have the same number of images, so it is balanced."""
    return float((model(x).argmax(dim=1) == y).double().mean())


def _row(name: str, each: list[dict[str, float]], grid: list[dict[str, float]]) -> dict[str, Any]:
    mean = {k: sum(e[k] for e in each) / len(each) for k in each[0]}
    difference = torch.tensor(
        [a["balanced_accuracy"] - b["balanced_accuracy"] for a, b in zip(each, grid, strict=True)]
    )
    error = float(difference.std() / len(difference) ** 0.5) if len(difference) > 1 else float("nan")
    accuracies = [e["balanced_accuracy"] for e in each]
    return {"name": name, **mean, "minus_grid": float(difference.mean()), "error": error, "each": accuracies}
