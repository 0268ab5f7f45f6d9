"""All arms of one fold, in lockstep: the same first weights, and at every step the same crops, turned and lit the same way."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .data import Photo, Stack
from .measure import instances, recall_hits
from .net import HALVINGS, UNet
from .weights import Arm

EVEN, CHOSEN = "threshold 0.5", "own threshold"


@dataclass(frozen=True)
class Settings:
    steps: int = 600
    width: int = 8
    crop: int = 96
    batch: int = 8
    rate: float = 4e-3
    checks: int = 3  # in the second half of the steps, evenly, the last step among them
    thresholds: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)

    def checked(self) -> list[int]:
        return sorted({round(self.steps * (1 + i / max(self.checks - 1, 1)) / 2) for i in range(self.checks)})


class Crop(NamedTuple):
    image: int
    rows: slice
    columns: slice
    turns: int
    flipped: bool


@dataclass
class Choice:
    """The step and the threshold with the best recall on the validation images so far."""

    recall: float = -1.0
    step: int = 0
    threshold: float = 0.5
    state: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class Trained:
    """losses of every step, in the arm's own weights
    curve  on the validation images, one entry for every check"""

    net: UNet
    choices: dict[str, Choice] = field(default_factory=lambda: {EVEN: Choice(), CHOSEN: Choice()})
    losses: list[float] = field(default_factory=list)
    curve: list[dict[str, Any]] = field(default_factory=list)

    def probabilities(self, mode: str, photos: Sequence[Photo]) -> list[np.ndarray]:
        self.net.load_state_dict(self.choices[mode].state)
        return predict(self.net, photos)


def train(
    stack: Stack, validation: Sequence[Photo], arms: Sequence[Arm], settings: Settings, seed: int
) -> dict[str, Trained]:
    torch.manual_seed(seed)
    first = UNet(settings.width).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    found = {arm.name: Trained(copy.deepcopy(first)) for arm in arms}
    optimizers = {name: torch.optim.Adam(each.net.parameters()) for name, each in found.items()}
    rates = [
        torch.optim.lr_scheduler.OneCycleLR(o, settings.rate, total_steps=settings.steps + 1)
        for o in optimizers.values()
    ]
    checked = settings.checked()
    for step, (grey, target, maps) in enumerate(batches(stack, arms, settings, seed), start=1):
        for arm, weight in zip(arms, maps, strict=True):
            optimizers[arm.name].zero_grad()
            value = arm.loss(found[arm.name].net(grey), target, weight=weight)
            value.backward()
            optimizers[arm.name].step()
            found[arm.name].losses.append(value.item())
        for rate in rates:
            rate.step()
        if step in checked:
            for each in found.values():
                check(each, validation, settings, step)
    return found


def batches(
    stack: Stack, arms: Sequence[Arm], settings: Settings, seed: int
) -> Iterator[tuple[Tensor, Tensor, list[Tensor | None]]]:
    """Crops of grey values and targets, and of the map of every arm: what one arm sees, all of them see."""
    rng = np.random.default_rng(seed)
    grey, target = torch.from_numpy(stack.grey), torch.from_numpy(stack.target)
    for _ in range(settings.steps):
        crops = [crop(rng, stack, settings.crop) for _ in range(settings.batch)]
        gamma = torch.from_numpy(np.exp(rng.uniform(-0.4, 0.4, size=(settings.batch, 1, 1))).astype(np.float32))
        lit = cut(grey, crops).pow(gamma)[:, None]
        yield lit, cut(target, crops), [None if arm.map is None else cut(arm.map, crops) for arm in arms]


def crop(rng: np.random.Generator, stack: Stack, size: int) -> Crop:
    image = int(rng.integers(len(stack.sizes)))
    y, x = (int(rng.integers(n - size + 1)) for n in stack.sizes[image])
    return Crop(image, slice(y, y + size), slice(x, x + size), int(rng.integers(4)), bool(rng.integers(2)))


def cut(images: Tensor, crops: Sequence[Crop]) -> Tensor:
    turned = [torch.rot90(images[c.image, c.rows, c.columns], c.turns) for c in crops]
    return torch.stack([each.flip(0) if c.flipped else each for c, each in zip(crops, turned, strict=True)])


def check(each: Trained, validation: Sequence[Photo], settings: Settings, step: int) -> None:
    """Keep the net if it is the best so far, at threshold 0.5 or at any of the thresholds."""
    probabilities = predict(each.net, validation)
    nuclei = sum(int(p.nuclei.max()) for p in validation)
    recall = {
        t: sum(recall_hits(photo, instances(p, t)) for photo, p in zip(validation, probabilities, strict=True)) / nuclei
        for t in settings.thresholds
    }
    best = max(settings.thresholds, key=lambda t: (recall[t], -abs(t - 0.5)))
    for mode, threshold in ((EVEN, 0.5), (CHOSEN, best)):
        if recall[threshold] > each.choices[mode].recall:
            each.choices[mode] = Choice(recall[threshold], step, threshold, copy.deepcopy(each.net.state_dict()))
    each.curve.append(
        {
            "step": step,
            "validation cross-entropy": unweighted(probabilities, validation),
            "validation recall": {f"{t:g}": r for t, r in recall.items()},
        }
    )


def predict(net: UNet, photos: Sequence[Photo]) -> list[np.ndarray]:
    """Probabilities of nucleus, [H, W] of each image."""
    net.eval()
    found = []
    with torch.inference_mode():
        for photo in photos:
            h, w = photo.grey.shape
            x = torch.from_numpy(photo.grey)[None, None]
            x = F.pad(x, (0, -w % 2**HALVINGS, 0, -h % 2**HALVINGS), mode="reflect")
            found.append(net(x).softmax(dim=1)[0, 1, :h, :w].numpy())
    net.train()
    return found


def unweighted(probabilities: Sequence[np.ndarray], photos: Sequence[Photo]) -> float:
    total = pixels = 0.0
    for p, photo in zip(probabilities, photos, strict=True):
        right = np.where(photo.parted > 0, p, 1 - p)
        total -= float(np.log(np.maximum(right, 1e-7)).sum())
        pixels += right.size
    return total / pixels
