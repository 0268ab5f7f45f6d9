"""python -m examples.nuclei [DATA] [--seeds 5] [--jobs 1] [--quick] [--out FOLDER]

Trains every arm on every seed and writes results.json, the table in README.md and picture.png. --quick takes a few steps, to see that it runs.
"""

import argparse
import dataclasses
import json
import os
import platform
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

import steelyard

from . import table
from .compare import Counts, by_seed, compare
from .data import FOLDS, Photo, fingerprint, folder_of_images, load, split, stack
from .measure import instances, tally
from .picture import picture
from .train import CHOSEN, EVEN, Settings, train
from .weights import NAMES, arms

HERE = Path(__file__).resolve().parent
QUICK = Settings(steps=60, width=4, crop=48, batch=4, checks=2)
ROWS = 4  # of the picture


def one_seed(seed: int, photos: Sequence[Photo], settings: Settings, shown: Sequence[str]) -> dict[str, Any]:
    """Train the arms of one fold and count what they find in its test images."""
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
                drawn[arm] = {p.name: f for p, f in zip(fold.test, found, strict=True) if p.name in shown}
        choices[arm] = {
            "chosen": {
                m: {"step": c.step, "threshold": c.threshold, "validation recall": c.recall}
                for m, c in each.choices.items()
            },
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


def main(arguments: Sequence[str] | None = None) -> Path:
    parser = argparse.ArgumentParser(
        prog="python -m examples.nuclei", description="Do border maps help? On images of nuclei."
    )
    parser.add_argument(
        "data", nargs="?", type=Path, default=folder_of_images(), help="a folder with images/ and labels/"
    )
    parser.add_argument("--seeds", type=int, choices=range(1, FOLDS + 1), default=FOLDS, help="folds that are trained")
    parser.add_argument("--jobs", type=int, default=1, help="processes, of one thread each")
    parser.add_argument("--quick", action="store_true", help="a few steps of one seed, not for its numbers")
    parser.add_argument("--out", type=Path, help="where the results go: beside the program, or build/nuclei if quick")
    options = parser.parse_args(arguments)
    out = options.out or (Path("build/nuclei") if options.quick else HERE)
    settings, seeds = (QUICK, 1) if options.quick else (Settings(), options.seeds)

    start = time.monotonic()
    photos = load(options.data)
    tested = [photo for seed in range(seeds) for photo in split(photos, seed).test]
    shown = sorted(tested, key=lambda p: (-len(p.touching), p.name))[:ROWS]
    work = partial(one_seed, photos=photos, settings=settings, shown=[p.name for p in shown])
    if options.jobs > 1:
        with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
            runs = list(pool.map(work, range(seeds)))
    else:
        runs = [work(seed) for seed in range(seeds)]

    counts: Counts = {
        (arm, mode): [run["counts"][arm, mode] for run in runs] for arm in NAMES for mode in (EVEN, CHOSEN)
    }
    results = {
        "run": {
            "seeds": seeds,
            "settings": dataclasses.asdict(settings),
            "cpu minutes": sum(run["cpu"] for run in runs) / 60,
            "wall minutes": (time.monotonic() - start) / 60,
            **surroundings(),
        },
        "data": {
            "images": len(photos),
            "nuclei": int(sum(p.nuclei.max() for p in photos)),
            "touching": sum(len(p.touching) for p in photos),
            "tested": len(tested),
            "fingerprint": fingerprint(photos),
        },
        "weights": runs[0]["weights"],
        "comparison": compare(counts),
        "seeds": [
            {
                **{key: run[key] for key in ("images", "weights", "choices")},
                "test": {mode: {arm: at(counts, arm, mode, seed) for arm in NAMES} for mode in (EVEN, CHOSEN)},
            }
            for seed, run in enumerate(runs)
        ],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    table.write(out, results)
    everywhere = {arm: {k: v for run in runs for k, v in run["drawn"][arm].items()} for arm in NAMES}
    picture(out / "picture.png", shown, {arm: [each[p.name] for p in shown] for arm, each in everywhere.items()})
    print(table.section(results))
    return out


def at(counts: Counts, arm: str, mode: str, seed: int) -> dict[str, float]:
    return {name: float(values[seed]) for name, values in by_seed(counts[arm, mode]).items()}


def surroundings() -> dict[str, Any]:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return {
        "machine": f"{os.cpu_count()} hardware threads, {platform.machine().replace('_', '-')}",
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "steelyard": steelyard.__version__,
        },
        "commit": commit.stdout.strip() or "unknown",
    }


if __name__ == "__main__":
    main()
