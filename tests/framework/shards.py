"""Training steps on ranks and in one process: what tests/framework/test_ranks.py compares.

    python tests/framework/shards.py FOLDER RANKS

runs every check on so many ranks, processes that are forked once everything is imported. They find each other through FOLDER, and each writes
what it found to FOLDER/RANK.pt.
"""

import contextlib
import dataclasses
import gc
import itertools
import os
import signal
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

if __name__ == "__main__":  # the folders of tests are no packages: any other `tests` on the path would come first
    sys.modules["tests"] = types.ModuleType("tests")
    sys.modules["tests"].__path__ = [str(Path(__file__).resolve().parents[1])]

from tests.adaptive.rules import CASES

import steelyard as sy
from steelyard import adaptive
from steelyard.data.ranks import over_ranks
from steelyard.rule.protocol import Rule

ROWS, WIDTH, CLASSES = 24, 5, 3
VALID = 18  # rows from here on are ignored
DTYPES = {"float32": torch.float32, "float64": torch.float64}


# -- one step, as one batch or in parts ------------------------------------------------------------------------------


class Everything(Rule):
    """Uses all that the protocol has: statistics, call weights of which some are 0, a learned shift, a penalty."""

    def __init__(self, norm: str):
        super().__init__()
        self.structure = sy.Recipe(weight=[1.0, 1.0, 1.0], norm=norm)
        self.shift = nn.Parameter(torch.tensor([0.1, -0.2, 0.3], dtype=torch.float64))
        self.register_buffer("weight", torch.tensor([0.5, 1.0, 4.0], dtype=torch.float64))
        self.register_buffer("pending", torch.zeros(CLASSES, dtype=torch.float64))

    def emit(self):
        return self.structure, {"weight": (self.weight,)}

    def observe(self, logits, target):
        seen = self.read(logits, target)
        return (seen.p.double() * seen.valid[:, None]).sum(dim=0)

    def learn(self, sums):
        self.weight = 0.5 * self.weight + 0.5 / (sums + 1.0)

    def weigh(self, logits, target):
        seen = self.read(logits, target)
        return seen.restore(2.0 * (seen.p[:, 0] < 0.5))

    def adjust(self, logits, target):
        return logits + self.shift.to(logits.dtype)

    def penalty(self):
        return (self.shift**2).sum()


@dataclasses.dataclass(frozen=True)
class Subject:
    """A loss, and the targets it is given: labels, soft, several (yes or no per class), one (yes or no)."""

    make: Callable[[], nn.Module]
    target: str = "labels"
    weighted: bool = False
    epoch: int | None = None

    def loss(self, dtype: torch.dtype) -> nn.Module:
        loss = self.make()
        for p in loss.parameters():
            p.data = p.data.to(dtype)
        if self.epoch is not None:
            loss.advance(epoch=self.epoch)
        return loss


RECIPE = sy.Recipe(weight=[0.5, 1.0, 8.0])
MASS = sy.mix(RECIPE, sy.fixed(norm="mass"))
LATER = sy.mix(sy.Recipe(weight=[9.0, 2.0, 0.1]), sy.fixed(norm="mass"))
YES = sy.Recipe(weight=[[1.0, 2.0, 0.5], [7.0, 3.0, 1.0]], norm="mass")

