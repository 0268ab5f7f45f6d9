"""Moves on a quadratic teach its curvature."""

import torch

from steelyard.tuning.models.memory import PAIRS, Memory, dot


class Identity:
    cost = 1.0

    def solve(self, gradient):
        return gradient.clone()

    def take(self, which):
        return self


def quadratic(models: int, p: int, seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    root = torch.randn(models, p, p, generator=rng, dtype=torch.float64)
    return root @ root.mT + torch.eye(p, dtype=torch.float64)


def test_moves_along_conjugate_directions_give_newtons_step():
    """Nocedal & Wright 2006, Theorem 7.4 and its remark: then BFGS has the inverse Hessian itself."""
    models, p = 3, PAIRS
    H = quadratic(models, p)
    values, vectors = torch.linalg.eigh(H)
    memory = Memory.empty(torch.zeros(models, 1, p, dtype=torch.float64))
    for i in range(p):
        memory.add(vectors[:, None, :, i], values[:, i, None, None] * vectors[:, None, :, i])
    gradient = torch.randn(models, 1, p, dtype=torch.float64)
    expected = torch.linalg.solve(H, gradient[:, 0])[:, None]
    torch.testing.assert_close(memory.step(Identity(), gradient), expected)


def test_the_last_move_is_explained_and_the_step_descends():
    """The secant equation, and a positive definite inverse, for more moves than are remembered."""
    models, p = 2, 12
    H = quadratic(models, p, seed=1)
    memory = Memory.empty(torch.zeros(models, 1, p, dtype=torch.float64))
    rng = torch.Generator().manual_seed(2)
    for _ in range(PAIRS + 3):
        move = torch.randn(models, 1, p, generator=rng, dtype=torch.float64)
        change = (H @ move.mT).mT
        memory.add(move, change)
    assert len(memory.rho) == PAIRS
    torch.testing.assert_close(memory.step(Identity(), change), move)
    gradient = torch.randn(models, 1, p, generator=rng, dtype=torch.float64)
    assert bool((dot(gradient, memory.step(Identity(), gradient)) > 0).all())


def test_a_model_that_forgets_or_did_not_move_has_its_hessians_step():
    memory = Memory.empty(torch.zeros(3, 1, 2, dtype=torch.float64))
    move = torch.tensor([[[1.0, 2.0]], [[0.5, 0.0]], [[0.0, 0.0]]], dtype=torch.float64)
    memory.add(move, 3 * move)
    memory.forget(torch.tensor([True, False, False]))
    gradient = torch.ones(3, 1, 2, dtype=torch.float64)
    step = memory.step(Identity(), gradient)
    torch.testing.assert_close(step[0], gradient[0])
    torch.testing.assert_close(step[2], gradient[2])
    assert not torch.equal(step[1], gradient[1])
    torch.testing.assert_close(memory.take(torch.tensor([1])).step(Identity(), gradient[1:2]), step[1:2])
