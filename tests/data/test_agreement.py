"""Formats x stores x commands: count and tune agree class by class, every store with every other, and no cell changes in silence.

tests/data/test_classes.py and test_numbers.py say which value each format has; here the laws hold for any column, and the slow run
makes hundreds of them up (STEELYARD_FUZZ says how many).
"""

import json
import os
import re
import tempfile
import warnings
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steelyard import count
from steelyard.data import count_path
from steelyard.data.tables import Table
from steelyard.tuning.data.problem import as_table, problem

polars = pytest.importorskip("polars")
pytestmark = pytest.mark.filterwarnings("ignore::steelyard.ReadingWarning")

PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
EMPTY = ("", None)


def delimited(mark, ending):
    def write(folder, cells):
        path = folder / f"t{ord(mark)}.{ending}"
        quoted = ["" if c is None else '"' + c.replace('"', '""') + '"' for c in cells]
        path.write_text(f"i{mark}v{mark}z\n" + "".join(f"a{mark}{c}{mark}b\n" for c in quoted), encoding="utf-8")
        return path

    return write


def lines(folder, cells):
    path = folder / "t.jsonl"
    path.write_text("".join(json.dumps({"i": "a", "v": c, "z": "b"}) + "\n" for c in cells), encoding="utf-8")
    return path


def arrow(cells) -> pa.Table:
    return pa.table({"i": ["a"] * len(cells), "v": pa.array(cells, pa.string()), "z": ["b"] * len(cells)})


def written(table, folder, **options):
    pq.write_table(table, folder / "t.parquet", **options)
    return folder / "t.parquet"


def coded(cells) -> pa.Table:
    return arrow(cells).set_column(1, "v", arrow(cells)["v"].combine_chunks().dictionary_encode())


# text that nobody declared as text, and text that is declared
UNTYPED = {
    "comma": delimited(",", "csv"),
    "semicolon": delimited(";", "csv"),
    "tab": delimited("\t", "tsv"),
    "bar": delimited("|", "csv"),
}
TYPED = {
    "parquet": lambda folder, cells: written(arrow(cells), folder, row_group_size=7),
    "JSON Lines": lines,
    "arrow": lambda folder, cells: arrow(cells),
    "pandas": lambda folder, cells: pd.DataFrame({"i": "a", "v": pd.Series(cells, dtype=object), "z": "b"}),
    "polars": lambda folder, cells: polars.from_arrow(arrow(cells)),
    "dictionary": lambda folder, cells: {"i": ["a"] * len(cells), "v": list(cells), "z": ["b"] * len(cells)},
    "records": lambda folder, cells: arrow(cells).to_batches()[0],
}
# categories are names: no number is read from them, but labels are read as from the others
CODED = {
    "parquet, codes": lambda folder, cells: written(coded(cells), folder),
    "pandas, category": lambda folder, cells: coded(cells).to_pandas(),
}

