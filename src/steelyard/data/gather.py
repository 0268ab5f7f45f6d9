"""What a label column holds, collected as its cells are read, whatever the store: distinct cells, or rows of several labels where cells
are lists, or text that is split into tokens. Nothing is held but tallies."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from . import labels
from .classes import CELLS, Cells
from .several import split
from .tally import refuse_too_many
from .tokens import Reader, Tokens

ONE_EACH = (
    " holds one label in a row, but kind='multilabel' (--kind multilabel) was said. It is for columns of lists; several columns are"
    " label=[...] (--label 'tag_*'), and several labels in a cell separator= (--separator '|')."
)


@dataclass
class Gather:
    """
    read       from an element of a list to its label
    separator  what stands between the tokens of a cell, or None where cells are one label each
    lists      whether the cells are lists
    """

    read: Reader
    separator: str | None = None
    cells: Cells = field(default_factory=Cells)
    tokens: Tokens = field(default_factory=Tokens)
    lists: bool = False

    def add_cells(self, part: Cells, what: str) -> None:
        if self.separator is None:
            self.cells.add(part, what)
            return
        for cell, n in part.times.items():
            text = None if labels.is_missing(cell) else labels.label_name(cell)
            if text is None or _bare(text, part.kind) in self.read.cell_marks:
                self.tokens.unknown += n
            else:
                self.tokens.add_row((token or None for token in split(text, self.separator)), self.read, n)
        refuse_too_many(self.tokens.times, what)

    def add_lists(self, array: Any, what: str) -> None:
        """An Arrow array of lists."""
        self.lists = True
        self.tokens.add_arrow(array, self.read)
        refuse_too_many(self.tokens.times, what)

    def add_rows(self, rows: Iterable[Iterable[Any]], what: str) -> None:
        self.lists = True
        for row in rows:
            self.tokens.add_row(row, self.read)
        refuse_too_many(self.tokens.times, what)


def refuse_options(what: str, *, same_case: bool, separator: str | None, lists: bool) -> None:
    """ValueError where an option is for cells that hold one label each."""
    if lists and separator is not None:
        raise ValueError(
            f"{what} holds lists of labels, which no separator parts; leave separator= (--separator) out. kind='exclusive' (--kind"
            " exclusive) counts every element, kind='multilabel' each once in a row."
        )
    if same_case:
        raise ValueError(
            f"{what} holds several labels in a row, and same_case= (--same-case) joins the spellings of one; join them with"
            " classes={spelling: class} (--classes spelling=class,...)."
        )


def _bare(text: str, kind: str) -> str:
    text = text.strip()
    return text.strip("'\"").strip() if kind == CELLS else text
