"""python -m examples.nuclei [DATA] [--seeds 5] [--jobs 1] [--quick] [--out FOLDER]

Trains every arm on every seed and writes results.json, the table in README.md and picture.png. --quick takes a few steps, to see that it runs.
"""

import argparse
import contextlib
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from . import table
from .data import FOLDS, folder_of_images, load
from .results import HERE, gather, surroundings, write
from .seeds import one_seed
from .train import Settings

QUICK = Settings(steps=40, width=4, crop=48, batch=4, rate=8e-3, checks=2)


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

    start, about = time.monotonic(), surroundings()  # the commit as it is before the results are written
    photos = load(options.data)
    work = partial(one_seed, photos=photos, settings=settings)
    runs: list[dict[str, Any]] = []
    with contextlib.ExitStack() as stack:
        over = map
        if options.jobs > 1:
            over = stack.enter_context(ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn"))).map
        for run in over(work, range(seeds)):
            runs.append(run)
            about["wall minutes"] = (time.monotonic() - start) / 60
            results = gather(photos, settings, runs, about)
            write(out, results, photos, runs)  # after every seed: what is there if the rest is cut off counts
    print(table.section(results))
    return out


if __name__ == "__main__":
    main()
