"""steelyard weigh: what each mistake should weigh, by a strategy of the menu."""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .. import marks
from .counting import Counting, counts_data
from .first_line import beside, what_was_read
from .open_command import KEY, did_you_mean, flag_of, unknown_option, value_of
from .output import Out, announce, class_table, emit, imbalance, notes_on, say
from .targets import Overwrite, check_out

if TYPE_CHECKING:
    from ..counts import Counts
    from ..options import Spec
    from ..recipe import Recipe

FROM_DATA = ("counts", "classes", "kind")  # what an ingredient may need and the data already says
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
    as_monai: Annotated[bool, form("--monai", "A DiceCELoss for MONAI.")] = False,
    as_nnunet: Annotated[bool, form("--nnunet", "A trainer for nnU-Net.")] = False,
    out: Out = None,
    overwrite: Overwrite = False,
) -> None:
    """Weigh the classes of the data by a strategy, such as --strategy effective-number --beta 0.99."""
    from .forms import FORMS as forms
    from .lines import Answer, ignored_values

    flagged = {"json": as_json, "torch": as_torch, "keras": as_keras, "sklearn": as_sklearn, "lightgbm": as_lightgbm}
    flagged |= {"xgboost": as_xgboost, "ultralytics": as_ultralytics, "mmdet": as_mmdet}
    flagged |= {"monai": as_monai, "nnunet": as_nnunet}
    asked = [name for name, on in flagged.items() if on]
    if len(asked) > 1:
        raise ValueError(f"weigh: --{' and --'.join(asked)} are two forms of the same answer; choose one.")
    options, flags = ctx.meta[KEY]
    function = choose(strategy, options, flags)
    mark = marks.RECIPE if as_json else marks.NONE
    check_out("weigh", out, mark, overwrite, counting.data)
    counts, notes = counting()
    counts = counts if by is None else counts.by(by)
    if counts.kind == "exclusive" and len(counts) == 1:
        raise ValueError(
            f"weigh: {counts.source} holds one class only, {counts.classes[0]!r} ({counts.items:,} rows), so there is"
            " nothing to weigh it against. Is this the label column?"
        )
    recipe = build(function, options, counts)
    index = positive_class(counts, positive)
    machine = bool(asked) or out is not None
    announce(what_was_read(counts), machine=machine)
    how = " ".join(f"{' × '.join(recipe.source)} of {counts.source}".split())  # one line: it becomes a comment
    if as_json:
        emit(recipe.to_json(), out, mark, overwrite)
    elif asked:
        emit(
            forms[asked[0]](Answer(recipe, counts, index, how, ignored_values(counts, counting.ignore))),
            out,
            mark,
            overwrite,
        )
    else:
        emit(_for_people(recipe, counts, index), out, mark, overwrite)
    say([*beside(notes), *notes_on(counts, recipe)], machine=machine)


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
        return "\n".join([*lines, imbalance(counts), "--torch, --json and others (--help) give it for a program."])
    if recipe.weight is not None and recipe.kind == "multilabel":
        import numpy as np

        no, yes = np.broadcast_to(recipe.weight.numpy(), (2, len(counts)))
        lines.append(class_table(counts, {"weight of no": no, "weight of yes": yes}))
    else:
        lines.append(class_table(counts, {}))
    beyond = f"This is more than class weights: {beyond_weights(recipe)}."
    return "\n".join([*lines, imbalance(counts), beyond, repr(recipe), "--torch or --json give it for a program."])


def choose(name: str, options: Mapping[str, str], flags: set[str]) -> Callable[..., "Recipe"]:
    """The ingredient of that name. ValueError, with the nearest name, if it does not exist or takes no such option."""
    from ..ingredients import menu

    known = menu()
    if name not in known:
        hint = did_you_mean(flag_of(name), list(known), "{!r}")
        raise ValueError(f"weigh: there is no strategy {name!r}.{hint} The strategies are {', '.join(known)}.")
    takes = [p for p in inspect.signature(known[name]).parameters if p not in FROM_DATA]
    for option in options:
        if option not in takes:
            raise ValueError(unknown_option(name, option, takes, flags))
    return known[name]


def build(function: Callable[..., "Recipe"], options: Mapping[str, str], counts: "Counts") -> "Recipe":
    """The Recipe of an ingredient. ValueError, in its own words, for values outside its domain."""
    spec: Spec = function.spec  # type: ignore[attr-defined]
    takes = inspect.signature(function).parameters
    from_data: dict[str, Any] = {"counts": counts, "classes": counts.classes, "kind": counts.kind}
    values = {n: v for n, v in from_data.items() if n in takes} | {n: value_of(text) for n, text in options.items()}
    missing = [p.name for p in takes.values() if p.default is p.empty and p.name not in values]
    if missing:
        raise ValueError(f"{spec.cli_name}: --{flag_of(missing[0])} is needed: {_example(missing[0], counts)}.")
    try:
        recipe = function(**values)
    except TypeError as error:
        raise ValueError(str(error)) from None
    rows = 1 if recipe.weight is None else recipe.weight.shape[0]
    labels = 2 if counts.kind == "multilabel" else len(counts)
    if rows not in (1, labels):
        raise ValueError(f"{spec.cli_name}: {rows} weights were given for {labels} classes; give one for each.")
    return recipe


def listing() -> str:
    """One line for each strategy: its name, its options with their ranges, and what it does."""
    from ..ingredients import menu

    return "\n".join(_line(function) for function in menu().values())


def _line(function: Callable[..., Any]) -> str:
    spec: Spec = function.spec  # type: ignore[attr-defined]
    takes = inspect.signature(function).parameters
    names = [n for n in takes if n not in FROM_DATA]
    rules = {n: spec.options[n].rule if n in spec.options else None for n in names}
    options = ", ".join(
        f"--{flag_of(n)}" + (f" {str(rule).removeprefix('in ')}" if rule else "") for n, rule in rules.items()
    )
    return f"{spec.cli_name}{': ' + options if options else ''}\n    {spec.summary}"


def _example(name: str, counts: "Counts") -> str:
    if name == "matrix":
        size = len(counts)
        rows = [[0 if i == j else 1 for j in range(min(size, 3))] for i in range(min(size, 3))]
        return f"the cost of each answer (column) for each class (row), such as --matrix '{json.dumps(rows)}'"
    if name == "prior":
        share = ",".join(f"{1 / len(counts):.3g}" for _ in counts.classes[:4])
        return f"the share of each class ({', '.join(counts.classes[:4])}) where the model will be used, such as --prior {share}"
    return f"such as --{flag_of(name)} 0.1"
