"""Every adaptive rule, as the laws take it. A rule that is added to steelyard.adaptive gets a line here."""

import dataclasses
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
    also     (loss, net, x, y): what training does besides, each step, for rules whose numbers are moved from outside
    """

    make: Callable[[], sy.adaptive.Rule]
    link: str = "softmax"
    outputs: int = CLASSES
    exact: bool = True
    also: Callable[..., object] | None = None

    def loss(self, **options) -> sy.CrossEntropy | sy.BinaryCrossEntropy:
        made = (sy.CrossEntropy if self.link == "softmax" else sy.BinaryCrossEntropy)(self.make(), **options)
        made.advance(epoch=0, step=0)
        return made

    def data(self, seed: int = 0, rows: int = ROWS, dtype: torch.dtype = torch.float64):
        """x [rows, WIDTH] and targets, every class among them, a tenth ignored."""
        random = torch.Generator().manual_seed(seed)
        x = torch.randn(rows, WIDTH, generator=random, dtype=dtype)
        shape = (rows,) if self.link == "softmax" or self.outputs == 1 else (rows, self.outputs)
        y = torch.randint(0, self.outputs if self.link == "softmax" else 2, shape, generator=random)
        y[torch.rand(shape, generator=random) < 0.1] = -100
        return x, y

    def net(self, dtype: torch.dtype = torch.float64) -> torch.nn.Module:
        torch.manual_seed(1)
        layers = [torch.nn.Linear(WIDTH, self.outputs)]
        if self.link == "sigmoid" and self.outputs == 1:
            layers.append(torch.nn.Flatten(0))
        return torch.nn.Sequential(*layers).to(dtype)


def outer_step(loss, net, x, y) -> None:
    """By an optimiser without state, so that what resumes needs only the loss."""
    outer = adaptive.Bilevel(net, loss, optimizer=lambda p: torch.optim.SGD(p, lr=5.0))
    outer.step((x, y), (x.flip(0), y))


def confusion(loss, net, x, y) -> None:
    valid = y != -100
    found = net(x).argmax(dim=1)
    counts = torch.zeros(CLASSES, CLASSES).index_put((y[valid], found[valid]), torch.tensor(1.0), accumulate=True)
    loss.rule.update(counts)


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
    "Learned geometric": Case(
        lambda: adaptive.Learned(COUNTS, how="geometric", fields=("weight", "offset", "scale"), prior=0.5)
    ),
    "Learned geometric binary": Case(
        lambda: adaptive.Learned(TWO, how="geometric", fields=("weight", "offset", "scale")), link="sigmoid", outputs=1
    ),
    "Learned geometric multilabel": Case(
        lambda: adaptive.Learned(LABELS, how="geometric", fields=("weight", "offset", "scale")), link="sigmoid"
    ),
    "Learned minimax": Case(lambda: adaptive.Learned(COUNTS, how="minimax", rate=0.5)),
    "Learned minimax multilabel": Case(lambda: adaptive.Learned(LABELS, how="minimax", rate=0.5), link="sigmoid"),
    "Learned bilevel": Case(
        lambda: adaptive.Learned(COUNTS, how="bilevel", start=sy.logit_adjustment(COUNTS)), also=outer_step
    ),
    "Learned bilevel binary": Case(
        lambda: adaptive.Learned(TWO, how="bilevel", fields=("weight", "offset", "scale")),
        link="sigmoid",
        outputs=1,
        also=outer_step,
    ),
    "LearnedCosts": Case(lambda: adaptive.LearnedCosts(CLASSES), also=confusion),
    "LearnedCosts bilevel": Case(lambda: adaptive.LearnedCosts(CLASSES, how="bilevel"), also=outer_step),
    "Mixed": Case(
        lambda: adaptive.Mixed(
            adaptive.Deferred(sy.Recipe(), sy.inverse_frequency(COUNTS), after_epoch=2),
            adaptive.Curriculum(COUNTS, over=(0, 4)),
            sy.mix(sy.focal(gamma=2.0), sy.logit_adjustment(COUNTS)),
        )
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
        if case.also is not None:
            case.also(loss, net, x, y)
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
