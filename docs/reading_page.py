"""docs/reference/reading.md: what is understood, cell by cell, as the readers themselves answer. Loaded by build_tables.py."""

import tempfile
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from steelyard.data import dates, durations, numbers
from steelyard.data.cells import MISSING
from steelyard.data.classes import CELLS, Cells, look_alikes, read_cells
from steelyard.data.date_forms import CLOCKS, FORMS, MONTHS, PIVOT, instant, spelled
from steelyard.data.dialect import DELIMITERS, RARER
from steelyard.data.dispatch import count_path
from steelyard.data.encoding import OTHERS
from steelyard.data.head_lines import MARKS
from steelyard.data.known import COUNT
from steelyard.data.labels import label_name
from steelyard.data.paths import CONLL, JSON, MASKS, OTHER, PACKED, TABLES
from steelyard.data.several import note_on_parts
from steelyard.data.tables import read_table
from steelyard.tuning.data.features import LEVELS, MOST_CODES, RARE
from steelyard.tuning.data.prose import DISTINCT, WORDS
from steelyard.tuning.data.stand_ins import DEVIATIONS, MEASURED, SPANS, TIMES, ZEROS, apart
from steelyard.tuning.data.text import ALONE, FEW, RUNS, TERMS
from steelyard.tuning.data.tokens import tokens

LABELS = (
    ("0", "1"), ("0.0", "1.0"), ("1", "1.0", "2"), ("007", "7"), ("1E1", "10"), ("+1", "-1"),
    ("18446744073709551616", "18446744073709551617"), ("no ", "no", " yes"), ("'a'", '"b"'), ("True", "TRUE", "false"),
    (">50K", ">50K.", "<=50K"), ("NA", "DE", "FR"), ("2020-01-02", "2020-01-01"), ("inf", "1"), ("A|B", "A", "B"),
)  # fmt: skip
STANDING = (
    ((-2.5, -1.0, 0.1, 0.2, 1.1, 3.2), (-999.0,)),
    ((18.0, 30.0, 41.0, 42.0, 57.0, 90.0), (999.0,)),
    ((18.0, 30.0, 41.0, 42.0, 57.0, 90.0), (99.0,)),
    ((1.0, 2.0, 3.0, 4.0, 5.0), (9.0,)),
    ((1.0, 2.0, 3.0, 4.0, 5.0), (7.0,)),
    ((0.0, 2.0, 3.0, 5.0, 8.0, 10.0), (97.0, 98.0, 99.0)),
    ((0.0, 1.0, 2.0, 4.0, 7.0, 30.0), (-1.0,)),
    ((60.0, 66.0, 70.0, 74.0, 80.0, 92.0), (0.0,)),
    ((0.0, 0.0, 0.0, 0.0, 8.0, 9.0, 11.0, 20.0, 25.0, 40.0), (0.0,)),
)
TEXTS = (
    "Don't miss it!!!!!",
    "FREE entry: $1,000 (100%)",
    "#sale @bob",
    "这个手机 iPhone15 很好",
    "ดีมาก",
    "👍🏽👨‍👩‍👧",
    "İYİ",
    "cafe\u0301 &lt;3",
    "v1agra",
    "a b",
)
COLUMNS = (
    (("1,219", "12,000", "1,234,567"), "."), (("1.219,50", "3,25"), ","), (("1'219.5", "3.5"), "."), (("1 219,5", "3,5"), ","),
    (("1,219", "200"), ","), (("1,219", "2000"), ","), (("$1,219.50", "-$3"), "."), (("12 %", "7.5%"), "."), (("35 kg", "36 kg"), "."),
    (("(12.5)", "3"), "."), (("−12.5", "3"), "."), (("01:30:00", "00:05"), "."), (("<500", "620", ">5000"), "."),
    (("1.219", "12.000", "200"), ","), (("1.219", "200"), "."), (("€ 1.219", "€ 200"), ","), (("12,34,567", "5,000"), "."), (("1.2k", "3M"), "."), (("CHF 500.-", "CHF 1'219.-"), "."),
    (("1,219.50-", "3"), "."), (("12", "unknown", "#DIV/0!"), "."), ((*map(str, range(10, 25)), "None"), "."), ((*map(str, range(10, 25)), "-"), "."), ((*map(str, range(10, 25)), "12O"), "."),
    (("<=50K", ">50K"), "."), (("1st", "2nd", "3rd"), "."), (("5 kg", "6 lb"), "."), (("0 2 4", "1 3"), "."), (("18-25", "26-40"), "."),
)  # fmt: skip
DATES = (
    ("31/12/2024", "01/02/2024"), ("12/31/2024", "01/02/2024"), ("01/02/2024", "05/03/2024"), ("01.02.2024", "05.03.2024"),
    ("31/12/24", "01/02/99", "02/03/24", "03/04/24", "04/05/24", "05/06/24", "06/07/24"), ("2024-12-31 10:15", "2024-12-31 10:15+01:00"),
    (*(f"{d}.1.2024" for d in range(1, 20)), "30.2.2024"), ("12/31/2024", "31/12/2024"), ("2001-02", "2002-03"), ("20240131", "20240201"),
)  # fmt: skip
ROWS = "1,2,a\n3,4,b\n5,6,a\n"
HEADS = (
    "sep=;\nx;z;y\n1;2;a\n3;4;b\n", "# made by me\nx,z,y\n" + ROWS, "# x z y\n1 2 a\n3 4 b\n", "Report 2024,,\n,,\nx,z,y\n" + ROWS,
    "x,z,y\ncm,kg,\n" + ROWS, "size,,y\nmean,sd,\n" + ROWS, ROWS, "x,2019,2020\na,1,2\nb,3,4\n", ",x,y\n" + ROWS, "Unnamed: 0,x,y\n" + ROWS, "x,y\n" + ROWS,
    "x,z,y,\n1,2,a,\n3,4,b,\n", "x,x,,y\n1,2,3,a\n4,5,6,b\n", "x,z,y\n" + ROWS + "x,z,y\n" + ROWS, "x,z,y\n" + ROWS + "# part 2\n" + ROWS, "x,z,y\n" + ROWS + "Total,12,\n",
    "x,z,y\n" + ROWS + "\n(3 rows)\n", "x,z,y\n" + ROWS + "\nSource: me\n", "| x | y |\n|---|---|\n| 1 | a |\n| 2 | b |\n", "  x   y\n  1   a\n 20   b\n", "1::2::a\n3::4::b\n",
    'x,y\n"say \\"a, b\\"",1\n"c",2\n', "x,z,y\n" + ROWS + "7,8\n", "x\n" + ROWS,
)  # fmt: skip


