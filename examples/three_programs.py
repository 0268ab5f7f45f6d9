"""Three widely copied programs for a weighted binary cross-entropy, all of which end in NaN, and what to write instead.

Each moves ten "predicted probabilities" by plain gradient descent. Nothing keeps them between 0 and 1: a step carries one
past the end, log(1 - p) is NaN, and NaN stays. The starting points are those of torch.manual_seed(0 ... 199).

    python examples/three_programs.py
"""

from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor

import steelyard as sy

SEEDS, EPOCHS, RATE = 200, 100, 0.1
LABELS = torch.tensor([0.0] * 9 + [1.0]).reshape(10, 1)
PROGRAMS = {  # (w_neg, w_pos), and whether the weights are trained too
    "1 inverse frequency": (10 / 9, 10.0, False),
    "2 normalised": (0.1, 0.9, False),
    "3 trainable weights": (0.5, 2.0, True),
}


@dataclass
class Run:
    losses: Tensor  # [epoch, seed]
    weights: Tensor  # [epoch, seed, (neg, pos)], before the step of that epoch


def starts(seeds: int = SEEDS) -> Tensor:
    """[seed, 10, 1] random probabilities."""
    found = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        found.append(torch.rand(10, 1))
    return torch.stack(found)


def on_probabilities(start: Tensor, w_neg: float, w_pos: float, trained: bool) -> Run:
    """The programs as they are copied; seeds do not touch each other, so all of them run at once."""
    p = start.clone().requires_grad_()
    weights = torch.tensor([[w_neg, w_pos]]).repeat(len(start), 1).requires_grad_(trained)
    optimizer = torch.optim.SGD([p, weights] if trained else [p], lr=RATE)
    losses, path = [], []
    for _ in range(EPOCHS):
        neg, pos = weights[:, 0].reshape(-1, 1, 1), weights[:, 1].reshape(-1, 1, 1)
        loss = -(pos * LABELS * torch.log(p) + neg * (1 - LABELS) * torch.log(1 - p)).mean(dim=(1, 2))
        losses.append(loss.detach().clone())
        path.append(weights.detach().clone())
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
    return Run(torch.stack(losses), torch.stack(path))


def on_logits(start: Tensor, recipe: sy.Recipe, rate: float = RATE) -> Tensor:
    """[epoch, seed] losses of the same descent on logits, from the same predictions."""
    z = torch.logit(start.double().clamp(1e-6, 1 - 1e-6)).requires_grad_()
    loss = sy.BinaryCrossEntropy(recipe, reduction="none")
    optimizer = torch.optim.SGD([z], lr=rate)
    losses = []
    for _ in range(EPOCHS):
        each = loss(z, LABELS.expand_as(z).double()).mean(dim=(1, 2))
        losses.append(each.detach().clone())
        optimizer.zero_grad()
        each.sum().backward()
        optimizer.step()
    return torch.stack(losses)


def first_nan(losses: Tensor) -> list[int]:
    """The epoch at which each seed's loss became NaN, for the seeds where it did."""
    broken = losses.isnan()
    return broken.int().argmax(dim=0)[broken.any(dim=0)].tolist()


def learned_weights(epochs: int) -> tuple[Tensor, Tensor, Tensor]:
    """Program 3 on logits, from p = 1/2: ([epoch, (neg, pos)] weights, [epoch] losses, [epoch, (neg, pos)] gradients)."""
    weights = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    loss = sy.BinaryCrossEntropy(sy.fixed(weight=weights))
    z = torch.zeros(10, 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([z, weights], lr=RATE)
    path, losses, gradients = [], [], []
    for _ in range(epochs):
        optimizer.zero_grad()
        value = loss(z, LABELS.double())
        value.backward()
        assert weights.grad is not None
        path.append(weights.detach().clone())
        losses.append(value.detach())
        gradients.append(weights.grad.clone())
        optimizer.step()
    return torch.stack(path), torch.stack(losses), torch.stack(gradients)


def main() -> None:
    start = starts()
    print(f"WRONG: gradient descent on probabilities, {SEEDS} seeds, {EPOCHS} epochs")
    for name, (w_neg, w_pos, trained) in PROGRAMS.items():
        run = on_probabilities(start, w_neg, w_pos, trained)
        epochs = first_nan(run.losses)
        spread = f"first NaN at epoch {median(epochs):.0f} (median; {min(epochs)} to {max(epochs)})"
        print(f"  {name:20}  NaN in {len(epochs)} of {SEEDS} seeds, {spread}")

    print("\nRIGHT: the same weights and step size on logits, sy.BinaryCrossEntropy(sy.fixed(weight=[w_neg, w_pos]))")
    for name, (w_neg, w_pos, _) in PROGRAMS.items():
        losses = on_logits(start, sy.fixed(weight=[w_neg, w_pos]))
        falls = int((losses.diff(dim=0) < 0).all(dim=0).sum())
        print(f"  {name:20}  NaN in {len(first_nan(losses))} of {SEEDS} seeds, falls at every step in {falls}")
    losses = on_logits(start, sy.pos_neg(sy.Counts.of(9, 1)), rate=5.0)
    print("  sy.pos_neg(counts) and a step size that suits logits (5 instead of 0.1):")
    print(f"    worst loss over the seeds {losses[0].max():.3f} at the start, {losses[-1].max():.4f} at the end")

    print("\nTRAINED WEIGHTS (program 3): the loss grows with each weight, so descent shrinks them, through zero")
    run = on_probabilities(start, *PROGRAMS["3 trainable weights"])
    negative = int((run.weights[..., 0] < 0).any(dim=0).sum())
    print(f"  on probabilities: w_neg fell below 0 before the NaN in {negative} of {SEEDS} seeds")
    path, losses, gradients = learned_weights(400)
    crossed = int((path[:, 0] < 0).int().argmax())
    print(
        f"  on logits: the smallest dL/dw of {len(path)} epochs is {gradients.min():.2g}: a mean of losses, never below 0"
    )
    print(f"    w_neg 0.50 at the start, below 0 from epoch {crossed}, {path[-1, 0]:.3g} at epoch {len(path) - 1}")
    print(f"    the loss falls from {losses[0]:.3f} to {losses[-1]:.3g}: below 0 it pays for wrong answers")
    print("  The training loss says nothing about which weights are good. Choose them on data that was not trained on,")
    print("  by cross-validation against plain training with a moved threshold: steelyard tune DATA --label COL")


if __name__ == "__main__":
    main()
