"""A small SSD of torchvision from scratch: four strided stages of convolutions, boxes from two of them."""

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import steelyard as sy

from . import arms
from .cells import HEIGHT, NAMES, WIDTH, Photo, counts
from .measure import Found

BATCH = 16
RATE = 3e-3


class Backbone(nn.Module):
    """Features of strides 8 and 16."""

    out_channels = (64, 96)

    def __init__(self) -> None:
        super().__init__()
        self.near = nn.Sequential(stage(3, 16, 2), stage(16, 32, 2), stage(32, 64, 2), stage(64, 64, 1))
        self.far = nn.Sequential(stage(64, 96, 2), stage(96, 96, 1))

    def forward(self, x: Tensor) -> Any:
        near = self.near(x)
        return OrderedDict(near=near, far=self.far(near))


def stage(before: int, after: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


def net() -> Any:
    from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
    from torchvision.models.detection.ssd import SSD

    boxes = DefaultBoxGenerator(
        [[], []], scales=[0.07, 0.22, 0.42]
    )  # two squares each: platelets and red cells, red and white cells
    return SSD(
        Backbone(), boxes, (HEIGHT, WIDTH), len(NAMES) + 1, image_mean=[0.5] * 3, image_std=[0.25] * 3, detections_per_img=100,
        topk_candidates=100,
    )  # fmt: skip


def run(arm: str, seed: int, photos: dict[str, list[Photo]], steps: int) -> list[Found]:
    """Train, and what is found on the test images. One seed gives every arm the same first weights, batches and flips."""
    from steelyard.integrations.torchvision import reweigh

    torch.manual_seed(seed)
    model = net()
    recipe = arms.SSD[arm](counts(photos["train"]))
    alone = isinstance(recipe, sy.Recipe) and recipe.weight is not None
    reweigh(model, recipe, background=1.0 if alone else None)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    draw = np.random.default_rng(seed)
    model.train()
    for _ in range(steps):
        chosen = draw.choice(len(photos["train"]), BATCH, replace=False)
        images, targets = zip(*(flipped(photos["train"][i], *draw.integers(0, 2, 2)) for i in chosen), strict=True)
        losses = model(list(images), list(targets))
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        schedule.step()
    model.eval()
    found = []
    with torch.no_grad():
        for photo in photos["test"]:
            (answer,) = model([as_tensor(photo.pixels)])
            found.append(Found(answer["boxes"].numpy(), answer["labels"].numpy() - 1, answer["scores"].numpy()))
    return found


def flipped(photo: Photo, across: int, over: int) -> tuple[Tensor, dict[str, Tensor]]:
    pixels, boxes = photo.pixels, photo.boxes.copy()
    if across:
        pixels, boxes[:, [0, 2]] = pixels[:, ::-1], WIDTH - boxes[:, [2, 0]]
    if over:
        pixels, boxes[:, [1, 3]] = pixels[::-1], HEIGHT - boxes[:, [3, 1]]
    return as_tensor(pixels), {"boxes": torch.from_numpy(boxes), "labels": torch.from_numpy(photo.labels + 1)}


def as_tensor(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1).float() / 255
