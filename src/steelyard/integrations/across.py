"""What a loss is divided by where every rank computes its own part and gradients are averaged. Nothing here is of a framework."""

import torch
from torch import Tensor

import steelyard as sy

COUNTED = (None, "count", "mass")  # norms whose divisor is summed over the data


def ranks() -> int:
    """How many, in training: where no gradient is asked for, one rank may well be alone."""
    dist = torch.distributed
    several = dist.is_available() and dist.is_initialized() and torch.is_grad_enabled()
    return dist.get_world_size() if several else 1


def divisor(own: Tensor, recipe: sy.Recipe) -> Tensor:
    """Z of this rank [] -> Z over all ranks, divided by their number, so that the mean of ranks is the loss of one process. One all-reduce."""
    many = ranks()
    if many == 1:
        return own
    if recipe.norm in COUNTED:
        own = own.clone()
        torch.distributed.all_reduce(own)
    return own / many
