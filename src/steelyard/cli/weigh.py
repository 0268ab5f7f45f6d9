"""steelyard weigh: what each mistake should weigh, by a strategy of the menu."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .. import marks
from .advice import advice
from .counting import Counting, counts_data
from .first_line import beside, what_was_read
from .open_command import KEY, did_you_mean
from .output import Out, announce, class_table, emit, imbalance, notes_on, say
from .strategies import assign, choose, mixed
from .targets import Overwrite, check_out

if TYPE_CHECKING:
    from ..counts import Counts
    from ..recipe import Recipe

DEFAULT = "inverse-frequency"
TARGETS = ("torch", "keras", "sklearn", "lightgbm", "xgboost", "ultralytics", "mmdet", "monai", "nnunet", "json")


def form(flag: str, help: str) -> Any:
    """What `--to` says, as a flag of its own; scripts may have it."""
    return typer.Option(flag, help=help, hidden=True)


@counts_data
def run(
    ctx: typer.Context,
    counting: Counting,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy",
            help=f"How to weigh; listed below. Several are mixed, each with the options behind it. [default: {DEFAULT}]",
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help=f"Print it for a program: {', '.join(TARGETS)}.", metavar="PROGRAM")
    ] = None,
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
    as_monai: Annotated[bool, form("--monai", "A DiceCELoss for MONAI.")] = False,
    as_nnunet: Annotated[bool, form("--nnunet", "A trainer for nnU-Net.")] = False,
    out: Out = None,
    overwrite: Overwrite = False,
) -> None:
    """Weigh the classes of the data by one strategy or several, and say what that does.

    Example: steelyard weigh train.csv --label y --strategy effective-number --beta 0.99 --strategy focal --gamma 2 --to torch
    """
    from .forms import FORMS as forms
    from .lines import Answer, ignored_values

    flagged = {"json": as_json, "torch": as_torch, "keras": as_keras, "sklearn": as_sklearn, "lightgbm": as_lightgbm}
    flagged |= {"xgboost": as_xgboost, "ultralytics": as_ultralytics, "mmdet": as_mmdet}
    flagged |= {"monai": as_monai, "nnunet": as_nnunet}
    asked = _asked(to, [name for name, on in flagged.items() if on])
    taken, flags = ctx.meta[KEY]
    functions = [choose(name) for name in strategy or [DEFAULT]]
    options = assign(functions, taken, flags)
    mark = marks.RECIPE if asked == "json" else marks.NONE
    check_out("weigh", out, mark, overwrite, counting.data)
    counts, notes = counting()
    counts = counts if by is None else counts.by(by)
    if counts.kind == "exclusive" and len(counts) == 1:
        raise ValueError(
            f"weigh: {counts.source} holds one class only, {counts.classes[0]!r} ({counts.items:,} rows), so there is"
            " nothing to weigh it against. Is this the label column?"
        )
    recipe = mixed(functions, options, counts)
    index = positive_class(counts, positive)
    machine = asked is not None or out is not None
    announce(what_was_read(counts), machine=machine)
    how = " ".join(f"{' × '.join(recipe.source)} of {counts.source}".split())  # one line: it becomes a comment
    if asked == "json":
        emit(recipe.to_json(), out, mark, overwrite)
    elif asked is not None:
        emit(
            forms[asked](Answer(recipe, counts, index, how, ignored_values(counts, counting.ignore))),
            out,
            mark,
            overwrite,
        )
    else:
        emit(
            "\n".join([_for_people(recipe, counts, index), *advice(recipe, counts, index, counting)]),
            out,
            mark,
            overwrite,
        )
    say([*beside(notes), *notes_on(counts, recipe)], machine=machine)


def _asked(to: str | None, flagged: Sequence[str]) -> str | None:
    """The form that is asked for, by --to or by a flag of its own; None for people."""
    if to is not None:
        key = to.strip().lower().replace("scikit-learn", "sklearn").replace("pytorch", "torch")
        if key not in TARGETS:
            raise ValueError(
                f"weigh: --to {to!r} is unknown.{did_you_mean(key, TARGETS, '--to {}')} It takes {', '.join(TARGETS)}."
            )
        flagged = [key, *(name for name in flagged if name != key)]
    if len(flagged) > 1:
        raise ValueError(f"weigh: {' and '.join(flagged)} are two forms of the same answer; choose one.")
    return flagged[0] if flagged else None


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
    from ..explain.class_weights import beyond_weights

    lines = [" × ".join(recipe.source)]
    if positive is not None:
        lines.append(f"positive class: {counts.classes[positive]!r}")
    if beyond_weights(recipe) is None:
        lines.append(class_table(counts, {"weight": recipe.label_weights()}))
        return "\n".join(
            [*lines, imbalance(counts), "--to torch, --to json and others (--help) give it for a program."]
        )
    if recipe.weight is not None and recipe.kind == "multilabel":
        import numpy as np

        no, yes = np.broadcast_to(recipe.weight.numpy(), (2, len(counts)))
        lines.append(class_table(counts, {"weight of no": no, "weight of yes": yes}))
    else:
        lines.append(class_table(counts, {}))
    beyond = f"This is more than class weights: {beyond_weights(recipe)}."
    return "\n".join(
        [*lines, imbalance(counts), beyond, repr(recipe), "--to torch or --to json give it for a program."]
    )
