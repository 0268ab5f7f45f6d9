"""From the runs of the seeds to results.json, the table and the picture."""

import dataclasses
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import steelyard

from . import table
from .compare import Counts, by_seed, compare
from .data import Photo, fingerprint
from .picture import picture
from .train import CHOSEN, EVEN, Settings
from .weights import NAMES

HERE = Path(__file__).resolve().parent
ROWS = 4  # of the picture


def gather(
    photos: Sequence[Photo], settings: Settings, runs: Sequence[dict[str, Any]], about: dict[str, Any]
) -> dict[str, Any]:
    """What results.json holds, from as many seeds as have been run."""
    counts: Counts = {
        (arm, mode): [run["counts"][arm, mode] for run in runs] for arm in NAMES for mode in (EVEN, CHOSEN)
    }
    return {
        "run": {
            "seeds": len(runs),
            "settings": dataclasses.asdict(settings),
            "cpu minutes": sum(run["cpu"] for run in runs) / 60,
            **about,
        },
        "data": {
            "images": len(photos),
            "nuclei": int(sum(p.nuclei.max() for p in photos)),
            "touching": sum(len(p.touching) for p in photos),
            "tested": sum(run["images"]["test"] for run in runs),
            "fingerprint": fingerprint(photos),
        },
        "comparison": compare(counts),
        "seeds": [
            {
                **{key: run[key] for key in ("images", "weights", "choices")},
                "test": {mode: {arm: at(counts, arm, mode, seed) for arm in NAMES} for mode in (EVEN, CHOSEN)},
            }
            for seed, run in enumerate(runs)
        ],
    }


def write(out: Path, results: dict[str, Any], photos: Sequence[Photo], runs: Sequence[dict[str, Any]]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    table.write(out, results)
    found = {arm: {name: drawn for run in runs for name, drawn in run["drawn"][arm].items()} for arm in NAMES}
    tested = [photo for photo in photos if photo.name in found[NAMES[0]]]
    shown = sorted(tested, key=lambda p: (-len(p.touching), p.name))[:ROWS]
    picture(out / "picture.png", shown, {arm: [each[p.name] for p in shown] for arm, each in found.items()})


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