def page(note: str) -> str:
    names = ", ".join(f"`{m}`" for m in MISSING if m)
    text = f"""{note}

# What is understood

Every row of the tables below is what the readers answer. Labels are read by one reader, whatever holds them (CSV, ARFF, Parquet, a
DataFrame, a dataset) and whichever command asks; lists and arrays in memory are as they are: whole numbers there are logit indices.

## Labels

An empty cell is no label, nor are {names}; what `classes=` names is a label all the same. `--missing none` (`missing="none"`) says that no text
stands for missing, `--missing TEXT` which does; what was left out is named with its rows. Text that a Parquet file or a DataFrame
declares as text stays as it stands, blanks around it aside. Cells of a CSV are numbers if each can be written back as it is, zeros
behind the point aside; otherwise all of them stay text. Ordered categories, Enums and a ClassLabel keep their order and unused levels.
`classes=` names the classes in order, as a list, {{index: name}} or {{name: index}}; or joins values, {{value: name}}.

| cells of a CSV | classes | said |
|---|---|---|
"""
    text += "".join(_labels(cells) for cells in LABELS)
    nothing = ", ".join(f"`{n}`" for n in sorted(numbers.NOTHING))
    text += f"""
## Columns to learn from

`tune` reads a column as numbers if nine tenths of its rows that say something are; the others are missing values, and quoted. So is what
says that there is none, however often: {nothing}. Text that a Parquet file or a DataFrame declares as text gets the same answer as the cells
of a CSV, and a note; digits with zeros in front (00501) stay text everywhere, if all have one width or one in ten has such zeros; what is a
category by its type (pandas, polars, Arrow) stays one. A column of texts most of which are numbers, and which is not used, stands before the
verdict. `--categorical COL` is for numbers that are names, `--drop COL` for what is not to be learned from; `--missing TEXT` makes the text, and
the number that it spells, missing in every column, beside the usual ones.

What one column leaves open another of the file may tell: 1.219 is 1219 beside a column of 0,5 and stays 1.219 beside 0.5. What none tells is
guessed, and the guess stands before the verdict.

| cells | decimal comma possible | read as | said |
|---|---|---|---|
"""
    text += "".join(_column(cells, decimal) for cells, decimal in COLUMNS)
    text += f"""
A number can stand for missing, and a linear model takes it for a size. `tune` warns of the least and the largest numbers of a column if they
stand there {TIMES} times or more, are whole, and lie apart from the others: nines (9, 99, -999, and 97 and 98 beside them; 77, 88) and the ends of 16 and 32 bits
by more than the others' whole range or {DEVIATIONS:g} of their deviations, or as the only negatives of what counts, as -1 does; any other by {SPANS:g}
times that range; 0, in {ZEROS[0]:.1%} to {ZEROS[1]:.0%} of the rows, by {MEASURED:g} deviations. It asks, and changes nothing: `--missing=-999` does,
or an empty cell.

| numbers | seem to stand for missing |
|---|---|
"""
    text += "".join(_apart(rest, ends) for rest, ends in STANDING)
    text += f"""
## Dates and times

A column of dates is read as seconds since 1970 (UTC where no zone is said), and `--time COL` orders the rows by it. All forms may stand in one
column, each with a time behind it: {_code(CLOCKS)}. Months have their names, or three letters and more of them, in {_listed(MONTHS)}. Two-digit years
from {PIVOT} on are 19.., others 20.., as in POSIX.

| form | cell | read as |
|---|---|---|
"""
    text += "".join(_date(form.name, cell) for form in FORMS for cell, _ in form.examples)
    text += """
Which of two numbers is the day, the whole column decides: a number above 12; else the reading with far fewer different years; else the one
reading under which the rows are in order; else another column of the file; points mean day first. Where nothing tells, the day is first, the
guess stands before the verdict, and `--time` refuses the column unless every reading gives the same order.

| cells | read as | said |
|---|---|---|
"""
    text += "".join(_dates(cells) for cells in DATES)
    text += """
20240131 is a number, which is in order as it stands; for `--time`, whole numbers that all spell 31012024, 310124 or 012024 are ordered as dates.
Times of day and durations are seconds; months are a twelfth of a year of 365.25 days. One unit alone (35 min) is taken off.

| cell | seconds |
|---|---|
"""
    text += "".join(f"| `{cell}` | {_seconds(cell):,.12g} |\n" for cell in durations.EXAMPLES)
    text += f"""
## Heads and feet

The first megabyte says where the rows begin; what is left out there, among the rows or below them is said with its first line. Row names
are not used and have no number. Lines that begin with {_code(MARKS)} are comments where they do not fit the columns; where they do, they are
rows, and said. A line that has another number of cells than the others is refused with its number.

| text | columns | rows | said |
|---|---|---|---|
"""
    with tempfile.TemporaryDirectory() as folder:
        text += "".join(_head(content, Path(folder) / "t.csv") for content in HEADS)
    text += f"""
## Text

A column is text where there are more different texts than {DISTINCT} (or half as many as rows), and one of: {WORDS} words or more on
average, where a picture is a word and so are two signs of a script without blanks; parts that come again in other texts; addresses of pages
or mail; in most rows another text without digits. Everything else is a category or, if it differs in nearly every row, an identifier.
`--categorical COL` takes a text as a category, `--drop COL` leaves it out.

Words, neighbouring pairs of them and what stands beside them are counted, each if it is in two rows of a training part. Runs of {RUNS[0]} to
{RUNS[1]} characters join them where a script has no blanks, more than {ALONE:.0%} of the words are in one row only, or the column has fewer
than {FEW:,} characters. At most {TERMS:,} terms of each sort are used, the most frequent. What no term stands for is told with examples; if
it is most of the column, before the verdict.

| text | words | beside them |
|---|---|---|
"""
    text += "".join(_text(cell) for cell in TEXTS)
    text += f"""
Levels of a category in fewer than {RARE} rows of a training part, or beyond the {LEVELS} most frequent, are one for linear models and
networks; trees keep {MOST_CODES}. How many, in how many rows, and which is told; if they are most of the rows, before the verdict.

## Files

Tables: {_code(TABLES)}, in one file, a folder or a glob; separated by {", ".join(DELIMITERS.values())}, where none of these serves by
{", ".join(RARER.values())} or blanks, with a decimal comma where the comma does not separate. What is packed ({_code(PACKED)}) is told by its first
bytes. Text is UTF-8, UTF-16 with its mark, or Western European (cp1252), which is said; other text is refused with what `iconv` may be
given: {_code(OTHERS)}.

JSON ({_code(JSON[:1])} and such; a `.json` of lines or of one list of rows): cells have the type that they have there. A key that a row lacks is missing, lists of
text or whole numbers are several labels, other nested values are named and not used, a key that holds numbers and text is text, which is said.

Tagged text: {_code(CONLL)}, a token on each line, its tags beside it between tabs or blanks, a blank line between sentences; other
endings where the label is tags such as `O` and `B-PER` alone, or with `--kind exclusive` (`kind="exclusive"`), which also counts every element of lists.

Masks: {_code(MASKS)}. A table of two columns, one of them named {_code(COUNT)}, with a row for each class, holds known counts;
so does a JSON such as `{{"no": 900, "yes": 100}}`.

| ending | answer |
|---|---|
"""
    return text + "".join(f"| `{ending}` | {reason} |\n" for ending, reason in OTHER.items())