SUBJECTS = {
    "count": Subject(lambda: sy.CrossEntropy(RECIPE)),
    "mass": Subject(lambda: sy.CrossEntropy(MASS)),
    "sum": Subject(lambda: sy.CrossEntropy(sy.fixed(norm="sum"))),
    "a number": Subject(lambda: sy.CrossEntropy(sy.fixed(norm=7.0))),
    "count, call weights": Subject(lambda: sy.CrossEntropy(RECIPE), weighted=True),
    "mass, call weights": Subject(lambda: sy.CrossEntropy(MASS), weighted=True),
    "soft count": Subject(lambda: sy.CrossEntropy(sy.mix(RECIPE, sy.focal())), "soft", weighted=True),
    "soft mass": Subject(lambda: sy.CrossEntropy(MASS), "soft", weighted=True),
    "several": Subject(lambda: sy.BinaryCrossEntropy(YES), "several", weighted=True),
    "several soft": Subject(lambda: sy.BinaryCrossEntropy(YES), "soft"),
    "one": Subject(lambda: sy.BinaryCrossEntropy(sy.Recipe(weight=[1.0, 9.0], norm="mass")), "one", weighted=True),
    "two losses": Subject(
        lambda: sy.Sum(mass=sy.CrossEntropy(MASS), count=(0.3, sy.BinaryCrossEntropy()), last=sy.CrossEntropy(LATER)),
        "soft",
        weighted=True,
    ),
    "linear mass": Subject(lambda: sy.LinearCrossEntropy(MASS), weighted=True),
    "linear soft": Subject(lambda: sy.LinearCrossEntropy(MASS), "soft"),
    "before the switch": Subject(lambda: sy.CrossEntropy(adaptive.Deferred(MASS, LATER, after_epoch=3)), epoch=2),
    "after the switch": Subject(lambda: sy.CrossEntropy(adaptive.Deferred(MASS, LATER, after_epoch=3)), epoch=3),
    "mass to count": Subject(lambda: sy.CrossEntropy(adaptive.Deferred(MASS, RECIPE, after_epoch=3)), epoch=3),
    "annealed mass": Subject(lambda: sy.CrossEntropy(adaptive.Anneal(MASS, LATER, over=(0, 4))), epoch=1),
    "everything count": Subject(lambda: sy.CrossEntropy(Everything("count")), weighted=True),
    "everything mass": Subject(lambda: sy.CrossEntropy(Everything("mass")), weighted=True),
    "everything a number": Subject(lambda: sy.CrossEntropy(Everything(5.0)), weighted=True),  # type: ignore[arg-type]
}


class Net(nn.Module):
    def __init__(self, target: str, dtype: torch.dtype):
        super().__init__()
        torch.manual_seed(1)
        self.body = nn.Sequential(nn.Linear(WIDTH, 6), nn.Tanh())
        self.head = nn.Linear(6, 1 if target == "one" else CLASSES)
        self.flat, self.cut = target == "one", False
        self.to(dtype)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.body(x)
        if self.cut:
            return hidden
        # FSDP warns of views
        return self.head(hidden).flatten(0).clone() if self.flat else self.head(hidden)


class Step(nn.Module):
    """Net and loss as one module, as DistributedDataParallel wants them where the loss learns too."""

    def __init__(self, subject: Subject, dtype: torch.dtype):
        super().__init__()
        self.net, self.loss = Net(subject.target, dtype), subject.loss(dtype)
        self.net.cut = isinstance(self.loss, sy.LinearCrossEntropy)

    def forward(self, x: Tensor, y: Tensor, s: Tensor | None, **options: Tensor) -> Tensor:
        if isinstance(self.loss, sy.LinearCrossEntropy):
            head = self.net.head
            return self.loss(self.net(x), head.weight, y, linear_bias=head.bias, weight=s, **options)
        return self.loss(self.net(x), y, weight=s, **options)


def data(subject: Subject, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor | None]:
    random = torch.Generator().manual_seed(0)
    x = torch.randn(ROWS, WIDTH, generator=random, dtype=torch.float64)
    y = torch.randint(0, CLASSES, (ROWS,), generator=random)
    y[VALID:] = -100
    s = torch.rand(ROWS, generator=random, dtype=torch.float64) * 3
    s[::5] = 0.0
    if subject.target == "soft":
        y = torch.rand(ROWS, CLASSES, generator=random, dtype=torch.float64)
        y = (y / y.sum(dim=1, keepdim=True)).to(dtype)
        s[VALID:] = 0.0
    elif subject.target == "several":
        y = torch.where(y[:, None] == -100, -100, torch.randint(0, 2, (ROWS, CLASSES), generator=random))
    elif subject.target == "one":
        y = torch.where(y == 2, 1, torch.where(y == 1, 0, y))
    return x.to(dtype), y, s.to(dtype) if subject.weighted else None


LAYOUTS: dict[str, dict[int, list[list[tuple[int, int]]]]] = {
    "uneven": {
        1: [[(0, 9), (9, 13), (13, 24)]],
        2: [[(0, 9), (9, 13)], [(13, 14), (14, 22), (22, 24)]],
        4: [[(0, 5)], [(5, 6), (6, 14)], [(14, 17), (17, 18), (18, 20)], [(20, 24)]],
    },
    "nothing valid": {2: [[(0, 9), (9, 18)], [(18, 24)]], 4: [[(18, 22)], [(0, 9)], [(22, 24)], [(9, 17), (17, 18)]]},
    "nothing at all": {2: [[(0, 24)], []], 4: [[(0, 10), (10, 11)], [], [(11, 24)], []]},
}
KINDS = ("sum", "sum by hand", "DDP", "DDP by hand", "DDP with the loss inside", "FSDP")


