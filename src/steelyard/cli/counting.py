"""DATA and the options that say how it is counted, the same for every command that counts."""

import dataclasses
import functools
import inspect
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..counts import Counts

PANEL = "Counting"


@dataclasses.dataclass(frozen=True)
class Counting:
    """What is asked for. Called, it counts: (counts, notes); it raises what is wrong with the data."""

    options: dict[str, Any]

    @property
    def ignore(self) -> list[str]:
        return self.options["ignore"] or []

    @property
    def data(self) -> str:
        return self.options["data"]

    def __call__(self) -> "tuple[Counts, list[str]]":
        return _count(self.options)


def _option(help: str, *flags: str) -> Any:
    return typer.Option(*flags, help=help, rich_help_panel=PANEL)


def counts_data(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command DATA and the options below in the place of its argument `counting`, which is then a function.

    It counts when it is called, so a command can check its own options first.
    """

    @functools.wraps(command)
    def run(**given: Any) -> None:
        options = {name: given.pop(name) for name in OPTIONS}
        command(counting=Counting(options), **given)

    signature = inspect.signature(command, eval_str=False)
    own = [p for p in signature.parameters.values() if p.name != "counting"]
    hints = {p.name: p.annotation for p in own} | {name: hint for name, (hint, _) in OPTIONS.items()}
    keyword = inspect.Parameter.KEYWORD_ONLY
    first = [p.replace(kind=keyword) for p in own if p.default is p.empty]
    rest = [p.replace(kind=keyword) for p in own if p.default is not p.empty]
    ours = [inspect.Parameter(n, keyword, default=d, annotation=h) for n, (h, d) in OPTIONS.items()]
    run.__signature__ = inspect.Signature([*first, *ours, *rest])  # type: ignore[attr-defined]
    run.__annotations__ = hints
    del run.__wrapped__  # type: ignore[attr-defined]  # typer would read the annotations of the command behind it
    return run


OPTIONS: dict[str, tuple[Any, Any]] = {
    "data": (
        Annotated[
            str,
            typer.Argument(
                metavar="DATA",
                help="A table (CSV, TSV, ARFF, Parquet), masks (PNG, TIFF, NPY, NIfTI, NRRD), boxes (COCO's .json, a folder of VOC's .xml,"
                " YOLO's data.yaml), or counts as `count --json` writes them; a file, a folder or a glob.",
            ),
        ],
        inspect.Parameter.empty,
    ),
    "label": (
        Annotated[
            list[str] | None,
            _option("The label column of a table: its name, or its number (-1 is the last). Several, or a pattern such as 'tag_*': multi-label.", "--label"),
        ],
        None,
    ),
    "classes": (
        Annotated[
            str | None,
            _option("Names of the classes, in their order, between commas; or by value or index: 0=road,255=void.", "--classes"),
        ],
        None,
    ),
    "ignore": (Annotated[list[str] | None, _option("A label or a mask's value that does not count, such as 255.", "--ignore")], None),
    "missing": (
        Annotated[
            list[str] | None,
            _option("Tables: text that stands for no label, instead of ?, NA, null and their like; none: no text does.", "--missing"),
        ],
        None,
    ),
    "same_case": (
        Annotated[
            bool, _option("Tables: labels that differ by case, blanks, a final dot or .0 are one class.", "--same-case")
        ],
        False,
    ),
    "separator": (
        Annotated[str | None, _option("Tables: what stands between several labels in one cell, such as '|'.", "--separator")],
        None,
    ),
    "kind": (
        Annotated[
            str | None,
            _option(
                "Of lists, of cells with a --separator, of tagged text: exclusive counts every element (tags of tokens), multilabel each label"
                " once in a row.",
                "--kind",
            ),
        ],
        None,
    ),
    "instances": (
        Annotated[
            str | None,
            _option(
                "Masks number objects: 'objects' (0 is background), or the divisor of numbers such as 26003 (1000: class 26).",
                "--instances",
            ),
        ],
        None,
    ),
    "split": (Annotated[str | None, _option("Of VOC and YOLO: train (YOLO's default), val, test or all.", "--split")], None),
    "on_error": (
        Annotated[
            str, _option("Where a file cannot be read: 'raise' stops, 'report' counts the rest and names it.", "--on-error")
        ],
        "raise",
    ),
    "engine": (Annotated[str, _option("local, or ray: files are read by the tasks of a Ray cluster.", "--engine")], "local"),
}  # fmt: skip


def _count(options: dict[str, Any]) -> "tuple[Counts, list[str]]":
    from ..data import count_path

    label = options["label"]
    return count_path(
        options["data"],
        None if not label else label[0] if len(label) == 1 else label,
        classes=read_classes(options["classes"]),
        ignore=options["ignore"] or None,
        missing=options["missing"] or None,
        same_case=options["same_case"],
        separator=options["separator"],
        kind=options["kind"],
        instances=options["instances"],
        split=options["split"],
        on_error=options["on_error"],
        engine=options["engine"],
        progress=sys.stderr.isatty(),
    )


def read_classes(text: str | None) -> Any:
    """a,b,c, or 0=a,255=b, or a=0,b=1."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    pairs = [name.partition("=") for name in names]
    if not all(equals for _, equals, _ in pairs):
        return names
    named = {value.strip(): name.strip() for value, _, name in pairs}
    return {name: int(i) for name, i in named.items()} if all(i.isdecimal() for i in named.values()) else named
