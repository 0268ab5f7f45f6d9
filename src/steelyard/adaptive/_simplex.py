"""Shares of the classes that follow the largest loss."""

import torch
from torch import Tensor, nn

from ..rule.protocol import Seen

LEAST = 1e-12  # a share of 0 could never grow again


class Simplex(nn.Module):
    """q_c <- q_c exp(rate L_c) / sum: exponentiated gradient ascent on sum_c q_c L_c over the simplex.

    q       starts at share * weight, brought to sum 1
    losses  L_c as last seen; a class never seen so far is taken at the mean of the others
    """

    q: Tensor
    losses: Tensor
    known: Tensor

    def __init__(self, share: Tensor, weight: Tensor, rate: float):
        super().__init__()
        q = share * weight
        self.rate = float(rate)
        self.register_buffer("q", q / q.sum())
        self.register_buffer("losses", torch.zeros_like(q))
        self.register_buffer("known", torch.zeros_like(q))

    def sums(self, seen: Seen) -> Tensor:
        """[2, ...] losses per class, and how many; soft labels count by their parts."""
        z, valid = seen.z, seen.valid
        if seen.link == "softmax":
            part = seen.y if seen.y.is_floating_point() else nn.functional.one_hot(seen.y, z.shape[1])
            part = part.double() * valid[:, None]
            each = torch.stack([(part * -z.log_softmax(dim=1)).sum(dim=0), part.sum(dim=0)])
        else:
            is_ = (seen.y * valid).double()
            not_ = (1 - seen.y).double() * valid
            yes, no = -nn.functional.logsigmoid(z), -nn.functional.logsigmoid(-z)
            each = torch.stack([(not_ * no).sum(0), (is_ * yes).sum(0), not_.sum(0), is_.sum(0)])
        return each.reshape(2, *self.q.shape)

    def ascend(self, sums: Tensor, counts: Tensor) -> None:
        there = counts > 0
        known = torch.maximum(self.known, there.to(self.known.dtype))
        losses = torch.where(there, sums / torch.where(there, counts, 1.0), self.losses)
        mean = (losses * known).sum() / known.sum().clamp(min=1)
        ascent = self.q.clamp(min=LEAST).log() + self.rate * torch.where(known > 0, losses, mean)
        self.q = torch.softmax(ascent.reshape(-1), dim=0).reshape(self.q.shape)
        self.losses, self.known = losses, known
