"""Lines that are not quite CSV, rewritten line by line before they are parsed."""

import re

_RULE = re.compile(rb"^[ \t]*(?=[^\r\n]*(?:-{2}|={2}))(?=[^\r\n]*[-=|+])[|+:=\- \t]+$", re.MULTILINE)
_BARS = tuple(bar.encode() for bar in "│║┃")
_BOX = re.compile(rf"^[ \t]*(?:{'|'.join('┌┬┐├┼┤└┴┘─╭╮╰╯═━╞╪╡╔╦╗╠╬╣╚╩╝')})+[ \t]*$".encode(), re.MULTILINE)
_FIRST = re.compile(rb"^[ \t]*\|", re.MULTILINE)
_LAST = re.compile(rb"\|[ \t]*(?=\r?$)", re.MULTILINE)
_BLANKS = re.compile(rb"(\"[^\"\r\n]*\")|^[ \t]+|[ \t]+(?=\r?$)|[ \t]+", re.MULTILINE)
_ESCAPE = re.compile(rb"\\([\\\"])")


def edges(lines: bytes) -> bytes:
    """`| a | b |` is `a | b`; lines of dashes, which only draw, become empty."""
    for bar in _BARS:
        lines = lines.replace(bar, b"|")
    return _LAST.sub(b"", _FIRST.sub(b"", _RULE.sub(b"", _BOX.sub(b"", lines))))


def blanks(lines: bytes) -> bytes:
    """One tab for each run of blanks outside quotes; none at the ends of a line."""

    def one(match: re.Match[bytes]) -> bytes:
        if match[1] is not None:
            return match[1]
        at, text = match.start(), match.string
        ends = match.end() == len(text) or text[match.end()] in b"\r\n"
        return b"" if ends or at == 0 or text[at - 1] in b"\r\n" else b"\t"

    return _BLANKS.sub(one, lines)


def escapes(lines: bytes) -> bytes:
    r"""`\"` is `""`, as CSV doubles quotes, and `\\` is `\`; other backslashes stay."""
    return _ESCAPE.sub(lambda m: b'""' if m[1] == b'"' else b"\\", lines)


REWRITES = {"edges": edges, "blanks": blanks, "escapes": escapes}
SAID = {
    "edges": "the table is drawn with lines; they were taken off",
    "blanks": "the cells are separated by blanks",
    "escapes": 'the quotes within cells are written \\", as in MySQL and JSON',
}


def rewritten(lines: bytes, names: tuple[str, ...]) -> bytes:
    """Each name is one of REWRITES, a separator that is written twice, such as "::", or one with a blank before a quote."""
    for name in names:
        lines = (
            REWRITES[name](lines)
            if name in REWRITES
            else lines.replace(name.encode(), (name[0] + name[-1:].strip(name[0])).encode())
        )
    return lines


def is_drawn(text: str) -> bool:
    """Whether lines of dashes and bars draw the table: psql, MySQL, Markdown."""
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    rules = [line for line in lines if _RULE.fullmatch(line.encode())]
    first = lines[0] if lines else ""
    if (_RULE.fullmatch(first.encode()) and set(first) <= {"=", " "}) or any(
        bar.decode() in text[:4096] for bar in _BARS
    ):
        return True
    return any("|" in r or "+" in r for r in rules) and sum("|" in line for line in lines) >= 2
