"""Any bytes are a table that can be learned from, or one clear ValueError; tests/fuzz looks for longer."""

import io
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from steelyard.data import count_path
from steelyard.data.tables import read_table
from steelyard.tuning.data.problem import problem

ROWS = 40
FRAME = pd.DataFrame(
    {
        "x": np.random.default_rng(0).normal(size=ROWS),
        "k": np.arange(ROWS) % 5,
        "word": [("red", "bl\u00fce", None)[i % 3] for i in range(ROWS)],
        "when": pd.date_range("2020-01-01", periods=ROWS, freq="7h"),
        "flag": np.arange(ROWS) % 3 == 0,
        "said": [f"come home {'now please' if i % 2 else 'and call me'} {i}" for i in range(ROWS)],
        "y": np.where(np.arange(ROWS) % 4 == 0, "yes", "no"),
    }
)


def parquet(table: pa.Table, **options) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


TYPES = pa.table(
    {
        "list": [[1], [2, 3]] * (ROWS // 2),
        "struct": [{"a": 1}] * ROWS,
        "level": pa.array(["a", "b"] * (ROWS // 2)).dictionary_encode(),
        "time": pa.array(range(ROWS), pa.time32("s")),
        "money": pa.array([1.5, 2.5] * (ROWS // 2)).cast(pa.decimal128(20, 2)),
        "bytes": [b"\xff"] * ROWS,
        "y": ["a", "b"] * (ROWS // 2),
    }
)
TEXT = FRAME.to_csv(index=False)
CSV = [
    TEXT.encode(),
    TEXT.encode("utf-16"),
    b"\xef\xbb\xbf" + TEXT.encode(),
    TEXT.encode("latin-1"),
    FRAME.to_csv(index=False, sep=";", decimal=",").encode(),
    FRAME.to_csv(index=False, sep="\t", quoting=1).encode(),
    FRAME.to_csv(index=False, header=False).encode(),
]
PARQUET = [
    parquet(pa.Table.from_pandas(FRAME)),
    parquet(pa.Table.from_pandas(FRAME), compression="none", use_dictionary=False, write_statistics=False),
    parquet(TYPES, compression="zstd", data_page_version="2.0"),
    parquet(TYPES, compression="gzip"),
]
ODD = [
    *(
        b"\0",
        b'"',
        b"'",
        b",",
        b";",
        b"\t",
        b"|",
        b"\n",
        b"\r\n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xe9",
        b"\xed\xa0\x80",
    ),
    *(b"1e400", b"-1.7e308", b"inf", b"nan", b"9" * 400, b"0x10", b"1_000", b"1,5", b"?", b"true", b"2020-01-01"),
    *(b'"\n', b'""', b",,", b"\xe2\x80\xa8", b"x" * 70_000, b"PAR1", b"\xff\xff\xff\x7f"),
]


def check(path: Path) -> None:
    """Read it, learn from it by its first and last column, count it: all work, or a ValueError in one line says why not."""
    try:
        table = read_table(path)
        count_path(path, table.names[-1])
        for label in {table.names[0], table.names[-1]}:
            task = problem(table, label)
            rows = np.arange(len(task.y))
            encode, raw = task.features.encode(rows[::2]), task.features.raw()
            X = encode(rows)
            assert X.shape == (len(rows), len(encode.names))
            assert np.isfinite(X.data if sparse.issparse(X) else X).all()
            assert raw(rows).shape == (len(rows), len(raw.names))
            assert not np.isinf(raw(rows)).any()
    except ValueError as error:
        said = str(error)
        if not (str(path) in said or said.startswith("tune: ")) or "\n" in said or len(said) > 2000:
            raise AssertionError(f"not one clear error: {said[:300]!r}") from error


@st.composite
def damaged(draw, seeds):
    """A file with a few changes: bits, bytes, pieces cut, doubled, put in from elsewhere."""
    content = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        end = at + draw(st.sampled_from([0, 1, 2, 10, 200, 5000]))
        new = draw(
            st.one_of(st.just(b""), st.sampled_from(ODD), st.binary(max_size=4), st.just(bytes(content[at:end]) * 2))
        )
        content[at:end] = new
    return bytes(content)


@given(damaged(CSV))
def test_a_damaged_csv_is_a_table_or_one_clear_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "t.csv"
    path.write_bytes(content)
    check(path)


@given(damaged(PARQUET))
def test_a_damaged_parquet_file_is_a_table_or_one_clear_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "t.parquet"
    path.write_bytes(content)
    check(path)


@pytest.mark.parametrize("content", [*CSV, *PARQUET])
def test_the_files_that_are_damaged_are_whole_before(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert read_table(path).rows == ROWS


def test_numbers_beyond_all_bounds_are_missing_and_what_is_left_is_finite(tmp_path):
    path = tmp_path / "t.csv"
    odd = ["1e400", "-1e400", "inf", "-inf", "nan", "1e-400", "-0", "1.7e308", "-1.7e308", "2"]
    path.write_text("x,z,y\n" + "\n".join(f"{odd[i % 10]},{i % 7},{'ab'[i % 3 == 0]}" for i in range(60)))
    task = problem(str(path), "y")
    X = task.features.encode(np.arange(60))(np.arange(60))
    assert np.isfinite(X).all()
    assert any("infinite" in note for note in task.notes)
    assert any("beyond 1e+150" in note for note in task.notes)


def test_thousands_of_columns_of_one_name_are_read_in_seconds(tmp_path):
    wide = 4_000
    path = tmp_path / "t.csv"
    rows = [",".join([*(f"{'w' * (j % 2)}{(i + j) % 3}" for j in range(wide)), "ab"[i % 2]]) for i in range(20)]
    path.write_text(",".join(["x"] * wide + ["y"]) + "\n" + "\n".join(rows) + "\n")
    start = time.process_time()
    table = read_table(path)
    assert table.names[-1] == "y"
    assert len(table.names) == wide + 1
    assert len(table.notes) < 20
    assert problem(table, "y").features.encode(np.arange(20))(np.arange(20)).shape[0] == 20
    assert time.process_time() - start < 15  # it takes about 1; looking names up one by one took minutes


def test_a_damaged_page_of_parquet_is_named_when_it_is_counted(tmp_path):
    content = bytearray(parquet(pa.table({"x": range(2000), "y": ["a", "b"] * 1000}), compression="gzip"))
    content[50:400] = b"\xff" * 350
    path = tmp_path / "t.parquet"
    path.write_bytes(bytes(content))
    for read in (read_table, lambda file: count_path(file, "x")):
        with pytest.raises(ValueError, match="this Parquet file cannot be read") as caught:
            read(path)
        assert "\n" not in str(caught.value)


def test_text_of_parquet_that_is_not_utf8_is_named(tmp_path):
    words = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(np.array([0, 1, 2], np.int32)), pa.py_buffer(b"\xff\xfe")]
    )
    path = tmp_path / "t.parquet"
    path.write_bytes(parquet(pa.table({"word": words, "y": ["a", "b"]})))
    for read in (read_table, lambda file: count_path(file, "word")):
        with pytest.raises(ValueError, match="cannot be read"):
            read(path)
