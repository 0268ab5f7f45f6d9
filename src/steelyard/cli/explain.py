"""steelyard explain: what a recipe will do to these data, before anything is trained."""

from pathlib import Path
from typing import Annotated

import typer

from .counting import Counting, counts_data
from .output import Out, emit, notes_on, say


@counts_data
def run(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe saved as JSON, by weigh --json or tune.")],
    counting: Counting,
    as_json: Annotated[bool, typer.Option("--json", help="Write every number as JSON.")] = False,
    out: Out = None,
) -> None:
    """Say what a recipe does to the classes of the data: weights, shares of the loss, implied prior, and warnings."""
    import json

    from ..explain.summary import explain
    from ..recipe import Recipe

    loaded = Recipe.load(recipe)
    counts, notes = counting()
    explanation = explain(loaded, counts)
    emit(json.dumps(explanation.to_dict(), indent=1, allow_nan=False) if as_json else str(explanation), out)
    say([*notes, *notes_on(counts)], machine=as_json or out is not None)
