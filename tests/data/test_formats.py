"""Packed tables are read; other formats are refused with what to run, whatever their name says."""

import bz2
import gzip
import io
import lzma
import zipfile

import pyarrow as pa
import pytest

from steelyard.data.dispatch import count_path
from steelyard.data.paths import OTHER
from steelyard.data.tables import read_table

TEXT = b"x,y\n" + b"1,a\n2,b\n3,a\n" * 20


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as packed:
        packed.write(content)
    return sink.getvalue().to_pybytes()


def zipped(*names: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return sink.getvalue()


PACKED = {
    ".gz": gzip.compress(TEXT),
    ".bz2": bz2.compress(TEXT),
    ".xz": lzma.compress(TEXT),
    ".zst": zstd(TEXT),
    ".zip": zipped("t.csv"),
}


@pytest.mark.parametrize("ending", PACKED)
def test_packed_tables_are_read_whatever_their_name(tmp_path, ending):
    for name in (f"t.csv{ending}", "t.csv"):
        path = tmp_path / name
        path.write_bytes(PACKED[ending])
        assert count_path(path, "y")[0].per_class.tolist() == [40, 20]
        assert read_table(path).rows == 60


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_a_packed_table_that_is_cut_off_is_refused(tmp_path, ending):
    path = tmp_path / f"t.csv{ending}"
    path.write_bytes(PACKED[ending][:-12])
    with pytest.raises(ValueError, match=f"t.csv{ending}: the file"):
        count_path(path, "y")


REFUSED = {
    "two tables": (zipped("a.csv", "b.csv"), "holds a.csv, b.csv"),
    "a sheet": (zipped("[Content_Types].xml", "xl/workbook.xml"), "read_excel"),
    "an old sheet": (b"\xd0\xcf\x11\xe0" + b"x" * 60, "read_excel"),
    "SQLite": (b"SQLite format 3\0" + b"x" * 60, "sqlite3 -header -csv"),
    "HDF5": (b"\x89HDF\r\n", "read_hdf"),
    "a page": (b"<!DOCTYPE html>\n<html>", "this is a page"),
    "a pickle": (b"\x80\x04\x95abc", "pickles are not read"),
    "JSON": (b'{"x": 1}\n{"x": 2}\n', ".jsonl"),
}


@pytest.mark.parametrize(("content", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_text_is_refused_by_its_first_bytes(tmp_path, content, says):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    for read in (read_table, lambda file: count_path(file, -1)):
        with pytest.raises(ValueError, match=says):
            read(path)


@pytest.mark.parametrize("ending", OTHER)
def test_other_endings_say_what_to_do(tmp_path, ending):
    path = tmp_path / f"t{ending}"
    path.write_bytes(b"x")
    with pytest.raises(ValueError, match=f"t{ending}: .*"):
        count_path(path, "y")
