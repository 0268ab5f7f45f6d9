"""Finding the files of a table and the columns in it, with a suggestion where a name is not found."""

import glob
from collections import Counter
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path

from .labels import some, suggest

TABLES = (".csv", ".tsv", ".parquet", ".pq", ".csv.gz", ".tsv.gz")
PARQUET = b"PAR1"
OTHER = {
    ".arff": "ARFF is not read; save it as CSV",
    ".xlsx": "spreadsheets are not read; save the sheet as CSV",
    ".xls": "spreadsheets are not read; save the sheet as CSV",
    ".json": "JSON is not read as a table; save it as CSV or Parquet",
    ".jsonl": "JSON is not read as a table; save it as CSV or Parquet",
    ".zip": "archives are not read; unpack it first",
}


def table_files(path: str | PathLike[str]) -> list[Path]:
    """The files behind a path: the file itself, all tables in a folder and below, or what a glob matches.

    FileNotFoundError with the nearest name if there is none; ValueError if a folder or glob holds no table.
    """
    text = fspath(path)
    where = Path(text).expanduser()
    try:
        if where.is_dir():
            return _in_folder(where)
        if where.exists():
            return [_table(where)]
    except (OSError, ValueError) as error:
        if "\0" in text or isinstance(error, OSError):
            raise FileNotFoundError(f"no such file: {text[:200]!r}; check the path.") from None
        raise
    if glob.has_magic(text):
        found = sorted(f for name in glob.glob(str(where), recursive=True) if (f := Path(name)).is_file())
        if not found:
            raise FileNotFoundError(f"no file matches {text!r}; check the pattern (** looks into folders).")
        return [_table(f) for f in found]
    raise FileNotFoundError(f"no such file: {text!r}.{_nearest(where)}")


def is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == PARQUET


def find_column(names: Sequence[str], wanted: str | int, where: str) -> str:
    """The name of a column, given by its name, or by its number: 1 is the first, -1 the last.

    ValueError with the nearest name and the columns there are.
    """
    if wanted in names:
        return str(wanted)
    try:
        number = int(wanted)
    except ValueError:
        raise ValueError(
            f"{where}: there is no column {wanted!r}.{suggest(str(wanted), names)} The columns are {some(names)}."
        ) from None
    if number == 0 or abs(number) > len(names):
        raise ValueError(
            f"{where}: there is no column {number}; columns are numbered 1 to {len(names)}, or -1 to -{len(names)}"
            f" from the end. The columns are {some(names)}."
        )
    return names[number - 1 if number > 0 else number]


def _table(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"{path}: this is not a file; give a CSV, TSV or Parquet file, a folder or a glob.")
    reason = OTHER.get(path.suffix.lower())
    if reason is not None:
        raise ValueError(f"{path}: {reason}, TSV or Parquet." if "CSV" in reason[-4:] else f"{path}: {reason}.")
    return path


def _in_folder(folder: Path) -> list[Path]:
    inside = sorted(f for f in folder.rglob("*") if f.is_file() and not f.name.startswith((".", "_")))
    found = [f for f in inside if f.name.lower().endswith(TABLES)]
    if not found:
        kinds = Counter(f.suffix.lower() or "no ending" for f in inside).most_common(4)
        holds = ", ".join(f"{n} {'file' if n == 1 else 'files'} ({kind})" for kind, n in kinds) or "no file"
        raise ValueError(f"{folder}: the folder has no table ({', '.join(TABLES[:4])}); it holds {holds}.")
    return found


def _nearest(where: Path) -> str:
    folder = where.parent
    if not folder.is_dir():
        return f" There is no folder {str(folder)!r} either; check the path."
    near = suggest(where.name, [f.name for f in folder.iterdir()])
    return near or f" The folder {str(folder.resolve())!r} holds no file of a similar name; check the path."
