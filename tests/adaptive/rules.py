"""Every adaptive rule, as the laws take it. A rule that is added to steelyard.adaptive gets a line here."""

import dataclasses
import math
from collections.abc import Callable

import torch

import steelyard as sy
from steelyard import adaptive

COUNTS = sy.Counts([60, 30, 10])
TWO = sy.Counts.of(90, 10)
LABELS = sy.Counts([30, 10, 2], kind="multilabel", items=100)
CLASSES, ROWS, WIDTH = 3, 24, 5


@dataclasses.dataclass(frozen=True)
class Case:
    """How a rule is made, and what it serves.

    outputs  logits per item; link sigmoid with 1 output: one yes-or-no logit per item
    exact    whether statistics of micro-batches are those of the whole batch: not for ranks within a batch (hardest)
    space    pixels of an item, for rules that look at pictures
    compiles  why it cannot be traced, or None
    """

    make: Callable[[], sy.adaptive.Rule]
    link: str = "softmax"
    outputs: int = CLASSES
    exact: bool = True
    space: tuple[int, ...] = ()
    compiles: str | None = None

    def loss(self, **options) -> sy.CrossEntropy | sy.BinaryCrossEntropy:
        made = (sy.CrossEntropy if self.link == "softmax" else sy.BinaryCrossEntropy)(self.make(), **options)
        made.advance(epoch=0, step=0)
        return made

    def data(self, seed: int = 0, rows: int = ROWS, dtype: torch.dtype = torch.float64):
        """x [rows, WIDTH] and targets, every class among them, a tenth ignored."""
        random = torch.Generator().manual_seed(seed)
        x = torch.randn(rows, WIDTH, generator=random, dtype=dtype)
        classes = () if self.link == "softmax" or (self.outputs == 1 and not self.space) else (self.outputs,)
        shape = (rows, *classes, *self.space)
        y = torch.randint(0, self.outputs if self.link == "softmax" else 2, shape, generator=random)
        y[torch.rand(shape, generator=random) < 0.1] = -100
        return x, y

    def net(self, dtype: torch.dtype = torch.float64) -> torch.nn.Module:
        torch.manual_seed(1)
        layers = [torch.nn.Linear(WIDTH, self.outputs * math.prod(self.space))]
        if self.space:
            layers.append(torch.nn.Unflatten(1, (self.outputs, *self.space)))
        elif self.link == "sigmoid" and self.outputs == 1:
            layers.append(torch.nn.Flatten(0))
        return torch.nn.Sequential(*layers).to(dtype)


RULES: dict[str, Case] = {
    "Deferred": Case(lambda: adaptive.Deferred(sy.Recipe(), sy.inverse_frequency(COUNTS), after_epoch=2)),
    "Deferred to another curve": Case(
        lambda: adaptive.Deferred(sy.inverse_frequency(COUNTS), sy.focal(gamma=2.0), after_epoch=2)
    ),
    "Deferred binary": Case(
        lambda: adaptive.Deferred(sy.Recipe(), sy.pos_neg(TWO), after_epoch=2), link="sigmoid", outputs=1
    ),
    "Anneal": Case(
        lambda: adaptive.Anneal(
            sy.class_temperature(COUNTS),
            sy.mix(sy.inverse_frequency(COUNTS), sy.logit_adjustment(COUNTS)),
            over=(0, 4),
            schedule="cosine",
        )
    ),
    "Anneal multilabel": Case(
        lambda: adaptive.Anneal(sy.Recipe(), sy.pos_neg(LABELS), over=(0, 4)), link="sigmoid", outputs=3
    ),
    "Curriculum": Case(lambda: adaptive.Curriculum(COUNTS, over=(0, 4), schedule="power", and_back=True)),
    "Mixed": Case(
        lambda: adaptive.Mixed(
            adaptive.Deferred(sy.Recipe(), sy.inverse_frequency(COUNTS), after_epoch=2),
            adaptive.Curriculum(COUNTS, over=(0, 4)),
            sy.mix(sy.focal(gamma=2.0), sy.logit_adjustment(COUNTS)),
        )
    ),
    "BatchStatistics": Case(lambda: adaptive.BatchStatistics(3, warm_up=2)),
    "BatchStatistics by difficulty from counts": Case(
        lambda: adaptive.BatchStatistics(COUNTS, beta=0.5, gamma=1.0, momentum=0.8, warm_up=0)
    ),
    "BatchStatistics multilabel": Case(
        lambda: adaptive.BatchStatistics(LABELS, gamma=0.5, warm_up=3), link="sigmoid", outputs=3
    ),
    "BatchStatistics of labels": Case(lambda: adaptive.BatchStatistics(3, warm_up=0), link="sigmoid", outputs=3),
    "BatchStatistics binary": Case(lambda: adaptive.BatchStatistics(TWO, gamma=1.0), link="sigmoid", outputs=1),
    "FBetaKnee": Case(lambda: adaptive.FBetaKnee(grid=100), link="sigmoid", outputs=1),
    "FBetaKnee softmax": Case(lambda: adaptive.FBetaKnee(family="gaussian", squared=True), outputs=2),
    "CalibratedMaps": Case(lambda: adaptive.CalibratedMaps(lambda y: 1.0 + 2.0 * (y == 2), share=0.3)),
    "CalibratedMaps of labels": Case(
        lambda: adaptive.CalibratedMaps(lambda y: 1.0 + y.clamp(min=0), sy.focal(gamma=1.0), share=0.5),
        link="sigmoid",
        outputs=3,
    ),
    "CalibratedMaps by boundaries": Case(
        lambda: adaptive.CalibratedMaps(lambda y: 1.0 + 3.0 * (y == 1), boundary_f=0.9, radius=1), space=(4, 5)
    ),
    "CalibratedMaps by a spatial map": Case(
        lambda: adaptive.CalibratedMaps(sy.spatial.Map("contour", ignore=-100), share=0.3),
        link="sigmoid",
        outputs=2,
        space=(4, 5),
        compiles="the map is made by numpy",
    ),
}


def steps(case: Case, loss, net, *, first: int = 0, last: int = 6, optimizer=None):
    """Plain training: one epoch per step. Returns the optimiser."""
    optimizer = optimizer or torch.optim.Adam([*net.parameters(), *loss.parameters()], lr=0.1)
    for step in range(first, last):
        x, y = case.data(seed=step)
        loss.advance(epoch=step, step=step)
        optimizer.zero_grad()
        loss(net(x), y).backward()
        optimizer.step()
    return optimizer


def state(*modules: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {f"{i}.{k}": v.clone() for i, m in enumerate(modules) for k, v in m.state_dict().items()}


def same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor], **tolerance) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(
            found[name],
            value,
            equal_nan=True,
            **(tolerance or {"rtol": 0, "atol": 0}),
            msg=lambda m, n=name: f"{n}: {m}",
        )
