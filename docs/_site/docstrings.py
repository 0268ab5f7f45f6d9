"""Docstrings are plain text, not reStructuredText: what would be markup is escaped, and formulas keep their lines."""

import re
from typing import Any

from sphinx.application import Sphinx

MARKUP = re.compile(r"(`+)(?P<code>[^`]+)\1|(?P<sign>[*|\\]|(?<=\w)_(?!\w))")


def escaped(line: str) -> str:
    return MARKUP.sub(lambda m: f"``{m['code']}``" if m["code"] else f"\\{m['sign']}", line)


def plain(lines: list[str]) -> list[str]:
    """The docstring as reStructuredText: paragraphs, lists, doctests, and literal blocks for what is indented."""
    out: list[str] = []
    literal = doctest = False
    for line in lines:
        text = line.strip()
        if not text:
            doctest = False
            out.append("")
        elif text.startswith(">>>") or doctest:
            if not doctest and out and out[-1]:
                out.append("")
            doctest, literal = True, False
            out.append(text)
        elif line.startswith("  ") and not text.startswith(("* ", "- ")):
            if not literal:
                out += ["", "::", ""]
            literal = True
            out.append(line)
        else:
            if literal:
                out.append("")
            literal = False
            out.append(escaped(line))
    return out


def process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = plain(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True}
