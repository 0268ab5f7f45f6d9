"""The report as plain text, and in colour where a terminal shows it."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import formatting
from .content import Content, contents
from .decisions import Confusion
from .document import Report
from .forest import Axis, Mark
from .tables import ClassWise, Row

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH = 100
BAR = 32  # characters of a forest row
ROLES = {"plain": "", "winner": "winner", "same": "equals plain", "baseline": "", "": ""}
COLOUR = {"won": "blue", "kept": "green", "open": "yellow", "unfinished": "yellow"}


def text(report: Report) -> str:
    """The verdict's sentence on one line, what to do next, the weightings, the decisions, and how it was computed."""
    return _text(contents(report))


def show(report: Report, console: "Console | None" = None) -> None:
    """Print the report: coloured, with intervals drawn, where the console is a terminal; else `text`."""
    from rich.console import Console

    console = console or Console()
    if console.is_terminal:
        _show(contents(report), console)
    else:
        console.file.write(text(report))


def _text(content: Content) -> str:
    parts = [
        content.sentence,
        bullets(content.next),
        wrap(content.data) + "\n" + bullets((*content.warnings, *content.notes)),
        aligned([_head(content), *(_cells(row) for row in content.rows)]) + "\n" + wrap(content.compared),
    ]
    if content.baselines:
        parts.append(_beside(content))
    if content.others:
        parts.append("Other metrics, without a verdict\n" + aligned([content.others.head, *content.others.rows]))
    if content.confusion:
        parts.append(_decisions(content.confusion))
    if content.mistaken:
        parts.append("What is taken for what\n" + bullets(content.mistaken))
    if content.class_wise:
        parts.append(_class_wise(content.class_wise))
    parts.append(wrap("; ".join(f"{term}: {value}" for term, value in content.computed)))
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def _head(content: Content) -> tuple[str, ...]:
    return ("weighting", content.metric, "difference", "95 % interval", "")


def _cells(row: Row) -> tuple[str, ...]:
    return (row.name, row.value, row.difference, row.interval, ROLES[row.role])


def _beside(content: Content) -> str:
    """The baselines, and under the table what each one is."""
    rows = [(row.name, row.value, row.difference, row.interval) for row in content.baselines]
    notes = [f"{row.name}: {row.note}" for row in content.baselines if row.note]
    head = ("baseline, never a winner", *_head(content)[1:4])
    return "\n".join(filter(None, [aligned([head, *rows]), bullets(notes)]))


def _class_wise(classes: ClassWise) -> str:
    """The arms under one another: side by side they would not fit."""
    parts = []
    for k, arm in enumerate(classes.arms):
        columns = (0, 1, 2 + 3 * k, 3 + 3 * k, 4 + 3 * k)
        parts.append(
            f"Class by class: {arm}\n"
            + aligned([[row[i] for i in columns] for row in (classes.grid.head, *classes.grid.rows)])
        )
    return "\n\n".join(parts)


def _decisions(table: Confusion) -> str:
    head = ("rows (per 1000)", *(f"called {formatting.quote(c)}" for c in table.classes))
    rows = [
        (f"is {formatting.quote(c)}", *(f"{n} ({share})" for n, share in zip(counts, shares, strict=True)))
        for c, counts, shares in zip(table.classes, table.counts, table.per_1000, strict=True)
    ]
    return "\n".join([wrap(table.caption), aligned([head, *rows]), *(share.says for share in table.shares)])


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


def _show(content: Content, console: "Console") -> None:
    from rich.text import Text

    def say(text: str, style: str = "", mark: str = "", colour: str = "", *, wrapped: bool = True) -> None:
        line = Text.assemble((mark, colour), (text, style))
        console.print(line, soft_wrap=not wrapped)

    colour = COLOUR[content.outcome]
    say(content.headline, f"bold {colour}")
    say(content.sentence, "bold", wrapped=False)  # the terminal wraps it: copied or searched for, it is one line
    console.print()
    for step in content.next:
        say(step, "", "→ ", colour)
    console.print()
    say(content.data, "dim")
    for warning in content.warnings:
        say(warning, "", "! ", "bold yellow")
    for note in content.notes:
        say(note, "dim", "· ", "dim")
    console.print()
    console.print(_table(content, colour))
    if content.compared:
        say(content.compared, "dim")
    more = [
        _beside(content) if content.baselines else "",
        _decisions(content.confusion) if content.confusion else "",
        _class_wise(content.class_wise) if content.class_wise else "",
    ]
    for part in filter(None, more):
        console.print()
        say(part)


def _table(content: Content, colour: str) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    name, value, difference, interval, _ = _head(content)
    table.add_column(name, overflow="fold")
    table.add_column(value, justify="right")
    table.add_column(difference, justify="right")
    table.add_column(interval, justify="right", no_wrap=True)
    table.add_column("worse │ better".rjust(_cell(content.axis.zero) + 8)[:BAR], no_wrap=True)
    for row in content.rows:
        style = f"bold {colour}" if row.role == "winner" else "bold" if row.role == "plain" else ""
        last = drawn(row.mark, content.axis) if row.mark else "baseline" if row.role == "plain" else ROLES[row.role]
        table.add_row(*(Text(c, style=style) for c in (*_cells(row)[:4], last)))
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
