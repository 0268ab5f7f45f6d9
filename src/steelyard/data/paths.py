"""The files behind a path, with a suggestion where there is none of that name."""

import fnmatch
import glob
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike, fspath
from pathlib import Path

from .labels import suggest

PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
ARROW = (".feather", ".arrow", ".ipc")
_TAGGED = (".conll", ".conllu", ".conllup", ".iob", ".iob2", ".bio")
CONLL = (*_TAGGED, *(end + pack for end in _TAGGED for pack in PACKED if pack != ".zip"))  # tagged text
_TEXT = (".csv", ".tsv", ".jsonl", ".ndjson")
JSON = tuple(end + pack for end in (".jsonl", ".ndjson", ".json") for pack in ("", *PACKED))
TABLES = (
    ".csv",
    ".tsv",
    ".parquet",
    ".pq",
    ".arff",
    ".jsonl",
    ".ndjson",
    *ARROW,
    *CONLL,
    *(end + pack for end in _TEXT for pack in PACKED),
)
VOLUMES = (".nii", ".nii.gz", ".nrrd")
MASKS = (".png", ".tif", ".tiff", ".npy", ".bmp", *VOLUMES)
PARQUET = b"PAR1"
HIDDEN = ("__MACOSX", "_delta_log", "_temporary", "_spark_metadata")  # folders that programs keep for themselves
_SHEET = "spreadsheets are not read; save the sheet as CSV: pandas.read_excel(...).to_csv('t.csv', index=False)"
_R = "R's files are not read; write the table in R: write.csv(x, 't.csv', row.names=FALSE)"
_SQL = "databases are not read; export the table: sqlite3 -header -csv FILE 'select * from TABLE' > t.csv"
_PICKLE = "pickles are not read, since reading one runs what is in it; write it once: pandas.read_pickle(...).to_parquet('t.parquet')"
_ARCHIVE = "archives are not read; unpack it first"
OTHER = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers"), _SHEET),
    **{
        ending: f"{name}'s files are not read; write the table once: pandas.{reader}(...).to_parquet('t.parquet')"
        for ending, name, reader in (
            (".sas7bdat", "SAS", "read_sas"),
            (".xpt", "SAS", "read_sas"),
            (".dta", "Stata", "read_stata"),
            (".sav", "SPSS", "read_spss"),
            (".h5", "HDF5", "read_hdf"),
            (".hdf5", "HDF5", "read_hdf"),
            (".orc", "ORC", "read_orc"),
        )
    },
    **dict.fromkeys((".rds", ".rda", ".rdata"), _R),
    **dict.fromkeys((".sqlite", ".sqlite3", ".db", ".duckdb"), _SQL),
    **dict.fromkeys((".pkl", ".pickle"), _PICKLE),
    **dict.fromkeys((".tar", ".tgz", ".7z", ".rar"), _ARCHIVE),
    ".avro": "Avro is not read; write the table as Parquet or CSV",
    ".mat": "MATLAB's files are not read; write the table in MATLAB: writetable(T, 't.csv')",
    ".html": "pages are not read; write the table: pandas.read_html(...)[0].to_csv('t.csv', index=False)",
    ".npz": "an NPZ holds several arrays; save the one with the labels, np.save('labels.npy', np.load('data.npz')['labels']), and count"
    " that file, or count the array in Python",
    ".mha": "MetaImage is not read; save the label map as .nii.gz or .nrrd",
    ".mhd": "MetaImage is not read; save the label map as .nii.gz or .nrrd",
    ".dcm": "DICOM is not read; convert the label map to .nii.gz (dcm2niix, or DICOM-SEG by dcmqi)",
    ".jpg": "JPEG changes the numbers of a mask at every edge; save masks as PNG",
    ".jpeg": "JPEG changes the numbers of a mask at every edge; save masks as PNG",
}


def files(path: str | PathLike[str]) -> list[Path]:
    """The files behind a path: the file itself, all files in a folder and below (none that is hidden), or what a glob
    matches; sorted. FileNotFoundError with the nearest name if there is none, ValueError for what is neither a file nor a folder."""
    text = fspath(path)
    where = expanded(path)
    try:
        if where.is_dir():
            return inside(where)
        if where.exists():
            refuse_odd(where)
            return [where]
    except (OSError, ValueError) as error:
        if "\0" in text or isinstance(error, OSError):
            raise FileNotFoundError(f"no such file: {text[:200]!r}; check the path.") from None
        raise
    if glob.has_magic(text):
        matching = sorted({f for f in _matching(str(where)) if f.is_file()})
        if not matching:
            raise FileNotFoundError(f"no file matches {text!r}; check the pattern (** looks into folders).")
        return matching
    raise FileNotFoundError(f"no such file: {text!r}.{_nearest(where)}")


