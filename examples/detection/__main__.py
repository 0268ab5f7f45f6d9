"""python -m examples.detection DATA [--seeds 3] [--steps 300] [--minutes 60] [--nets ssd yolo] [--out FOLDER]

Trains every arm on every seed, writes results.json after each run and the table in README.md at the end. A net's seeds are outside its arms, so what is
done when the minutes are over is a whole comparison of fewer seeds.
"""

import argparse
import json
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from . import arms, ssd, table, yolo
from .cells import NAMES, counts, load
from .measure import Matched, match, measures

HERE = Path(__file__).parent
NETS = {"ssd": (ssd.run, arms.SSD), "yolo": (yolo.run, arms.YOLO)}


def main(arguments: Sequence[str] | None = None) -> Path:
    parser = argparse.ArgumentParser(
        prog="python -m examples.detection", description="Class weights in detectors, on blood cells."
    )
    parser.add_argument("data", type=Path, help="the folder of the BCCD data set")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=120, help="of 16 images each")
    parser.add_argument("--minutes", type=float, default=60.0, help="after which no further run is begun")
    parser.add_argument("--nets", nargs="+", choices=list(NETS), default=list(NETS))
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    begun, photos = time.monotonic(), load(options.data)
    matched: dict[tuple[str, str, int], Matched] = {}
    runs, compared, steps = _others(options.out, options.nets)
    about = {
        "images": {part: len(each) for part, each in photos.items()},
        "boxes": {
            part: dict(zip(NAMES, map(int, counts(each).per_class), strict=True)) for part, each in photos.items()
        },
        "steps": steps | dict.fromkeys(options.nets, options.steps),
        "machine": f"{platform.machine()}, one thread",
        "torch": torch.__version__,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    for net in options.nets:
        train, each = NETS[net]
        for seed in range(options.seeds):
            for arm in each:
                if time.monotonic() - begun > 60 * options.minutes:
                    break
                cpu = time.process_time()
                matched[net, arm, seed] = match(train(arm, seed, photos, options.steps), photos["test"])
                numbers = measures(matched[net, arm, seed])
                runs.append(
                    {
                        "net": net,
                        "arm": arm,
                        "seed": seed,
                        "cpu seconds": round(time.process_time() - cpu, 1),
                        **numbers,
                    }
                )
                print(json.dumps(runs[-1]), flush=True)
                write(options.out, about, runs, compared)
            compared |= table.compare(matched)
            write(options.out, about, runs, compared)
    return options.out / "results.json"


def _others(out: Path, nets: Sequence[str]) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, int]]:
    """What an earlier call wrote of other nets: its runs, their comparison, and the steps of each net."""
    if not (path := out / "results.json").exists():
        return [], {}, {}
    earlier = json.loads(path.read_text("utf-8"))
    runs = [run for run in earlier["runs"] if run["net"] not in nets]
    compared, steps = (
        {net: value for net, value in part.items() if net not in nets}
        for part in (earlier["compared"], earlier["about"]["steps"])
    )
    return runs, compared, steps


def write(out: Path, about: dict[str, Any], runs: list[dict[str, Any]], compared: dict[str, Any]) -> None:
    results = {"about": about, "runs": runs, "compared": compared}
    (out / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    print(main())
