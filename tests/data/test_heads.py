"""Heads and feet: what stands above, below and among the rows of a table is read or left out, and said; `count` and `tune` agree.

Files: data/feet.py, data/head_lines.py, data/head_names.py, data/lines.py, data/ragged.py, data/rewrites.py.
"""

import numpy as np
import pytest

from steelyard.data.dispatch import count_path
from steelyard.data.tables import read_table
from steelyard.tuning.data.problem import problem

ROWS = [(i, round(i * 0.37 % 5, 2), "abc"[i % 3], "yes" if i % 4 == 0 else "no") for i in range(24)]
NAMES = ("k", "x", "w", "y")


def lines(rows=ROWS, by=",") -> str:
    return "".join(by.join(map(str, row)) + "\n" for row in rows)


def boxed(rows) -> str:
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)


H, B = "k,x,w,y\n", lines()
SEMI = (H + B).replace(",", ";")

# (content, names, how often the rows of ROWS stand in it, what is said)
HEADS = {
    "comments above": ("# made by me\n# 2024, v1\n" + H + B, NAMES, 1, "2 lines of comment or blank above the header"),
    "percent signs above": ("% made\n\n" + H + B, NAMES, 1, "2 lines of comment or blank"),
    "slashes above": ("// made, by\n" + H + B, NAMES, 1, "1 line of comment"),
    "the header is a comment": ("#" + H + B, NAMES, 1, "the header was read from the line of comment"),
    "numpy's savetxt": ("# me\n# k x w y\n" + lines(by=" "), NAMES, 1, "the header was read from the line of comment"),
    "a title as wide as the table": ("Report 2024;;;\n;;;\n" + SEMI, NAMES, 1, "2 lines above the header"),
    "a title": ("Report 2024\n\n" + H + B, NAMES, 1, "1 line above the header was left out ('Report 2024')"),
    "titles with commas": ("Report, 2024\nCreated by me\n" + H + B, NAMES, 1, "2 lines above the header"),
    "keys and values": ("Created,2024-01-01,,\nBy,me,,\n,,,\n" + H + B, NAMES, 1, "3 lines above the header"),
    "units": (H + "m,kg,,\n" + B, NAMES, 1, "the line below the header was left out as units ('m, kg')"),
    "units in brackets": (H + "(m),(kg),-,-\n" + B, NAMES, 1, "as units"),
    "merged cells": ("size,,kind,y\nwide,long,,\n" + B, ("size wide", "size long", "kind", "y"), 1, "two lines"),
    "a line of dashes": (H + "---,---,---,---\n" + B, NAMES, 1, None),
    "years as names": ("w,2019,2020,y\n" + lines([(f"c{r[0]}", *r[1:2], r[0], r[3]) for r in ROWS]), ("w", "2019", "2020", "y"), 1, None),
    "no header": (B, ("column_1", "column_2", "column_3", "column_4"), 1, "there is no header: the first row looks like data"),
    "sep=:": ("sep=:\n" + (H + B).replace(",", ":"), NAMES, 1, "colons"),
    "R's write.table": ('"x" "w" "y"\n' + "".join(f'"{k + 1}" {x} "{w}" "{y}"\n' for k, x, w, y in ROWS), NAMES[1:], 1, "row names"),
    "R's write.csv": ('"","x","w","y"\n' + "".join(f'"{k + 1}",{x},"{w}","{y}"\n' for k, x, w, y in ROWS), NAMES[1:], 1, "row names"),
    "pandas' index": (",x,w,y\n" + B, NAMES[1:], 1, "row names"),
    "pandas' index, read and written": ("Unnamed: 0,x,w,y\n" + B, NAMES[1:], 1, "row names"),
    "names of rows": (",x,w,y\n" + lines([(f"p{r[0]}", *r[1:]) for r in ROWS]), NAMES[1:], 1, "row names"),
    "a separator at the end": ((H + B).replace("\n", ",\n"), NAMES, 1, "the lines end with a separator"),
    "at the end of the rows": (H + B.replace("\n", ",\n"), NAMES, 1, "the lines end with a separator"),
    "at the end of the header": (H.replace("\n", ",\n") + B, NAMES, 1, "the header ends with a separator"),
    "a header again": (H + B + H + B, NAMES, 2, "the header stands 1 more time among the rows"),
    "a header again, with a mark": ((H + B + "\ufeff" + H + B), NAMES, 2, "1 more time"),
    "a header again, quoted before": ('"k","x","w","y"\n' + B + H + B, NAMES, 2, "1 more time"),
    "a header again, below a comment": (H + B + "# part 2\n" + H + B, NAMES, 2, "1 line of comment among the rows"),
    "a comment of as many cells": (H + B + "# checked, by, me, too\n" + B, NAMES, 2, "1 line of comment among the rows"),
    "a header again, in capitals": (H + B + "K, X,W,Y\n" + B, NAMES, 2, "1 more time"),
    "units again": (H + "m,kg,,\n" + B + H + "m,kg,,\n" + B, NAMES, 2, "2 more times"),
    "numbers as names": ("1,2,3,4\n" + B, ("1", "2", "3", "4"), 1, None),
    "months as names": ("w,2020-01,2020-02,y\n" + lines([(f"c{r[0]}", *r[1:2], r[0], r[3]) for r in ROWS]), ("w", "2020-01", "2020-02", "y"), 1, None),
    "blanks before quotes": ("k, x, w, y\n" + "".join(f'{k}, {x}, "{w}, q", {y}\n' for k, x, w, y in ROWS), NAMES, 1, None),
    "statistics": (H + B + "count,24,,\nmean,2,,\nmin,0,,\n25%,1,,\nmax,5,,\n", NAMES, 1, "5 lines of totals"),
    "a box": ("┌───┬───┬───┬───┐\n│ k │ x │ w │ y │\n├───┼───┼───┼───┤\n" + boxed(ROWS).replace("|", "│") + "└───┴───┴───┴───┘\n", NAMES, 1, "drawn"),
    "reStructuredText": ("== ==== = ===\nk  x    w y\n== ==== = ===\n" + "".join(f"{k:<2} {x:<4} {w} {y}\n" for k, x, w, y in ROWS) + "== ==== = ===\n", NAMES, 1, "drawn"),
    "marks before a name": ("\u200b" + H + B, NAMES, 1, None),
    "totals": (H + B + "Total,30.5,,7\n", NAMES, 1, "1 line of totals at the end left out ('Total,30.5,,7')"),
    "totals in German": (SEMI + "Gesamt;30,5;;24\n", NAMES, 1, "1 line of totals"),
    "SQL's count": (H + B + "\n(24 rows)\n", NAMES, 1, "1 line below the table left out ('(24 rows)')"),
    "sqlcmd": (H + "---,---,---,---\n" + B + "\n(24 rows affected)\n", NAMES, 1, "below the table"),
    "psql": (" k | x | w | y \n---+------+---+---\n" + lines(by=" | ") + "(24 rows)\n", NAMES, 1, "drawn with lines"),
    "MySQL": ("+--+--+--+--+\n" + boxed([NAMES]) + "+--+--+--+--+\n" + boxed(ROWS) + "+--+--+--+--+\n24 rows in set\n", NAMES, 1, "drawn"),
    "Markdown": (boxed([NAMES]) + "|---|:-:|--:|---|\n" + boxed(ROWS), NAMES, 1, "drawn with lines"),
    "a source": (H + B + "\nSource: World Bank\n", NAMES, 1, "1 line below the table left out ('Source: World Bank')"),
    "a footnote": (H + B + "* provisional, see text\n", NAMES, 1, "1 line below the table"),
    "blank lines": (H + "\n\n" + B.replace("\n", "\n  \n") + "\x1a", NAMES, 1, None),
    "Mac's line ends": ((H + B).replace("\n", "\r"), NAMES, 1, None),
    "two kinds of line ends": (H + B.replace("\n", "\r\n") + B, NAMES, 2, None),
    "colons": ((H + B).replace(",", ":"), NAMES, 1, "colons"),
    "two colons": (B.replace(",", "::"), ("column_1", "column_2", "column_3", "column_4"), 1, "separated by '::'"),
    "two bars": ((H + B).replace(",", "||"), NAMES, 1, "separated by '||'"),
    "blanks": ("  k   x  w    y\n" + "".join(f"{k:3d} {x:6.2f}  {w}  {y:>4}\n" for k, x, w, y in ROWS), NAMES, 1, "blanks"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "names", "times", "says"), HEADS.values(), ids=HEADS)
