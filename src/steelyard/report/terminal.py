"""The report as plain text, and in colour where a terminal shows it."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import formatting
from .classwise import ClassWise
from .content import Page, page
from .decisions import Confusion
from .document import Data
from .forest import Axis, Mark
from .tables import Row

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH = 100
BAR = 32  # characters of a forest row
ROLES = {"plain": "", "winner": "winner", "same": "equals plain", "baseline": "", "": ""}
CONTROL = {i: "\ufffd" for i in (*range(10), *range(11, 32), *range(127, 160))}
COLOUR = {"won": "blue", "kept": "green", "open": "yellow", "unfinished": "yellow"}


def text(data: Data) -> str:
    """The verdict's sentence on one line, what to do next, the candidates, the decisions, and how it was computed."""
    return _text(page(data))


def show(data: Data, console: "Console | None" = None) -> None:
    """Print the report: coloured, with intervals drawn, where the console is a terminal; else `text`."""
    from rich.console import Console

    console = console or Console()
    if console.is_terminal:
        _show(page(data), console)
    else:
        console.file.write(text(data))


def _text(found: Page) -> str:
    parts = [
        found.sentence,
        bullets(found.next),
        wrap(found.data) + "\n" + bullets((*found.warnings, *found.notes)),
        aligned([_head(found), *(_cells(row) for row in found.rows)]) + "\n" + wrap(found.compared),
    ]
    if found.baselines:
        parts.append(_beside(found))
    if found.others:
        parts.append("Other metrics, without a verdict\n" + aligned([found.others.head, *found.others.rows]))
    if found.confusion:
        parts.append(_decisions(found.confusion))
    if found.mistaken:
        parts.append("What is taken for what\n" + bullets(found.mistaken))
    if found.class_wise:
        parts.append(_class_wise(found.class_wise))
    parts.append(wrap("; ".join(f"{term}: {said}" for term, said in found.computed)))
    return harmless("\n\n".join(part.strip("\n") for part in parts if part.strip())) + "\n"


def _head(found: Page) -> tuple[str, ...]:
    return ("strategy", found.metric, "difference", "95 % interval", "")


def _cells(row: Row) -> tuple[str, ...]:
    return (row.name, row.value, row.difference, row.interval, ROLES[row.role])


def _beside(found: Page) -> str:
    """The baselines, and under the table what each one is."""
    rows = [(row.name, row.value, row.difference, row.interval) for row in found.baselines]
    notes = [f"{row.name}: {row.note}" for row in found.baselines if row.note]
    head = ("baseline, never a winner", *_head(found)[1:4])
    return "\n".join(filter(None, [aligned([head, *rows]), bullets(notes)]))


def _class_wise(found: ClassWise) -> str:
    """The arms under one another: side by side they would not fit."""
    parts = []
    for k, arm in enumerate(found.arms):
        columns = (0, 1, 2 + 3 * k, 3 + 3 * k, 4 + 3 * k)
        parts.append(
            f"Class by class: {arm}\n"
            + aligned([[row[i] for i in columns] for row in (found.grid.head, *found.grid.rows)])
        )
    return "\n\n".join(parts)


def _decisions(found: Confusion) -> str:
    head = ("rows (per 1000)", *(f"called {formatting.quote(c)}" for c in found.classes))
    rows = [
        (f"is {formatting.quote(c)}", *(f"{n} ({each})" for n, each in zip(counts, shares, strict=True)))
        for c, counts, shares in zip(found.classes, found.counts, found.per_1000, strict=True)
    ]
    return "\n".join([wrap(found.caption), aligned([head, *rows]), *(share.says for share in found.shares)])


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns two spaces apart, the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def wrap(line: str) -> str:
    return textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False)


def bullets(lines: Sequence[str]) -> str:
    return "\n".join(textwrap.fill(f"- {line}", WIDTH, subsequent_indent="  ") for line in lines)


def harmless(said: str) -> str:
    """Without the characters by which a class name could move the cursor or clear the screen."""
    return said.translate(CONTROL)


def _show(found: Page, console: "Console") -> None:
    from rich.text import Text

    def say(said: str, style: str = "", mark: str = "", colour: str = "", *, wrapped: bool = True) -> None:
        line = Text.assemble((mark, colour), (harmless(said), style))
        console.print(line, soft_wrap=not wrapped)

    colour = COLOUR[found.outcome]
    say(found.headline, f"bold {colour}")
    say(found.sentence, "bold", wrapped=False)  # the terminal wraps it: copied or searched for, it is one line
    console.print()
    for step in found.next:
        say(step, "", "→ ", colour)
    console.print()
    say(found.data, "dim")
    for warning in found.warnings:
        say(warning, "", "! ", "bold yellow")
    for note in found.notes:
        say(note, "dim", "· ", "dim")
    console.print()
    console.print(_table(found, colour))
    if found.compared:
        say(found.compared, "dim")
    more = [
        _beside(found) if found.baselines else "",
        _decisions(found.confusion) if found.confusion else "",
        _class_wise(found.class_wise) if found.class_wise else "",
    ]
    for part in filter(None, more):
        console.print()
        say(part)


def _table(found: Page, colour: str) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    name, value, difference, interval, _ = _head(found)
    table.add_column(name, overflow="fold")
    table.add_column(value, justify="right")
    table.add_column(difference, justify="right")
    table.add_column(interval, justify="right", no_wrap=True)
    table.add_column("worse │ better".rjust(_cell(found.axis.zero) + 8)[:BAR], no_wrap=True)
    for row in found.rows:
        style = f"bold {colour}" if row.role == "winner" else "bold" if row.role == "plain" else ""
        last = drawn(row.mark, found.axis) if row.mark else "baseline" if row.role == "plain" else ROLES[row.role]
        table.add_row(*(Text(harmless(c), style=style) for c in (*_cells(row)[:4], last)))
    return table


def drawn(mark: Mark, axis: Axis, width: int = BAR) -> str:
    """An interval in characters: zero as a bar, the difference as a dot."""
    cells = [" "] * width
    for i in range(_cell(mark.low, width), _cell(mark.high, width) + 1):
        cells[i] = "─"
    zero = _cell(axis.zero, width)
    cells[zero] = "┼" if cells[zero] == "─" else "│"
    cells[_cell(mark.at, width)] = "●"
    return "".join(cells)


def _cell(percent: float, width: int = BAR) -> int:
    return min(width - 1, max(0, round(percent / 100 * (width - 1))))
