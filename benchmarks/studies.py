"""Whole `steelyard tune` commands, from the start of Python to the written page, in CPU seconds, beside scikit-learn's GridSearchCV.

GridSearchCV fits 12 class weight ratios x 5 folds of a pipeline that fills gaps, standardises and makes one column per level, as the
tuner does, with LogisticRegression as it comes: one thread, its own time alone, without what it imports.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import hard, spent

DEMO = Path(__file__).resolve().parents[1] / "examples" / "data" / "mammography_adbench.csv"
RATIOS, FOLDS = 12, 5


def tables(folder: Path) -> dict[str, tuple[Path, str, list[str]]]:
    """{name: (file, label column, further options of the command)}, those that are made here made in `folder`."""
    small = _small(folder / "small.csv")
    return {
        "demo": (DEMO, "calcification", []),
        "ratios": (hard.write("ratios", folder / "ratios.csv"), "failed", []),
        "categories": (hard.write("categories", folder / "categories.csv"), "failed", []),
        "demo, lightgbm": (DEMO, "calcification", ["--model", "lightgbm"]),
        "1,500 x 6, mlp": (small, "y", ["--model", "mlp"]),
    }


def measure(path: Path, label: str, options: list[str]) -> dict[str, Any]:
    """CPU seconds, seconds and fits of one command, CPU seconds of `steelyard report` on its folder, and of GridSearchCV where the model is the default's and there are
    two classes."""
    import json

    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "steelyard", "tune", str(path), "--label", label, *options, "--out", out]
        spent, began = _children(), time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=_on_one_core)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
        row: dict[str, Any] = {"cpu_s": _children() - spent, "wall_s": time.monotonic() - began}
        report = json.loads((Path(out) / "report.json").read_text("utf-8"))
        for name, more in (("report_s", []), ("compare_s", ["--compare", out])):  # the answer again, from the folder
            spent = _children()
            subprocess.run([sys.executable, "-m", "steelyard", "report", out, *more], capture_output=True, check=True)
            row[name] = _children() - spent
    row |= {"rows": report["data"]["rows"], "fits": report["fits"]["new"]}
    if not options and report["positive"] is not None:
        row["grid_search_s"] = grid_search(path, label)
        row["times"] = row["cpu_s"] / row["grid_search_s"]
    return row


def profile(name: str, path: Path, label: str, options: list[str]) -> None:
    """Where the CPU time of one command goes, in a process of its own on one thread (spent.py)."""
    one = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    with tempfile.TemporaryDirectory() as out:
        command = ["tune", str(path), "--label", label, *options, "--out", out]
        program = [sys.executable, "-m", "benchmarks.spent", *command]
        root = str(Path(__file__).resolve().parents[1])
        done = subprocess.run(
            program, stdout=subprocess.PIPE, text=True, check=True, cwd=root, env={**os.environ, **one}
        )
    print(f"{name}: {done.stdout[done.stdout.rindex(spent.HEAD) :].strip()}\n", flush=True)


def _on_one_core() -> None:
    """As GridSearchCV is measured: threads of one process wait for each other, which counts as work."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _children() -> float:
    """CPU seconds of all children that ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def grid_search(path: Path, label: str) -> float:
    """CPU seconds of GridSearchCV's 60 fits, in a process of its own."""
    program = f"from benchmarks.studies import _grid; print(_grid({str(path)!r}, {label!r}))"
    one = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    root = str(Path(__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root, env={**os.environ, **one}
    )
    return float(done.stdout.split()[-1])


def _grid(path: str, label: str) -> float:
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    table = pd.read_csv(path)
    labels = table.pop(label)
    y = (labels == labels.value_counts().index[-1]).to_numpy().astype(int)
    numbers = list(table.select_dtypes("number"))
    codes = [name for name in table if name not in set(numbers)]
    gaps = bool(table[numbers].isna().any(axis=None))
    encode = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median", add_indicator=gaps), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), codes),
    )
    ratio = (y == 0).sum() / y.sum()
    weights = [{0: 1.0, 1: float(ratio**beta)} for beta in np.linspace(0, 1, RATIOS)]
    search = GridSearchCV(
        make_pipeline(encode, LogisticRegression()),
        {"logisticregression__class_weight": weights},
        cv=StratifiedKFold(FOLDS),
        scoring="average_precision",
        refit=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lbfgs reaches its limit of iterations
        began = time.process_time()
        search.fit(table, y)
        return time.process_time() - began


def _small(path: Path) -> Path:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1_500, 6))
    y = rng.random(len(X)) < 1 / (1 + np.exp(3 - X @ np.linspace(0.2, 1, 6)))
    lines = [",".join([*(f"x{j}" for j in range(6)), "y"])]
    lines += [",".join([*(f"{v:.5g}" for v in row), "ill" if ill else "well"]) for row, ill in zip(X, y, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def line(name: str, row: Mapping[str, Any]) -> str:
    beside = f", x{row['times']:.1f} of GridSearchCV's {row['grid_search_s']:.2f} s" if "times" in row else ""
    return f"{name}: {row['cpu_s']:.1f} CPU s, {row['fits']:,} fits{beside}"
