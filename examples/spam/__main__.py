"""python -m examples.spam DATA [--seeds 3] [--quick] [--out FOLDER]

DATA is a file of lines "ham" or "spam", a tab and the text, such as the SMS Spam Collection of UCI. --quick makes up a small one.
Trains every weighting on every seed, runs the tuner on the same table, and writes the numbers into README.md.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import steelyard as sy

from .data import load, made_up
from .trainer import ARMS, COST_LOST, COST_MISSED, Size, one_seed

HERE = Path(__file__).parent
BEGIN, END = "<!-- written by the program: begin -->", "<!-- written by the program: end -->"
QUICK = Size(epochs=4, hidden=16, layers=1)


def main(arguments: Sequence[str] | None = None) -> str:
    parser = argparse.ArgumentParser(
        prog="python -m examples.spam", description="Weights, undo and cut on short messages."
    )
    parser.add_argument("data", nargs="?", type=Path, help="lines of ham or spam, a tab, the text")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a made-up file and a few steps, not for its numbers")
    parser.add_argument(
        "--out", type=Path, help="a copy of README.md with these numbers; beside the program unless quick"
    )
    options = parser.parse_args(arguments)
    if options.data is None and not options.quick:
        parser.error("name the file of messages, or --quick for a made-up one")
    with tempfile.TemporaryDirectory() as folder:
        path = options.data or made_up(Path(folder) / "made-up.tsv")
        texts, y = load(path)
        start = time.process_time()
        rows = [
            r
            for seed in range(1 if options.quick else options.seeds)
            for r in one_seed(texts, y, seed, QUICK if options.quick else Size())
        ]
        spent = (time.process_time() - start) / 60
        study = tuned(texts, y, Path(folder) / "study", quick=options.quick)
    text = section(rows, texts, y, spent, study)
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    written = readme[: readme.index(BEGIN)] + f"{BEGIN}\n{text}\n{END}" + readme[readme.index(END) + len(END) :]
    if options.out or not options.quick:
        ((options.out or HERE) / "README.md").write_text(written, encoding="utf-8")
    print(text)
    return text


def tuned(texts: list[str], y: np.ndarray, folder: Path, *, quick: bool) -> Any:
    """The text as it is: the tuner makes its features in every training part."""
    table = pa.table({"text": texts, "label": np.where(y, "spam", "ham")})
    return sy.tune(
        table, label="label", positive="spam", cost_fn=COST_MISSED, cost_fp=COST_LOST, folds=3 if quick else 5,
        repeats=1, bootstrap=200 if quick else 1000, budget="4m", folder=folder,
    )  # fmt: skip


def section(rows: list[dict], texts: list[str], y: np.ndarray, minutes: float, study: Any) -> str:
    names = [name for name in rows[0] if name not in ("arm", "seed", "share")]
    seeds = len({row["seed"] for row in rows})
    lines = [
        f"{len(texts)} different messages, {int(y.sum())} of them spam ({y.mean():.3f}); {seeds} seeds with parts of their own; {minutes:.1f} CPU minutes"
        " for the networks. Means over seeds, in brackets the standard deviation; costs per 1000 messages.",
        "",
        "| | " + " | ".join(ARMS) + " |",
        "|---|" + "---:|" * len(ARMS),
    ]
    for name in names:
        cells = []
        for arm in ARMS:
            found = np.array([row[name] for row in rows if row["arm"] == arm])
            digits = 1 if name.startswith("cost") else 3
            spread = f" ({found.std(ddof=1):.{digits}f})" if seeds > 1 else ""
            cells.append(f"{found.mean():.{digits}f}{spread}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", "The tuner, on the same table:", "", "```", str(study).strip(), "```"])


if __name__ == "__main__":
    main()
