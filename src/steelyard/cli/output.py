"""What the commands print: the table of classes, notes on them, and where the output goes."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..shown import clean
from .tell import tell

if TYPE_CHECKING:
    import numpy as np

    from ..counts import Counts
    from ..marks import Mark
    from ..recipe import Recipe

__all__ = ["Out", "announce", "class_table", "emit", "imbalance", "notes_on", "say", "some", "tell"]

SHOWN = 40
FEW = 5

Out = Annotated[Path | None, typer.Option("--out", help="Write to this file instead of the terminal.")]


def class_table(counts: "Counts", columns: Mapping[str, "np.ndarray"]) -> str:
    """Class, count and share, and further columns of numbers, as text."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("class", overflow="fold")
    for name in ("count", "share", *columns):
        table.add_column(name, justify="right", no_wrap=True)
    known = counts.known if counts.kind == "multilabel" else None  # of an unknown label nobody knows the share
    for i, name in enumerate(counts.classes[:SHOWN]):
        total = counts.per_class.sum() if known is None else known[i]
        share = f"{counts.per_class[i] / total:.2%}" if total else ""
        more = [f"{v:,}" if isinstance(v := values[i].item(), int) else f"{v:.5g}" for values in columns.values()]
        table.add_row(Text(clean(name)), _amount(counts.per_class[i]), share, *more)
    # a pipe has no width: cutting names to 80 letters there would lose them
    width = None if sys.stdout.isatty() else 10_000
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(table)
    rest = len(counts) - SHOWN
    more = f"... and {rest:,} more classes; --json writes all of them.\n" if rest > 0 else ""
    lines = [line.removeprefix(" ").rstrip() for line in captured.get().splitlines()]
    return "\n".join(line for line in lines if line) + "\n" + more


def _amount(count: Any) -> str:
    """A number of rows, or a sum of their weights."""
    return f"{count:,.6g}" if count.dtype.kind == "f" else f"{count:,}"


def imbalance(counts: "Counts") -> str:
    """How uneven the classes are, in one line."""
    import numpy as np

    n = counts.per_class
    most, least = int(n.argmax()), int(np.where(n > 0, n, n.max()).argmin())  # of those that occur
    if counts.kind == "multilabel":
        return f"{counts.items:,} {counts.unit}, {len(counts)} labels; the rarest is {counts.classes[least]!r} ({n[least]:,})."
    n_all = n.sum()
    total = f"{_amount(n_all)} {'weighted ' * counts.weighted}{counts.unit} in {len(counts)} {'class' if len(counts) == 1 else 'classes'}"
    held = "sequences" if "sequences" in counts.also else "images"
    total += f", {counts.items:,} {held}" if counts.items != n_all and not counts.weighted else ""
    if len(counts) < 2:
        return f"{total}."
    if np.count_nonzero(n) == 1:
        return f"{total}; only {counts.classes[most]!r} occurs."
    if n[most] == n.min():
        return f"{total}, all of one size."
    return f"{total}; largest / smallest = {n[most] / n[least]:.4g} ({counts.classes[most]!r} / {counts.classes[least]!r})."


def some(names: Sequence[str], limit: int = 8) -> str:
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def notes_on(counts: "Counts", recipe: "Recipe | None" = None) -> list[str]:
    """What the person should know about these classes before weighing them, and how `recipe` weighs what does not occur."""
    notes = []
    if counts.kind == "exclusive" and len(counts) == 1:
        notes.append("there is only one class, so there is nothing to balance")
    rare = [f"{c!r} ({n})" for c, n in zip(counts.classes, counts.per_class.tolist(), strict=True) if 0 < n <= FEW]
    if rare and not counts.weighted:  # of a sum of weights nobody knows how many rows it is
        notes.append(
            f"{FEW} or fewer {counts.unit}: {some(rare)}; so few can be neither learned nor checked, consider merging"
        )
    if absent := [repr(c) for c, n in zip(counts.classes, counts.per_class.tolist(), strict=True) if n == 0]:
        notes.append(f"{some(absent)} {'counts' if len(absent) == 1 else 'count'} 0{_how_absent(counts, recipe)}")
    if counts.kind == "multilabel":
        always = [
            repr(c) for c, no, yes in zip(counts.classes, *counts.table.tolist(), strict=True) if no == 0 and yes > 0
        ]
        if always:
            notes.append(f"no row says no to {some(always)}{_how_absent(counts, recipe)}")
    return notes


def _how_absent(counts: "Counts", recipe: "Recipe | None") -> str:
    """What a recipe that was made from these counts does where there is nothing to go by."""
    import numpy as np

    if recipe is None or recipe.classes is None:
        return ""
    if recipe.weight is None:
        return (
            ""
            if recipe.scale is recipe.offset is recipe.margin is None
            else "; the recipe takes it for as rare as the rarest that occurs"
        )
    weight = (
        np.broadcast_to(recipe.weight.numpy().reshape(counts.table.shape[0], -1), (counts.table.shape[0], len(counts)))
        if counts.kind == "multilabel"
        else recipe.label_weights()
    )
    given = sorted({float(w) for w in np.asarray(weight)[counts.table == 0]})
    shown = f"the weight {given[0]:.5g}" if len(given) == 1 else f"weights from {given[0]:.5g} to {given[-1]:.5g}"
    return f"; {shown} keeps the place, no example meets it (--absent sets another)"


def announce(line: str, *, machine: bool) -> None:
    """The first line of an answer: what was read. It stands on stderr where the output is for a program."""
    tell(line, stream=sys.stderr if machine else None)


def say(notes: Sequence[str], *, machine: bool) -> None:
    """Notes under the output; on stderr where the output is for a program."""
    for note in notes:
        tell(f"note: {note}.", stream=sys.stderr if machine else sys.stdout)


def emit(text: str, out: Path | None, mark: "Mark", overwrite: bool) -> None:
    """Print, or write the file whole or not at all."""
    if out is None:
        tell(text.rstrip("\n"))
        return
    from ..files import write_text_atomically

    write_text_atomically(out, clean(text.rstrip("\n"), keep="\n") + "\n", mark, overwrite=overwrite)
    tell(f"written to {out}", stream=sys.stderr)