def _apart(rest: tuple[float, ...], ends: tuple[float, ...]) -> str:
    among = np.array([*rest * 20, *ends * TIMES], dtype=np.float64)
    found = ", ".join(f"{v:g}" for v in apart(among)) or "none"
    return f"| {', '.join(f'{v:g}' for v in rest)}, and {', '.join(f'{v:g}' for v in ends)} {TIMES} times | {found} |\n"


def _text(cell: str) -> str:
    words, beside = tokens(cell)
    return f"| `{cell}` | {_each(words)} | {_each(beside)} |\n"


def _each(parts: Iterable[str]) -> str:
    return ", ".join(f"`{part}`" for part in parts)


def _labels(cells: tuple[str, ...]) -> str:
    values, notes = read_cells(Cells(Counter(cells), CELLS))
    names = dict.fromkeys(label_name(v) for v in values.values() if v is not None)
    said = [*notes, look_alikes(names), note_on_parts(dict.fromkeys([*names, "C"], 1)) if "A|B" in names else None]
    if lost := [c for c, v in values.items() if v is None and c.strip() in MISSING]:
        said.append(f"{' and '.join(map(repr, lost))} was read as missing, with its rows")
    return f"| {_code(cells)} | {_code(names)} | {_escaped('; '.join(s for s in said if s))} |\n"


