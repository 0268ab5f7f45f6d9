"""Which weighting helps a small net on long-tailed digits? Eleven ways, the same 70 test images per class for all.

scikit-learn's digits, cut to a long tail: 100 images of the commonest class down to 2 of the rarest, a different order of
classes for each seed. One hidden layer of 64, Adam, 400 full-batch steps. All weights have mean 1 over the data. Nothing
was tuned. The nets of all seeds are trained at once.

    python examples/digits_long_tail.py             2 seeds, about 15 seconds on one core
    python examples/digits_long_tail.py --seeds 25  the table in docs/choosing.md, one to two minutes
"""

import argparse
from collections.abc import Callable

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor

import steelyard as sy

CLASSES, WIDTH, STEPS, TEST = 10, 64, 400, 70
COUNTS = sy.Counts([round(100 * 50 ** (-c / (CLASSES - 1))) for c in range(CLASSES)])  # 100, 65, ... 3, 2
BALANCED = sy.inverse_frequency(COUNTS)
PLAIN = sy.Recipe()

METHODS: dict[str, sy.Recipe | sy.adaptive.Rule] = {
    "plain": PLAIN,
    "focal(gamma=2)": sy.focal(gamma=2.0),
    "inverse_frequency(beta=0.5)": sy.inverse_frequency(COUNTS, beta=0.5),
    "effective_number(beta=0.999)": sy.effective_number(COUNTS, beta=0.999),
    "inverse_frequency": BALANCED,
    "class_temperature(gamma=0.2)": sy.class_temperature(COUNTS, gamma=0.2),
    "label_temperature(gamma=0.5)": sy.label_temperature(COUNTS, gamma=0.5),
    "logit_adjustment": sy.logit_adjustment(COUNTS),
    "class_temperature(gamma=0.15) + logit_adjustment": sy.mix(
        sy.class_temperature(COUNTS, gamma=0.15), sy.logit_adjustment(COUNTS)
    ),
    "plain, then inverse_frequency from step 320": sy.adaptive.Deferred(PLAIN, BALANCED, after_epoch=320),
}
MOVED = "plain, then the threshold moved (no retraining)"


def data(seeds: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x [seed, n, 64] and labels [n] for training and testing; label 0 is the commonest class of its seed."""
    images, names = map(np.asarray, load_digits(return_X_y=True))
    images = images / 16.0
    train, test = [], []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        rows = [rng.permutation(np.flatnonzero(names == name)) for name in rng.permutation(CLASSES)]
        train.append(np.concatenate([r[TEST : TEST + n] for r, n in zip(rows, COUNTS.per_class, strict=True)]))
        test.append(np.concatenate([r[:TEST] for r in rows]))
    y = torch.arange(CLASSES).repeat_interleave(torch.tensor(COUNTS.per_class))
    y_test = torch.arange(CLASSES).repeat_interleave(TEST)
    x, x_test = (torch.tensor(images[np.stack(rows)], dtype=torch.float32) for rows in (train, test))
    return x, y, x_test, y_test


def net(seeds: int) -> tuple[list[Tensor], Callable[[Tensor], Tensor]]:
    """One independent net per seed: parameters [seed, ...] and the forward pass."""
    torch.manual_seed(0)
    shapes = ((64, WIDTH), (1, WIDTH), (WIDTH, CLASSES), (1, CLASSES))
    parameters = [(torch.rand(seeds, *shape) * 2 - 1) / 8 for shape in shapes]  # torch's default: 1 / sqrt(64)
    for p in parameters:
        p.requires_grad_()
    w1, b1, w2, b2 = parameters
    return parameters, lambda x: torch.baddbmm(b2, torch.baddbmm(b1, x, w1).relu(), w2)


def train(x: Tensor, y: Tensor, recipe: sy.Recipe | sy.adaptive.Rule) -> Callable[[Tensor], Tensor]:
    parameters, forward = net(len(x))
    loss = sy.CrossEntropy(recipe)
    optimizer = torch.optim.Adam(parameters, lr=5e-3, weight_decay=1e-4)
    labels = y.repeat(len(x))
    for step in range(STEPS):
        loss.advance(epoch=step)  # full batches: every step is an epoch
        optimizer.zero_grad()
        value = loss(forward(x).flatten(0, 1), labels)
        (value * len(x)).backward()  # the mean runs over all nets; each wants its own
        optimizer.step()
    return forward


def recall(logits: Tensor, y: Tensor) -> Tensor:
    """[seed, class]"""
    right = (logits.argmax(dim=2) == y).double()
    return right.reshape(len(logits), CLASSES, TEST).mean(dim=2)


def compare(seeds: int) -> dict[str, Tensor]:
    """{method: recall [seed, class]}, the commonest class first."""
    x, y, x_test, y_test = data(seeds)
    found = {}
    for name, recipe in METHODS.items():
        forward = train(x, y, recipe)
        with torch.no_grad():
            logits = forward(x_test)
        found[name] = recall(logits, y_test)
        if name == "plain":
            found[MOVED] = recall(logits - torch.tensor(np.log(COUNTS.prior), dtype=torch.float32), y_test)
    return found


def main(seeds: int = 2) -> None:
    found = compare(seeds)
    plain = found["plain"].mean(dim=1)
    print(
        f"Balanced accuracy and the recall of the four rarest classes, {seeds} seeds; difference from plain, paired, ± s.e."
    )
    for name, each in sorted(found.items(), key=lambda item: item[1].mean()):
        gain = each.mean(dim=1) - plain
        error = gain.std() / seeds**0.5 if seeds > 1 else gain.new_tensor(float("nan"))
        told = "" if name == "plain" else f"   {gain.mean():+.3f} ± {error:.3f}"
        print(f"  {name:49} {each.mean():.3f}   {each[:, 6:].mean():.3f}{told}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Eleven ways of treating long-tailed digits.")
    parser.add_argument("--seeds", type=int, default=2)
    main(parser.parse_args().seeds)
