"""What a file is, by its first bytes: packed or not, and whether it is text at all."""

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path
from typing import IO, Any

from .limits import allowed, in_words

UTF16 = "the text is UTF-16 or UTF-32; convert it first: iconv -f {name} -t UTF-8 {path} > new.csv"
MAGIC = (
    (b"PAR1", "this is a Parquet file; give it the ending .parquet"),
    (b"\xd0\xcf\x11\xe0", "this is an old Excel sheet; save it as CSV: pandas.read_excel(...).to_csv('t.csv', index=False)"),
    (b"SQLite format 3\0", "this is an SQLite database; export the table: sqlite3 -header -csv FILE 'select * from TABLE' > t.csv"),
    (b"\x89HDF", "this is HDF5; export the table: pandas.read_hdf(...).to_parquet('t.parquet')"),
    (b"<stata_dta>", "this is Stata's format; export the table: pandas.read_stata(...).to_parquet('t.parquet')"),
    (b"$FL2", "this is SPSS's format; export the table: pandas.read_spss(...).to_parquet('t.parquet')"),
    (b"RDX", "this is R's format; export the table in R: write.csv(x, 't.csv', row.names=FALSE)"),
    (b"ORC", "this is ORC; export the table: pandas.read_orc(...).to_parquet('t.parquet')"),
    (b"Obj\x01", "this is Avro; export the table as Parquet or CSV"),
    (b"7z\xbc\xaf", "this is an archive; unpack it first"),
    (b"Rar!", "this is an archive; unpack it first"),
    (b"%PDF", "this is a PDF; export the table as CSV"),
    (b"\x89PNG", "this is a picture, not a table"),
    (b"\x80\x04", "pickles are not read, since reading one runs what is in it; save the table as Parquet or CSV"),
    (b"\x80\x05", "pickles are not read, since reading one runs what is in it; save the table as Parquet or CSV"),
    (b"\xff\xfe\0\0", UTF16.replace("{name}", "UTF-32")),
    (b"\0\0\xfe\xff", UTF16.replace("{name}", "UTF-32")),
)  # fmt: skip
HTML = (b"<!doctype html", b"<html", b"<table", b"<?xml")
ZSTD = b"\x28\xb5\x2f\xfd"
LOOK = 64  # bytes
HELD = 1 << 26  # bytes that a packed table may always unpack to where all of it is held
STREAM, RATIO = 1 << 27, 256  # the same where it is read in a stream, and how many times the file that may be
LINES = 1 << 24  # of packed JSON Lines and tagged text, of which a megabyte takes a third of a second
INSIDE = (".csv", ".tsv", ".txt", ".data", ".tab", ".dat", ".jsonl", ".ndjson", ".arff")  # of a .zip


def open_bytes(path: Path, *, held: bool = False, slow: bool = False) -> IO[bytes]:
    """The bytes of a file, unpacked if it is packed with gzip, bzip2, xz, zstd, or a .zip that holds one table.

    held  whoever reads it holds all of it at once, so it may unpack to less
    slow  it is read line by line in Python, so it may unpack to less still

    ValueError, saying what to do, for a .zip that holds none or several, for formats that are no text, and, while it is read, for a
    file that unpacks to far more than tables do.
    """
    opened = _unpacked(path)
    return path.open("rb") if opened is None else _bounded(path, opened, held, slow)


def _unpacked(path: Path) -> IO[bytes] | None:
    """A stream of what is packed in it; None where it is not packed."""
    with path.open("rb") as file:
        start = file.read(LOOK)
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if start.startswith(b"BZh"):
        return bz2.open(path, "rb")
    if start.startswith(b"\xfd7zXZ\0"):
        return lzma.open(path, "rb")
    if start.startswith(ZSTD):
        return _zstd(path)
    if start.startswith(b"PK\x03\x04"):
        return _zipped(path)
    refuse(path, start)
    if path.suffix.lower() in (".gz", ".bz2", ".xz", ".zst", ".zip"):
        raise ValueError(
            f"{path}: the file is damaged, or not packed at all (it does not begin as {path.suffix} does); rename it or"
            " fetch it again."
        )
    return None


