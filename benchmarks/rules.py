"""What the adaptive rules are worth: balanced accuracy on long-tailed digits, and F-beta of the knee beside a moved
threshold; and what a step of them costs.

Long tail: examples/digits_long_tail.py, all seeds' nets trained at once, so that a rule sees their batches as one; gain
over plain training with the same link, paired by seed. F-beta: logistic regression, 150 full-batch steps of Adam, on "8
or not" (digits averaged to 4 x 4 pixels) and on breast cancer cut to 60 ill of 417 (5 columns); half of the rows train,
a quarter chooses the threshold, a quarter tests. Cost: loss and gradient of 4096 and of 32768 random items of 100 classes, and all that
the rule does in a training step, over the same of a loss without a rule: one thread, CPU time, in turn.
"""

import argparse
import contextlib
import ctypes
import functools
import json
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_digits
from tests.adaptive import digits
from tests.adaptive.digits import COUNTS, LABELS
from torch import Tensor

import steelyard as sy
from steelyard import adaptive

from .measure import RESULTS, in_turn, write

BALANCED = sy.inverse_frequency(COUNTS)
Rule = Callable[[], sy.Recipe | adaptive.Rule]
SOFTMAX: dict[str, Rule] = {
    "inverse_frequency": lambda: BALANCED,
    "logit_adjustment": lambda: sy.logit_adjustment(COUNTS),
    "Deferred, balanced from step 320": lambda: adaptive.Deferred(sy.Recipe(), BALANCED, after_epoch=320),
    "Curriculum over 320 steps": lambda: adaptive.Curriculum(COUNTS, over=(0, 320)),
    "Anneal to logit adjustment over 320 steps": lambda: adaptive.Anneal(
        sy.Recipe(), sy.logit_adjustment(COUNTS), over=(0, 320)
    ),
    "Mixed, Deferred and Seesaw": lambda: adaptive.Mixed(
        adaptive.Deferred(sy.Recipe(), BALANCED, after_epoch=320), adaptive.Seesaw(COUNTS)
    ),
    "BatchStatistics": lambda: adaptive.BatchStatistics(10),
    "BatchStatistics, gamma=1": lambda: adaptive.BatchStatistics(10, gamma=1.0),
    "BatchStatistics, beta=0, gamma=1": lambda: adaptive.BatchStatistics(10, beta=0.0, gamma=1.0),
    "Seesaw": lambda: adaptive.Seesaw(10),
    "Seesaw, q=0": lambda: adaptive.Seesaw(10, q=0.0),
    "Seesaw, p=0": lambda: adaptive.Seesaw(10, p=0.0),
    "Seesaw, p=1, q=0": lambda: adaptive.Seesaw(10, p=1.0, q=0.0),
    "Harmonized": lambda: adaptive.Harmonized(),
    "hardest(0.25)": lambda: adaptive.hardest(0.25),
    "Uncertainty": lambda: adaptive.Uncertainty(10),
    "Learned, geometric": lambda: adaptive.Learned(COUNTS, how="geometric"),
    "Learned, minimax": lambda: adaptive.Learned(COUNTS, how="minimax"),
}
SIGMOID: dict[str, Rule] = {
    "pos_neg": lambda: sy.pos_neg(LABELS),
    "BatchStatistics": lambda: adaptive.BatchStatistics(10),
    "Equalized": lambda: adaptive.Equalized(10),
    "Harmonized": lambda: adaptive.Harmonized(),
    "hardest, 3 negatives": lambda: adaptive.hardest(negatives=3.0),
}
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
CLASSES, SIZES = 100, (4096, 32768)  # of the cost
MANY = sy.Counts(np.arange(1, CLASSES + 1))
COSTS: dict[str, dict[str, Rule]] = {
    "softmax": {
        "plain": sy.Recipe,
        "inverse_frequency": lambda: sy.inverse_frequency(MANY),
        "Deferred": lambda: adaptive.Deferred(sy.Recipe(), sy.inverse_frequency(MANY), after_epoch=1),
        "BatchStatistics": lambda: adaptive.BatchStatistics(CLASSES),
        "Seesaw": lambda: adaptive.Seesaw(CLASSES),
        "Seesaw, q=0": lambda: adaptive.Seesaw(CLASSES, q=0.0),
        "Harmonized": lambda: adaptive.Harmonized(),
        "hardest(0.25)": lambda: adaptive.hardest(0.25),
        "Uncertainty": lambda: adaptive.Uncertainty(CLASSES),
        "Learned, geometric": lambda: adaptive.Learned(MANY, how="geometric"),
        "Learned, minimax": lambda: adaptive.Learned(MANY, how="minimax"),
    },
    "sigmoid": {
        "plain": sy.Recipe,
        "BatchStatistics": lambda: adaptive.BatchStatistics(CLASSES),
        "Equalized": lambda: adaptive.Equalized(CLASSES),
        "Harmonized": lambda: adaptive.Harmonized(),
    },
}
KNEES: dict[str, Rule] = {
    "knee, uniform, 10": lambda: adaptive.FBetaKnee(),
    "knee, gaussian, 10": lambda: adaptive.FBetaKnee(family="gaussian"),
    "knee, gaussian, 50": lambda: adaptive.FBetaKnee(family="gaussian", beta_max=50.0),
    "knee, gaussian, 10, squared": lambda: adaptive.FBetaKnee(family="gaussian", squared=True),
}


