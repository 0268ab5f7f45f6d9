"""Variants timed in turn within one process, so that they share whatever else the machine does."""

import contextlib
import ctypes
import gc
import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

import steelyard
from steelyard.ops import native

RESULTS = Path(__file__).parent / "results"
Variant = Callable[[], object]


def in_turn(
    variants: Mapping[str, Variant], rounds: int, *, clock: Callable[[], float] = time.process_time
) -> dict[str, dict[str, Any]]:
    """Milliseconds per call: median and quartiles; `ratio` is to the first variant, round by round.

    clock  CPU time for one thread, which no neighbour disturbs; for more of them the wall's
    """
    calls = {}
    for name, variant in variants.items():  # warm up, and repeat short ones within a round
        variant()
        start = clock()
        variant()
        calls[name] = max(1, int(0.02 / max(clock() - start, 1e-5)))
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, variant in variants.items():
            start = clock()
            for _ in range(calls[name]):
                variant()
            times[name].append(1e3 * (clock() - start) / calls[name])
    first = times[next(iter(variants))]
    return {
        name: {
            "median_ms": statistics.median(taken),
            "quartiles_ms": [q for i, q in enumerate(statistics.quantiles(taken, n=4)) if i != 1],
            "ratio": statistics.median(a / b for a, b in zip(first, taken, strict=True)),
        }
        for name, taken in times.items()
    }


def peak(variant: Variant, reset: Callable[[], object], *, warm: bool = True) -> float | None:
    """MiB that one call needs beyond what is there before it; None where the system does not say.

    reset  drops what an earlier call left behind, gradients above all
    warm   call once before; what libraries then keep for the next call is not counted
    """
    if warm:
        variant()
    reset()
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # what glibc keeps of freed memory would count as there before
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    if native.available():
        native.drop()  # the same of the gradients' memory
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return None
    before = _status("VmRSS")
    variant()
    return (_status("VmHWM") - before) / 1024


def _status(field: str) -> int:
    """KiB"""
    return next(int(line.split()[1]) for line in _lines("/proc/self/status") if line.startswith(field))


def write(name: str, rows: list[dict[str, Any]], **more: Any) -> Path:
    """results/NAME.json with the machine and the versions; `more` may say either otherwise."""
    record = {
        "machine": {"cpu": cpu(), "system": platform.system(), "threads": torch.get_num_threads()},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "steelyard": steelyard.__version__,
        },
        **more,
        "rows": rows,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path


def together(name: str, rows: list[dict[str, Any]], *same: str) -> list[dict[str, Any]]:
    """results/NAME.json as it is, `rows` in the place of those that are the same in these columns. A row that was measured on another
    machine says so, as `cpu`."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return rows

    def what(row: dict[str, Any]) -> str:
        return json.dumps([row[column] for column in same])

    new: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        new.setdefault(what(row), []).append(row)
    measured, before, found = set(new), json.loads(path.read_text(encoding="utf-8")), []
    for row in before["rows"]:
        if what(row) in measured:
            found += new.pop(what(row), [])
            continue
        where = row.get("cpu", before["machine"]["cpu"])
        rest = {column: value for column, value in row.items() if column != "cpu"}
        found.append(rest if where == cpu() else {**rest, "cpu": where})
    return found + [row for those in new.values() for row in those]


def cpu() -> str:
    """The model's name."""
    names = (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name"))
    return next(names, platform.processor())


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
