"""steelyard tune: from a table to a verdict, a threshold and a report."""

import inspect
import os
import sys
import time
import typing
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..tuning import request
from . import signals, typed
from .bar import bar
from .counting import read_classes
from .earlier import check_answer
from .output import tell
from .targets import Overwrite, check_folder, check_targets

if TYPE_CHECKING:
    from ..tuning.data.problem import Problem

PAGE = 4.0  # seconds of an idle machine for report.json, report.html and the pictures
BUSIEST = 4.0  # times as slow as that, at most
TABLE = ("group", "time", "classes", "ignore", "missing", "same_case", "drop", "categorical", "weight")
RECORDS = (request.Data, request.Goal, request.Fits, request.Run)


def run(**options: Any) -> None:
    """Compare loss weightings with plain training and a moved threshold, and say what the data can tell.

    Ctrl-C and SIGTERM start no further fit and report what is done, with exit code 130 and 143; a second one ends at once. The
    same command again goes on with the study in its folder, or says that it is complete.

    Example: steelyard tune train.csv --label y --cost-fn 20 --cost-fp 1 --out report
    """
    from .. import marks, report
    from ..tuning import tune
    from ..tuning.data.problem import problem
    from ..tuning.stop import Unfinished, seconds

    began = time.monotonic() - time.process_time()  # with what starting Python took
    if options["budget"] is not None:
        options["budget"] = seconds(options["budget"])
    out, overwrite = options["folder"], options.pop("overwrite")
    check_folder("tune", out)
    files = report.FILES | {"model.json": marks.MODEL}
    check_targets("tune", [(out / name, mark) for name, mark in files.items()], overwrite, below=out)
    _check_storage(options["storage"], out, files)
    if options.pop("resume") and options["fresh"]:
        raise ValueError("tune: --fresh deletes what --resume would go on with; give one of them.")
    options["classes"] = read_classes(options["classes"])
    options["recipes"] = options.pop("recipe") or None
    options |= {
        name: options[name] or None for name in ("ignore", "missing", "drop", "categorical")
    }  # typer gives an empty list for none
    task = problem(*(options.pop(name) for name in ("data", "label", "positive")), **{n: options.pop(n) for n in TABLE})
    tell(_what_was_read(task), _classes_line(task), *(f"NOT USED: {doubt}" for doubt in task.doubts))
    sys.stdout.flush()
    if not options["fresh"]:
        check_answer(out, task)
    if options["budget"] is not None:
        options["budget"] = _left_of(options["budget"], time.monotonic() - began)
    try:
        with bar() as shown, signals.patient():
            study = tune(task, progress=shown.fits, stage=shown.stage, **options)
    except Unfinished as error:
        if error.why not in signals.CODES:
            raise
        tell(f"error: {error}", stream=sys.stderr)
        raise typer.Exit(signals.CODES[error.why]) from None
    document = study.stamped(typed.command())
    answer, unread = report.Report.from_json(document), None
    try:
        paths = report.write_answer(document, out, overwrite=overwrite)
    finally:  # a full disk, or a folder that is gone, does not cost the answer in the terminal
        try:
            tell("")
            report.show(answer)
            sys.stdout.flush()
        except BrokenPipeError as error:  # nor does a terminal that is gone cost the page
            unread = error
    with bar("page"):
        paths += study.write_model(out, overwrite=overwrite)
        paths.append(report.write_page(answer, out, overwrite=overwrite))
    if unread is not None:
        raise unread
    tell(f"\nwritten in {study.seconds:.0f} s: {', '.join(str(path) for path in paths)}")
    if study.refit.unsaved:
        tell(f"no model.json: {study.refit.unsaved}")
    if kept := _kept(**study.fits):
        tell(kept)
    if study.stopped is not None:
        tell("stopped early; the same command goes on")
        raise typer.Exit(signals.CODES.get(study.stopped.why, 0))


def _check_storage(storage: str | None, out: Path, files: "Collection[str]") -> None:
    """Before anything is read: ValueError where fits may not be kept there."""
    if storage is None and not os.path.lexists(out / "study.db"):
        return
    from ..tuning.store import address, ownership

    where = address.address(storage or f"sqlite:///{out / 'study.db'}")
    if where.file is not None and any(where.file == (out / name).absolute() for name in files):
        raise ValueError(f"tune: --storage {where.file} is where the answer goes; give another name.")
    ownership.adopt(where, mark=False)


