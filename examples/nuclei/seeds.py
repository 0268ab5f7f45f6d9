"""One seed from the split to the counts: train the arms of a fold, then test them."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from .data import Photo, split, stack
from .measure import instances, tally
from .train import CHOSEN, Settings, train
from .weights import arms


def one_seed(seed: int, photos: Sequence[Photo], settings: Settings) -> dict[str, Any]:
    """Train the arms of one fold, and count and keep what they find in its test images."""
    torch.set_num_threads(1)
    start = time.process_time()
    fold = split(photos, seed)
    training = stack(fold.train)
    contestants = arms(training)
    trained = train(training, fold.validation, contestants, settings, seed)
    counts, drawn, choices = {}, {}, {}
    for arm, each in trained.items():
        for mode, choice in each.choices.items():
            found = [instances(p, choice.threshold) for p in each.probabilities(mode, fold.test)]
            counts[arm, mode] = np.stack([tally(photo, f) for photo, f in zip(fold.test, found, strict=True)])
            if mode == CHOSEN:
                drawn[arm] = {p.name: f for p, f in zip(fold.test, found, strict=True)}
        choices[arm] = {
            "chosen": {
                m: {"step": c.step, "threshold": c.threshold, "validation recall": c.recall}
                for m, c in each.choices.items()
            },
            "training loss, tenths of the steps": [float(np.mean(part)) for part in np.array_split(each.losses, 10)],
            "curve": each.curve,
        }
    return {
        "images": {"train": len(fold.train), "validation": len(fold.validation), "test": len(fold.test)},
        "weights": {arm.name: arm.facts for arm in contestants if arm.facts},
        "choices": choices,
        "counts": counts,
        "drawn": drawn,
        "cpu": time.process_time() - start,
    }
