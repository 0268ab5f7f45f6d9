"""Launch sizes tried on a GPU: the part `sizes` of `python -m benchmarks gpu`, and how the table of the package is made of it."""

import functools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from steelyard.ops import fused, gpu, launch
from steelyard.ops.bind import bind
from steelyard.recipe import Recipe

from .measure import in_turn

TABLE = Path(__file__).resolve().parents[1] / "src" / "steelyard" / "ops" / "launch.json"
WARPS = (128, 256, 512)
CANDIDATES = {"tile": (512, 1024, 2048, 4096), "piece": (2048, 4096, 8192, 16384), "elements": (1024, 2048, 4096, 8192)}
CASES = {  # the kernel's link and logits: half a gigabyte of bfloat16, and a size to try the program itself
    "tile": ("softmax", (16, 19, 1024, 864), (1, 19, 8, 8)),
    "piece": ("softmax", (2048, 128000), (2, 40000)),
    "elements": ("sigmoid", (3355440, 80), (20, 80)),
}
GAIN = 0.03  # less than that is no reason to leave the sizes that every architecture gets
ROUNDS = 5


def sizes(device: torch.device, small: bool) -> Iterator[dict[str, Any]]:
    """Each kernel with every size and number of warps beside the sizes of today, in bfloat16, loss and gradient: ratio is today's time
    over this one's, off the largest difference of the loss and that of the gradient, relative to the largest number. Nothing where Triton does not run."""
    if not gpu.available(device):
        return
    before = launch.table().get(launch.architecture(device))
    try:
        for field, candidates in CANDIDATES.items():
            for warp in WARPS:
                for size in candidates:
                    yield _tried(field, size, warp, device, small)
    finally:
        _set(device, before)


def _tried(field: str, size: int, warp: int, device: torch.device, small: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"kernel": field, "size": size, "warp": warp}
    logits, target, bound = _case(field, device, small)
    other = launch.ANY._replace(**{field: size, f"{field}_warp": warp})
    step = functools.partial(_step, device, logits, target, bound)
    try:
        right, found = step(launch.ANY), step(other)
        row["off"] = sum(float((a - b).abs().max() / a.abs().max()) for a, b in zip(right, found, strict=True))
        del right, found
        times = in_turn(
            {"today": lambda: step(launch.ANY), "other": lambda: step(other)},
            ROUNDS,
            clock=functools.partial(_clock, device),
        )
    except Exception as error:  # more than the registers or the memory of a multiprocessor hold
        return row | {"not_run": f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"}
    return row | {"median_ms": times["other"]["median_ms"], "ratio": times["other"]["ratio"]}


@functools.lru_cache(maxsize=1)
def _case(field: str, device: torch.device, small: bool) -> Any:
    link, whole, little = CASES[field]
    shape = little if small else whole
    torch.manual_seed(0)
    logits = torch.randn(shape, device=device, dtype=torch.bfloat16).requires_grad_()
    items = shape if link == "sigmoid" else (shape[0], *shape[2:])
    target = torch.randint(2 if link == "sigmoid" else shape[1], items, device=device, dtype=torch.int32)
    return logits, target, bind(Recipe(), link).map(lambda t: t.to(device))


def _step(device: torch.device, logits: Any, target: Any, bound: Any, sizes: launch.Sizes) -> tuple[Any, Any]:
    _set(device, sizes)
    loss = fused.reduced(gpu.KERNELS, logits, target, bound, None, -100, "count")
    return loss.detach(), torch.autograd.grad(loss, logits)[0]


def _set(device: torch.device, sizes: launch.Sizes | None) -> None:
    name = launch.architecture(device)
    if sizes is None:
        launch.table().pop(name, None)
    else:
        launch.table()[name] = sizes


def _clock(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def adopted(found: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """(architecture, its line of launch.json) of what the results say. ValueError where they say nothing."""
    part = found["parts"].get("sizes", {"whole": False, "rows": []})
    if found["small"] or "capability" not in found["machine"] or not part["whole"]:
        raise ValueError(
            "the results hold no whole part `sizes` of a GPU: run `python -m benchmarks gpu --parts sizes` on one first"
        )
    line: dict[str, Any] = {}
    for field in CANDIDATES:
        rows = [r for r in part["rows"] if r.get("kernel") == field and "ratio" in r and r["off"] < 0.01]
        best = max(rows, key=lambda r: r["ratio"], default=None)
        if best is not None and best["ratio"] > 1 + GAIN:
            line |= {field: best["size"], f"{field}_warp": best["warp"]}
    machine, versions = found["machine"], found["versions"]
    line["source"] = (
        f"{machine['device']}, torch {versions['torch']}, Triton {versions['triton']}, commit {found['commit']}"
    )
    return ".".join(map(str, machine["capability"])), line


def adopt(results: Path, table: Path = TABLE) -> str:
    """Write what the results say into the table; a sentence that tells it."""
    name, line = adopted(json.loads(results.read_text("utf-8")))
    whole = json.loads(table.read_text("utf-8")) | {name: line}
    table.write_text(json.dumps(dict(sorted(whole.items())), indent=1) + "\n", encoding="utf-8")
    changed = [f"{k} {v}" for k, v in line.items() if k != "source"]
    return f"{table.name}: {name}: {', '.join(changed) or 'the sizes of every architecture'}"
