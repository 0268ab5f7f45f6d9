"""What a weighted mean is divided by, on small batches. Batches that are split over machines or steps: shards.py.

torch's weighted mean divides by the sum of the weights in the batch. A batch without rare rows then counts as much as one
with them, and the rare class gets less of the loss than its weight says. steelyard divides by the number of rows.

    python examples/small_batches.py
"""

import torch

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


if __name__ == "__main__":
    main()
