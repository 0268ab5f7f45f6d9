"""steelyard weigh: what each mistake should weigh, by a strategy of the menu."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .counting import Counting, counts_data
from .open_command import KEY
from .output import Out, class_table, emit, imbalance, remarks, say

if TYPE_CHECKING:
    from ..counts import Counts
    from ..recipe import Recipe

FORMS = "The same for a program"


def form(flag: str, help: str) -> Any:
    """Print the weights as a framework takes them."""
    return typer.Option(flag, help=help, rich_help_panel=FORMS)


@counts_data
def run(
    ctx: typer.Context,
    counting: Counting,
    strategy: Annotated[str, typer.Option("--strategy", help="How to weigh; listed below.")] = "inverse-frequency",
    by: Annotated[
        str | None, typer.Option("--by", help="Weigh by another number that was counted, such as images.")
    ] = None,
    positive: Annotated[str | None, typer.Option("--positive", help="The positive of two classes.")] = None,
    as_json: Annotated[bool, form("--json", "The recipe as JSON, as Recipe.load reads it.")] = False,
    as_torch: Annotated[bool, form("--torch", "Lines to paste into torch.")] = False,
    as_keras: Annotated[bool, form("--keras", "A class_weight for Keras.")] = False,
    as_sklearn: Annotated[bool, form("--sklearn", "A class_weight for scikit-learn.")] = False,
    as_lightgbm: Annotated[bool, form("--lightgbm", "A class_weight for LightGBM.")] = False,
    as_xgboost: Annotated[bool, form("--xgboost", "The weight of each row for XGBoost.")] = False,
    as_ultralytics: Annotated[bool, form("--ultralytics", "A trainer for Ultralytics' YOLO.")] = False,
    as_mmdet: Annotated[bool, form("--mmdet", "A loss for the configs of MMDetection and MMSegmentation.")] = False,
    out: Out = None,
) -> None:
    """Weigh the classes of the data by a strategy, such as --strategy effective-number --beta 0.99."""
    from .configs import FORMS as forms
    from .strategy import build, choose

    flagged = {"json": as_json, "torch": as_torch, "keras": as_keras, "sklearn": as_sklearn, "lightgbm": as_lightgbm}
    flagged |= {"xgboost": as_xgboost, "ultralytics": as_ultralytics, "mmdet": as_mmdet}
    asked = [name for name, on in flagged.items() if on]
    if len(asked) > 1:
        raise ValueError(f"weigh: --{' and --'.join(asked)} are two forms of the same answer; choose one.")
    options, flags = ctx.meta[KEY]
    function = choose(strategy, options, flags)
    counts, notes = counting()
    counts = counts if by is None else counts.by(by)
    if counts.kind == "exclusive" and len(counts) == 1:
        raise ValueError(
            f"weigh: {counts.source} holds one class only, {counts.classes[0]!r} ({counts.items:,} rows), so there is"
            " nothing to weigh it against. Is this the label column?"
        )
    recipe = build(function, options, counts)
    index = positive_class(counts, positive)
    how = " ".join(f"{' × '.join(recipe.source)} of {counts.source}".split())  # one line: it becomes a comment
    if as_json:
        emit(recipe.to_json(), out)
    elif asked:
        emit(forms[asked[0]](recipe, counts, index, how), out)
    else:
        emit(_for_people(recipe, counts, index), out)
    say([*notes, *remarks(counts)], machine=bool(asked) or out is not None)


def positive_class(counts: "Counts", wanted: str | None) -> int | None:
    """The number of the positive class: `wanted`, or the rarer of two; None unless there are two classes."""
    from ..data.labels import some, suggest

    two = counts.kind == "exclusive" and len(counts) == 2
    if wanted is None:
        return int(counts.per_class.argmin()) if two else None
    if wanted not in counts.classes:
        hint = suggest(wanted, counts.classes)
        raise ValueError(f"weigh: --positive {wanted!r} is not a class.{hint} The classes are {some(counts.classes)}.")
    if not two:
        raise ValueError(
            f"weigh: --positive chooses one of two classes, and here there are {len(counts)}; leave it out."
        )
    return counts.classes.index(wanted)


def _for_people(recipe: "Recipe", counts: "Counts", positive: int | None) -> str:
    from .forms import beyond_weights

    lines = [" × ".join(recipe.source)]
    if positive is not None:
        lines.append(f"positive class: {counts.classes[positive]!r}")
    if beyond_weights(recipe) is None:
        lines.append(class_table(counts, {"weight": recipe.label_weights()}))
        return "\n".join([*lines, imbalance(counts), "--torch, --json and others (--help) give it for a program."])
    if recipe.weight is not None and recipe.kind == "multilabel":
        import numpy as np

        no, yes = np.broadcast_to(recipe.weight.numpy(), (2, len(counts)))
        lines.append(class_table(counts, {"weight of no": no, "weight of yes": yes}))
    else:
        lines.append(class_table(counts, {}))
    told = f"This is more than class weights: {beyond_weights(recipe)}."
    return "\n".join([*lines, imbalance(counts), told, repr(recipe), "--torch or --json give it for a program."])
