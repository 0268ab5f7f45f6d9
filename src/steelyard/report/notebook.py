"""A study in a notebook: the headline, what it brings in rows, the sentence, the forest plot, and the cut. No script."""

from html import escape

from .. import notebook
from ..shown import clean
from .content import contents
from .document import Report
from .forest import Axis, Mark

WIDTH, HEIGHT = 260, 18


def fragment(report: Report) -> str:
    """HTML for `_repr_html_`, in the notebook's own type and colours."""
    content = contents(report)
    head = ("weighting", content.metric, "difference", "95 % interval", "")
    rows = []
    for row in content.rows:
        cells = [row.name, row.value, row.difference, row.interval]
        drawn = _drawn(row.mark, content.axis) if row.mark else ""
        style = "font-weight:600" if row.role == "winner" else ""
        rows.append(
            f'<tr style="{style}">'
            + "".join(
                f'<td style="{notebook.CELL if i else notebook.FIRST}">{escape(clean(cell))}</td>'
                for i, cell in enumerate(cells)
            )
            + f"<td>{drawn}</td></tr>"
        )
    heads = "".join(
        f'<th style="{notebook.CELL if i else notebook.FIRST}">{escape(clean(cell))}</th>'
        for i, cell in enumerate(head)
    )
    parts = [
        notebook.words(content.headline, "margin:.3em 0;font-size:1.3em;font-weight:600"),
        notebook.words(content.in_rows) if content.in_rows else "",
        notebook.words(content.sentence),
        f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>",
        *(notebook.words(step) for step in content.next),
        *(notebook.words(f"Warning: {warning}") for warning in content.warnings),
    ]
    return f"<div>{''.join(parts)}</div>"


def _drawn(mark: Mark, axis: Axis) -> str:
    """One interval, zero as a thin line."""
    x = [f"{WIDTH * percent / 100:.1f}" for percent in (mark.low, mark.high, mark.at, axis.zero)]
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" aria-hidden="true" stroke="currentColor">'
        f'<line x1="{x[3]}" x2="{x[3]}" y1="0" y2="{HEIGHT}" stroke-width="1" opacity=".5"/>'
        f'<line x1="{x[0]}" x2="{x[1]}" y1="{HEIGHT / 2}" y2="{HEIGHT / 2}" stroke-width="2"/>'
        f'<circle cx="{x[2]}" cy="{HEIGHT / 2}" r="4" fill="currentColor"/></svg>'
    )
