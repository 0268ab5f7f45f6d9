"""A weight for "yes" and a weight for "no" in a binary loss: what raises, what is silently wrong, what is right.

python examples/bce_weight.py
"""

import torch
from torch import Tensor, nn

import steelyard as sy

WEIGHT = [0.1, 0.9]  # meant as: "no" counts 0.1, "yes" counts 0.9
LOGITS = torch.tensor([[0.3], [-1.2], [0.8]])
TARGET = torch.tensor([[0.0], [1.0], [1.0]])


def error_of(loss: nn.Module) -> str:
    """What the loss says to one logit per row and one weight per class."""
    try:
        loss(LOGITS, TARGET)
    except (RuntimeError, ValueError) as error:
        return str(error)
    return "no error"


def what_weight_does(logits: Tensor, target: Tensor) -> Tensor:
    """Weighted loss / plain loss of every element, for torch's `weight`."""
    plain = nn.BCEWithLogitsLoss(reduction="none")
    weighted = nn.BCEWithLogitsLoss(weight=torch.tensor(WEIGHT), reduction="none")
    return weighted(logits, target) / plain(logits, target)


def what_ours_does() -> Tensor:
    recipe = sy.fixed(weight=WEIGHT)  # (is not, is)
    weighted = sy.BinaryCrossEntropy(recipe, reduction="none")(LOGITS, TARGET)
    return weighted / nn.BCEWithLogitsLoss(reduction="none")(LOGITS, TARGET)


def soft_labels(share: float = 0.3, pos_weight: float = 9.0, logit: float = 0.5) -> tuple[float, float, float]:
    """The loss of one soft label by (pos_weight, one weight for the whole element, ours)."""
    z, t = torch.tensor([logit], dtype=torch.float64), torch.tensor([share], dtype=torch.float64)
    by_pos_weight = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(pos_weight))(z, t)
    by_element = nn.BCEWithLogitsLoss(weight=1 + (pos_weight - 1) * t)(z, t)
    ours = sy.BinaryCrossEntropy(sy.fixed(weight=[1.0, pos_weight]))(z, t)
    return by_pos_weight.item(), by_element.item(), ours.item()


def divided_by(pos_weight: float = 9.0) -> tuple[float, float, float, float]:
    """The mean of the same weighted losses: torch's BCE, torch's CE on two logits, ours, ours with norm="mass"."""
    z, y = LOGITS.double(), TARGET.long().squeeze(1)
    two = torch.cat([torch.zeros_like(z), z], dim=1)
    recipe = sy.fixed(weight=[1.0, pos_weight])
    bce = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(pos_weight))(z, TARGET.double())
    ce = nn.CrossEntropyLoss(weight=torch.tensor([1.0, pos_weight], dtype=torch.float64))(two, y)
    mass = sy.CrossEntropy(sy.mix(recipe, sy.fixed(norm="mass")))
    return bce.item(), ce.item(), sy.CrossEntropy(recipe)(two, y).item(), mass(two, y).item()


def said(values: Tensor) -> str:
    return "  ".join("[" + " ".join(f"{v:.1f}" for v in row) + "]" for row in torch.atleast_2d(values))


def main() -> None:
    print("WRONG: nn.BCEWithLogitsLoss(weight=[0.1, 0.9]) on logits of shape (3, 1)")
    print(f"  torch:     {error_of(nn.BCEWithLogitsLoss(weight=torch.tensor(WEIGHT)))}")
    print(f"  steelyard: {error_of(sy.BCEWithLogitsLoss(weight=WEIGHT))}")

    print("\nWORSE: shapes that torch accepts. Loss / unweighted loss of each element:")
    columns = what_weight_does(torch.randn(3, 2), torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]))
    print(f"  logits (3, 2), labels 01 10 11: {said(columns)}  a weight per column, whatever the label")
    samples = what_weight_does(torch.randn(2), torch.tensor([1.0, 0.0]))
    print(f"  logits (2,), labels 1 0:        {said(samples)}  a weight per sample: the yes counts 0.1")

    print("\nRIGHT: sy.BinaryCrossEntropy(sy.fixed(weight=[0.1, 0.9])), labels 0 1 1:")
    print(f"  {said(what_ours_does().squeeze(1))}")
    by_pos_weight, by_element, ours = soft_labels()
    print("  pos_weight=9 has the same ratio, ten times the size.")

    print("\nSOFT LABELS: pos_weight=p is not one weight 1 + (p - 1) t for the element. Label 0.3, p = 9:")
    print(f"  pos_weight {by_pos_weight:.4f}   element weight {by_element:.4f}   steelyard [1, 9] {ours:.4f}")

    bce, ce, count, mass = divided_by()
    print("\nDIVIDED BY WHAT: the same weights and data, [1, 9], as a mean:")
    print(f"  torch BCE, by the count          {bce:.4f}   sy.CrossEntropy                {count:.4f}")
    print(f"  torch CE, by the sum of weights  {ce:.4f}   sy.CrossEntropy, norm='mass'   {mass:.4f}")


if __name__ == "__main__":
    main()
