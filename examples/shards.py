"""Many ranks and accumulated micro-batches: what goes wrong with a weighted loss, and one number that puts it right.

Every shard of a batch divides its losses by its own weights, and the results are averaged: that is what DistributedDataParallel
and loops that divide by the number of micro-batches do. A shard without rare rows then counts as much as one with them.
sy.global_mass, or sy.accumulate around the step, lets all divide by what the whole step holds.

    python examples/shards.py                               shards in one process
    torchrun --nproc-per-node 2 examples/shards.py          ranks, through DistributedDataParallel
"""

import contextlib
import gc
import os

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

import steelyard as sy

ROWS, RARE, PARTS, STEPS, FEW = 64, 0.05, 8, 40, 10
BY_ROWS = sy.inverse_frequency(sy.Counts.of(950, 50))
BY_MASS = sy.mix(BY_ROWS, sy.fixed(norm="mass"))  # torch's mean
EVEN, UNEVEN = [ROWS // PARTS] * PARTS, [20, 14, 10, 8, 6, 4, 1, 1]  # rows per shard


def batch(step: int) -> tuple[Tensor, Tensor]:
    """The same on every rank, which then takes its own shards of it: 20 features whose means differ a little.

    How far off averaged shards are depends on that: medians between 10 and 80 % for other widths and differences.
    """
    random = torch.Generator().manual_seed(step)
    y = (torch.rand(ROWS, generator=random) < RARE).long()
    return torch.randn(ROWS, 20, generator=random, dtype=torch.float64) + 0.3 * (2 * y[:, None] - 1), y


def net() -> nn.Linear:
    made = nn.Linear(20, 2).double()
    for p in made.parameters():
        nn.init.zeros_(p)
    return made


def ranks() -> tuple[int, int]:
    """(this rank, how many)"""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def leave() -> None:
    """End the ranks together. Models of DistributedDataParallel that still wait for the garbage collector can abort a rank as
    Python ends (torch 2.13: in 4 of 64 runs of two ranks with twenty such models each): they go first."""
    gc.collect()
    dist.barrier()
    dist.destroy_process_group()


def gradient(model: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def errors(recipe: sy.Recipe, sizes: list[int], exact: bool, steps: int) -> Tensor:
    """[steps]: |gradient from the shards - gradient of the whole batch| / |the latter|.

    A rank takes every world-size-th shard, one after the other, as micro-batches. exact: with sy.accumulate; otherwise each shard
    divides by its own, and all are averaged.
    """
    rank, world = ranks()
    loss, found = sy.CrossEntropy(recipe), []
    for step in range(steps):
        x, y = batch(step)
        whole, plain = net(), net()
        loss(whole(x), y).backward()
        model: nn.Module = DistributedDataParallel(plain) if world > 1 else plain
        mine = list(zip(x.split(sizes), y.split(sizes), strict=True))[rank::world]
        with sy.accumulate(loss, [labels for _, labels in mine], averaged=True) if exact else contextlib.nullcontext():
            for i, (rows, labels) in enumerate(mine):
                last = i == len(mine) - 1
                with contextlib.nullcontext() if last or world == 1 else model.no_sync():  # type: ignore[operator]
                    (loss(model(rows), labels) / (1 if exact else len(mine))).backward()
        found.append((gradient(plain) - gradient(whole)).norm() / gradient(whole).norm())
    return torch.stack(found)


def rare_shares(sizes: tuple[int, ...] = (8, 32, 128, 1024)) -> dict[int, tuple[float, float]]:
    """{rows per shard: the rare class's share of the loss when shards divide by their own mass, and by the mass of all}, every
    row equally wrong."""
    rank, world = ranks()
    torch.manual_seed(0)
    labels = (torch.rand(2**20) < 0.01).long().chunk(world)[rank]
    loss = sy.CrossEntropy(sy.mix(sy.inverse_frequency(sy.Counts.of(9900, 100)), sy.fixed(norm="mass")))
    terms = loss.terms(torch.zeros(len(labels), 2), labels)
    step = sy.global_mass(labels, loss)
    found = {}
    for size in sizes:
        each, mass, rare = (t.double().reshape(-1, size) for t in (terms.loss, terms.mass, labels))
        ways = (each / mass.sum(dim=1, keepdim=True), each / step)
        sums = torch.stack([torch.stack([(way * rare).sum(), way.sum()]) for way in ways])
        if world > 1:
            dist.all_reduce(sums)
        found[size] = (float(sums[0, 0] / sums[0, 1]), float(sums[1, 0] / sums[1, 1]))
    return found


def main() -> None:
    if "TORCHELASTIC_RUN_ID" in os.environ:  # set by torchrun
        torch.set_num_threads(1)
        dist.init_process_group("gloo")
    rank, world = ranks()
    rows = [
        (
            f"{name}, {'sy.accumulate' if exact else 'averaged'}",
            shape,
            errors(recipe, sizes, exact, FEW if exact else STEPS),
        )
        for name, recipe in (("torch's mean", BY_MASS), ("divided by the rows", BY_ROWS))
        for shape, sizes in (("equal", EVEN), ("uneven", UNEVEN))
        for exact in (False, True)
    ]
    shares = rare_shares()
    if rank == 0:
        where = f"{PARTS} MICRO-BATCHES" if world == 1 else f"{world} RANKS WITH {PARTS // world} MICRO-BATCHES EACH"
        print(f"A BATCH OF {ROWS}, {RARE:.0%} rare, AS {where}: relative error of the gradient")
        for name, shape, found in rows:
            spread = f"median {found.median():7.1e}   90th percentile {found.quantile(0.9):7.1e}"
            print(f"  {name:35} {shape:6} shards   {spread}")
        print("\nTHE RARE CLASS'S SHARE OF THE LOSS, 1 % rare, balanced weights: meant to be 50 %")
        print("  rows per shard   divided by its own weights   by those of all (sy.global_mass)")
        for size, (own, shared) in shares.items():
            print(f"  {size:14}   {own:26.1%}   {shared:32.1%}")
    if world > 1:
        leave()


if __name__ == "__main__":
    main()
