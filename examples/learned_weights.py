"""Weights that are trained with the model: what a widely copied program does, and three ways that mean something.

The program (the third of examples/three_programs.py) gives w_pos and w_neg to the optimiser beside the predictions. The loss grows with
each weight, so descent shrinks both, through zero, and from there on the loss pays for mistakes.

    python examples/learned_weights.py      about 5 seconds on one core
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

import steelyard as sy

RATE = 0.1
LABELS = torch.tensor([0] * 9 + [1])
COUNTS = sy.Counts.of(900, 100, classes=["no", "yes"])
STEPS, SEEDS, HELD = 200, 3, 50


def on_probabilities(seed: int) -> int:
    """The program as it is copied: the epoch of the first NaN."""
    torch.manual_seed(seed)
    p = torch.rand(10, 1, requires_grad=True)
    y = LABELS.float().reshape(-1, 1)
    w_pos, w_neg = torch.tensor([2.0], requires_grad=True), torch.tensor([0.5], requires_grad=True)
    optimizer = torch.optim.SGD([p, w_pos, w_neg], lr=RATE)
    for epoch in range(100):
        optimizer.zero_grad()
        loss = -(w_pos * y * torch.log(p) + w_neg * (1 - y) * torch.log(1 - p)).mean()
        if loss.isnan():
            return epoch
        loss.backward()
        optimizer.step()
    return -1


def on_logits(steps: int = 201) -> tuple[Tensor, Tensor, Tensor]:
    """The same descent on one logit for all ten rows, in the stable form: (w_neg, w_pos, logit), each [step]."""
    weights = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    loss = sy.BinaryCrossEntropy(sy.fixed(weight=weights))
    z = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([z, weights], lr=RATE)
    path = []
    for _ in range(steps):
        path.append(torch.cat([weights.detach(), z.detach()[None]]))
        optimizer.zero_grad()
        loss(z.expand(10), LABELS).backward()
        optimizer.step()
    w_neg, w_pos, logit = torch.stack(path).unbind(dim=1)
    return w_neg, w_pos, logit


@dataclass
class Problem:
    """Two overlapping clouds in the plane, 900 no and 100 yes; held out and test rows are half and half."""

    x: Tensor
    y: Tensor
    x_held: Tensor
    y_held: Tensor
    x_test: Tensor
    y_test: Tensor

    @classmethod
    def of(cls, seed: int) -> "Problem":
        random = torch.Generator().manual_seed(seed)

        def draw(no: int, yes: int) -> tuple[Tensor, Tensor]:
            y = torch.tensor([0] * no + [1] * yes)
            return torch.randn(no + yes, 2, generator=random) + 1.5 * y[:, None], y

        return cls(*draw(900, 100), *draw(HELD, HELD), *draw(5000, 5000))


@dataclass
class Outcome:
    weights: Tensor  # (w_no, w_yes), with the mean over the data that training had
    losses: Tensor  # mean plain loss of (no, yes) on the training rows
    accuracy: float  # balanced, on the test rows, at the threshold 1/2


def train(problem: Problem, how: str, steps: int = STEPS) -> Outcome:
    """A linear classifier, plain gradient descent; how: plain, balanced, geometric, minimax, bilevel."""
    rules = {
        "plain": lambda: sy.Recipe(),
        "balanced": lambda: sy.inverse_frequency(COUNTS),
        "geometric": lambda: sy.adaptive.Learned(COUNTS, how="geometric"),
        "minimax": lambda: sy.adaptive.Learned(COUNTS, how="minimax", rate=0.1),
        "bilevel": lambda: sy.adaptive.Learned(COUNTS, how="bilevel", fields="weight"),
    }
    loss = sy.BinaryCrossEntropy(rules[how]())
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    optimizer = torch.optim.SGD([*model.parameters(), *loss.parameters()], lr=1.0)
    outer = sy.adaptive.Bilevel(model, loss, rate=0.2, inner_rate=1.0) if how == "bilevel" else None
    for step in range(steps):
        if outer is not None and step % 5 == 0:
            outer.step((problem.x, problem.y), (problem.x_held, problem.y_held))
        optimizer.zero_grad()
        loss(model(problem.x), problem.y).backward()
        optimizer.step()
    with torch.no_grad():
        each = nn.functional.binary_cross_entropy_with_logits(model(problem.x), problem.y.float(), reduction="none")
        right = (model(problem.x_test) > 0) == (problem.y_test == 1)
        accuracy = float(torch.stack([right[problem.y_test == c].double().mean() for c in (0, 1)]).mean())
        losses = torch.stack([each[problem.y == c].mean() for c in (0, 1)])
    weights = torch.ones(2) if how == "plain" else loss.recipe.class_weight
    return Outcome(weights, losses, accuracy)


WAYS = {
    "plain": "no weights",
    "balanced": "inverse frequency",
    "geometric": "a  constrained: product 1",
    "minimax": "b  minimax: the worst class counts most",
    "bilevel": "c  by the loss on held-out rows",
}


def main(seeds: int = SEEDS) -> None:
    nan = [on_probabilities(seed) for seed in range(20)]
    print("THE PROGRAM AS COPIED: w_pos = 2, w_neg = 0.5, trained beside ten probabilities by SGD(lr=0.1)")
    print(f"  on probabilities: NaN in {sum(n >= 0 for n in nan)} of 20 seeds, first at epoch {min(nan)} to {max(nan)}")
    w_neg, w_pos, logit = on_logits()
    print("  with one stable logit instead:    step      w_neg      w_pos   p(yes), truth 0.1")
    for step in (0, 20, 100, 200):
        p = 1 / (1 + math.exp(-float(logit[step])))
        print(f"{step:40}  {w_neg[step]:>+9.4g}  {w_pos[step]:>+9.4g}   {p:.3f}")
    print(
        "  dL/dw of a class is its mean loss, never negative: descent carries no word about which weights are good.\n"
    )

    problems = [Problem.of(seed) for seed in range(seeds)]
    print(f"MADE RIGHT, on 900 no and 100 yes in the plane, {seeds} seeds; balanced accuracy on 10 000 test rows")
    print(f"  {'':41} w_yes / w_no   parts of the loss no : yes   accuracy")
    for how, told in WAYS.items():
        found = [train(problem, how) for problem in problems]
        ratio = sum(float(f.weights[1] / f.weights[0]) for f in found) / seeds
        parts = sum(torch.tensor([0.9, 0.1]) * f.weights * f.losses for f in found) / seeds
        accuracy = sum(f.accuracy for f in found) / seeds
        share = float(parts[0] / parts.sum())
        print(f"  {told:41} {ratio:12.2f}   {share:12.2f} : {1 - share:.2f}      {accuracy:11.3f}")
    print(
        "  a evens out the parts of the loss, up to its prior, and here gives the rare class LESS; b raises the worst class. Both"
    )
    print(
        f"  are rules, not searches for the best weights. c is a search; its price is {2 * HELD} rows that are not trained on."
    )


if __name__ == "__main__":
    main()
