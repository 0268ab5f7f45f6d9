"""HTML for notebooks: small tables in the notebook's own type and colours. Whatever comes from the data is cleaned and escaped."""

from collections.abc import Sequence
from html import escape

from .shown import clean

CELL = "padding:.2em .7em;text-align:right;vertical-align:top"
FIRST = "padding:.2em .7em .2em 0;text-align:left;vertical-align:top"


def words(text: str, style: str = "margin:.3em 0") -> str:
    """A paragraph."""
    return f'<p style="{style}">{escape(clean(text))}</p>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column to the left, the others to the right."""

    def line(tag: str, cells: Sequence[str]) -> str:
        return (
            "<tr>"
            + "".join(
                f'<{tag} style="{CELL if i else FIRST}">{escape(clean(cell))}</{tag}>' for i, cell in enumerate(cells)
            )
            + "</tr>"
        )

    body = "".join(line("td", row) for row in rows)
    return f"<table><thead>{line('th', head)}</thead><tbody>{body}</tbody></table>"


def block(text: str) -> str:
    """Lines as they are, in letters of one width."""
    return f'<pre style="margin:.3em 0;white-space:pre-wrap">{escape(clean(text, keep=chr(10)))}</pre>'