def refuse(path: Path, start: bytes) -> None:
    """ValueError, saying what to do, if these first bytes are those of another format than a table of text."""
    for mark, reason in MAGIC:
        if start.startswith(mark):
            raise ValueError(f"{path}: {reason.replace('{path}', str(path))}.")
    if start.lstrip().lower().startswith(HTML):
        raise ValueError(
            f"{path}: this is a page (HTML or XML), not a table; save its table as CSV, or fetch the raw file."
        )
    if (
        len(start) >= 8
        and start.count(b"\0") * 3 > len(start)
        and b"\0\0" not in start[:8]
        and start[:2] != b"\xff\xfe"
        and start[:2] != b"\xfe\xff"
    ):
        name = "UTF-16LE" if start[1] == 0 else "UTF-16BE"
        if start[1] == 0 or start[0] == 0:
            raise ValueError(f"{path}: {UTF16.format(name=name, path=path)}.")


def _bounded(path: Path, opened: IO[bytes], held: bool, slow: bool) -> IO[bytes]:
    size = path.stat().st_size
    if slow or ".jsonl" in path.name.lower() or ".ndjson" in path.name.lower():
        limit = allowed(size, floor=LINES, times=RATIO // 8)
    else:
        limit = allowed(size, floor=HELD) if held else allowed(size, floor=STREAM, times=RATIO)
    return io.BufferedReader(_Bounded(path, opened, limit), 1 << 20)


class _Bounded(io.RawIOBase):
    """An unpacked stream that ends in a ValueError where it gets longer than `limit`."""

    def __init__(self, path: Path, inner: Any, limit: int) -> None:
        self.path, self.inner, self.limit, self.seen = path, inner, limit, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self.inner.read(len(buffer))
        self.seen += len(content)
        if self.seen > self.limit:
            size = in_words(self.path.stat().st_size)
            raise ValueError(
                f"{self.path}: its {size} unpack to over {in_words(self.limit)}, far more than tables do; if it is one, unpack it first."
            )
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        if not self.closed:
            self.inner.close()
        super().close()


def position(opened: Any) -> int:
    """How many bytes of the file itself have been read, also where it is unpacked on the way."""
    opened = getattr(getattr(opened, "raw", None), "inner", opened)
    inner = (
        getattr(opened, "fileobj", None) or getattr(opened, "_fp", None) or getattr(opened, "packed", None) or opened
    )
    try:
        return inner.tell()
    except (OSError, ValueError, AttributeError):
        return 0


class _Unpacked(io.RawIOBase):
    """A zstd stream; `packed` is the file itself."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        self.packed = path.open("rb")
        self.stream = pa.CompressedInputStream(pa.PythonFile(self.packed, mode="r"), "zstd")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self.stream.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        if not self.closed:
            self.packed.close()
        super().close()


def _zstd(path: Path) -> IO[bytes]:
    return io.BufferedReader(_Unpacked(path), 1 << 20)


def _zipped(path: Path) -> IO[bytes]:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path}: the file is damaged ({error}); fetch it again.") from None
    with archive:
        names = [n for n in archive.namelist() if not n.endswith("/") and not n.startswith("__MACOSX")]
        if "[Content_Types].xml" in names or "mimetype" in names:
            raise ValueError(
                f"{path}: spreadsheets are not read; save the sheet as CSV: pandas.read_excel(...).to_csv('t.csv', index=False)."
            )
        tables = [n for n in names if n.lower().endswith(INSIDE)]
        if len(names) != 1 or not tables:
            shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            raise ValueError(f"{path}: the archive holds {shown or 'nothing'}, not one table of text; unpack it first.")
        if archive.getinfo(tables[0]).flag_bits & 1:
            raise ValueError(f"{path}: the archive is locked with a password; unpack it first.")
        return archive.open(tables[0])
