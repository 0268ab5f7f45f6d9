"""steelyard count: how many of each class."""

from typing import Annotated

import typer

from .shared import Data, Label, Out, class_table, emit, imbalance, one_or_many, remarks, say


def run(
    data: Data,
    label: Label = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the counts as JSON, as Counts.load reads them.")
    ] = False,
    out: Out = None,
) -> None:
    """Count how often each class occurs in a column of a table."""
    from ..data import count_path

    counts, notes = count_path(data, one_or_many(label))
    if as_json:
        emit(counts.to_json(), out)
    else:
        emit(class_table(counts, {}) + "\n" + imbalance(counts), out)
    say([*notes, *remarks(counts)], machine=as_json or out is not None)