def _column(cells: tuple[str, ...], decimal: str) -> str:
    read = numbers.dressed(dict.fromkeys(cells, 1), decimal)
    shown = (*cells[:2], "…", cells[-1]) if len(cells) > 5 else cells
    if read is None:
        return f"| {_code(shown)} | {'yes' if decimal == ',' else 'no'} | categories | |\n"
    values = ", ".join(
        "…" if c == "…" else "missing" if read.value[c] is None else f"{read.value[c]:.12g}" for c in shown
    )
    notes = "; ".join([*read.notes, *([f"a guess: {read.guess}"] if read.guess else [])])
    return f"| {_code(shown)} | {'yes' if decimal == ',' else 'no'} | {values} | {_escaped(notes)} |\n"


def _date(name: str, cell: str) -> str:
    date = spelled(cell)
    assert date is not None
    orders = ("dmy", "mdy", "ymd") if date.open else ("ymd",)
    seconds = next(s for s in (instant(date, order) for order in orders) if s is not None)
    return f"| {name} | `{cell}` | {datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} |\n"


def _dates(cells: tuple[str, ...]) -> str:
    read = dates.dates(dict.fromkeys(cells, 1))
    shown = (*cells[:2], "…", cells[-1]) if len(cells) > 3 else cells
    if read is None:
        return f"| {_code(shown)} | as it stands | |\n"
    moments = ["…" if c == "…" else read.value[c] for c in shown]
    days = ", ".join(
        "missing" if m is None else m if isinstance(m, str) else f"{datetime.fromtimestamp(m, UTC):%Y-%m-%d %H:%M}"
        for m in moments
    )
    notes = "; ".join([*read.notes, *([f"a guess: {read.guess}"] if read.guess else [])])
    return f"| {_code(shown)} | {days.replace(' 00:00', '')} | {_escaped(notes)} |\n"


def _seconds(cell: str) -> float:
    seconds = durations.clock(cell)
    if seconds is None:
        counted = durations.counted(cell)
        assert counted is not None
        seconds = counted[0]
    return seconds


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}"


def _head(content: str, path: Path) -> str:
    path.write_bytes(content.encode())
    shown = "<br>".join(f"`{_escaped(line)}`" if line.strip() else "" for line in content.splitlines())
    try:
        table = read_table(path)
        notes = dict.fromkeys([*count_path(path, -1)[1], *table.repaired])
    except ValueError as error:
        return (
            f"| {shown} | refused | | {_escaped(str(error).replace(f'{path}: ', '').replace(str(path), 't.csv'))} |\n"
        )
    return f"| {shown} | {_code(table.names)} | {table.rows} | {_escaped('; '.join(notes))} |\n"


def _code(texts: Iterable[str]) -> str:
    return ", ".join("…" if t == "…" else f"`{_escaped(t)}`" for t in texts)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