def test_what_is_no_row_is_left_out_and_said_by_both_commands(tmp_path, content, names, times, says):
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode())
    table = read_table(path)
    assert table.names == names
    assert table.rows == 24 * times
    if "x" in names:
        np.testing.assert_allclose(table.column("x"), [row[1] for row in ROWS] * times)
    assert table.column(-1).tolist() == [row[3] for row in ROWS] * times
    counts, notes = count_path(path, -1)
    task = problem(table, table.names[-1])
    assert dict(zip(counts.classes, counts.per_class.tolist(), strict=True)) == {"no": 18 * times, "yes": 6 * times}
    assert task.counts.per_class.tolist() == [18 * times, 6 * times]
    for said in (notes, task.notes):
        assert (says is None) or any(says in note for note in said)


# what looks like a head or a foot and is data: (content, rows)
DATA = {
    "an odd cell in the first row": ("x,w,y\nunknown,a,yes\n" + lines([r[1:] for r in ROWS]), 25),
    "dashes in the first row": (H + "-,-,a,yes\n" + B, 25),
    "colours": ("c,x,y\n" + lines([(f"#{i:06x}", x, y) for i, x, _, y in ROWS]), 24),
    "colours without a header": (lines([(f"#{i % 5:06x}", x, y) for i, x, _, y in ROWS]), 24),
    "a hash tag": ("t,x,w,y\n" + lines([(f"text {i}", *r) for i, *r in ROWS]) + "#good,1.5,a,yes\n", 25),
    "total as a category": ("item,x,y\n" + lines([("total" if i % 2 else "part", x, y) for i, x, _, y in ROWS]), 24),
    "copies of the first row": ("a,b,ham\nc,d,spam\n" * 12, 24),
}


