"""What past moves taught about the curvature: limited-memory BFGS for many models at once, on top of a kept Hessian.

Source: Liu & Nocedal 1989, "On the limited memory BFGS method for large scale optimization", Mathematical Programming 45.
"""

import dataclasses

import torch
from torch import Tensor

from . import passes
from .hessian import Cholesky, Hessian

PAIRS = 8  # moves that are remembered
CURVED = 1e-12  # cosine between a move and the change of the gradient below which rounding made the change


@dataclasses.dataclass
class Memory:
    """moves and changes (of the gradient) [pairs, models, C, p], oldest first; rho [pairs, models] = 1 / <move, change>, 0 for
    a pair that says nothing."""

    moves: Tensor
    changes: Tensor
    rho: Tensor

    @classmethod
    def empty(cls, like: Tensor) -> "Memory":
        return cls(like.new_empty(0, *like.shape), like.new_empty(0, *like.shape), like.new_empty(0, len(like)))

    def take(self, which: Tensor) -> "Memory":
        return Memory(self.moves[:, which], self.changes[:, which], self.rho[:, which])

    def forget(self, which: Tensor) -> None:
        self.rho[:, which] = 0

    def add(self, move: Tensor, change: Tensor, told: Tensor | None = None) -> None:
        """`told` [models] is False where the change says nothing."""
        bend = dot(move, change)
        curved = bend > CURVED * (dot(move, move) * dot(change, change)).sqrt()
        rho = torch.where(curved if told is None else curved & told, 1 / bend, 0.0)
        keep = slice(max(0, len(self.rho) - PAIRS + 1), None)
        self.moves = torch.cat([self.moves[keep], move[None]])
        self.changes = torch.cat([self.changes[keep], change[None]])
        self.rho = torch.cat([self.rho[keep], rho[None]])

    def step(self, hessian: Hessian, gradient: Tensor) -> Tensor:
        """The inverse of what the Hessian became by the moves, times the gradient: [models, C, p]."""
        if passes.THERE and isinstance(hessian, Cholesky):
            return passes.steps(self.moves, self.changes, self.rho, gradient, hessian.factor, hessian.which)
        q, shares = gradient.clone(), []
        for move, change, rho in zip(reversed(self.moves), reversed(self.changes), reversed(self.rho), strict=True):
            shares.append(rho * dot(move, q))
            q.addcmul_(change, shares[-1][:, None, None], value=-1)
        out = hessian.solve(q)
        for move, change, rho in zip(self.moves, self.changes, self.rho, strict=True):
            out.addcmul_(move, (shares.pop() - rho * dot(change, out))[:, None, None])
        return out


def dot(a: Tensor, b: Tensor) -> Tensor:
    """[models, C, p] twice -> [models]"""
    return (a * b).sum(dim=(1, 2))  # einsum takes four times as long on so few numbers
