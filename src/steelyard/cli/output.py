"""What the commands print: the table of classes, notes on them, and where the output goes."""

import glob
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np

    from ..counts import Counts
    from ..marks import Mark

SHOWN = 40
FEW = 5

Out = Annotated[Path | None, typer.Option("--out", help="Write to this file instead of the terminal.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace files that steelyard did not make, too; it names them first.")
]
NAMED = 20  # files that would be replaced


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
        total = int(counts.per_class.sum() if known is None else known[i])
        share = f"{counts.per_class[i] / total:.2%}" if total else ""
        more = [f"{v:,}" if isinstance(v := values[i].item(), int) else f"{v:.5g}" for values in columns.values()]
        table.add_row(Text(name), f"{counts.per_class[i]:,}", share, *more)
    # a pipe has no width: cutting names to 80 letters there would lose them
    width = None if sys.stdout.isatty() else 10_000
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(table)
    rest = len(counts) - SHOWN
    more = f"... and {rest:,} more classes; --json writes all of them.\n" if rest > 0 else ""
    lines = [line.removeprefix(" ").rstrip() for line in captured.get().splitlines()]
    return "\n".join(line for line in lines if line) + "\n" + more


def imbalance(counts: "Counts") -> str:
    """How uneven the classes are, in one line."""
    n = counts.per_class
    most, least = int(n.argmax()), int(n.argmin())
    if counts.kind == "multilabel":
        return f"{counts.items:,} {counts.unit}, {len(counts)} labels; the rarest is {counts.classes[least]!r} ({n[least]:,})."
    n_all = int(n.sum())
    total = f"{n_all:,} {counts.unit} in {len(counts)} {'class' if len(counts) == 1 else 'classes'}"
    total += f", {counts.items:,} images" if counts.items != n_all else ""
    if len(counts) < 2:
        return f"{total}."
    if n[most] == n[least]:
        return f"{total}, all of one size."
    ratio = f"{n[most] / n[least]:.4g}" if n[least] else "infinite"
    return f"{total}; largest / smallest = {ratio} ({counts.classes[most]!r} / {counts.classes[least]!r})."


def notes_on(counts: "Counts") -> list[str]:
    """What the person should know about these classes before weighing them."""
    from ..data.classes import look_alikes

    notes = []
    if counts.kind == "exclusive" and len(counts) == 1:
        notes.append("there is only one class, so there is nothing to balance")
    rare = [f"{c!r} ({n})" for c, n in zip(counts.classes, counts.per_class.tolist(), strict=True) if n <= FEW]
    if rare:
        shown = ", ".join(rare[:8]) + (f" and {len(rare) - 8} more" if len(rare) > 8 else "")
        notes.append(
            f"{FEW} or fewer {counts.unit}: {shown}; so few can be neither learned nor checked, consider merging"
        )
    alike = look_alikes(counts.classes)
    return [*notes, alike] if alike else notes


def say(notes: Sequence[str], *, machine: bool) -> None:
    """Notes under the output; on stderr where the output is for a program."""
    for note in notes:
        print(f"note: {note}.", file=sys.stderr if machine else sys.stdout)


def emit(text: str, out: Path | None, mark: "Mark", overwrite: bool) -> None:
    """Print, or write the file whole or not at all."""
    if out is None:
        print(text.rstrip("\n"))
        return
    from ..files import write_text_atomically

    write_text_atomically(out, text.rstrip("\n") + "\n", mark, overwrite=overwrite)
    print(f"written to {out}", file=sys.stderr)


def check_out(command: str, out: Path | None, mark: "Mark", overwrite: bool, *sources: "str | Path") -> None:
    """`check_targets` for --out, which may not be what is read either."""
    if out is None:
        return
    source = next((source for source in sources if _is_read(out, mark, str(source))), None)
    if source is not None:
        raise ValueError(f"{command}: --out {out} would replace what is read from {source}; give another name.")
    check_targets(command, [(out, mark)], overwrite)


def check_targets(
    command: str, targets: "Sequence[tuple[Path, Mark]]", overwrite: bool, *, below: Path | None = None
) -> None:
    """Before anything is computed: ValueError where a file that is not ours would be replaced and `overwrite` does not allow it,
    else say on stderr which; ValueError in any case where one cannot be written."""
    from ..files import is_foreign, not_ours

    try:
        theirs = [(path, mark) for path, mark in targets if is_foreign(path, mark, below=below)]
    except OSError as error:
        raise ValueError(f"{command}: {error}") from None
    if not theirs:
        return
    names = ", ".join(str(path) for path, _ in theirs[:NAMED])
    names += f" and {len(theirs) - NAMED:,} more" if len(theirs) > NAMED else ""
    if overwrite:
        print(f"overwrite: replaces {names}", file=sys.stderr, flush=True)
        return
    more = f", nor are {len(theirs) - 1:,} others of what it would write ({names})" if len(theirs) > 1 else ""
    raise ValueError(f"{command}: {not_ours(*theirs[0])}{more}; choose another --out, or replace with --overwrite.")


def _is_read(out: Path, mark: "Mark", source: str) -> bool:
    """Whether `out` is what is read: the file itself, by whatever name, or one that a folder or a glob may hold as data."""
    if not out.is_file():
        return False
    place = Path(source).expanduser()
    if place.exists():
        return place.samefile(out) or (
            place.is_dir() and place.resolve() in out.resolve().parents and _lacks(out, mark)
        )
    return any(
        os.path.samefile(found, out) for found in glob.iglob(str(place), recursive=True) if os.path.exists(found)
    )


def _lacks(path: Path, mark: "Mark") -> bool:
    with path.open("rb") as file:
        return not mark.on(file)


def check_folder(command: str, folder: Path) -> None:
    """ValueError, before anything is computed, unless files can be written into this folder or it can be made."""
    existing = next(p for p in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(p))
    if not existing.is_dir():
        what = "a link to nothing" if existing.is_symlink() and not existing.exists() else "a file"
        raise ValueError(f"{command}: --out {folder}: {existing} is {what}, not a folder; choose another folder.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ValueError(f"{command}: --out {folder}: {existing} cannot be written to; choose another folder.")
    try:
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        raise ValueError(f"{command}: --out {folder}: {existing} cannot be written to ({error.strerror}).") from None