@pytest.mark.parametrize(("content", "rows"), DATA.values(), ids=DATA)
def test_data_that_looks_like_a_head_or_a_foot_is_kept(tmp_path, content, rows):
    path = tmp_path / "t.csv"
    path.write_text(content)
    assert read_table(path).rows == rows
    assert count_path(path, -1)[0].per_class.sum() == rows


def test_a_line_that_may_be_a_comment_is_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(DATA["a hash tag"][0])
    assert any("may be comments" in note for note in read_table(path).notes)


# (content, cells of the first column)
QUOTES = {
    "backslashes": ('t,x\n"say \\"a, b\\" now",1\n"\\\\ \\"c\\"",2\n', ['say "a, b" now', '\\ "c"']),
    "folders": ('t,x\n"C:\\dir\\a",1\n"C:\\new\\",2\n', ["C:\\dir\\a", "C:\\new\\"]),
    "doubled": ('t,x\n"say ""a, b"" now",1\n"c",2\n', ['say "a, b" now', "c"]),
    "single": ("t,x\n'say a, b',1\n'c',2\n", ["say a, b", "c"]),
    "over lines": ('t,x\n"two\n# lines",1\n"c",2\n', ["two\n# lines", "c"]),
}


@pytest.mark.parametrize(("content", "cells"), QUOTES.values(), ids=QUOTES)
def test_quotes_of_every_kind_are_read(tmp_path, content, cells):
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode())
    assert read_table(path).column("t").tolist() == cells


FAR = "x,y\n" + "1,a\n2,b\n" * 150_000  # more than is looked at first
REFUSED = {
    "too few cells": (H + B + "24,1.5,a\n" + B + "24\n", r"2 rows have another number of cells than the 4 .*\(3, 1\); the first is line 26"),
    "too many cells": (H + B + "24,1.5,a,yes,5\n", "1 row has another number .* line 26"),
    "cut off": (H + B + "24,1.5", "line 26: '24,1.5'"),
    "a header that is too short": ("k,x\n" + B, "the header has 2 names but the rows below have 4 cells"),
    "quotes that are none": ("t,y\n" + lines([(f"“a, {r[2]}”", r[3]) for r in ROWS]), "the header has 2 names but the rows below have 3"),
    "LIBSVM": ("1 1:0.5 2:3\n0 1:0.25 2:7\n", "load_svmlight_file"),
    "fixed width": ("name      x    y\n" + "".join(f"{'Al B' if k % 3 else 'Cy':10s}{x:4.2f} {y}\n" for k, x, _, y in ROWS), "read_fwf"),
    "a quote that stays open": (FAR + '3,"b\n' + "1,a\n" * 300, 'the quote (") that opens in line 300002 is not closed'.replace("(", r"\(").replace(")", r"\)")),
    "a zero byte": (H + B + "1,2,\0,yes\n", "zero bytes, the first in line 26"),
    "a zero byte far away": (FAR + "3,\0\n", "zero bytes"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "says"), REFUSED.values(), ids=REFUSED)
def test_rows_that_do_not_fit_are_refused_with_their_line(tmp_path, content, says):
    path = tmp_path / "t.csv"
    path.write_text(content)
    for read in (read_table, lambda file: count_path(file, -1)):
        with pytest.raises(ValueError, match=says):
            read(path)


def test_heads_and_feet_far_from_the_start_are_found(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(FAR + 'x,y\n# part 2\n1,a\n3,"two\nlines"\nTotal,\n\n(3 rows)\n')
    counts, notes = count_path(path, "y")
    assert dict(zip(counts.classes, counts.per_class.tolist(), strict=True)) == {
        "a": 150_001,
        "b": 150_000,
        "two\nlines": 1,
    }
    assert {"1 line of totals", "1 line below the", "the header stands 1"} <= {
        " ".join(n.split()[:4]) if n[0] == "1" else n[:19] for n in notes
    }


def test_a_header_in_another_order_is_told_by_its_name(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(H + B + "k,w,x,y\n" + B)
    table = read_table(path)
    assert any("which is the column's name" in note for note in count_path(path, "y")[1])
    assert any("which is the column's name" in note for note in table.classes("y")[1].notes)


def test_a_column_that_counts_the_rows_is_told(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,x,y\n" + lines([(i + 1, x, y) for i, x, _, y in ROWS]))
    assert any("the column counts the rows" in note and note.endswith(": id") for note in read_table(path).notes)


def test_many_columns_are_counted_in_little_memory(tmp_path):
    wide = 30_000
    path = tmp_path / "t.csv"
    row = ",".join(str(i % 10) for i in range(wide))
    path.write_text(
        ",".join(f"gene_{i}" for i in range(wide)) + ",y\n" + "".join(f"{row},{'ab'[i % 2]}\n" for i in range(12))
    )
    assert count_path(path, "y")[0].per_class.tolist() == [6, 6]
