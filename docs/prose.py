"""Docstrings and sources as Markdown. Loaded by build_tables.py.

A docstring's paragraphs stay what they are: text; a list of "name   meaning", which becomes bullets; whatever is indented or set in
columns, which stays as it stands; examples. Nothing in them is markup but `code`.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any

ENTRY = re.compile(r"^(\S.{0,31}?)(?: {2,})(\S.*)$")
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def summary(thing: Any) -> str:
    """The first paragraph of a docstring in one line, escaped."""
    return escaped(" ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split()).partition(" Source:")[0])


def body(text: str) -> str:
    """What follows the first paragraph, without its source, as Markdown that ends in an empty line; "" if there is nothing."""
    parts = [p for p in re.split(r"\n\s*\n", text.strip())[1:] if not p.startswith("Source:")]
    return "".join(f"{part}\n\n" for part in _joined(parts))


def _joined(parts: list[str]) -> Iterator[str]:
    """Paragraph after paragraph; what hangs below an indented one belongs to it."""
    block: list[str] = []
    for part in parts:
        if part.lstrip().startswith(">>>"):
            yield from _fenced(block)
            block = []
            yield "```pycon\n" + inspect.cleandoc(part) + "\n```"
        elif part.startswith((" ", "\t")) or (block and not _prose(part)):
            block.append(part)
        else:
            yield from _fenced(block)
            block = []
            if _prose(part):
                yield escaped(" ".join(part.split()))
            elif (entries := _entries(part)) is not None:
                yield "\n".join(f"* {_name(name)}: {escaped(meaning)}" for name, meaning in entries)
            else:
                block = [part]
    yield from _fenced(block)


def _fenced(block: list[str]) -> Iterator[str]:
    if block:
        lines = "\n\n".join(block).splitlines()
        least = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        yield "```text\n" + "\n".join(line[least:].rstrip() for line in lines) + "\n```"


def _prose(part: str) -> bool:
    lines = part.splitlines()
    return (
        not any(line.startswith(" ") for line in lines)
        and not any(re.search(r"\S {3,}\S", line) for line in lines)
        and (_entries(part) is None or (len(lines) == 1 and not ENTRY.match(lines[0])))
    )


def _entries(part: str) -> list[tuple[str, str]] | None:
    """[(name, meaning)] of a list of names with their meanings beside them; None if the paragraph is none."""
    found: list[tuple[str, str]] = []
    for line in part.splitlines():
        if line.startswith(" "):
            if not found or re.search(r"\S {3,}\S", line):
                return None
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        elif (entry := ENTRY.match(line)) and not re.search(r" {3,}\S.* {3,}\S", entry[2]):
            found.append((entry[1], entry[2].strip()))
        else:
            return None
    return found or None


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
