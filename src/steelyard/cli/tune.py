"""steelyard tune: from a table to a verdict, a threshold and a report."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .shared import Data

if TYPE_CHECKING:
    from ..tuning.problem import Problem


def run(
    data: Data,
    label: Annotated[str, typer.Option("--label", help="The label column: its name, or its number (-1 is the last).")],
    positive: Annotated[
        str | None, typer.Option("--positive", help="The positive of two classes; the rarer one unless said.")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            help="What alone decides: average_precision (two classes), roc_auc, balanced_accuracy (more), f1, macro_f1, mcc,"
            " log_loss, brier, expected_cost.",
        ),
    ] = None,
    cost_fn: Annotated[float | None, typer.Option("--cost-fn", help="Cost of a missed positive.")] = None,
    cost_fp: Annotated[float | None, typer.Option("--cost-fp", help="Cost of a false alarm.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for report.html, report.json and recipe.json.")] = Path(
        "steelyard-report"
    ),
    seed: Annotated[int, typer.Option("--seed", help="Of folds and bootstrap draws.")] = 0,
    folds: Annotated[int, typer.Option("--folds", help="Folds of each cross-validation.")] = 5,
    repeats: Annotated[int, typer.Option("--repeats", help="Cross-validations, each with other folds.")] = 5,
    bootstrap: Annotated[int, typer.Option("--bootstrap", help="Draws of rows behind the intervals.")] = 1000,
    model: Annotated[str, typer.Option("--model", help="What is trained: linear.")] = "linear",
) -> None:
    """Compare loss weightings with plain training and a moved threshold, and say what the data can tell."""
    from .. import report
    from ..tuning import tune
    from ..tuning.metrics import metric as known
    from ..tuning.problem import problem

    check_folder(out)
    task = problem(data, label, positive)
    known(metric, task.classes, cost_fn, cost_fp)
    print(_first_line(task), flush=True)
    with _bar() as progress:
        study = tune(
            task,
            label=label,
            metric=metric,
            cost_fn=cost_fn,
            cost_fp=cost_fp,
            seed=seed,
            folds=folds,
            repeats=repeats,
            bootstrap=bootstrap,
            model=model,
            progress=progress,
        )
    found = study.to_dict()
    paths = report.write(found, out)
    print()
    report.show(found)
    print(f"\nwritten in {study.seconds:.0f} s: {', '.join(str(path) for path in paths)}")


def check_folder(folder: Path) -> None:
    """ValueError, before anything is computed, unless files can be written into this folder or it can be made."""
    existing = next(p for p in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(p))
    if not existing.is_dir():
        raise ValueError(f"tune: --out {folder}: {existing} is a file, not a folder; choose another folder.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ValueError(f"tune: --out {folder}: {existing} cannot be written to; choose another folder.")
    try:
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        raise ValueError(f"tune: --out {folder}: {existing} cannot be written to ({error.strerror}).") from None


def _first_line(task: "Problem") -> str:
    n = dict(zip(task.counts.classes, task.counts.per_class.tolist(), strict=True))
    if task.positive is not None:
        total = sum(n.values())
        return f"positive class: {task.positive!r} ({n[task.positive]:,} of {total:,} rows, {n[task.positive] / total:.2%})"
    return f"{len(n)} classes, none of them positive: " + ", ".join(f"{c!r} ({m:,})" for c, m in n.items())


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr where that is a terminal; the last stretch, after the fits, is the bootstrap."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        fits = progress.add_task("fitting", total=None)

        def update(done: int, total: int) -> None:
            progress.update(fits, completed=done, total=total, description="fitting" if done < total else "comparing")

        yield update
