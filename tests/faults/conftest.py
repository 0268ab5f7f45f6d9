"""Commands as a shell has them: processes of their own, with limits, signals and pipes."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import warm

QUICK = ("--repeats", "1", "--folds", "3", "--bootstrap", "100")


def write_table(path: Path, classes: Sequence[str], columns: Sequence[str] = ("a", "b", "y"), rows: int = 150) -> Path:
    """Two columns of numbers that say something of the label, and the label."""
    rng = np.random.default_rng(0)
    y = rng.choice(len(classes), rows, p=[0.7] + [0.3 / (len(classes) - 1)] * (len(classes) - 1))
    x = rng.normal(size=(rows, 2)) + y[:, None]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows([f"{a:.3f}", f"{b:.3f}", classes[c]] for (a, b), c in zip(x, y, strict=True))
    return path


def start(*arguments: Any, environment: dict[str, str] | None = None, **options: Any) -> warm.Command:
    """One command, which is forked (tests/warm.py), and its pipes."""
    told = {**os.environ, "STEELYARD_DEBUG": "0", **(environment or {})}
    return warm.start(*arguments, environment=told, **{"stdout": warm.PIPE, "stderr": warm.PIPE, **options})


def begin(*arguments: Any, environment: dict[str, str] | None = None, **options: Any) -> subprocess.Popen:
    """The same, started as a shell does it: where an import is what is tried."""
    told = {**os.environ, "STEELYARD_DEBUG": "0", **(environment or {})}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([sys.executable, "-m", "steelyard", *map(str, arguments)], env=told, **pipes)


@pytest.fixture
def shell():
    """(exit code, stdout, stderr) of one command."""

    def call(*arguments: Any, by: Callable[..., Any] = start, **options: Any) -> tuple[int, str, str]:
        process = by(*arguments, **options)
        out, err = process.communicate(timeout=300)
        return process.returncode, (out or b"").decode(), (err or b"").decode()

    return call
