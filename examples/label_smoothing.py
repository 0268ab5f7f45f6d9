"""Label smoothing: a printed formula that does not smooth, and class weights that move the answer to the wrong class.

python examples/label_smoothing.py
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

import steelyard as sy

EPSILON = 0.1
PRIOR = [0.7, 0.2, 0.08, 0.02]


def printed(logits: Tensor, labels: Tensor) -> Tensor:
    """-((1 - e) log p_y + e / K): the form one finds in articles. Its second term is a constant."""
    log_p = log_softmax(logits, dim=1).gather(1, labels[:, None]).squeeze(1)
    return -((1 - EPSILON) * log_p + EPSILON / logits.shape[1]).mean()


def right(logits: Tensor, labels: Tensor) -> Tensor:
    """-((1 - e) log p_y + (e / K) sum_c log p_c)"""
    log_p = log_softmax(logits, dim=1)
    labelled = log_p.gather(1, labels[:, None]).squeeze(1)
    return -((1 - EPSILON) * labelled + EPSILON * log_p.mean(dim=1)).mean()


def gradient(loss, logits: Tensor, labels: Tensor) -> Tensor:
    logits = logits.clone().requires_grad_()
    return torch.autograd.grad(loss(logits, labels), logits)[0]


def batch() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(32, 4, dtype=torch.float64), torch.randint(4, (32,))


def optimum(loss, labels: Tensor, classes: int) -> Tensor:
    """The probabilities that minimise `loss` when every row gets the same logits: what a net is driven to."""
    z = torch.zeros(1, classes, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [z], max_iter=500, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        search.zero_grad()
        value = loss(z.expand(len(labels), classes), labels)
        value.backward()
        return value

    search.step(closure)
    return z.detach().softmax(dim=1).squeeze(0)


def torch_loss(weight: list[float]) -> nn.Module:
    return nn.CrossEntropyLoss(weight=torch.tensor(weight, dtype=torch.float64), label_smoothing=EPSILON)


def our_loss(weight: list[float]) -> nn.Module:
    return sy.CrossEntropy(sy.mix(sy.fixed(weight=weight), sy.smooth(EPSILON)))


def main() -> None:
    logits, labels = batch()
    plain = gradient(nn.CrossEntropyLoss(), logits, labels)
    torchs = gradient(nn.CrossEntropyLoss(label_smoothing=EPSILON), logits, labels)
    print(f"WRONG: -((1 - e) log p_y + e/K), e = {EPSILON}: e/K is a constant, so nothing is smoothed")
    off = (gradient(printed, logits, labels) - (1 - EPSILON) * plain).abs().max()
    print(f"  its gradient minus (1 - e) times that of plain cross-entropy: at most {off:.1e}")
    print("RIGHT: -((1 - e) log p_y + (e/K) sum_c log p_c), which is torch's label_smoothing and sy.smooth")
    ours = gradient(sy.CrossEntropy(sy.smooth(EPSILON)), logits, labels)
    off = (gradient(right, logits, labels) - torchs).abs().max()
    print(
        f"  its gradient minus torch's: at most {off:.1e}; sy.smooth minus torch's: at most {(ours - torchs).abs().max():.1e}"
    )

    print("\nWEIGHTS AND SMOOTHING: the probability of class 1 that is optimal for a row whose label is class 0")
    zero = torch.tensor([0])
    for weight in ([1.0, 1.0], [0.1, 0.9], [0.01, 0.99]):
        theirs, mine = (optimum(loss(weight), zero, 2)[1] for loss in (torch_loss, our_loss))
        note = "   torch: the wrong class" if theirs > 0.5 else ""
        print(f"  weight {weight!s:12}  torch {theirs:.3f}   steelyard {mine:.3f}{note}")
    print("  torch multiplies the weight of class 1 onto the share e/K that smoothing gives to class 1.")
    print(
        "  A weight in sy.CrossEntropy belongs to the label of the row and leaves its optimum where smoothing put it."
    )

    print(f"\nThe same for a constant prediction on data with shares {PRIOR}, weights 1 / share:")
    weight = [1 / share for share in PRIOR]
    data = torch.repeat_interleave(torch.arange(4), torch.tensor([round(100 * share) for share in PRIOR]))
    for name, loss in (("torch", torch_loss), ("steelyard", our_loss)):
        p = ", ".join(f"{v:.3f}" for v in optimum(loss(weight), data, 4))
        print(f"  {name:9} {p}")


if __name__ == "__main__":
    main()