def expanded(path: str | PathLike[str]) -> Path:
    """The path, with the home of a user in the place of ~. FileNotFoundError where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        user = fspath(path).partition("/")[0]
        raise FileNotFoundError(
            f"no such file: {fspath(path)[:200]!r}; there is no user {user[1:]!r} whose home {user} would be. A file of that name is ./{user}."
        ) from None


def refuse_odd(path: Path) -> None:
    """ValueError for a pipe, a device or a socket: reading one may never end, and files are read more than once."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        kinds = (
            (stat.S_ISFIFO, "a pipe"),
            (stat.S_ISSOCK, "a socket"),
            (stat.S_ISCHR, "a device"),
            (stat.S_ISBLK, "a disk"),
        )
        what = next((name for is_one, name in kinds if is_one(mode)), "no file")
        raise ValueError(f"{path}: this is {what}, and only files are read; write what it says into a file first.")


def inside(folder: Path) -> list[Path]:
    """All files in a folder and below, sorted, but hidden ones: those whose name, or a folder of whose path, begins with a dot or
    is one of HIDDEN. Links to folders are not followed."""
    return sorted(Path(found) for found in _walk(fspath(folder), links=False, skip=_is_hidden) if os.path.isfile(found))


def _walk(folder: str, *, links: bool, skip: Callable[[str], bool]) -> Iterator[str]:
    """Paths of all that is in a folder and below, without recursion: folders may be thousands deep. With `links` linked folders are
    gone into, too, each folder of the disk once, so that a circle of links ends."""
    left, seen = [folder], set()
    while left:
        at = left.pop()
        try:
            if links:
                status = os.stat(at)
                if (status.st_dev, status.st_ino) in seen:
                    continue
                seen.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(at), key=lambda entry: entry.name)
        except PermissionError:
            continue  # as globs do: what may not be looked into holds nothing for us
        except OSError as error:
            if at == folder:
                raise
            reason = error.strerror or str(error)
            raise ValueError(
                f"{folder}: a folder in it cannot be listed ({reason}), {at[-60:]!r}; move it nearer."
            ) from None
        below = []
        for entry in entries:
            if skip(entry.name):
                continue
            yield entry.path
            if entry.is_dir(follow_symlinks=links):
                below.append(entry.path)
        left.extend(reversed(below))


def _matching(pattern: str) -> Iterator[Path]:
    """What a pattern matches. ** goes into each folder once, also where links lead back."""
    parts = Path(pattern).parts
    if "**" not in parts:
        yield from map(Path, glob.glob(pattern))
        return
    at = parts.index("**")
    start, rest = str(Path(*parts[:at])), parts[at:]
    dotted = any(part.startswith(".") for part in rest)
    for base in sorted(glob.glob(start)) if glob.has_magic(start) else [start]:
        if os.path.isdir(base):
            for found in _walk(base, links=True, skip=lambda name: name.startswith(".") and not dotted):
                if os.path.isfile(found) and _fits(os.path.relpath(found, base).split(os.sep), rest):
                    yield Path(found)


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the folders and the name of a path are those of a pattern with **, which stands for any folders, none that is hidden."""

    def onward(places: set[int]) -> set[int]:
        return places | {j for i in places for j in range(i + 1, len(pattern) + 1) if set(pattern[i:j]) == {"**"}}

    places = onward({0})  # how many of the pattern's parts may have been used up
    for part in parts:
        after = set()
        for i in places - {len(pattern)}:
            if part.startswith(".") and not pattern[i].startswith("."):
                continue
            if pattern[i] == "**":
                after.add(i)
            elif fnmatch.fnmatchcase(part, pattern[i]):
                after.add(i + 1)
        places = onward(after)
    return len(pattern) in places


def _is_hidden(part: str) -> bool:
    return part.startswith(".") or part in HIDDEN


def table_files(path: str | PathLike[str]) -> list[Path]:
    """`files` that are tables. ValueError if one is not, or a folder holds none."""
    paths = files(path)
    folder = expanded(path)
    if not folder.is_dir():
        return [_table(f) for f in paths]
    tables = [f for f in paths if ends_in(f, TABLES)]
    if not tables:
        raise ValueError(f"{folder}: the folder has no table ({', '.join(TABLES[:4])}); it holds {holds(paths)}.")
    return tables


def ends_in(path: Path, endings: tuple[str, ...]) -> bool:
    return path.name.lower().endswith(endings)


def holds(paths: Iterable[Path]) -> str:
    """How many files of which kind, in words."""
    tally = Counter(f.suffix.lower() or "no ending" for f in paths)
    kinds = sorted(tally.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(n for _, n in kinds[4:])
    shown = [f"{n:,} {'file' if n == 1 else 'files'} ({kind})" for kind, n in kinds[:4]]
    return ", ".join([*shown, f"{rest:,} of other kinds"] if rest else shown) or "no file"


def is_typed(path: Path) -> bool:
    """Whether a table's cells have types: Arrow or JSON (Parquet is told by its first bytes)."""
    return ends_in(path, (*JSON, *ARROW))


def is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == PARQUET


def _table(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"{path}: this is not a file; give a CSV, TSV or Parquet file, a folder or a glob.")
    reason = OTHER.get(path.suffix.lower())
    if reason is not None:
        raise ValueError(f"{path}: {reason}.")
    return path


def _nearest(where: Path) -> str:
    folder = where.parent
    if not folder.is_dir():
        return f" There is no folder {str(folder)!r} either; check the path."
    near = suggest(where.name, [f.name for f in folder.iterdir()])
    return near or f" The folder {str(folder.resolve())!r} holds no file of a similar name; check the path."