def rules(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks rules", description=__doc__)
    parser.add_argument("--seeds", type=int, default=25, help="of the long tail")
    parser.add_argument("--splits", type=int, default=8, help="of the F-beta data")
    parser.add_argument("--rounds", type=int, default=41, help="of the costs")
    parser.add_argument("--cost", action="store_true", help="only this is measured; the other rows stay as they are")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    seeds, splits = options.seeds, options.splits
    if options.cost:
        kept = json.loads((RESULTS / "rules.json").read_text("utf-8"))
        seeds, splits = kept["seeds"], kept["splits"]
        rows = [row for row in kept["rows"] if row["data"] != "cost"]
    else:
        rows = long_tail(seeds) + [row for name in ("digits", "cancer") for row in fbeta(name, splits)]
    print(write("rules", rows + cost(options.rounds), seeds=seeds, splits=splits))


def cost(rounds: int) -> list[dict[str, Any]]:
    with contextlib.suppress(
        OSError, AttributeError
    ):  # else the gradient's pages come and go by where the heap happens to end
        for option in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
            ctypes.CDLL("libc.so.6").mallopt(option, 1 << 30)
    return [row for items in SIZES for row in _cost(items, rounds)]


def _cost(items: int, rounds: int) -> list[dict[str, Any]]:
    rows, random = [], torch.Generator().manual_seed(0)
    z = torch.randn(items, CLASSES, generator=random, requires_grad=True)
    labels, yes = torch.randint(0, CLASSES, (items,), generator=random), torch.rand(z.shape, generator=random) < 0.1
    for link, rules_ in COSTS.items():
        steps = {}
        for name, make in rules_.items():
            loss = sy.CrossEntropy(make()) if link == "softmax" else sy.BinaryCrossEntropy(make())
            steps[name] = functools.partial(_step, loss, z, labels if link == "softmax" else yes)
        with warnings.catch_warnings(action="ignore"):  # random labels teach nothing, as some rules notice
            times = in_turn(steps, rounds)
        for name, took in times.items():
            row = {"data": "cost", "items": items, "link": link, "rule": name, "median_ms": took["median_ms"]}
            rows.append({**row, "over_plain": 1 / took["ratio"]})
            print(
                f"{link:8} {items:6} {name:45} {took['median_ms']:.3f} ms  {1 / took['ratio']:.2f} of plain", flush=True
            )
    return rows


def _step(loss: torch.nn.Module, z: Tensor, y: Tensor) -> None:
    z.grad = None
    for parameter in loss.parameters():
        parameter.grad = None
    loss(z, y).backward()


def long_tail(seeds: int) -> list[dict[str, Any]]:
    rows = []
    for link, those, loss in (("softmax", SOFTMAX, sy.CrossEntropy), ("sigmoid", SIGMOID, sy.BinaryCrossEntropy)):
        plain = float(digits.plain(seeds, link).mean())
        for name, make in those.items():
            made = loss(make())
            gain, error = digits.gain(made, seeds=seeds, each=lambda step, made=made: made.advance(epoch=step))
            rows.append({"data": "long tail", "link": link, "rule": name, "plain": plain, "gain": gain, "error": error})
            print(f"{link:8} {name:45} {gain:+.4f} +- {error:.4f}", flush=True)
    return rows


def fbeta(name: str, splits: int) -> list[dict[str, Any]]:
    found: dict[tuple[str, int], list[float]] = {}
    for seed in range(splits):
        (x, y), (x_val, y_val), (x_test, y_test) = _split(name, seed)
        ill = int(y.sum())
        arms: dict[str, Rule] = {
            "plain": sy.Recipe,
            "inverse_frequency": lambda y=y, ill=ill: sy.inverse_frequency(sy.Counts.of(len(y) - ill, ill)),
            **KNEES,
        }
        for arm, make in arms.items():
            says = _fit(x, y, sy.BinaryCrossEntropy(make()))
            for beta in (1, 2):
                found.setdefault((arm, beta), []).append(_fbeta(says(x_test) >= 0.5, y_test, beta))
                if arm == "plain":
                    p = says(x_val)
                    best = max(_fbeta(p >= t, y_val, beta) for t in p.unique())
                    cut = best / (1 + beta**2)  # Lipton et al. 2014, arXiv:1402.1892
                    found.setdefault(("plain, threshold F*/(1+beta^2)", beta), []).append(
                        _fbeta(says(x_test) >= cut, y_test, beta)
                    )
    rows = []
    for (arm, beta), each in found.items():
        gain = np.array(each) - np.array(found["plain", beta])
        error = float(gain.std(ddof=1) / splits**0.5)
        row = {"data": name, "rule": arm, "beta": beta, "score": float(np.mean(each)), "gain": float(gain.mean())}
        rows.append({**row, "error": error})
        print(f"{name:8} F{beta} {arm:45} {row['score']:.3f} {row['gain']:+.3f} +- {error:.3f}", flush=True)
    return rows


def _split(name: str, seed: int) -> list[tuple[Tensor, Tensor]]:
    random = np.random.default_rng(seed)
    if name == "digits":
        x, y = map(np.asarray, load_digits(return_X_y=True))
        x, y = x.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16), (y == 8).astype(int)
    else:
        x, y = map(np.asarray, load_breast_cancer(return_X_y=True))
        x, y = x[:, :5], 1 - y  # 1 = ill
        kept = np.r_[np.flatnonzero(y == 0), random.permutation(np.flatnonzero(y == 1))[:60]]
        x, y = x[kept], y[kept]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    order = random.permutation(len(y))
    parts = np.split(order, [len(y) // 2, 3 * len(y) // 4])
    return [(torch.tensor(x[p], dtype=torch.float32), torch.tensor(y[p])) for p in parts]


def _fit(x: Tensor, y: Tensor, loss: torch.nn.Module) -> Callable[[Tensor], Tensor]:
    w, b = torch.zeros(x.shape[1], requires_grad=True), torch.zeros((), requires_grad=True)
    optimizer = torch.optim.Adam([w, b], lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        loss(x @ w + b, y).backward()
        optimizer.step()
    return lambda rows: (rows @ w + b).detach().sigmoid()


def _fbeta(said: Tensor, y: Tensor, beta: int) -> float:
    right, asked = int((said & (y == 1)).sum()), beta**2 * int((y == 1).sum()) + int(said.sum())
    return (1 + beta**2) * right / asked if asked else 0.0
