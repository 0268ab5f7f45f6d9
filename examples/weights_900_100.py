"""900 rows of one class, 100 of the other: which weights, how large, and what they do to the probability.

python examples/weights_900_100.py
"""

import math

import torch
from torch import Tensor

import steelyard as sy

COUNTS = sy.Counts.of(900, 100)
FORMS = {  # (w_neg, w_pos)
    "N / n": (1000 / 900, 1000 / 100),
    "n_other / N ('normalised')": (100 / 1000, 900 / 1000),
    "N / (K n) (scikit-learn's 'balanced')": (1000 / (2 * 900), 1000 / (2 * 100)),
}


def mean_weight(w_neg: float, w_pos: float) -> float:
    """Over the data: the factor by which the size of the loss, and with it the step, changes."""
    return float(COUNTS.prior @ [w_neg, w_pos])


def population() -> tuple[Tensor, Tensor, Tensor]:
    """x on a grid, its density, and p(y = 1 | x): a logistic model in which 10 % are positive (no sampling noise)."""
    x = torch.linspace(-8, 8, 2001, dtype=torch.float64)
    density = torch.exp(-(x**2) / 2)
    low, high = -10.0, 0.0
    for _ in range(60):  # the intercept that makes 10 % positive
        middle = (low + high) / 2
        share = (density * torch.sigmoid(middle + 1.5 * x)).sum() / density.sum()
        low, high = (middle, high) if share < 0.1 else (low, middle)
    return x, density / density.sum(), torch.sigmoid(low + 1.5 * x)


def fit(recipe: sy.Recipe) -> tuple[float, float]:
    """(intercept, slope) of the logistic regression that minimises the expected loss."""
    x, density, p = population()
    ab = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    loss = sy.BinaryCrossEntropy(recipe)
    search = torch.optim.LBFGS(
        [ab], max_iter=200, tolerance_grad=1e-13, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        search.zero_grad()
        value = loss(ab[0] + ab[1] * x, p, weight=density, normalizer=1.0)
        value.backward()
        return value

    search.step(closure)
    intercept, slope = ab.tolist()
    return intercept, slope


def main() -> None:
    print("THREE FORMS, ONE RATIO")
    for name, (w_neg, w_pos) in FORMS.items():
        print(
            f"  {name:38} {w_neg:.4f} / {w_pos:.4f}   ratio {w_pos / w_neg:.1f}   mean weight {mean_weight(w_neg, w_pos):.2f}"
        )
    print("  They differ by one factor: a change of the step size, not of the weighting. steelyard's have mean 1:")
    for ingredient in (sy.inverse_frequency, sy.pos_neg):
        w = ingredient(COUNTS).class_weight
        print(
            f"  sy.{ingredient.__name__ + '(counts)':35} {w[0]:.4f} / {w[1]:.4f}   ratio {w[1] / w[0]:.1f}   mean weight {mean_weight(*w.tolist()):.2f}"
        )

    print("\nWHAT IT DID TO THE PROBABILITY: logistic regression on a population with 10 % positives")
    weights = sy.inverse_frequency(COUNTS)
    plain, weighted = fit(sy.Recipe()), fit(weights)
    print(
        f"  intercept {plain[0]:.4f} plain, {weighted[0]:.4f} weighted: shifted by {weighted[0] - plain[0]:.6f}, log 9 = {math.log(9):.6f}"
    )
    print(f"  slope     {plain[1]:.4f} plain, {weighted[1]:.4f} weighted: the ranking of the rows is the same")
    x, density, truth = population()
    logits = weighted[0] + weighted[1] * x
    claimed, undone = torch.sigmoid(logits), sy.posterior(logits, sy.BinaryCrossEntropy(weights))
    for name, p in (("true", truth), ("weighted", claimed), ("undone by sy.posterior", undone)):
        print(f"  mean probability of a positive, {name:23} {(density * p).sum():.4f}")
    print(f"  sy.posterior is off the true probability by at most {(undone - truth).abs().max():.1e}")
    print("  Exact because the model can express the truth. Where it cannot, recalibrate on held-out data.")


if __name__ == "__main__":
    main()
