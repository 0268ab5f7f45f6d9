"""Torch's numbers where torch has the loss, and finite, right ones where formulas overflow."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import steelyard as sy

from .. import numerics
from .claim import Claim, Conclusion, Record, Table, exact

SHOWN = ("torch cross_entropy", "torch binary_cross_entropy_with_logits", "formula through sigmoid and BCE")


def units(small: bool) -> list[str]:
    return ["as torch", "smoothing", "extremes"]


def run(unit: str, small: bool) -> Record:
    if unit == "as torch":
        return as_torch(60 if small else 1000)
    return smoothing() if unit == "smoothing" else extremes(small)


def as_torch(cases: int) -> Record:
    """Largest relative difference of values and gradients from torch.nn, float64, over random calls of the drop-in losses."""
    rng = np.random.default_rng(0)
    worst = {"loss": 0.0, "gradient": 0.0}
    kinds: dict[str, int] = {}
    for _ in range(cases):
        kind, ours, theirs, z, y = softmax_case(rng) if rng.random() < 0.6 else sigmoid_case(rng)
        kinds[kind] = kinds.get(kind, 0) + 1
        found = [value_and_gradient(loss, z, y) for loss in (ours, theirs)]
        for name, mine, other in zip(worst, *found, strict=True):
            scale = max(float(other.abs().max()), 1e-3)
            worst[name] = max(worst[name], float((mine - other).abs().max()) / scale)
    return {"cases": cases, "kinds": kinds, "worst": worst}


def softmax_case(rng: np.random.Generator) -> tuple[str, nn.Module, nn.Module, Tensor, Tensor]:
    classes, rows = int(rng.integers(2, 9)), int(rng.integers(2, 7))
    shape = (rows, classes, *rng.integers(1, 5, size=int(rng.integers(0, 3))).tolist())
    z = torch.tensor(rng.normal(0, 4, shape))
    options: dict[str, Any] = {"reduction": str(rng.choice(["mean", "sum", "none"]))}
    if rng.random() < 0.6:
        options["weight"] = torch.tensor(rng.lognormal(size=classes))
    if rng.random() < 0.5:
        options["label_smoothing"] = float(rng.uniform(0.01, 0.4))
    if rng.random() < 0.3:
        y = torch.tensor(np.moveaxis(rng.dirichlet(np.ones(classes), (rows, *shape[2:])), -1, 1))
        kind = "probabilities"
    else:
        y = torch.tensor(rng.integers(classes, size=(rows, *shape[2:])))
        kind = "labels"
        if rng.random() < 0.4:
            y = torch.where(torch.tensor(rng.random(y.shape) < 0.2), -100, y)
            y.flatten()[0] = 0  # torch's mean of nothing is NaN
    return f"softmax, {kind}", sy.CrossEntropyLoss(**options), nn.CrossEntropyLoss(**options), z, y


def sigmoid_case(rng: np.random.Generator) -> tuple[str, nn.Module, nn.Module, Tensor, Tensor]:
    shape = (int(rng.integers(1, 7)), int(rng.integers(1, 6)))
    z = torch.tensor(rng.normal(0, 4, shape))
    hard = rng.random() < 0.5
    y = torch.tensor((rng.random(shape) < 0.3).astype(float) if hard else rng.random(shape))
    options: dict[str, Any] = {"reduction": str(rng.choice(["mean", "sum", "none"]))}
    if rng.random() < 0.7:
        options["pos_weight"] = torch.tensor(rng.lognormal(size=shape[1]))
    kind = "hard" if hard else "soft"
    return f"sigmoid, {kind} labels", sy.BCEWithLogitsLoss(**options), nn.BCEWithLogitsLoss(**options), z, y


def value_and_gradient(loss: nn.Module, z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    x = z.clone().requires_grad_()
    value = loss(x, y)
    upstream = torch.linspace(-1, 1, value.numel(), dtype=value.dtype).reshape(value.shape) if value.ndim else None
    (gradient,) = torch.autograd.grad(value, x, upstream)
    return value.detach(), gradient


def smoothing() -> Record:
    """Three means that people call "weighted cross-entropy with smoothing 0.1": torch's and ours, float64."""
    torch.manual_seed(0)
    z, y = torch.randn(64, 4, dtype=torch.float64), torch.randint(4, (64,))
    w, e = torch.tensor([0.5, 1.0, 2.0, 8.0], dtype=torch.float64), 0.1
    soft = (1 - e) * nn.functional.one_hot(y, 4).double() + e / 4
    each = -(soft * z.log_softmax(dim=1)).sum(dim=1)
    by_sample = sy.mix(sy.fixed(weight=w), sy.smooth(e), sy.fixed(norm="mass"))
    pairs = {
        "labels and label_smoothing": (
            sy.CrossEntropyLoss(weight=w, label_smoothing=e)(z, y),
            nn.CrossEntropyLoss(weight=w, label_smoothing=e)(z, y),
        ),
        "the smoothed labels as probabilities": (
            sy.CrossEntropyLoss(weight=w)(z, soft),
            nn.CrossEntropyLoss(weight=w)(z, soft),
        ),
        "the sample weighed, then smoothed": (
            sy.CrossEntropy(by_sample)(z, y),
            (w[y] * each).sum() / w[y].sum(),  # torch has no name for it
        ),
    }
    return {name: [float(ours), float(other)] for name, (ours, other) in pairs.items()}