FEW = ("mass", "count, call weights", "several", "everything mass")


def chosen(kind: str, subject: str, layout: str, dtype: str) -> bool:
    """Every subject in the two usual ways; a few of them in all ways and layouts."""
    if "by hand" in kind and "everything" in subject:
        return False  # without `accumulate` rules learn between micro-batches
    if "linear" in subject:  # it takes the head out of the net, and its products are in float32
        return layout == "uneven" and dtype == "float32" and kind in ("sum", "DDP with the loss inside")
    return subject in FEW or (layout == "uneven" and kind in ("sum", "DDP"))


def single(subject: Subject, dtype: torch.dtype) -> dict[str, Tensor]:
    """One process, one batch."""
    step = Step(subject, dtype)
    value = step(*data(subject, dtype))
    value.backward()
    return told(step, value)


def told(step: Step, value: Tensor) -> dict[str, Tensor]:
    gradients = {n.replace("module.", ""): p.grad for n, p in step.named_parameters()}
    state = {f"state {n}": b for n, b in step.loss.named_buffers() if "clock" not in n}
    return {"loss": value.detach().double(), **{n: g for n, g in gradients.items() if g is not None}, **state}


def on_ranks(kind: str, subject: Subject, layout: str, dtype: torch.dtype, group=None) -> dict[str, Tensor]:
    """The same step in parts, with gradients brought together as `kind` says."""
    rank, world = dist.get_rank(group), dist.get_world_size(group)
    x, y, s = data(subject, dtype)
    step = Step(subject, dtype)
    averaged, slices = not kind.startswith("sum"), LAYOUTS[layout][world]
    parts = [slice(*p) for p in slices[rank]]
    if averaged:  # ranks wait for each other in the last backward pass, FSDP in all: bring batches of no rows
        parts += [slice(ROWS, ROWS)] * ((max(map(len, slices)) if kind == "FSDP" else 1) - len(parts))
    run: nn.Module = step
    if kind == "DDP with the loss inside":
        run = wrapped = DistributedDataParallel(step, process_group=group)
    elif kind.startswith("DDP"):
        step.net = wrapped = DistributedDataParallel(step.net, process_group=group)
    elif kind == "FSDP":
        fully_shard(step.net.body)
        fully_shard(step.net)
    targets, weights = [y[p] for p in parts], None if s is None else [s[p] for p in parts]
    z: dict[str, Tensor] = {}
    how: contextlib.AbstractContextManager = contextlib.nullcontext()
    if kind.endswith("by hand"):
        z["normalizer"] = sy.global_mass(targets, step.loss, weight=weights, group=group, averaged=averaged)
    else:
        how = sy.accumulate(step.loss, targets, weight=weights, group=group, averaged=averaged)
    total = torch.zeros((), dtype=torch.float64)
    with how:
        for i, p in enumerate(parts):
            waits = kind.startswith("DDP") and i < len(parts) - 1
            with wrapped.no_sync() if waits else contextlib.nullcontext():
                value = run(x[p], y[p], None if s is None else s[p], **z)
                value.backward()
            total += value.detach()
    for name, p in step.named_parameters():
        if kind == "DDP with the loss inside" or (averaged and not name.startswith("loss.")):
            if kind == "FSDP":
                p.grad = p.grad.full_tensor()
            continue
        p.grad = torch.zeros_like(p) if p.grad is None else p.grad
        dist.all_reduce(p.grad, group=group)
        p.grad /= world if averaged else 1
    dist.all_reduce(total, group=group)
    return told(step, total / world if averaged else total)


# -- training with every adaptive rule -------------------------------------------------------------------------------

SIZES = {1: [24], 2: [17, 7], 4: [11, 3, 6, 4]}
WAYS = {"float32": ("accumulate",), "float64": ("one call", "accumulate", "DDP")}


