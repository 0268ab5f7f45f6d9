"""CoNLL's form of tagged text: a token on each line, its tags beside it, a blank line between sentences. CoNLL-U too."""

import io
import lzma
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .column_names import bare_name, distinct_names, find_column
from .encoding import decode
from .formats import open_bytes, position
from .gather import Gather
from .paths import CONLL, ends_in
from .source import Tell

LOOK = 1 << 16  # bytes that show the form
SENTENCES = 1 << 12  # that are held at once
U = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
WORDS = frozenset(("word", "words", "token", "tokens", "form"))  # what a header calls its first column
DOCUMENT = "-DOCSTART-"
_TAG = re.compile(r"O|[BIESLUM][-_]\S+")
_SPAN = re.compile(
    r"\d+[-.]\d+"
)  # CoNLL-U numbers words that are written as one 2-3, and words that are not written 2.1
_COLUMNS = re.compile(r"^# *global\.columns *= *(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Form:
    """
    names      of the columns
    delimiter  tab or blank
    header     whether the first line holds the names
    tagged     columns that hold tags such as O and B-PER alone
    numbered   the words are numbered as in CoNLL-U
    quoted     cells may stand in quotes, as the header does; elsewhere quotes are words and tags
    """

    names: tuple[str, ...]
    delimiter: str
    encoding: str
    header: bool
    tagged: frozenset[str]
    numbered: bool
    quoted: bool


def form_of(file: Path, label: str | int) -> Form | None:
    """How the file holds tagged text, or None: where its name does not say it and no blank line parts lines of as many cells each."""
    said = ends_in(file, CONLL)
    try:
        with _readable(file), open_bytes(file, slow=True) as opened:
            raw = opened.read(LOOK)
    except _DamagedError:
        if said:
            raise
        return None  # whoever reads the table says so
    whole = raw if len(raw) < LOOK else raw[: raw.rfind(b"\n") + 1]
    if not whole.strip():
        return None
    if not said and not re.search(rb"\S[ \t]*\r?\n[ \t]*\r?\n[ \t]*\S", whole):
        return None
    try:
        encoding, text = decode(whole, file, [])
    except ValueError:
        if said:
            raise
        return None
    lines = [line.rstrip("\r") for line in text.split("\n")]
    content = [line for line in lines if line.strip(" \t") and not line.startswith((DOCUMENT, "# "))]
    if not content:
        return None
    delimiter = "\t" if all("\t" in line for line in content) else " "
    rows = [_cells(line, delimiter) for line in content]
    width = Counter(map(len, rows)).most_common(1)[0][0]
    if width < 2 or (not said and any(len(row) != width for row in rows)):
        return None
    first = [bare_name(cell) for cell in rows[0]]
    header = len(first) == width and (first[0].casefold() in WORDS or (isinstance(label, str) and label in first))
    named = _COLUMNS.search(text)
    names: tuple[str, ...] = (
        tuple(named[1].split()) if named else U if width == len(U) and rows[-1][0].isdecimal() else ()
    )
    if len(names) != width:
        names = distinct_names(first, []) if header else tuple(f"column_{i}" for i in range(1, width + 1))
    body = [row for row in rows[header:] if len(row) == width]
    columns = zip(*body, strict=True) if body else ()
    tagged = frozenset(
        name
        for name, cells in zip(names, columns, strict=bool(body))
        if len(set(cells)) > 1 and all(map(_TAG.fullmatch, cells))
    )
    quoted = header and all(cell[0] == cell[-1] == '"' for cell in rows[0])
    return Form(names, delimiter, encoding, header, tagged, names[:1] == U[:1], quoted)


def serves(file: Path, label: str | int, kind: str | None, notes: list[str]) -> bool:
    """Whether the file is read as tagged text: by its name, where that is asked for, or where the label is tags such as O and B-PER. Where
    only blank lines look like it, a note says so."""
    form = form_of(file, label)
    if form is None or ends_in(file, CONLL):
        return ends_in(file, CONLL)
    try:
        name = find_column(form.names, label, str(file))
    except ValueError:  # its names stand elsewhere: whoever reads the table says whether there is such a column
        notes.append(
            "blank lines part the rows; if they part sentences, these are not known here: number the column to have them read"
        )
        return False
    if kind is not None or name in form.tagged:
        return True
    notes.append(
        "blank lines part the rows; if they part the sentences of tagged text, --kind exclusive (kind='exclusive') reads a token on each"
        " line and knows the sentences"
    )
    return False


def column_names(file: Path) -> tuple[str, ...]:
    """ValueError where the file holds no tokens with tags."""
    return _needed(file, form_of(file, -1)).names


def tally_column(file: Path, label: str | int, into: Gather, notes: list[str], tell: Tell) -> str:
    """The name of the column, whose sentences go `into` what collects them, in a stream."""
    form = _needed(file, form_of(file, label))
    name = find_column(form.names, label, str(file))
    at, what = form.names.index(name), f"{file}: column {name!r}"
    left_out: Counter[str] = Counter()
    held: list[list[str | None]] = []
    sentences = 0
    try:
        with _readable(file), open_bytes(file, slow=True) as opened, io.TextIOWrapper(opened, form.encoding) as text:
            for sentence in _sentences(file, text, form, left_out):
                held.append([_tag(row[at], form) for row in sentence])
                sentences += 1
                if len(held) == SENTENCES:
                    into.add_rows(held, what)
                    held = []
                    tell(position(opened))
    except UnicodeDecodeError:
        raise ValueError(
            f"{file}: the text is not {form.encoding} throughout; convert it: iconv -f NAME -t UTF-8 {file} > new{file.suffix}."
        ) from None
    into.add_rows(held, what)
    notes.append(
        f"read as tagged text: a token on each line, {sentences:,} {'sentence' if sentences == 1 else 'sentences'} between blank lines"
    )
    notes.extend(f"{n:,} {reason} left out" for reason, n in left_out.items())
    return name


def _sentences(file: Path, text: io.TextIOBase, form: Form, left_out: Counter[str]) -> Iterator[list[list[str]]]:
    sentence: list[list[str]] = []
    header = form.header
    for number, line in enumerate(text, 1):
        line = line.rstrip("\r\n").removeprefix("\ufeff")
        if not line.strip(" \t"):
            if sentence:
                yield sentence
            sentence = []
            continue
        row = _cells(line, form.delimiter)
        if row[0] == DOCUMENT:
            left_out[f"of the lines {DOCUMENT}"] += 1
        elif line.startswith("#") and len(row) != len(form.names):
            continue
        elif len(row) != len(form.names):
            raise ValueError(
                f"{file}: line {number:,} has {len(row)} {'cell' if len(row) == 1 else 'cells'} and the others have {len(form.names)}:"
                f" {line[:60]!r}. Give each token its tags, between {'tabs' if form.delimiter != ' ' else 'blanks'}."
            )
        elif header:
            header = False
        elif form.numbered and _SPAN.fullmatch(row[0]):
            left_out["of the lines of words written as one, or not written (2-3, 2.1),"] += 1
        else:
            sentence.append(row)
    if sentence:
        yield sentence


def _tag(cell: str, form: Form) -> str | None:
    return (cell.strip('"') if form.quoted and len(cell) > 2 else cell) or None


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == "\t":
        return [cell.strip(" ") for cell in line.split("\t")]
    return [cell for cell in re.split(r"[ \t]+", line) if cell]


class _DamagedError(ValueError):
    pass


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """What the unpackers say about a damaged file, as a ValueError of one line."""
    try:
        yield
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # it is not there, or may not be read
            raise
        raise _DamagedError(f"{file}: the file is damaged ({error}); fetch it again.") from None


def _needed(file: Path, form: Form | None) -> Form:
    if form is None:
        raise ValueError(
            f"{file}: the file holds no tagged text: a token on each line with its tags beside it, blank lines between sentences."
        )
    return form
