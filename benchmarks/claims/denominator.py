"""What a weighted loss is divided by: the rare class's part of it on small batches, micro-batches, ranks, and what that does to a net."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from examples.shards import BY_MASS, BY_ROWS, EVEN, UNEVEN, errors

import steelyard as sy
from examples import digits_long_tail as digits

from .claim import Claim, Conclusion, Record, Table, exact, paired

ROOT = Path(__file__).parents[2]
BATCHES, SEEDS, EPOCHS, BATCH = (8, 32, 128, 1024), 12, 25, 16
RANKS = """
import json, torch.distributed as dist
from examples.shards import BY_MASS, BY_ROWS, UNEVEN, errors, leave
dist.init_process_group("gloo")
worst = max(float(errors(r, UNEVEN, True, 5).max()) for r in (BY_MASS, BY_ROWS))
if dist.get_rank() == 0:
    print("worst", json.dumps(worst), flush=True)
leave()
"""


def units(small: bool) -> list[str]:
    return ["shares", "micro-batches", "two ranks", *(f"digits {s}" for s in range(2 if small else SEEDS))]


def run(unit: str, small: bool) -> Record:
    if unit == "shares":
        return shares(100 if small else 2000)
    if unit == "micro-batches":
        return micro_batches(4 if small else 40)
    if unit == "two ranks":
        return two_ranks()
    return long_tail(int(unit.split()[1]), 2 if small else EPOCHS)


def shares(batches: int) -> Record:
    """{rows of a batch: [[share by weights, share by rows] of 20 streams]}: the rare class's part of the loss, 1 % of the rows, balanced
    weights, every row equally wrong."""
    counts = sy.Counts.of(9900, 100)
    recipe = sy.inverse_frequency(counts)
    found: Record = {}
    for size in BATCHES:
        found[str(size)] = []
        for stream in range(20):
            torch.manual_seed(stream)
            labels = (torch.rand(batches * 8 // min(size, 32), size) < 0.01).long()
            terms = sy.CrossEntropy(recipe).terms(torch.zeros(labels.numel(), 2), labels.flatten())
            loss, mass = (t.double().reshape(labels.shape) for t in (terms.loss, terms.mass))
            each = (loss / mass.sum(dim=1, keepdim=True), loss / size)
            found[str(size)].append([float((e * labels).sum() / e.sum()) for e in each])
    return found


def micro_batches(steps: int) -> Record:
    """Relative errors of the gradient of a batch that is split: averaged means of torch's kind, and `sy.accumulate`."""
    return {
        "averaged": errors(BY_MASS, EVEN, False, steps).tolist(),
        "accumulated": max(
            float(errors(r, s, True, min(steps, 10)).max()) for r in (BY_MASS, BY_ROWS) for s in (EVEN, UNEVEN)
        ),
    }


def two_ranks() -> Record:
    """The largest error of the gradient over two processes, through DistributedDataParallel and `sy.accumulate`."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]
    command += [sys.executable, "-c", RANKS]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=600, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("worst ")]
    if done.returncode or not lines:
        raise RuntimeError(f"denominator: two ranks ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return {"worst": json.loads(lines[-1].removeprefix("worst "))}


def long_tail(seed: int, epochs: int) -> Record:
    """Recall of all classes and of the four rarest, of nets trained on batches of 16 with balanced weights, divided by the weights of the
    batch or by its rows; the same first weights and batches."""
    x, y, x_test, y_test = (t[seed] if t.ndim == 3 else t for t in digits.data(seed + 1))
    found: Record = {}
    for name, norm in (("by weights", "mass"), ("by rows", "count")):
        torch.manual_seed(seed)
        net = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
        loss = sy.CrossEntropy(sy.mix(digits.BALANCED, sy.fixed(norm=norm)))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
        for _ in range(epochs):
            for rows in torch.randperm(len(y)).split(BATCH):
                optimizer.zero_grad()
                loss(net(x[rows]), y[rows]).backward()
                optimizer.step()
        with torch.no_grad():
            recall = digits.recall(net(x_test)[None], y_test)[0]
        found[name] = [float(recall.mean()), float(recall[6:].mean())]
    return found


def conclude(records: Mapping[str, Record]) -> Conclusion:
    streams, parts = records["shares"], records["micro-batches"]
    runs = [found for unit, found in records.items() if unit.startswith("digits")]
    of = f"{len(runs)} seeds"
    eight = np.array(streams["8"])
    findings = [
        paired(
            "the rare class's part of the loss, batches of 8, divided by the weights",
            (None, 0.1),
            eight[:, 0].tolist(),
            "20 streams",
        ),
        paired("the same, divided by the rows", (0.45, 0.55), eight[:, 1].tolist(), "20 streams"),
        paired(
            "error of the gradient, the mean of 8 micro-batches' weighted means",
            (0.1, None),
            parts["averaged"],
            f"{len(parts['averaged'])} batches",
        ),
        exact("the same by `sy.accumulate`", (None, 1e-6), parts["accumulated"], "worst of 40"),
        exact(
            "the same over two ranks, `sy.accumulate` and DistributedDataParallel",
            (None, 1e-6),
            records["two ranks"]["worst"],
            "worst of 10",
        ),
        paired(
            "long-tailed digits, batches of 16: balanced accuracy, divided by rows minus by weights",
            (0, None),
            [r["by rows"][0] - r["by weights"][0] for r in runs],
            of,
        ),
        paired(
            "recall of the four rarest digits, the same",
            (0, None),
            [r["by rows"][1] - r["by weights"][1] for r in runs],
            of,
        ),
    ]
    rows = [[size, *(f"{100 * v:.1f} %" for v in np.mean(each, axis=0))] for size, each in streams.items()]
    means = [[name, *(f"{np.mean([r[name][k] for r in runs]):.3f}" for k in (0, 1))] for name in runs[0]]
    return Conclusion(
        findings,
        [
            Table(
                "The rare class's part of the loss, 1 % of the rows, balanced weights: meant to be 50 %",
                ("rows of a batch", "divided by the weights (torch's mean)", "by the rows"),
                rows,
            ),
            Table("Long-tailed digits, batches of 16", ("divided", "balanced accuracy", "four rarest"), means),
        ],
    )


CLAIM = Claim(
    name="denominator",
    title="What a weighted loss is divided by",
    says="A mean that divides by the weights of its batch, as torch's does, gives a rare class less than its weight says on small batches, is not the "
    "gradient of the whole batch over micro-batches and ranks, and trains a worse net; one common divisor mends all three.",
    source="Algebra of torch's mean; that it costs accuracy is our own guess.",
    done="*Parts of the loss*: labels drawn with 1 % rare. *Micro-batches and ranks*: examples/shards.py, gradients of a batch of 64 in eight parts, equal and "
    'uneven, in float64. *Digits*: a small net on 280 long-tailed digits, batches of 16, SGD with momentum, 25 epochs, balanced weights, `norm="mass"` beside '
    '`norm="count"`; first weights and batches are the same.',
    seeds=f"20 streams of labels, 40 batches, {SEEDS} draws of the digits",
    units=units,
    run=run,
    conclude=conclude,
)
