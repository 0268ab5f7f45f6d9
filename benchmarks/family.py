"""One FiLM-conditioned net for every tau of logit adjustment in [0, 3], against a net of its own for each of five.

Three data sets of scikit-learn's: digits cut to a long tail (examples/digits_long_tail.py), one digit against the rest
at 1000 to 10, and breast cancer at 300 to 3. The same net (one hidden layer of 64), optimiser and number of steps for
all; the conditioned one has its FiLM after the hidden layer and is trained once, and once more for twice the steps. The
net of tau = 0 with its logits moved by tau log pi, which costs nothing, stands beside them.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sklearn
import torch
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

import steelyard as sy
from examples import digits_long_tail
from steelyard import adaptive

from .measure import write

TAUS = (0.0, 0.75, 1.5, 2.25, 3.0)
STEPS, WIDTH, RATE = 400, 64, 5e-3
ONE, TWICE, EACH, MOVED = "one net", "one net, twice the steps", "a net each", "the net of tau = 0, moved"
Data = tuple[Tensor, Tensor, Tensor, Tensor]


def family(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks family", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows = []
    for name, made in CASES.items():
        rows += compare(name, made(options.seeds))
    print(
        write(
            "family", rows, packages={"scikit-learn": sklearn.__version__}, seeds=options.seeds, taus=TAUS, steps=STEPS
        )
    )
    for row in rows:
        print(told(row))


def long_tail(seeds: int) -> list[Data]:
    x, y, x_test, y_test = digits_long_tail.data(seeds)
    return [(x[i], y, x_test[i], y_test) for i in range(seeds)]


def one_digit(seeds: int) -> list[Data]:
    """Is it an 8? The digit that is hardest to tell from the others."""
    x, y = load_digits(return_X_y=True)
    return [rare(x / 16.0, y == 8, seed, 1000, 10) for seed in range(seeds)]


def cancer(seeds: int) -> list[Data]:
    x, y = load_breast_cancer(return_X_y=True)
    return [rare(x, y == 0, seed, 300, 3) for seed in range(seeds)]


CASES: dict[str, Callable[[int], list[Data]]] = {
    "digits, long tail 100 to 2": long_tail,
    "8 or not, 1000 to 10": one_digit,
    "breast cancer, 300 to 3": cancer,
}


def rare(x: np.ndarray, positive: np.ndarray, seed: int, many: int, few: int) -> Data:
    """Training rows with `many` negatives and `few` positives; all others test. Standardised by the training rows."""
    rng = np.random.default_rng(seed)
    negatives, positives = (rng.permutation(np.flatnonzero(positive == side)) for side in (False, True))
    train = np.concatenate([negatives[:many], positives[:few]])
    test = np.concatenate([negatives[many:], positives[few:]])
    mean, std = x[train].mean(axis=0), x[train].std(axis=0)
    scaled = torch.tensor((x - mean) / np.where(std > 0, std, 1.0), dtype=torch.float32)
    y = torch.tensor(positive.astype(np.int64))
    return scaled[train], y[train], scaled[test], y[test]


def compare(case: str, runs: list[Data]) -> list[dict[str, Any]]:
    """A row per way: metrics [seed, tau], CPU seconds of training all seeds, and how it differs from a net each."""
    x, y, x_test, y_test = (torch.stack(part) for part in zip(*runs, strict=True))
    counts = sy.count(y[0].numpy())
    prior = torch.tensor(np.log(counts.prior), dtype=torch.float32)
    logits: dict[str, list[Tensor]] = {name: [] for name in (EACH, ONE, TWICE, MOVED)}
    seconds: dict[str, float] = dict.fromkeys(logits, 0.0)
    for tau in TAUS:
        start = time.process_time()
        nets = Nets([plain(seed, x, counts) for seed in range(len(x))])
        train(nets, sy.CrossEntropy(sy.logit_adjustment(counts, tau=tau)), x, y, STEPS)
        seconds[EACH] += time.process_time() - start
        if tau == 0:
            seconds[MOVED] = seconds[EACH]
        logits[EACH].append(nets(x_test).detach())
    logits[MOVED] = [logits[EACH][0] - tau * prior for tau in TAUS]
    for name, steps in ((ONE, STEPS), (TWICE, 2 * STEPS)):
        start = time.process_time()
        family = adaptive.Family(lambda tau: sy.logit_adjustment(counts, tau=tau), low=TAUS[0], high=TAUS[-1])
        made = [plain(seed, x, counts) for seed in range(len(x))]
        nets = Nets([adaptive.condition(net, family, at=["1"], features=WIDTH) for net in made])
        train(nets, sy.CrossEntropy(family), x, y, steps)
        seconds[name] += time.process_time() - start
        for tau in TAUS:
            with family.at(tau):
                logits[name].append(nets(x_test).detach())
    results = {  # [seed, tau, metric]
        name: np.stack([[metrics(z[seed], y_test[seed]) for z in each] for seed in range(len(x))])
        for name, each in logits.items()
    }
    return [row(case, name, results, seconds[name]) for name in results]


class Nets:
    """Nets of one structure, a seed each, trained at once: calls are [seed, n, ...]."""

    def __init__(self, nets: list[nn.Module]):
        parameters, _ = torch.func.stack_module_state(nets)
        self.parameters = {name: p.detach().requires_grad_() for name, p in parameters.items()}
        self._forward = torch.func.vmap(lambda p, x: torch.func.functional_call(nets[0], p, (x,)))

    def __call__(self, x: Tensor) -> Tensor:
        return self._forward(self.parameters, x)


def plain(seed: int, x: Tensor, counts: sy.Counts) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(x.shape[-1], WIDTH), nn.ReLU(), nn.Linear(WIDTH, len(counts.classes)))


def train(nets: Nets, loss: nn.Module, x: Tensor, y: Tensor, steps: int) -> None:
    optimizer = torch.optim.Adam(nets.parameters.values(), lr=RATE, weight_decay=1e-4)
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss(nets(x).flatten(0, 1), y.flatten())
        (value * len(x)).backward()  # the mean runs over all nets; each wants its own
        optimizer.step()


def metrics(logits: Tensor, y: Tensor) -> tuple[float, float]:
    """Balanced accuracy, and the area under the ROC curve (more than two classes: each against the rest, their mean)."""
    right = (logits.argmax(dim=1) == y).double()
    balanced = float(torch.stack([right[y == c].mean() for c in y.unique()]).mean())
    if logits.shape[1] == 2:
        return balanced, float(roc_auc_score(y, logits[:, 1] - logits[:, 0]))
    p = logits.double().softmax(dim=1)
    return balanced, float(roc_auc_score(y, p / p.sum(dim=1, keepdim=True), multi_class="ovr"))


def row(case: str, name: str, results: dict[str, np.ndarray], seconds: float) -> dict[str, Any]:
    made: dict[str, Any] = {"case": case, "variant": name, "train_seconds": seconds}
    for i, metric in enumerate(("balanced_accuracy", "auc")):
        each = results[name][..., i]
        against = results[EACH][..., i]
        made[metric] = {
            "by_tau": each.mean(axis=0).tolist(),
            "mean": _mean(each.mean(axis=1)),
            "spread": _mean(each.std(axis=1)),  # over tau, within a seed
            "worst": _mean(each.min(axis=1)),
            "gain_in_mean": _mean((each - against).mean(axis=1)),
            "gain_in_spread": _mean(each.std(axis=1) - against.std(axis=1)),
            "gain_in_worst": _mean(each.min(axis=1) - against.min(axis=1)),
        }
    return made


def _mean(values: np.ndarray) -> list[float]:
    """[mean over seeds, its standard error]"""
    return (
        [float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)]
        if len(values) > 1
        else [float(values.mean()), 0.0]
    )


def told(row: dict[str, Any]) -> str:
    def shown(metric: str) -> str:
        found = row[metric]
        taus = " ".join(f"{v:.3f}" for v in found["by_tau"])
        parts = [
            f"{part} {found[part][0]:+.4f} ± {found[part][1]:.4f}"
            for part in ("gain_in_mean", "gain_in_spread", "gain_in_worst")
        ]
        return f"    {metric:18} {taus}   mean {found['mean'][0]:.4f}  spread {found['spread'][0]:.4f}   {', '.join(parts)}"

    head = f"{row['case']:28} {row['variant']:28} {row['train_seconds']:.2f} s"
    return "\n".join([head, shown("balanced_accuracy"), shown("auc")])
