"""Reading tables: what is repaired is said, what cannot be read is a clear error.

Files: data/column_names.py, data/delimited.py, data/dialect.py, data/parquet.py.
"""

import csv
import io
import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.data.tables import Table, read_table


@pytest.fixture
def write(tmp_path):
    def to_file(content: str | bytes, name: str = "t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to_file


def said(table: Table, words: str) -> bool:
    return any(words in note for note in table.notes)


def test_a_plain_csv_needs_no_note(write):
    table = read_table(write("x,flag,word\n1,true,a\n,false,\n3.5,,b\n"))
    assert table.notes == []
    assert (table.rows, table.names) == (3, ("x", "flag", "word"))
    assert [table.kind(n) for n in table.names] == ["number", "boolean", "category"]
    np.testing.assert_array_equal(table.column("x"), [1, math.nan, 3.5])
    np.testing.assert_array_equal(table.column("flag"), [1, 0, math.nan])
    assert table.column("word").tolist() == ["a", None, "b"]
    assert table.column("x").dtype == table.column("flag").dtype == np.float64


def test_parquet_gives_the_same_columns_as_csv(tmp_path):
    frame = pd.DataFrame({"x": [1, 2, 3], "f": [0.5, None, 1.5], "b": [True, False, True], "w": ["a", None, "b"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    text, typed = read_table(tmp_path / "t.csv"), read_table(tmp_path / "t.parquet")
    assert text.names == typed.names
    for name in text.names:
        assert text.kind(name) == typed.kind(name)
        np.testing.assert_array_equal(text.column(name), typed.column(name))


@pytest.mark.parametrize(("delimiter", "called"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_the_delimiter_is_found_and_said(write, delimiter, called):
    rows = [["name", "x", "note, long"], ["a", "1", "b, c"], ["d", "2", "e"]]
    table = read_table(write("\n".join(delimiter.join(row) for row in rows)))
    assert table.names == ("name", "x", "note, long")
    assert said(table, called)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_first_line_that_says_the_delimiter_is_believed(write, delimiter, end):
    lines = [f"sep={delimiter}", *(delimiter.join(row) for row in (["x", "y"], ["1", "a"], ["2", "b"]))]
    table = read_table(write(end.join(lines)))
    assert table.names == ("x", "y")
    assert (table.column("x").tolist(), table.column("y").tolist()) == ([1, 2], ["a", "b"])


def test_a_decimal_comma_is_read_where_it_is_no_delimiter(write):
    table = read_table(write("a;b;c\n1,5;2;-3,25e2\n;,5;0\n"))
    np.testing.assert_array_equal(table.column("a"), [1.5, math.nan])
    np.testing.assert_array_equal(table.column("b"), [2, 0.5])
    np.testing.assert_array_equal(table.column("c"), [-325, 0])
    assert said(table, "decimal comma")


def test_without_header_a_decimal_comma_does_not_pass_for_a_delimiter(write):
    table = read_table(write("1,5;2,5;a\n3,5;4,5;b\n5,5;6,5;a\n"))
    assert table.rows == 3
    np.testing.assert_array_equal(table.column(1), [1.5, 3.5, 5.5])


def test_missing_marks_blanks_and_quotes_go(write):
    table = read_table(write("x, y ,'z'\n 1, ?,'a b'\nNA, \"u\",'?'\nNaN, v,\n"))
    assert table.names == ("x", "y", "z")
    np.testing.assert_array_equal(table.column("x"), [1, math.nan, math.nan])
    assert table.column("y").tolist() == [None, "u", "v"]
    assert table.column("z").tolist() == ["a b", None, None]
    assert said(table, "'?' was read as missing: y, z")
    assert said(table, "'NA' and 'NaN' was read as missing: x")
    assert said(table, "quotes around the cells were removed: y, z")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("0.5,1,a\n0.25,2,b\n", "0.5 in column 1"),
        ("a,b,ham\nc,d,spam\ne,f,ham\n", "'ham' comes again in column 3"),
        ("?,1\nb,2\n", "1 in column 2"),
    ],
)
def test_a_first_row_that_looks_like_data_is_data(write, content, why):
    table = read_table(write(content))
    assert table.names == tuple(f"column_{i}" for i in range(1, len(table.names) + 1))
    assert table.rows == content.count("\n")
    assert said(table, "there is no header") and said(table, why)  # noqa: PT018


@pytest.mark.parametrize("content", ["a,b\nc,d\ne,f\n", "y\n1\n", "x,y\n1,?\n2,?\n", "0,1,2,label\n5,6,7,a\n7,8,9,b\n"])
def test_a_header_is_taken_for_one(write, content):
    assert read_table(write(content)).names == tuple(content.partition("\n")[0].split(","))


def test_names_that_occur_twice_or_not_at_all_are_made_different(write):
    table = read_table(write("x,x,,x.2,x\n1,2,3,4,5\n"))
    assert len(set(table.names)) == 5
    assert table.names[:3] == ("x", "x.3", "column_3")
    assert table.column("x.3").tolist() == [2]
    assert said(table, "occurs twice") and said(table, "column 3 has no name")  # noqa: PT018


def test_parquet_names_that_occur_twice_are_made_different(tmp_path):
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]), tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert (table.column("x").tolist(), table.column("x.2").tolist()) == ([1], [2])


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_other_encodings_are_read_and_said(write, encoding):
    table = read_table(write("größe,y\n1,café\n2,thé\n".encode(encoding)))
    assert table.names == ("größe", "y")
    assert table.column("y").tolist() == ["café", "thé"]
    assert table.notes


def test_a_letter_that_is_not_utf8_far_from_the_start_is_read(write):
    content = b"x,y\n" + b"1,plain ascii text\n" * 100_000 + b"2,caf\xe9\n"
    table = read_table(write(content))
    assert table.column("y")[-1] == "café"
    assert said(table, "not UTF-8")


def test_line_ends_of_every_system_are_read(write):
    for end in ("\n", "\r\n", "\r"):
        assert read_table(write(end.join(["", "x,y", "1,a", "", "2,b"]))).column("y").tolist() == ["a", "b"]


def test_text_over_several_lines_stays_one_cell(write):
    table = read_table(write('x,"long\nname"\n1,"two\nlines"\n2,"a, b"\n'))
    assert table.names == ("x", "long\nname")
    assert table.column(2).tolist() == ["two\nlines", "a, b"]


def test_quotes_that_are_not_in_pairs_are_letters(write):
    table = read_table(write('kind\ttext\nham\t"quoted start\nspam\tplain\nham\tsize 5" screen\n', "t.tsv"))
    assert table.rows == 3
    assert said(table, "not in pairs")


def test_empty_constant_and_huge_columns_are_kept(write):
    table = read_table(write("none,same,big,inf\n,7,1e300,1e999\n,7,123456789012345678901234567890,2\n"))
    assert np.isnan(table.column("none")).all()
    assert table.column("same").tolist() == [7, 7]
    assert table.column("big").tolist() == [1e300, 1.2345678901234568e29]
    np.testing.assert_array_equal(table.column("inf"), [math.nan, 2])
    assert said(table, "no value at all in: none") and said(table, "1 infinite row")  # noqa: PT018


def test_one_word_among_numbers_is_missing_and_quoted(write):
    table = read_table(write("x,y\n" + "".join(f"{i},a\n" for i in range(30)) + "unknown,b\n"))
    np.testing.assert_array_equal(table.column("x"), [*range(30), math.nan])
    assert said(table, "'unknown' (1 row) is no number among numbers and was read as missing: x")


def test_parquet_types_without_a_kind_are_left_out_or_become_numbers(tmp_path):
    columns = {
        "list": pa.array([[1], [2]]),
        "day": pa.array([0, 1], pa.date32()),
        "time": pa.array([0, 1_500_000], pa.timestamp("us")),
        "price": pa.array([1, 2], pa.decimal128(5, 1)),
        "none": pa.nulls(2),
        "half": pa.array([0.5, math.nan]).cast(pa.float32()),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert table.names == ("day", "time", "price", "none", "half")
    assert {table.kind(n) for n in table.names} == {"number"}
    assert table.column("day").tolist() == [0, 86400]
    assert table.column("time").tolist() == [0, 1.5]
    np.testing.assert_array_equal(table.column("half"), [0.5, math.nan])
    assert said(table, "left out: list") and said(table, "seconds since 1970: day, time")  # noqa: PT018


def test_files_with_other_columns_do_not_join(write, tmp_path):
    write("x,y\n1,a\n", "1.csv")
    write("x,z\n1,a\n", "2.csv")
    with pytest.raises(ValueError, match=r"2\.csv: its columns differ .*'y', 'z'"):
        read_table(tmp_path)


def test_a_column_that_is_text_in_one_file_is_text_in_all(write, tmp_path):
    write("x,y\n1,0\n", "1.csv")
    write("y,x\n1,a\n", "2.csv")
    table = read_table(tmp_path)
    assert table.column("x").tolist() == ["1", "a"]
    assert table.column("y").tolist() == [0, 1]


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "t.csv", "is empty"),
        (b" \n\n", "t.csv", "is empty"),
        (b"\xef\xbb\xbf", "t.csv", "is empty"),
        (b"x,y\n", "t.csv", "no rows"),
        (b"x,y\n1,a\n2\n", "t.csv", "another number of cells than the 2 of .*the first is line 3"),
        (b"\x00\x01\x02x,y\n", "t.csv", "not text"),
        (b"x,y\n1,a\n", "t.parquet", "not a Parquet file"),
        (b"PAR1 and no more", "t.parquet", "cannot be read"),
        (b"PK", "t.xlsx", "spreadsheets"),
        (b"@relation", "t.arff", "ARFF"),
        (b"\x1f\x8bnothing", "t.csv.gz", "damaged"),
    ],
)
def test_what_cannot_be_read_is_named(write, content, name, says):
    with pytest.raises(ValueError, match=f"{name}.*{says}"):
        read_table(write(content, name))


