"""Two ranks with gradients averaged, as DDP does, are one process with the whole batch."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import steelyard as sy

RECIPES = {
    "count": sy.Recipe(weight=[0.5, 1.0, 8.0]),
    "mass": sy.Recipe(weight=[0.5, 1.0, 8.0], norm="mass"),
    "sum": sy.Recipe(norm="sum"),
}
# rank 0: 7 items in two micro-batches; rank 1: 3 items of which none is valid, then none of one
BATCHES = [[slice(0, 5), slice(5, 7)], [slice(7, 9), slice(9, 10)]]
UNEVEN = [[slice(0, 2), slice(2, 3)], [slice(3, 9), slice(9, 10)]]


def data():
    random = torch.Generator().manual_seed(0)
    x = torch.randn(10, 4, generator=random, dtype=torch.float64)
    return x, torch.tensor([0, 1, 2, 2, 0, 1, 0, -100, -100, -100])


def model() -> nn.Module:
    torch.manual_seed(1)
    return nn.Linear(4, 3).double()


def single(recipe) -> list[torch.Tensor]:
    net, (x, y) = model(), data()
    loss = sy.CrossEntropy(recipe)(net(x), y)
    loss.backward()
    return [p.grad for p in net.parameters()]


def rank(index: int, path: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{path}/meet", rank=index, world_size=2)
    found = {}
    for batches, how in ((BATCHES, "nothing valid on rank 1"), (UNEVEN, "uneven")):
        for name, recipe in RECIPES.items():
            net, (x, y) = DistributedDataParallel(model()), data()
            loss = sy.CrossEntropy(recipe)
            mine = batches[index]
            z = sy.global_mass([y[s] for s in mine], loss, averaged=True)
            with net.no_sync():
                loss(net(x[mine[0]]), y[mine[0]], normalizer=z).backward()
            loss(net(x[mine[1]]), y[mine[1]], normalizer=z).backward()
            found[f"{how} {name}"] = [p.grad for p in net.parameters()]
    torch.save(found, f"{path}/{index}.pt")
    dist.destroy_process_group()


@pytest.mark.timeout(120)
def test_ddp_with_a_global_normaliser_is_a_single_process(tmp_path):
    mp.spawn(rank, args=(str(tmp_path),), nprocs=2)
    for index in range(2):
        found = torch.load(tmp_path / f"{index}.pt", weights_only=True)
        assert len(found) == 6
        for how, gradients in found.items():
            for f, e in zip(gradients, single(RECIPES[how.split()[-1]]), strict=True):
                torch.testing.assert_close(f, e, rtol=1e-9, atol=1e-12, msg=lambda m, h=how: f"{h}: {m}")
                assert f.abs().max() > 1e-3
