"""steelyard count: how many of each class."""

from typing import Annotated

import typer

from .. import marks
from .advice import after_count
from .counting import Counting, counts_data
from .first_line import beside, what_was_read
from .output import Out, announce, class_table, emit, imbalance, notes_on, say, tell
from .targets import Overwrite, check_out


@counts_data
def run(
    counting: Counting,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the counts as JSON, as Counts.load reads them.")
    ] = False,
    out: Out = None,
    overwrite: Overwrite = False,
) -> None:
    """Count how often each class occurs in a table, in masks or in boxes.

    Example: steelyard count train.csv --label y
    """
    mark = marks.COUNTS if as_json else marks.NONE
    check_out("count", out, mark, overwrite, counting.data)
    counts, notes = counting()
    machine = as_json or out is not None
    announce(what_was_read(counts), machine=machine)
    columns = {"no": counts.table[0].astype(int), **counts.also} if "unknown" in counts.also else counts.also
    if as_json:
        emit(counts.to_json(), out, mark, overwrite)
    else:
        emit(class_table(counts, columns) + "\n" + imbalance(counts), out, mark, overwrite)
    say([*beside(notes), *notes_on(counts)], machine=machine)
    if not machine:
        tell(*after_count(counts, counting))