def test_a_path_that_leads_nowhere_suggests_the_nearest(write, tmp_path):
    write("x\n1\n", "training.csv")
    with pytest.raises(FileNotFoundError, match=r"no such file.*Did you mean 'training\.csv'"):
        read_table(tmp_path / "trainning.csv")
    with pytest.raises(FileNotFoundError, match="no folder"):
        read_table(tmp_path / "none" / "training.csv")
    with pytest.raises(FileNotFoundError, match="no file matches"):
        read_table(tmp_path / "*.tsv")
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_table("a\0b")
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_table("x" * 5000)


def test_a_folder_without_tables_says_what_it_holds(write, tmp_path):
    write("", "a.png")
    with pytest.raises(ValueError, match=r"no table .*1 file \(\.png\)"):
        read_table(tmp_path)


def test_text_and_parquet_do_not_mix(write, tmp_path):
    write("x\n1\n")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match="mixed"):
        read_table(tmp_path)


def read_or_refuse(path) -> Table | None:
    """The table, or None where a ValueError names the file."""
    try:
        return read_table(path)
    except ValueError as error:
        if str(path) not in str(error):
            raise
        return None


@given(st.binary(max_size=400))
def test_random_bytes_are_a_table_or_a_value_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "t.csv"
    path.write_bytes(content)
    table = read_or_refuse(path)
    for name in table.names if table is not None else ():
        assert len(table.column(name)) == table.rows > 0