def trained(name: str, dtype: torch.dtype, way: str, ranks: int, rank: int | None = None) -> dict[str, Tensor]:
    """State and parameters after some steps on this rank's parts of every batch; without a rank: on all of it.

    On odd steps nothing of rank 1 is valid.
    """
    case = CASES[name]
    loss, net = case.loss(), case.net(dtype)
    for p in loss.parameters():
        p.data = p.data.to(dtype)
    optimizer = torch.optim.SGD([*net.parameters(), *loss.parameters()], lr=0.5)
    averaged = way == "DDP" and rank is not None
    model = DistributedDataParallel(net) if averaged else net
    for step in range(4):
        x, y = case.data(seed=step, dtype=dtype)
        xs, ys = x.split(SIZES[ranks]), [part.clone() for part in y.split(SIZES[ranks])]
        if step % 2:
            ys[1] = torch.full_like(ys[1], -100)
        x, y = (x, torch.cat(ys)) if rank is None else (xs[rank], ys[rank])
        loss.advance(epoch=step, step=step)
        optimizer.zero_grad()
        if rank is None:
            loss(model(x), y).backward()
        elif way == "one call":
            loss(model(x), y, normalizer=sy.global_mass(y, loss)).backward()
        else:
            pieces = list(zip(x.split(5), y.split(5), strict=True))
            with sy.accumulate(loss, [t for _, t in pieces], averaged=averaged):
                for i, (rows, labels) in enumerate(pieces):
                    with model.no_sync() if averaged and i < len(pieces) - 1 else contextlib.nullcontext():
                        loss(model(rows), labels).backward()
        if rank is not None:
            for p in [*loss.parameters(), *([] if averaged else net.parameters())]:
                dist.all_reduce(p.grad)
                p.grad /= ranks if averaged else 1
        optimizer.step()
    numbers = {**{f"loss.{n}": t for n, t in loss.state_dict().items()}, **net.state_dict()}
    return {n: t.clone() for n, t in numbers.items()}


# -- everything a rank finds -----------------------------------------------------------------------------------------


def counted(rank: int) -> sy.Counts:
    """What a rank counted: a class of its own, and one that all have."""
    return sy.Counts([rank + 1, 10**12], ["é" * (rank + 1), "all"], source=f"shard {rank}", digest=f"{rank:032x}")


def written(counts: sy.Counts) -> dict[str, Tensor]:
    """As numbers, which is all that a rank writes."""
    return {"json": torch.frombuffer(bytearray(counts.to_json().encode()), dtype=torch.uint8)}


def findings() -> Iterator[tuple[str, dict[str, Tensor]]]:
    rank, world = dist.get_rank(), dist.get_world_size()
    for name, dtype in DTYPES.items():
        for kind, (key, subject), layout in itertools.product(KINDS, SUBJECTS.items(), LAYOUTS):
            if chosen(kind, key, layout, name):
                yield f"{name} | {kind} | {key} | {layout}", on_ranks(kind, subject, layout, dtype)
        for key, case in CASES.items():
            for way in WAYS[name] if case.exact else ():
                yield f"{name} | {key} | {way}", trained(key, dtype, way, world, rank)
    yield "counts", written(over_ranks(counted(rank)))
    halves = [dist.new_group(range(i, i + world // 2)) for i in (0, world // 2)]
    mine = halves[rank // (world // 2)]  # every half has the whole batch
    yield "counts of a half", written(over_ranks(counted(rank), group=mine))
    for kind in ("sum", "DDP", "DDP by hand"):
        for key in ("mass", "everything mass"):
            if chosen(kind, key, "uneven", "float64"):
                yield f"half | {kind} | {key}", on_ranks(kind, SUBJECTS[key], "uneven", torch.float64, mine)


def work(folder: Path, rank: int, ranks: int) -> None:
    dist.init_process_group("gloo", store=dist.FileStore(str(folder / "store"), ranks), rank=rank, world_size=ranks)
    torch.save(dict(findings()), folder / f"{rank}.pt")
    gc.collect()  # hundreds of models, gone before the ranks are: see examples/shards.py
    dist.barrier()
    dist.destroy_process_group()


def main(folder: Path, ranks: int) -> int:
    """The exit code: that of the first rank that fails, and then nobody waits for the others."""
    torch.set_num_threads(1)
    running = set()
    for rank in range(ranks):
        running.add(child := os.fork())
        if not child:
            code = 1
            try:
                work(folder, rank, ranks)
                code = 0
            except BaseException:
                traceback.print_exc()
            os._exit(code)
    while running:
        child, status = os.wait()
        running.remove(child)
        if code := os.waitstatus_to_exitcode(status):
            for other in running:
                os.kill(other, signal.SIGKILL)
            return abs(code)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), int(sys.argv[2])))
