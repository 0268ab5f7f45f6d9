"""steelyard predict: a study's final model on new rows."""

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import Out, some, tell
from .targets import Overwrite, check_out

if TYPE_CHECKING:
    from ..tuning.final import FinalModel


def run(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that tune wrote, or its model.json.")],
    data: Annotated[str, typer.Argument(metavar="NEW", help="A CSV, TSV, ARFF or Parquet file, a folder or a glob.")],
    keep: Annotated[
        list[str] | None, typer.Option(help="A column of NEW to write beside its row, such as an id.")
    ] = None,
    trust: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE,...",
            help="Types that a saved scikit-learn classifier may hold beside scikit-learn's own; their code is run.",
        ),
    ] = None,
    out: Out = None,
    overwrite: Overwrite = False,
) -> None:
    """Probabilities of every class, weights undone, and the decision for each row of NEW, in their order, as CSV.

    NEW needs the columns that the study learned from, under their names and in any order; others are left alone. What is read
    otherwise than in the study, such as a level that it did not have, is said on stderr, and changes no other row.

    Example: steelyard predict report new.csv --out scored.csv
    """
    import numpy as np

    from .. import marks
    from ..data.alike import names_alike
    from ..data.column_names import find_column
    from ..data.tables import column_names, read_table
    from ..files import write_text_atomically
    from ..tuning.final import NAME, FinalModel

    model = FinalModel.load(folder, trusted=[name.strip() for name in (trust or "").split(",") if name.strip()])
    if model.columns is None:
        raise ValueError(
            f"predict: {model.model} of {folder} was given its rows by your own code, and no table says how they were made; in Python"
            f" FinalModel.load({str(folder)!r}).predict_proba(X) takes such rows."
        )
    titles = [*(f"p_{name}" for name in model.classes), "decision"]
    if out is not None and out.suffix.lower() != ".csv":
        raise ValueError(f"predict: --out {out}: what is written is CSV; give a name that ends in .csv.")
    names, read = column_names(data), set(model.columns.names)
    carried = [find_column(names, name, data) for name in keep or []]
    wanted = [name for name in names if name in read or name in carried]
    whole = not read <= set(names)  # then it is refused, with all its names
    table = read_table(data, columns=None if whole else wanted)
    kept = {name: names_alike(table.columns[name]).to_pylist() for name in carried}
    if twice := [name for name in kept if name in titles]:
        raise ValueError(f"predict: --keep {twice[0]} is the name of a column that is written; rename it.")
    titles = [*kept, *titles]
    head = _line(titles)
    mark = marks.first_line("such a table of steelyard predict", head)
    check_out("predict", out, mark, overwrite, data, folder / NAME if folder.is_dir() else folder)
    p, decided, notes = model.score(table)
    others = [name for name in names if name not in read | {model.label}]
    tell(
        _summary(model, table, decided, others),
        *(f"note: {note}." for note in [*table.repaired, *notes]),
        stream=sys.stderr,
    )
    said = np.array(model.classes, dtype=object)[decided].tolist()
    text = head + _lines(zip(*kept.values(), *(map(repr, column) for column in p.T.tolist()), said, strict=True))
    if out is None:
        sys.stdout.write(text)
        return
    tell(f"written to {write_text_atomically(out, text, mark, overwrite=overwrite)}", stream=sys.stderr)


def _summary(model: "FinalModel", table: Any, decided: Any, others: Sequence[str]) -> str:
    """What was scored by what, and what came out, in one line."""
    import numpy as np

    times = np.bincount(decided, minlength=len(model.classes)).tolist()
    if isinstance(model.threshold, tuple):
        each = [f"{c!r} by {f:.4g}" for c, f in zip(model.classes, model.threshold, strict=True) if f != 1]
        cut = f"probabilities divided before deciding: {some(each) if each else 'none'}"
    else:
        cut = f"threshold {model.threshold:.4g}"
    parts = [
        f"read: {table.rows:,} rows of {table.path}",
        f"model: {model.model}, weighting {model.arm}, {cut}",
        f"decided for {model.label}: {some([f'{c!r} {n:,}' for c, n in zip(model.classes, times, strict=True)])}",
    ]
    return "; ".join([*parts, *([f"columns that the study did not use: {some(others)}"] if others else [])])


def _line(cells: Sequence[str]) -> str:
    return _lines([cells])


def _lines(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
