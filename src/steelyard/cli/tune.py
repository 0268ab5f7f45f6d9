"""steelyard tune: from a table to a verdict, a threshold and a report."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import check_folder

if TYPE_CHECKING:
    from ..tuning.data.problem import Problem

DATA, JUDGING, FITS, MACHINES = "The data", "What decides", "The fits", "Time and machines"


def run(
    data: Annotated[str, typer.Argument(metavar="DATA", help="A CSV, TSV, ARFF or Parquet file, a folder or a glob.")],
    label: Annotated[str, typer.Option("--label", help="The label column: its name, or its number (-1 is the last).")],
    positive: Annotated[
        str | None,
        typer.Option(
            "--positive", help="The positive of two classes; the rarer one unless said.", rich_help_panel=DATA
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group", help="Column whose equal values stay together, such as a patient.", rich_help_panel=DATA
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            "--time",
            help="Column to order the rows by: nothing is learned from what comes later.",
            rich_help_panel=DATA,
        ),
    ] = None,
    gap: Annotated[
        int, typer.Option("--gap", help="With --time: rows whose label is not known yet.", rich_help_panel=DATA)
    ] = 0,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            help="What alone decides: average_precision (two classes), roc_auc, balanced_accuracy (more), f1, macro_f1, mcc,"
            " log_loss, brier, expected_cost, recall_at_capacity.",
            rich_help_panel=JUDGING,
        ),
    ] = None,
    cost_fn: Annotated[
        float | None, typer.Option("--cost-fn", help="Cost of a missed positive.", rich_help_panel=JUDGING)
    ] = None,
    cost_fp: Annotated[
        float | None, typer.Option("--cost-fp", help="Cost of a false alarm.", rich_help_panel=JUDGING)
    ] = None,
    cost_matrix: Annotated[
        str | None,
        typer.Option(
            "--cost-matrix",
            help="Costs, rows = truth, columns = decision: '0,1;5,0' in the order of the classes, or a CSV file.",
            rich_help_panel=JUDGING,
        ),
    ] = None,
    exchange: Annotated[
        float | None,
        typer.Option(
            "--exchange", help="False alarms you would accept for one more positive found.", rich_help_panel=JUDGING
        ),
    ] = None,
    capacity: Annotated[
        str | None,
        typer.Option(
            "--capacity", help="How many rows can be checked, as 200/10000: 200 of 10,000.", rich_help_panel=JUDGING
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            help="linear, mlp, boosting, lightgbm, or a scikit-learn classifier such as sklearn.naive_bayes.GaussianNB.",
            rich_help_panel=FITS,
        ),
    ] = "linear",
    search: Annotated[
        int,
        typer.Option(
            "--search", help="Further values to try around the best strategy of the grid.", rich_help_panel=FITS
        ),
    ] = 0,
    folds: Annotated[int, typer.Option("--folds", help="Folds of each cross-validation.", rich_help_panel=FITS)] = 5,
    repeats: Annotated[
        int | None,
        typer.Option(
            "--repeats",
            help="Cross-validations, each with other folds; 5 unless said, 3 above 50,000 rows.",
            rich_help_panel=FITS,
        ),
    ] = None,
    bootstrap: Annotated[
        int | None,
        typer.Option(
            "--bootstrap",
            help="Draws of rows behind the intervals; 1000 unless said, 400 above 50,000 rows.",
            rich_help_panel=FITS,
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of folds and bootstrap draws.", rich_help_panel=FITS)] = 0,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            help="Folder for report.html, report.json, recipe.json and study.db.",
            rich_help_panel=MACHINES,
        ),
    ] = Path("steelyard-report"),
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the study in the folder; finished fits are not repeated.",
            rich_help_panel=MACHINES,
        ),
    ] = False,
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget",
            help="Start no fit after this time, such as 10m, and report what is done.",
            rich_help_panel=MACHINES,
        ),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            help="Where finished fits are kept: sqlite:///FILE or postgresql://HOST/NAME, for many machines; study.db in the"
            " folder unless said.",
            rich_help_panel=MACHINES,
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", help="Where fits run: local or ray.", rich_help_panel=MACHINES)
    ] = "local",
) -> None:
    """Compare loss weightings with plain training and a moved threshold, and say what the data can tell.

    Ctrl-C starts no further fit and reports what is done; --resume goes on later.
    """
    from .. import report
    from ..tuning import tune
    from ..tuning.data.problem import problem

    check_folder("tune", out)
    task = problem(data, label, positive, group=group, time=time)
    print(_first_line(task), flush=True)
    with _bar() as progress:
        study = tune(
            task,
            metric=metric,
            cost_fn=cost_fn,
            cost_fp=cost_fp,
            cost_matrix=cost_matrix,
            exchange=exchange,
            capacity=capacity,
            gap=gap,
            seed=seed,
            folds=folds,
            repeats=repeats,
            bootstrap=bootstrap,
            model=model,
            search=search,
            folder=out,
            storage=storage,
            resume=resume,
            budget=budget,
            engine=engine,
            progress=progress,
        )
    document = study.to_dict()
    paths = report.write(document, out)
    print()
    report.show(report.Report.from_json(document))
    print(f"\nwritten in {study.seconds:.0f} s: {', '.join(str(path) for path in paths)}")
    if study.stopped is not None:
        print("stopped early; the same command with --resume goes on")


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
