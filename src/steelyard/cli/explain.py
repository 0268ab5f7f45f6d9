"""steelyard explain: what a recipe will do to these data, before anything is trained."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .shared import Data, Label, Out, emit, one_or_many, remarks, say

if TYPE_CHECKING:
    from ..counts import Counts


def run(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe saved as JSON, by weigh --json or tune.")],
    data: Data,
    label: Label = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write every number as JSON.")] = False,
    out: Out = None,
) -> None:
    """Say what a recipe does to the classes of a column: weights, shares of the loss, implied prior, and warnings.

    DATA may also be counts as `steelyard count --json` writes them.
    """
    import json

    from ..explain import explain
    from ..recipe import Recipe

    loaded = Recipe.load(recipe)
    counts, notes = _counts(data, label)
    found = explain(loaded, counts)
    emit(json.dumps(found.to_dict(), indent=1, allow_nan=False) if as_json else str(found), out)
    say([*notes, *remarks(counts)], machine=as_json or out is not None)


def _counts(data: str, label: list[str] | None) -> tuple["Counts", list[str]]:
    if label is None and data.lower().endswith(".json"):
        from ..counts import Counts

        return Counts.load(data), []
    from ..data import count_path

    return count_path(data, one_or_many(label))
