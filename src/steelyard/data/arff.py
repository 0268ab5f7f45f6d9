"""ARFF, Weka's form of tables: dense and sparse rows, one quoting rule, `?` for missing; and Mulan's .xml beside it, which names the
labels of multi-label data."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from .column_names import distinct_names, find_columns
from .encoding import not_utf8
from .formats import open_bytes
from .limits import refuse_beyond
from .markup import parse_xml
from .paths import ends_in, expanded
from .source import add_notes
from .tally import pyarrow

CELL, ROOM = 16, 1024  # bytes of a cell while it is read, and how many times its file a sparse table may be

_ATTRIBUTE = re.compile(r"@attribute\s+('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s{]+)\s*(.*)", re.IGNORECASE)
_CELL = re.compile(r"\s*+(?:('(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\")\s*+|([^,]*+))(,|$)")
_PAIR = re.compile(r"\s*+(\d++)\s++(?:('(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\")\s*+|([^,]*+))(,|$)")
_WEIGHT = re.compile(r",\s*\{[^{}]*\}\s*$")  # the optional weight of a row
_ESCAPED = re.compile(r"\\(.)")


def read(file: Path, columns: Sequence[str | int] | None, notes: list[str]) -> tuple[Any, str]:
    """(pyarrow.Table of text, the decimal sign). ValueError for a row that does not fit the attributes."""
    pa = pyarrow()
    lines = _lines(file, notes)
    names, blanks = _attributes(file, lines)
    wanted = list(names) if columns is None else find_columns(names, columns, str(file))
    places = {name: i for i, name in enumerate(names)}
    rows = list(_rows(file, lines, blanks, [places[name] for name in wanted]))
    cells = zip(*rows, strict=True) if rows else ([] for _ in wanted)
    arrays = [pa.array(column, pa.string()) for column in cells]
    return pa.Table.from_arrays(arrays, names=wanted), "."


def column_names(file: Path) -> tuple[str, ...]:
    return _attributes(file, _lines(file, []))[0]


def tally_column(file: Path, label: str | int, notes: list[str]) -> tuple[str, Counter[Any], str]:
    """(name of the column, how often each text occurs in it, the decimal sign)."""
    table, decimal = read(file, [label], notes)
    return table.column_names[0], Counter(table.column(0).to_pylist()), decimal


def label_columns(path: str | PathLike[str]) -> tuple[str, ...] | None:
    """The labels that an .xml beside an .arff names (Mulan's form of multi-label data), or None."""
    file = expanded(path)
    beside = file.with_suffix(".xml")
    return _names_in(beside) if ends_in(file, (".arff",)) and beside.is_file() else None


def _lines(file: Path, notes: list[str]) -> Iterator[tuple[int, str]]:
    """(line number, text) of the lines that say something."""
    with open_bytes(file, held=True) as opened:
        raw = opened.read()
    try:
        decoded = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        decoded = raw.decode("latin-1")
        add_notes(notes, [not_utf8("latin-1")])
    for number, line in enumerate(decoded.splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("%"):
            yield number, line


def _attributes(file: Path, lines: Iterator[tuple[int, str]]) -> tuple[tuple[str, ...], list[str]]:
    """(names, what a sparse row means by leaving the column out: 0, or the first of its categories)."""
    names, blanks = [], []
    for number, line in lines:
        word = line.split(None, 1)[0].lower()
        if word == "@data":
            if not names:
                break
            return distinct_names([_bare(n) for n in names], []), blanks
        if word == "@attribute":
            match = _ATTRIBUTE.match(line)
            if match is None:
                raise ValueError(
                    f"{file}: line {number} is no ARFF attribute: {line[:80]!r}; write '@attribute name type'."
                )
            names.append(match[1])
            kind = match[2].strip()
            first = _CELL.match(kind[1:].rstrip("}")) if kind.startswith("{") else None
            blanks.append(_bare(first[2].rstrip() if first[1] is None else first[1]) if first else "0")
        elif word != "@relation":
            raise ValueError(f"{file}: line {number} comes before @data and is no @attribute: {line[:80]!r}.")
    raise ValueError(f"{file}: this is not an ARFF table (no @attribute lines and @data); save it again, or as CSV.")


def _rows(
    file: Path, lines: Iterator[tuple[int, str]], blanks: Sequence[str], at: Sequence[int]
) -> Iterator[list[str | None]]:
    size, bare = file.stat().st_size, [blanks[i] for i in at]
    for n, (number, line) in enumerate(lines, 1):
        if n % 256 == 0:  # a sparse row of two letters has all columns
            what = f"{n:,} rows of {len(at):,} columns"
            refuse_beyond(
                file, n * len(at) * CELL, size, what, "read fewer columns, or write it as Parquet", times=ROOM
            )
        if line.startswith("{"):
            named = dict(_pairs(file, number, line, len(blanks)))
            yield [named.get(i, blank) for i, blank in zip(at, bare, strict=True)]
            continue
        row = [_missing(cell) for cell in _cells(line)]
        if len(row) == len(blanks) + 1 and _WEIGHT.search(line):
            row.pop()
        if len(row) != len(blanks):
            raise ValueError(f"{file}: line {number} has {len(row)} cells for {len(blanks)} attributes; correct it.")
        yield [row[i] for i in at]


def _cells(line: str) -> list[str]:
    if "'" not in line and '"' not in line:
        return [cell.strip() for cell in line.split(",")]
    cells, start = [], 0
    while match := _CELL.match(line, start):
        cells.append(match[2].rstrip() if match[1] is None else match[1])
        start = match.end()
        if not match[3]:
            break
    return cells


def _pairs(file: Path, number: int, line: str, columns: int) -> Iterator[tuple[int, str | None]]:
    inside, _, after = (
        line[1:].rpartition("}") if not _WEIGHT.search(line) else _WEIGHT.sub("", line)[1:].rpartition("}")
    )
    start = 0
    while inside.strip() and start <= len(inside) and not after:
        match = _PAIR.match(inside, start)
        if match is None or int(match[1]) >= columns:
            break
        yield int(match[1]), _missing(match[3].rstrip() if match[2] is None else match[2])
        start = match.end()
        if not match[4]:
            return
    if inside.strip() or after or not line.rstrip().endswith("}"):
        raise ValueError(
            f"{file}: line {number} is no sparse row {{column value, ...}} of {columns} columns: {line[:80]!r}."
        )


def _missing(cell: str) -> str | None:
    return None if cell == "?" else _bare(cell)


def _bare(cell: str) -> str:
    if len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "'\"":
        return _ESCAPED.sub(r"\1", cell[1:-1])
    return cell


def _names_in(path: Path) -> tuple[str, ...] | None:
    """The names, in order; None if the file is other XML. ValueError if it is damaged.

    Source: Tsoumakas et al. 2011, Mulan: a Java library for multi-label learning, JMLR 12.
    """
    root, _ = parse_xml(path, path.read_bytes())
    if _without_namespace(root.tag) != "labels":
        return None
    names = [e.get("name", "") for e in root.iter() if _without_namespace(e.tag) == "label"]
    name, times = Counter(names).most_common(1)[0] if names else ("", 0)
    if times > 1:
        raise ValueError(f"{path}: it names the label {name[:60]!r} {times} times; name each label once.")
    return tuple(names)


def _without_namespace(tag: str) -> str:
    return tag.rpartition("}")[2]
