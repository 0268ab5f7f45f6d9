"""The report as plain text, and in colour where a terminal shows it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import formatting
from .columns import aligned, wrapped
from .content import Content, contents
from .decisions import Confusion
from .document import Report
from .forest import Axis, Mark
from .in_rows import PricedTable
from .tables import Block, ClassWise, Row

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH = 100
DRAWN = 112  # columns from which on the intervals are drawn
BAR = 32  # characters of a forest row
ROLES = {"plain": "", "winner": "winner", "same": "equals plain", "baseline": "", "": ""}
COLOUR = {"won": "blue", "kept": "green", "open": "yellow", "unfinished": "yellow"}


def text(report: Report) -> str:
    """The headline, what it brings in rows, how sure that is, the verdict's sentence on one line, what to do next, the weightings, the decisions, and
    how it was computed."""
    return _text(contents(report))


def show(report: Report, console: "Console | None" = None) -> None:
    """Print the report: as wide as the terminal, coloured where it shows that; else `text`."""
    from rich.console import Console

    console = console or Console()
    if console.is_terminal:
        _show(contents(report), console)
    else:
        console.file.write(text(report))


def _text(content: Content) -> str:
    parts = [
        "\n".join(filter(None, [content.headline, content.in_rows, content.sure])),
        content.sentence,
        _priced(content.priced, None) if content.priced else "",
        bullets(content.next),
        wrap(content.data) + "\n" + bullets((*content.warnings, *content.notes)),
        aligned([_head(content), *(_cells(row) for row in content.rows)]) + "\n" + wrap(content.compared),
        *_more(content, None),
        wrap("; ".join(f"{term}: {value}" for term, value in content.computed)),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def _more(content: Content, width: int | None) -> list[str]:
    """What stands under the weightings."""
    parts = [_beside(content, width)] if content.baselines else []
    parts += [_block(block, width) for block in content.others]
    if content.confusion:
        parts.append(_decisions(content.confusion, width))
    if content.mistaken:
        parts.append("What is taken for what\n" + bullets(content.mistaken, width))
    if content.class_wise:
        parts.append(_class_wise(content.class_wise, width))
    return parts


def _head(content: Content) -> tuple[str, ...]:
    return ("weighting", content.metric, "difference", "95 % interval", "")


def _cells(row: Row) -> tuple[str, ...]:
    return (row.name, row.value, row.difference, row.interval, ROLES[row.role])


def _priced(table: PricedTable, width: int | None) -> str:
    """One column for each cost."""
    columns = [(column.miss, *column.cells) for column in table.columns]
    rows = [(name, *(column[i] for column in columns)) for i, name in enumerate((table.title, *table.head))]
    return aligned(rows, width) + "\n" + wrap(table.ask, width)


def _beside(content: Content, width: int | None) -> str:
    """The baselines, and under the table what each one is."""
    rows = [(row.name, row.value, row.difference, row.interval) for row in content.baselines]
    notes = [f"{row.name}: {row.note}" for row in content.baselines if row.note]
    head = ("baseline, never a winner", *_head(content)[1:4])
    return "\n".join(filter(None, [aligned([head, *rows], width), bullets(notes, width)]))


def _block(block: Block, width: int | None) -> str:
    """What another cut would reach stands behind the value, in brackets."""
    rows = [
        (row[0], *(f"{cell} ({best})" if best else cell for cell, best in zip(row[1:], bests, strict=True)))
        for row, bests in zip(block.grid.rows, block.best, strict=True)
    ]
    says = block.says.replace("in grey", "in brackets")
    return "\n".join(
        filter(None, [f"{block.title}, without a verdict", wrap(says, width), aligned([block.grid.head, *rows], width)])
    )


def _class_wise(classes: ClassWise, width: int | None) -> str:
    """The arms under one another: side by side they would not fit."""
    parts = []
    for k, arm in enumerate(classes.arms):
        columns = (0, 1, 2 + 3 * k, 3 + 3 * k, 4 + 3 * k)
        rows = [[row[i] for i in columns] for row in (classes.grid.head, *classes.grid.rows)]
        parts.append(f"Class by class: {arm}\n" + aligned(rows, width))
    return "\n\n".join(parts)


def _decisions(table: Confusion, width: int | None) -> str:
    head = ("rows (per 1000)", *(f"called {formatting.quote(c)}" for c in table.classes))
    rows = [
        (f"is {formatting.quote(c)}", *(f"{n} ({share})" for n, share in zip(counts, shares, strict=True)))
        for c, counts, shares in zip(table.classes, table.counts, table.per_1000, strict=True)
    ]
    return "\n".join(
        [
            wrap(table.caption, width),
            aligned([head, *rows], width),
            *(wrap(share.says, width) for share in table.shares),
        ]
    )


def wrap(line: str, width: int | None = None) -> str:
    return wrapped(line, width or WIDTH)


def bullets(lines: Sequence[str], width: int | None = None) -> str:
    return "\n".join(wrapped(line, width or WIDTH, "  ", "- ") for line in lines)


def _show(content: Content, console: "Console") -> None:
    from rich.text import Text

    width, colour = console.width, COLOUR[content.outcome]

    def say(text: str, style: str = "", mark: str = "", mark_style: str = "") -> None:
        """Wrapped here, and not by the terminal: that would break numbers."""
        if not text:
            return
        lines = wrapped(text, width - len(mark), "").splitlines()
        for i, line in enumerate(lines):
            lead = mark if i == 0 else " " * len(mark)
            console.print(Text.assemble((lead, mark_style), (line, style)), soft_wrap=True)

    def put(part: str, style: str = "") -> None:
        """As it is laid out."""
        console.print()
        console.print(Text(part, style), soft_wrap=True)

    say(content.headline, f"bold {colour}")
    say(content.in_rows, "bold")
    say(content.sure)
    say(content.sentence)
    if content.priced:
        put(_priced(content.priced, width))
    console.print()
    for step in content.next:
        say(step, "", "→ ", colour)
    say(content.data, "dim")
    for warning in content.warnings:
        say(warning, "", "! ", "bold yellow")
    for note in content.notes:
        say(note, "dim", "· ", "dim")
    if width >= DRAWN:
        console.print()
        console.print(_table(content, colour))
    else:
        rows = [(*_cells(row)[:3], row.interval or ROLES[row.role]) for row in content.rows]
        put(aligned([_head(content)[:4], *rows], width))
    say(content.compared, "dim")
    for part in _more(content, width):
        put(part)


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