def _parameters() -> list[inspect.Parameter]:
    """DATA, and a flag for every field that the records annotate with its help; their docstrings name the panels."""
    argument = typer.Argument(metavar="DATA", help="A CSV, TSV, ARFF or Parquet file, a folder or a glob.")
    parameters = [_parameter("data", Annotated[str, argument])]
    for record in RECORDS:
        for name, hint in typing.get_type_hints(record, include_extras=True).items():
            if typing.get_origin(hint) is not Annotated:
                continue
            kind, help = typing.get_args(hint)
            flag, panel, default = f"--{name.replace('_', '-')}", record.__doc__, getattr(record, name)
            if kind is Any or str in typing.get_args(kind):
                kind = str | None  # what else Python takes has no form on a command line
            if name == "label":  # required, and before all panels
                kind, panel, default = str, None, inspect.Parameter.empty
            elif name == "folder":
                flag, kind, default = "--out", Path, Path("steelyard-report")
            option = typer.Option(flag, help=help, rich_help_panel=panel)
            parameters.append(_parameter(name, Annotated[kind, option], default))
    resume = typer.Option("--resume", hidden=True, help="What happens without it, too; scripts may say it.")
    compared = typer.Option(
        "--recipe",
        metavar="WEIGHTING",
        help="What to compare with plain training, in place of the usual weightings: a recipe.json, a strategy such as"
        " 'inverse_frequency(beta=0.5)', or a weight for each class, no=1,yes=20. May stand several times; usual: all of those.",
        rich_help_panel=request.Goal.__doc__,
    )
    return [
        *parameters,
        _parameter("recipe", Annotated[list[str] | None, compared], None),
        _parameter("overwrite", Overwrite, False),
        _parameter("resume", Annotated[bool, resume], False),
    ]


def _parameter(name: str, hint: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)


run.__signature__ = inspect.Signature(_parameters())  # type: ignore[attr-defined]
run.__annotations__ = {p.name: p.annotation for p in run.__signature__.parameters.values()}  # type: ignore[attr-defined]


def _what_was_read(task: "Problem") -> str:
    """Rows, columns used and not used, classes in order, in one line."""
    from ..tuning.weights import effective_rows

    rows, columns = task.read
    used = [column.name for column in task.features.columns]
    parts = [f"read: {rows:,} rows of {task.path}", f"{len(used)} of {columns} columns used ({_some(used)})"]
    parts += [f"{what}: {name}" for what, name in (("group", task.group), ("time", task.time)) if name is not None]
    if task.weights is not None:
        parts.append(f"rows weighted by {task.weight!r} (Kish's effective number {effective_rows(task.weights):,.0f})")
    if task.features.dropped:
        parts.append(f"not used: {_some([f'{name} ({why})' for name, why in task.features.dropped.items()])}")
    classes = _some([f"{i} = {c!r}" for i, c in enumerate(task.counts.classes)])
    parts.append(f"classes of {task.label}: {classes}")
    return "; ".join(" ".join(part.split()) for part in parts)


def _some(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _classes_line(task: "Problem") -> str:
    n = dict(zip(task.counts.classes, task.counts.per_class.tolist(), strict=True))
    if task.positive is not None:
        total = sum(n.values())
        masses = task.masses.prior
        weighted = "" if task.weights is None else f"; {masses[1]:.2%} by weight"
        happened = "".join(f"; {said}" for said in _events(task).values())
        return f"positive class: {task.positive!r} ({n[task.positive]:,} of {total:,} rows, {n[task.positive] / total:.2%}{weighted}{happened})"
    happened = _events(task)
    each = ", ".join(f"{c!r} ({m:,}{f', {happened[c]}' if c in happened else ''})" for c, m in n.items())
    return f"{len(n)} classes, none of them positive: {each}"


def _events(task: "Problem") -> dict[str, str]:
    """{class: "4 events in order of time"}; {} without --time."""
    if task.order is None:
        return {}
    from ..tuning.rarity import in_table

    said = {}
    for c, count in in_table(task.y, task.order, task.groups).items():
        name = task.counts.classes[c]
        of = f" of {name!r}" if task.positive not in (None, name) else ""
        said[name] = f"{count:,} {'event' if count == 1 else 'events'}{of} in order of time"
    return said


def _left_of(budget: float, spent: float) -> float:
    """Seconds for the study: without what was spent and what the page will take on a machine as busy as this one; at least a
    moment, in which fits that are there may answer."""
    busy = min(max(spent / max(time.process_time(), 0.1), 1.0), BUSIEST)
    return max(budget - spent - min(PAGE * busy, budget / 4), 0.001)


def _kept(new: int, reused: int) -> str:
    """What was there of the study already, or ""."""
    if not reused:
        return ""
    if not new:
        return f"the study was complete: its {reused:,} fits were there, and none was made"
    return f"went on with a study: {reused:,} of its {new + reused:,} fits were there"
