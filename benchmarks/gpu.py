"""python -m benchmarks gpu: everything that has to be known of the kernels on a GPU, within eight minutes on one card.

Parts, in this order (benchmarks/gpu_parts.py):

first      seconds of the first call of every family of kernels, which compiles and checks itself
laws       every recipe, dtype and layout held to the reference on the device
accuracy   loss and gradient against float64 on the CPU, and eager's error beside it
training   rules, accumulate, autocast, CUDA graphs, torch.compile; no call that waits for the device
bandwidth  a copy, then losses with their gradient: GB/s of the logits read and the gradient written, as a share of the copy
linear     a linear layer and its loss: time and memory
sizes      every launch size of every kernel beside those of today; --sizes then writes the best into the package's table (ops/launch.json)

A part's rows are in results/gpu.json as soon as it ends. The same command again goes on with the parts that are missing, or whose time ran
out; those of another device, torch, Triton or commit of steelyard are made anew.
"""

import argparse
import importlib.metadata
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from . import gpu_parts, gpu_sizes, measure
from .honesty import commit


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--device", default="cuda", help="cpu tries the program itself; its numbers say nothing of a GPU"
    )
    parser.add_argument("--parts", default=",".join(gpu_parts.PARTS), help="with commas; %(default)s")
    parser.add_argument(
        "--minutes", type=float, default=8.0, help="of all parts together; what is left is made by the next call"
    )
    parser.add_argument("--small", action="store_true", help="hundredths of the sizes, to try the program itself")
    parser.add_argument("--out", type=Path, default=measure.RESULTS / "gpu.json")
    parser.add_argument("--again", action="store_true", help="make parts that are there already")
    parser.add_argument(
        "--sizes", action="store_true", help="take over the launch sizes that were found, and run nothing"
    )
    options = parser.parse_args(arguments)
    if options.sizes:
        try:
            print(gpu_sizes.adopt(options.out))
        except (OSError, ValueError) as error:
            parser.error(str(error))
        return
    unknown = [p for p in options.parts.split(",") if p not in gpu_parts.PARTS]
    if unknown:
        parser.error(f"no parts {', '.join(unknown)}; known: {', '.join(gpu_parts.PARTS)}")
    if options.device != "cpu" and not torch.cuda.is_available():
        parser.error("no GPU that torch knows is here; --device cpu --small tries the program itself")
    run(
        torch.device(options.device),
        options.parts.split(","),
        60 * options.minutes,
        options.small,
        options.out,
        options.again,
    )


def run(device: torch.device, names: Sequence[str], seconds: float, small: bool, out: Path, again: bool) -> None:
    if device.type == "cuda":  # before Triton looks: what first calls cost is not known from a warm cache
        os.environ.setdefault("TRITON_CACHE_DIR", tempfile.mkdtemp(prefix="steelyard-triton-"))
    about = about_this(device, small)
    parts = _earlier(out, about)
    end = time.monotonic() + seconds
    for i, name in enumerate(names):
        if not again and parts.get(name, {}).get("whole"):
            print(f"{name}: there already", flush=True)
            continue
        # what is left is shared, so that one slow part does not take all; what a part leaves over goes to the next
        until = time.monotonic() + max(0.0, end - time.monotonic()) / (len(names) - i) * gpu_parts.SHARE.get(name, 1.0)
        start, rows, whole = time.perf_counter(), [], True
        try:
            for row in gpu_parts.PARTS[name](device, small):
                rows.append(row)
                print(f"{name}: {json.dumps(row)}", flush=True)
                if time.monotonic() > min(until, end):
                    whole = False
                    break
        except Exception as error:  # one part that fails is a result too, and must not take the others with it
            rows.append({"failed": f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"})
        parts[name] = {"whole": whole, "seconds": time.perf_counter() - start, "rows": rows}
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = out.with_suffix(".new")
        beside.write_text(json.dumps(about | {"parts": parts}, indent=1) + "\n", encoding="utf-8")
        beside.replace(out)
    print(out)


def about_this(device: torch.device, small: bool) -> dict[str, Any]:
    """What the numbers are numbers of."""
    machine: dict[str, Any] = {"device": str(device), "cpu": measure.cpu()}
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        machine |= {
            "device": properties.name,
            "capability": [properties.major, properties.minor],
            "multiprocessors": properties.multi_processor_count,
            "memory_gib": round(properties.total_memory / 2**30, 1),
        }
    versions = {"torch": torch.__version__, "cuda": torch.version.cuda}
    for package in ("triton", "liger-kernel", "cut-cross-entropy", "quack-kernels"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return {"machine": machine, "versions": versions, "commit": commit(), "small": small}


def _earlier(out: Path, about: dict[str, Any]) -> dict[str, Any]:
    """The parts of the file that is there, if they are of the same thing."""
    try:
        found = json.loads(out.read_text("utf-8"))
    except (OSError, json.JSONDecodeError):
        return {}
    same = all(found.get(key) == value for key, value in about.items())
    return found["parts"] if same else {}
