"""Docstrings and sources as Markdown. Loaded by build_tables.py.

A docstring's paragraphs stay what they are: text; a list of "name   meaning", which becomes bullets; whatever is indented or set in
columns, which stays as it stands; examples. Nothing in them is markup but `code`.
"""

import ast
import inspect
import itertools
import re
from collections.abc import Iterator
from typing import Any

COLUMN = re.compile(r"\S.{0,31}?(?: {2,})(?=\S)")
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def summary(thing: Any) -> str:
    """The first paragraph of a docstring in one line, escaped."""
    return escaped(" ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split()).partition(" Source:")[0])


def body(text: str) -> str:
    """What follows the first paragraph, without its source, as Markdown that ends in an empty line; "" if there is nothing."""
    parts = [p for p in re.split(r"\n\s*\n", text.strip())[1:] if not p.startswith("Source:")]
    return "".join(f"{part}\n\n" for part in _joined(parts))


def _joined(parts: list[str]) -> Iterator[str]:
    """Paragraph after paragraph; what hangs below a list of names belongs to it."""
    block: list[str] = []
    for part, after in itertools.zip_longest(parts, parts[1:], fillvalue=""):
        entries = _entries(part)
        hangs = bool(block) and not block[0].startswith(" ")
        if part.lstrip().startswith(">>>"):
            yield from _fenced(block)
            block = []
            yield "```pycon\n" + inspect.cleandoc(part) + "\n```"
        elif part.startswith(" ") or _is_code(part):
            block.append(part)
        elif _prose(part):
            yield from _fenced(block)
            block = []
            yield escaped(" ".join(part.split()))
        elif entries is None or after.startswith(" ") or hangs:
            if not hangs:
                yield from _fenced(block)
                block = []
            block.append(part)
        else:
            yield from _fenced(block)
            block = []
            yield "\n".join(f"* {_name(name)}: {escaped(meaning)}" for name, meaning in entries)
    yield from _fenced(block)


def _fenced(block: list[str]) -> Iterator[str]:
    if block:
        lines = "\n\n".join(block).splitlines()
        least = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        yield "```text\n" + "\n".join(line[least:].rstrip() for line in lines) + "\n```"


def _is_code(part: str) -> bool:
    """Whether a paragraph is statements: assignments and calls."""
    try:
        body = ast.parse(part).body
    except SyntaxError:
        return False
    return bool(body) and all(
        isinstance(n, ast.Assign) or (isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)) for n in body
    )


def _prose(part: str) -> bool:
    lines = part.splitlines()
    return not any(line.startswith(" ") or re.search(r"\S {2,}\S", line) for line in lines)


def _entries(part: str) -> list[tuple[str, str]] | None:
    """[(name, meaning)] of a list of names with their meanings in one column beside them; None if the paragraph is none."""
    first = COLUMN.match(part)
    if first is None:
        return None
    column = first.end()
    found: list[tuple[str, str]] = []
    for line in part.splitlines():
        name, meaning = line[:column].strip(), line[column:].strip()
        if re.search(r" {3,}", meaning) or line[column - 1 : column] != " ":
            return None
        if name and line.startswith(" "):
            return None
        found = [*found, (name, meaning)] if name else [*found[:-1], (found[-1][0], f"{found[-1][1]} {meaning}")]
    return found


def _name(name: str) -> str:
    return name if "`" in name else f"`{name}`"


def escaped(text: str) -> str:
    """Text in which nothing but `code` is markup."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts, odd = [text.replace("`", "\\`")], True
    else:
        odd = False
    out = []
    for i, part in enumerate(parts):
        code = i % 2 == 1 and not odd
        out.append(part if code else re.sub(r"([*<\[\]$|~#]|(?<!\w)_|_(?!\w))", r"\\\1", part))
    return "`".join(out)


def source(text: str) -> str:
    """A source with its arXiv numbers as links."""
    return ARXIV.sub(lambda m: f"[arXiv:{m[1]}](https://arxiv.org/abs/{m[1]})", escaped(text))
