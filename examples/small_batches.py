"""What a weighted mean is divided by: on small batches, and when a batch is split over machines or steps.

torch's weighted mean divides by the sum of the weights in the batch. A batch without rare rows then counts as much as one
with them, and the rare class gets less of the loss than its weight says. steelyard divides by the number of rows.

    python examples/small_batches.py
"""

import torch
from torch import Tensor

import steelyard as sy

PREVALENCE, ROWS, BATCHES = 0.01, 2**20, (8, 32, 128, 1024)
COUNTS = sy.Counts.of(9900, 100)
BALANCED = sy.inverse_frequency(COUNTS)
BY_MASS = sy.mix(BALANCED, sy.fixed(norm="mass"))  # torch's mean


def minority_shares(batches: tuple[int, ...] = BATCHES) -> dict[int, tuple[float, float]]:
    """{batch size: the rare class's share of the loss, divided by weights and by rows} with every row equally wrong."""
    torch.manual_seed(0)
    labels = (torch.rand(ROWS) < PREVALENCE).long()
    terms = sy.CrossEntropy(BALANCED).terms(torch.zeros(ROWS, 2), labels)
    found = {}
    for batch in batches:
        loss, mass, rare = (t.double().reshape(-1, batch) for t in (terms.loss, terms.mass, labels))
        by_mass, by_rows = loss / mass.sum(dim=1, keepdim=True), loss / batch
        found[batch] = tuple(float((each * rare).sum() / each.sum()) for each in (by_mass, by_rows))
    return found


def shards(recipe: sy.Recipe, *, shared: bool, repeats: int = 50, parts: int = 8) -> Tensor:
    """[repeats]: |gradient from 8 shards - gradient of the whole batch| / |the latter|; batch 64, 5 % positives.

    shared: every shard divides by `sy.global_mass` of the step; otherwise by its own, and the results are averaged.
    """
    torch.manual_seed(1)
    loss = sy.CrossEntropy(recipe)
    errors = []
    for _ in range(repeats):
        x = torch.randn(64, 10, dtype=torch.float64)
        y = (torch.rand(64) < 0.05).long()
        w = torch.zeros(10, 2, dtype=torch.float64, requires_grad=True)
        (whole,) = torch.autograd.grad(loss(x @ w, y), w)
        pieces = list(zip(x.chunk(parts), y.chunk(parts), strict=True))
        z = sy.global_mass([labels for _, labels in pieces], loss) if shared else None
        values = [loss(rows @ w, labels, normalizer=z) for rows, labels in pieces]
        total = torch.stack(values).sum() if shared else torch.stack(values).mean()
        (split,) = torch.autograd.grad(total, w)
        errors.append((split - whole).norm() / whole.norm())
    return torch.stack(errors)


def main() -> None:
    print(f"THE RARE CLASS'S SHARE OF THE LOSS, {PREVALENCE:.0%} rare, balanced weights: meant to be 50 %")
    print("  batch   divided by the weights (torch)   by the rows (steelyard)")
    for batch, (mass, count) in minority_shares().items():
        print(f"  {batch:5}   {mass:30.1%}   {count:23.1%}")
    one = torch.tensor([[0.0, 0.0]]), torch.tensor([1])
    for name, recipe in (("torch's mean", BY_MASS), ("steelyard", BALANCED)):
        light = sy.CrossEntropy(sy.mix(recipe, sy.fixed(weight=[1.0, 0.02])))(*one)
        full = sy.CrossEntropy(recipe)(*one)
        print(
            f"  a batch of one rare row: its weight times 50 changes the loss by a factor of {full / light:.0f} ({name})"
        )

    print("\nEIGHT SHARDS OF A BATCH OF 64, 5 % rare: relative error of the gradient")
    weights = sy.inverse_frequency(sy.Counts.of(950, 50))
    torchs = sy.mix(weights, sy.fixed(norm="mass"))
    rows = (
        ("torch's mean, averaged over the shards", shards(torchs, shared=False)),
        ("torch's mean, sy.global_mass", shards(torchs, shared=True)),
        ("divided by the rows, averaged", shards(weights, shared=False)),
        ("divided by the rows, sy.global_mass", shards(weights, shared=True)),
    )
    for name, errors in rows:
        print(f"  {name:40} median {errors.median():7.1e}   90th percentile {errors.quantile(0.9):7.1e}")
    print("  Averaging is right for rows only while all shards are equally long; global_mass is right for any.")


if __name__ == "__main__":
    main()
