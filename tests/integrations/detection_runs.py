"""Classification losses of torchvision's detectors on two ranks: `torchrun detection_runs.py FILE` saves what rank 0 and rank 1 found.

Rank 0 has the image with two boxes, rank 1 that with one. Saved for each model and norm: the mean over ranks of loss and gradient, which
is what DistributedDataParallel makes of them, and for R-CNN, whose sampler draws at random, what it was called with.
"""

import sys
from typing import Any

import torch
from tests.integrations import torchvision_on_cpu
from torch import distributed as dist

import steelyard as sy

torchvision_on_cpu.allow()
from tests.integrations import detectors  # noqa: E402

from steelyard.integrations.torchvision import reweigh  # noqa: E402

WEIGHTS = [0.5, 1.5, 4.0, 2.0]
MODELS = ("ssd", "faster", "retinanet", "fcos")
NORMS = ("count", "mass")


def recipe_of(name: str, norm: Any) -> sy.Recipe:
    weight: Any = WEIGHTS if name in detectors.SOFTMAX else [[1.0] * 4, [1.0, *WEIGHTS[1:]]]
    return sy.Recipe(weight=weight, norm=norm)


def made(name: str, norm: Any, **options: Any) -> Any:
    torch.manual_seed(1)
    model = detectors.ALL[name]()
    reweigh(model, recipe_of(name, norm), **options)
    return model


def found(model: Any, name: str, images: slice) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss of these images, and its gradient."""
    x, targets = detectors.batch()
    torch.manual_seed(0)
    value = model.train()(x[images], targets[images])[detectors.NAME.get(name, "classification")]
    model.zero_grad()
    value.backward()
    return value.detach(), torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


if __name__ == "__main__":
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    saved: dict[str, Any] = {}
    for name in MODELS:
        for norm in NORMS:
            for over_ranks in (True, False):
                model = made(name, norm, over_ranks=over_ranks)
                heard: list[Any] = []
                if name == "faster":
                    loss = model.roi_heads.__dict__["_recipe_loss"]
                    loss.register_forward_pre_hook(lambda module, inputs, heard=heard: heard.append(inputs))
                value, slope = found(model, name, slice(rank, rank + 1))
                for mean in (value, slope):
                    dist.all_reduce(mean)
                    mean /= dist.get_world_size()
                gathered: list[Any] = [None, None]
                dist.all_gather_object(gathered, heard)
                calls = [(z.detach(), y) for part in gathered for z, y in part]
                saved[f"{name} {norm} {over_ranks}"] = {"loss": value, "slope": slope, "calls": calls}
    with torch.no_grad():  # one rank alone may look at a loss
        if rank == 0:
            model = made("ssd", "count").train()
            saved["alone"] = float(model(*[part[:1] for part in detectors.batch()])["classification"])
    if rank == 0:
        torch.save(saved, sys.argv[1])
    dist.destroy_process_group()
