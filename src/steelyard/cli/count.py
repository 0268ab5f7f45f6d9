"""steelyard count: how many of each class."""

from typing import Annotated

import typer

from .counting import Counting, counts_data
from .output import Out, class_table, emit, imbalance, notes_on, say


@counts_data
def run(
    counting: Counting,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the counts as JSON, as Counts.load reads them.")
    ] = False,
    out: Out = None,
) -> None:
    """Count how often each class occurs in a table, in masks or in boxes."""
    counts, notes = counting()
    if as_json:
        emit(counts.to_json(), out)
    else:
        emit(class_table(counts, counts.also) + "\n" + imbalance(counts), out)
    say([*notes, *notes_on(counts)], machine=as_json or out is not None)