DIGITS = [str(i) for i in range(10, 30)]
COLUMNS = {
    "whole numbers": ["1", "2", "3", "2"],
    "zeros in front": ["007", "7", "012", "12"],
    "zip codes and a blank": ["02134", "10001", "", "02134"],
    "decimals": ["0.5", "1.50", "1.5", "-2.25"],
    "zeros behind": ["1.0", "0.0", "1", "0"],
    "beyond 64 bits": ["18446744073709551617", "18446744073709551616", "3"],
    "beyond a float": ["9007199254740993", "9007199254740992"],
    "64 bits": ["18446744073709551615", "9223372036854775808", "9007199254740993"],
    "exponents": ["1E1", "10", "1e400"],
    "thousands": ["1,219", "12,000", "1,234,567"],
    "thousands or decimals": ["1,219", "200"],
    "points": ["1.219", "12.000", "200"],
    "money": ["$1,219.50", "$3", "-$2"],
    "percent": ["12 %", "7.5%", "3"],
    "units": ["35 kg", "36 kg", "7"],
    "two units": ["35 kg", "36 lb"],
    "brackets": ["(12.5)", "3"],
    "unicode minus": ["−3", "3", "-3"],
    "bounds": ["<500", "620", ">5000"],
    "classes with bounds": ["<=50K", ">50K", ">50K."],
    "a typo": [*DIGITS, "12O"],
    "a word": [*DIGITS, "unknown"],
    "dashes": [*DIGITS, "-", "."],
    "None": [*DIGITS, "None", "\\N"],
    "missing words": ["NA", "nan", "NULL", "?", "a", "b"],
    "missing words among numbers": ["NA", "1", "2", "?"],
    "yes and no": ["yes", "No", "no", "YES"],
    "true and false": ["TRUE", "false", "True"],
    "t and f": ["t", "f", "t"],
    "0, 1 and true": ["0", "1", "true"],
    "dates": ["2020-01-02", "2020-01-01", "2020-02-30"],
    "day first": ["31/12/2024", "01/02/2024"],
    "dots": ["31.12.2024", "01.02.2024", "31.12.24"],
    "year and month": ["2001-02", "2002-03"],
    "clock": ["10:15", "9:05", "24:00"],
    "AM and PM": ["2:30 PM", "12:00 AM"],
    "times": ["2020-01-01 00:00:00", "2020-01-01T12:00:00Z"],
    "blanks": ["no ", " no", "no", "yes"],
    "narrow blanks": ["no\u00a0", "no", "a\u2009b"],
    "quotes": ["'a'", "a", '"b"', "'"],
    "accents": ["é", "e\u0301", "É"],
    "other digits": ["٣", "3", "３"],
    "Greek and Latin": ["А", "A", "Α"],
    "ranges": ["18-25", "26-40", "1-2"],
    "several": ["A|B", "A", "B", "A;B"],
    "lists": ["[1, 2]", "[1]", "[]"],
    "infinite": ["inf", "1", "-Infinity"],
    "hexadecimal": ["0x10", "16", "1_000"],
    "emoji": ["👍🏽", "👍", "no"],
    "signs in front": ["=1", "+1", "-1", "1", "@a", "#1"],
    "ordinals": ["1st", "2nd", "3rd"],
    "versions": ["1.2.3", "1.10", "1.1"],
    "fractions": ["1/2", "3/4"],
    "a blank between digits": ["1 219", "200", "1 219"],
    "plus behind": ["3+", "1", "2"],
    "letters that float understands": ["nan", "infinity", "1e5", "x"],
    "zero": ["0", "-0", "0.0", "+0"],
}


def classes_of(data, table) -> tuple[dict[str, int], dict[str, str | None], str]:
    """({class: rows} by count, {cell: its class} by tune, everything that was said); both commands agree."""
    try:
        counted = count(data, label="v")
    except ValueError as refused:
        with pytest.raises(ValueError, match=re.escape(str(refused).rpartition(": ")[2][:40])):
            table.classes("v")
        return {}, {}, str(refused)
    codes, read = table.classes("v")
    assert read.counts.classes == counted.classes
    assert read.counts.per_class.tolist() == counted.per_class.tolist()
    assert np.bincount(codes[codes >= 0], minlength=len(counted)).tolist() == counted.per_class.tolist()
    rows = dict(zip(counted.classes, counted.per_class.tolist(), strict=True))
    cells = {cell: None if at < 0 else counted.classes[at] for cell, at in read.number.items()}
    assert all(note in counted.notes for note in read.notes)
    return rows, cells, " ".join(counted.notes)


def check_labels(cells, rows, read, said) -> None:
    """Every cell is its own class, or is joined or dropped with a word; and no row is lost."""
    times = Counter(cells)
    assert sum(rows.values()) == sum(
        times[c] for c in times if read.get(c, read.get("" if c is None else c)) is not None
    )
    joined: dict[str, set[str]] = {}
    for cell in times:
        name = read[cell if cell in read else ""]
        if name is None:
            assert cell is None or not cell.strip() or repr(cell.strip()) in said, (cell, said)
            continue
        bare = cell.strip()
        bare = bare[1:-1].strip() if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\"" else bare
        same = name == bare or name == cell.strip() or (PLAIN.fullmatch(bare) and Decimal(bare) == Decimal(name))
        assert same or "decimal comma" in said, (cell, name)
        joined.setdefault(name, set()).add(bare)
    for name, spellings in joined.items():
        assert len(spellings) == 1 or all(repr(s) in said for s in sorted(spellings)[:2]), (name, spellings, said)


def check_feature(table: Table, cells) -> None:
    """A number column says each plain number as it stands, or a note says how it was read; what is missing is quoted; text stays."""
    column = table.columns["v"]
    said = " ".join((*column.notes, *table.notes))
    values = table.column("v")
    shown = dict.fromkeys(v for v in (c.strip() if c else c for c in cells) if v)
    for cell, value in zip(cells, values, strict=True):
        bare = None if cell is None else cell.strip()
        if value is None or (isinstance(value, float) and np.isnan(value)):
            quoted = bare in EMPTY or repr(bare) in said or repr(bare.strip("'\"")) in said or bare in said
            assert quoted or re.search(r"and [0-9,]+ (more|others)|infinite|beyond", said), (cell, said)
        elif column.kind == "number":
            assert spelled(bare) == value or said, (cell, value, said)
        elif column.kind == "boolean":
            assert value == float(bare.strip("'\"").casefold() in ("true", "yes", "1", "t")), (cell, value)
        else:
            assert value in (bare, bare.strip("'\"").strip()), (cell, value)
    assert shown or not np.any([isinstance(v, str) for v in values])