ODD = st.characters(exclude_categories=["Cs"], include_characters="\"',;|\t\n\r?0123456789.-")


@given(st.text(alphabet=ODD, max_size=200), st.sampled_from([".csv", ".tsv"]))
def test_random_text_is_a_table_or_a_value_error(tmp_path_factory, content, suffix):
    path = tmp_path_factory.mktemp("fuzz") / f"t{suffix}"
    path.write_text(content, encoding="utf-8", newline="")
    read_or_refuse(path)


@given(st.binary(max_size=200))
def test_random_bytes_after_the_mark_of_parquet_are_a_value_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "t.parquet"
    path.write_bytes(b"PAR1" + content + b"PAR1")
    assert read_or_refuse(path) is None


CELL = st.text(alphabet="ab ,;|\t\n\"'é0", max_size=6)


@given(st.lists(st.tuples(CELL, CELL, st.integers(-5, 5)), min_size=1, max_size=12))
def test_what_pythons_csv_writes_is_read_back(tmp_path_factory, rows):
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([("first name", "second name", "number"), *rows])
    path = tmp_path_factory.mktemp("round") / "t.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    table = read_table(path)
    assert table.names == ("first name", "second name", "number")
    assert table.column("number").tolist() == [row[2] for row in rows]


def test_real_files_read_whole(shared_data):
    beans = read_table(shared_data / "tabular" / "dry_bean.csv")
    assert (beans.rows, len(beans.names)) == (13611, 18)
    assert [n for n in beans.names if beans.kind(n) != "number"] == ["Class"]
    expected = pd.read_csv(shared_data / "tabular" / "dry_bean.csv", sep=";", decimal=",")
    np.testing.assert_allclose(beans.column("Perimeter"), expected["Perimeter"], rtol=1e-15)
    adult = read_table(shared_data / "tabular" / "adult-train.csv")
    expected = pd.read_csv(
        shared_data / "tabular" / "adult-train.csv", header=None, skipinitialspace=True, na_values="?"
    )
    assert adult.rows == len(expected) == 32561
    for i in range(15):
        assert pd.isna(adult.column(i + 1)).sum() == expected[i].isna().sum()
    oil = read_table(shared_data / "tabular" / "oil-spill.csv")
    assert len(set(oil.column(23).tolist())) == 1