def extremes(small: bool) -> Record:
    """Of each implementation and type, over focal curves: numbers that are not finite or wrongly zero, and the worst error of the rest."""
    found: dict[str, Any] = {}
    for dtype in numerics.DTYPES:
        z, y = numerics._grid(dtype)
        for gamma in (0.0, 2.0) if small else numerics.GAMMAS:
            should = [numerics._exact(a, b, gamma) for a, b in zip(z.tolist(), y.tolist(), strict=True)]
            for who, loss in numerics._implementations(gamma):
                got = numerics._compare(loss, z, y, should, numerics.SMALLEST[dtype])
                row = found.setdefault(f"{dtype}: {who}", {"cells": 0, "not_finite": 0, "zero": 0, "worst_loss": 0.0})
                row["cells"] += 2 * len(should)
                row["not_finite"] += got["not_finite"]
                row["zero"] += got["zero"]
                row["worst_loss"] = max(row["worst_loss"], got["worst_loss"])
    z = torch.tensor(-89.0)
    modulator = torch.exp(
        -2 * z - 2 * torch.log(1 + torch.exp(-z))
    )  # as repositories of the class-balanced loss write it
    copied = modulator * nn.functional.binary_cross_entropy_with_logits(z, torch.tensor(1.0))
    ours = sy.BinaryCrossEntropy(sy.focal(gamma=2.0))(z[None], torch.tensor([1]))
    return {"rows": found, "at -89": [float(ours), float(copied)]}


def conclude(records: Mapping[str, Record]) -> Conclusion:
    torchs, smooth, extreme = records["as torch"], records["smoothing"], records["extremes"]
    ours = {name: row for name, row in extreme["rows"].items() if "steelyard" in name}
    many, cells = f"worst of {torchs['cases']} random calls", sum(row["cells"] for row in ours.values())
    findings = [
        exact("relative difference of the loss from torch's, float64", (None, 1e-12), torchs["worst"]["loss"], many),
        exact("of the gradient", (None, 1e-12), torchs["worst"]["gradient"], many),
        exact(
            "difference in three ways to join weights and smoothing",
            (None, 1e-12),
            max(abs(a - b) for a, b in smooth.values()),
            "worst of three",
        ),
        exact(
            "numbers that are not finite at logits up to 10,000",
            (0, 0),
            sum(row["not_finite"] for row in ours.values()),
            f"all of {cells}",
        ),
        exact(
            "numbers that are zero and should not be",
            (0, 0),
            sum(row["zero"] for row in ours.values()),
            f"all of {cells}",
        ),
        exact(
            "relative error of a float32 loss, against 60 digits",
            (None, 1e-5),
            max(row["worst_loss"] for name, row in ours.items() if name.startswith("float32")),
            "worst of all",
        ),
    ]
    rows = [
        [name, str(r["cells"]), str(r["not_finite"]), str(r["zero"]), f"{r['worst_loss']:.1g}"]
        for name, r in extreme["rows"].items()
    ]
    mine, copied = extreme["at -89"]
    return Conclusion(
        findings,
        [
            Table(
                "Losses and gradients at logits where formulas break",
                ("type: implementation", "numbers", "not finite", "wrongly zero", "error of the loss"),
                rows,
            ),
            Table(
                "One positive with the logit -89, focal loss with gamma 2, float32",
                ("who", "loss"),
                [
                    ["steelyard", f"{mine:.4g}"],
                    ["the formula of class-balanced focal loss as it is copied", f"{copied:.4g}"],
                ],
            ),
            Table(
                "Three means that go by the same name, on the same 64 rows",
                ("weights and smoothing 0.1", "steelyard", "torch"),
                [[name, f"{a:.6f}", f"{b:.6f}"] for name, (a, b) in smooth.items()],
            ),
        ],
    )


CLAIM = Claim(
    name="numbers",
    title="Torch's numbers, and right ones where formulas overflow",
    says="Where torch has a weighted cross-entropy, the drop-in losses give torch's values and gradients; where logits are extreme, "
    "losses and gradients of every focal curve stay finite and right.",
    source="steelyard's own promise ([differences](../reference/differences.md)); the focal loss is eq. 4 of Lin et al. 2017, arXiv:1708.02002.",
    done="Random calls of `sy.CrossEntropyLoss` and `sy.BCEWithLogitsLoss` beside torch's: labels and probabilities, weights, smoothing, "
    "ignored labels, three reductions, up to two more axes, an uneven upstream gradient. Then focal curves with gamma 0 to 5 at logits up to "
    "10,000 (half types: 1,000) against mpmath with 60 digits.",
    seeds="one stream of random calls",
    units=units,
    run=run,
    conclude=conclude,
)