def spelled(text: str) -> float | None:
    """The number that it is to Python, which reads the digits of every script, with the minus of typography."""
    try:
        return float(text.replace("−", "-"))
    except ValueError:
        return None


def check(folder, cells) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        by_kind: dict[str, dict] = {}
        for stores in (UNTYPED, TYPED, CODED):
            answers, features = {}, {}
            for store, make in stores.items():
                data = make(folder, cells)
                table = as_table(data)
                answers[store], read, said = classes_of(data, table)
                if answers[store]:
                    check_labels(cells, answers[store], read, said)
                check_feature(table, cells)
                values = table.column("v")
                features[store] = [None if v is None or v != v else v for v in values.tolist()]
            if stores is UNTYPED:  # where a comma may be a decimal sign, the column decides
                comma = answers.pop("comma"), features.pop("comma")
                if not any(re.search(r"[.,][0-9]{3}", c) or "," in c for c in cells if c):
                    assert comma == (answers["tab"], features["tab"])
            first, *others = answers
            for other in others:
                assert answers[other] == answers[first], (first, other)
                assert features[other] == features[first], (first, other)
            by_kind[first] = features[first]
        assert by_kind["parquet"] == by_kind["semicolon"] or any(c and c.strip() != c.strip("'\" ") for c in cells)


@pytest.mark.parametrize("kind", COLUMNS)
def test_stores_and_commands_agree_and_no_cell_changes_in_silence(tmp_path, kind):
    check(tmp_path, COLUMNS[kind] * 3)


def test_the_learner_is_given_what_the_counter_counts(tmp_path):
    cells = ["no ", "no", "NA", "Yes", "yes"] * 20
    more = as_table(pd.DataFrame({"x": np.arange(len(cells)) % 7})).columns["x"]
    for store, make in {**UNTYPED, **TYPED, **CODED}.items():
        table, counted = as_table(make(tmp_path, cells)), count(make(tmp_path, cells), label="v")
        task = problem(replace(table, columns={**table.columns, "x": more}), "v")
        n = dict(zip(task.counts.classes, task.counts.per_class.tolist(), strict=True))
        assert dict(zip(counted.classes, counted.per_class.tolist(), strict=True)) == n, store
        assert n == {"no": 40, "Yes": 20, "yes": 20}


def test_the_checks_see_what_is_wrong(tmp_path):
    path = UNTYPED["tab"](tmp_path, ["1", "2", "x"])
    counts, _ = count_path(path, "v")
    rows = dict(zip(counts.classes, counts.per_class.tolist(), strict=True))
    with pytest.raises(AssertionError):
        check_labels(["1", "2", "x"], rows, {"1": "1", "2": "1", "x": "x"}, "")
    with pytest.raises(AssertionError):
        check_labels(["1", "2", "x"], rows, {"1": "1", "2": "2", "x": None}, "")
    with pytest.raises(AssertionError):
        check_feature(as_table({"v": [1.0, 2.0]}), ["1", "3"])


EDGES = st.one_of(
    st.sampled_from(sorted({c for column in COLUMNS.values() for c in column})),
    st.integers(-10, 2000).map(str),
    st.decimals(-50, 5000, places=2).map(str),
    st.integers(1000, 9_999_999).map(lambda n: f"{n:,}"),
    st.integers(0, 99999).map(lambda n: f"{n:05}"),
    st.dates().map(str),
    st.dates().map(lambda d: d.strftime("%d/%m/%Y")),
    st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="\"'\\"), min_size=1, max_size=6),
)


@st.composite
def columns(draw) -> list[str]:
    """A few formats, each of them in a few cells; often one format with one odd cell."""
    kind = st.sampled_from(sorted(COLUMNS))
    cells = list(COLUMNS[draw(kind)])
    for _ in range(draw(st.integers(0, 2))):
        cells += draw(st.one_of(kind.map(COLUMNS.get), st.lists(EDGES, min_size=1, max_size=4)))
    return draw(st.permutations(cells)) * draw(st.sampled_from([1, 2, 20]))


@pytest.mark.slow
@settings(max_examples=int(os.environ.get("STEELYARD_FUZZ", "300")), suppress_health_check=list(HealthCheck))
@given(columns())
def test_any_column_is_read_alike_and_aloud(cells):
    with tempfile.TemporaryDirectory() as folder:
        check(Path(folder), cells)
