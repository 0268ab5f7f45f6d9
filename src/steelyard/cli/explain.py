"""steelyard explain: what a recipe will do to these data, before anything is trained."""

from pathlib import Path
from typing import Annotated

import typer

from .. import marks
from .counting import Counting, counts_data
from .first_line import beside, what_was_read
from .output import Out, announce, emit, notes_on, say
from .targets import Overwrite, check_out

FORMAT = "steelyard.explanation/1"


@counts_data
def run(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE", help="A recipe saved as JSON, by weigh --to json or tune.")
    ],
    counting: Counting,
    as_json: Annotated[bool, typer.Option("--json", help="Write every number as JSON.")] = False,
    out: Out = None,
    overwrite: Overwrite = False,
) -> None:
    """Say what a recipe does to the classes of the data: weights, shares of the loss, implied prior, and warnings.

    Example: steelyard explain recipe.json train.csv --label y
    """
    import json

    from ..class_order import in_order
    from ..explain.summary import explain
    from ..recipe import Recipe

    mark = marks.EXPLANATION if as_json else marks.NONE
    check_out("explain", out, mark, overwrite, recipe, counting.data)
    loaded = Recipe.load(recipe)
    counts, notes = counting()
    machine = as_json or out is not None
    if loaded.classes is not None and set(loaded.classes) == set(counts.classes):
        loaded = in_order(loaded, counts.classes)  # tune puts the positive of two classes last
    explanation = explain(loaded, counts)
    announce(what_was_read(counts), machine=machine)
    data = {"format": FORMAT, **explanation.to_dict()}
    emit(json.dumps(data, indent=1, allow_nan=False) if as_json else str(explanation), out, mark, overwrite)
    say([*beside(notes), *notes_on(counts)], machine=machine)
