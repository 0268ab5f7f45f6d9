"""Variants timed in turn within one process, so that they share whatever else the machine does."""

import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import steelyard

RESULTS = Path(__file__).parent / "results"


def in_turn(variants: dict[str, Callable[[], object]], rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of CPU time per call: median and quartiles; `ratio` is to the first variant, round by round."""
    calls = {}
    for name, variant in variants.items():  # warm up, and repeat short ones within a round
        variant()
        start = time.process_time()
        variant()
        calls[name] = max(1, int(0.02 / max(time.process_time() - start, 1e-5)))
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, variant in variants.items():
            start = time.process_time()
            for _ in range(calls[name]):
                variant()
            times[name].append(1e3 * (time.process_time() - start) / calls[name])
    first = times[next(iter(variants))]
    return {
        name: {
            "median_ms": statistics.median(taken),
            "quartiles_ms": [q for i, q in enumerate(statistics.quantiles(taken, n=4)) if i != 1],
            "ratio": statistics.median(a / b for a, b in zip(first, taken, strict=True)),
        }
        for name, taken in times.items()
    }


def write(name: str, rows: list[dict[str, Any]]) -> Path:
    """results/NAME.json with the machine and the versions."""
    cpu = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    record = {
        "machine": {"cpu": cpu, "system": platform.system(), "threads": torch.get_num_threads()},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "steelyard": steelyard.__version__,
        },
        "rows": rows,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
