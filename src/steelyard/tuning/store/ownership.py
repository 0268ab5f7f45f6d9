"""Whose database it is: one that holds somebody else's tables gets none of ours."""

import contextlib
import os
import sqlite3
import stat
import threading
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import exc

from . import address, tables
from .address import Address
from .errors import SQLITE, refusal

APPLICATION = 0x5354594C  # "STYL" in the header of a SQLite file, where programs say whose it is
MAGIC, HEADER, AT = b"SQLite format 3\0", 100, 68  # of a SQLite file
BESIDE = ("-wal", "-shm", "-journal")  # files that SQLite writes beside it
OTHER = "give another file, or a new one"

# Files known as ours. Reading one with `open` while SQLite has it open would, on closing, give up SQLite's locks on it (POSIX gives
# up all locks of a process on a file), so no file is looked into twice, nor by two threads.
_OURS: set[tuple[int, int]] = set()
_LOOKING = threading.Lock()


def adopt(where: Address, *, mark: bool = True) -> None:
    """Mark the SQLite file as ours before anything else opens it, and make it if it is absent; without `mark` only look.

    ValueError, and the file as it was, where it is somebody else's, a link, or no file; and as in `refusal`.
    """
    if where.file is None:
        return
    try:
        with _LOOKING:
            _look(where, where.file, mark)
    except sqlite3.Error as error:
        raise refusal(error, where) from None


def check_tables(connection: sa.Connection, shown: str) -> None:
    """ValueError where a table that would be ours is somebody else's, or was made by a newer version."""
    if connection.dialect.name == "sqlite" and _application(connection.connection.driver_connection) != APPLICATION:
        raise ValueError(f"tune: {shown} was replaced by another program's database while it was opened; {OTHER}.")
    seen = sa.inspect(connection)
    there = {name: {c["name"] for c in seen.get_columns(name)} for name in tables.TABLES.tables if seen.has_table(name)}
    study = tables.study
    if "format" in there.get(study.name, ()):
        newest = connection.execute(sa.select(sa.func.max(study.c.format))).scalar()
        if (newest or 0) > tables.FORMAT:
            raise ValueError(
                f"tune: the study's storage {shown} was made by a newer steelyard (format {newest}, this one"
                f" reads up to {tables.FORMAT}); update steelyard, or give another place."
            )
    for name, columns in there.items():
        if columns != set(tables.TABLES.tables[name].columns.keys()):
            raise ValueError(
                f"tune: {shown} holds a table {name} with the columns {', '.join(sorted(columns))}, which this version of"
                " steelyard did not make; nothing was changed. Give another database."
            )


def check_trials(where: Address) -> None:
    """ValueError where Optuna would find tables of its names that are not its own. A SQLite file is ours, and so are those in it."""
    if where.file is not None:
        return
    engine = where.engine()
    try:
        with engine.connect() as connection:
            there = set(sa.inspect(connection).get_table_names())
    except exc.SQLAlchemyError as error:
        raise refusal(error, where) from None
    finally:
        engine.dispose()
    if not there.isdisjoint(names := _optunas()) and not there >= {"studies", "trials", "version_info"}:
        raise ValueError(
            f"tune: {where.shown} holds tables called {', '.join(sorted(there & names))}, which Optuna would take for its own;"
            " nothing was changed. Give another database for --search, or leave it out."
        )


def _look(where: Address, file: Path, mark: bool) -> None:
    for path in (file, *(file.with_name(file.name + end) for end in BESIDE)):
        if path.is_symlink():
            raise ValueError(
                f"tune: the study's storage {path} is a symbolic link to {os.readlink(path)}, and nothing is written through"
                " links; give the name of the file itself, as in --storage sqlite:///FILE."
            )
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"tune: the study's storage {where.shown} is a pipe or a device, not a file; {OTHER}.")
        if status.st_size and (status.st_dev, status.st_ino) in _OURS:
            return
        with file.open("rb") as opened:
            head = opened.read(HEADER)
    except FileNotFoundError:
        head = b""
    except OSError:
        return  # SQLite cannot read it either, and says why
    if head and not head.startswith(MAGIC):
        raise ValueError(f"tune: the study's storage {where.shown} {SQLITE[sqlite3.SQLITE_NOTADB]}")
    if int.from_bytes(head[AT : AT + 4], "big") != APPLICATION:
        if head:
            _check_foreign(where, file)
        if not mark:
            return
        _mark(file)
    status = file.stat()
    _OURS.add((status.st_dev, status.st_ino))


def _check_foreign(where: Address, file: Path) -> None:
    """ValueError unless it is empty, or a study from before the mark."""
    pending = any(file.with_name(file.name + end).exists() for end in BESIDE)
    how = "mode=ro" if pending else "mode=ro&immutable=1"  # the second leaves no file beside it
    with contextlib.closing(sqlite3.connect(f"file:{quote(str(file))}?{how}", uri=True)) as connection:
        connection.execute(f"PRAGMA busy_timeout={address.PATIENCE * 1000:.0f}")
        mark, names = _application(connection), _tables(connection)
    if mark == APPLICATION or (mark == 0 and _all_ours(names)):
        return
    held = (
        f"it holds {', '.join(sorted(names)[:4])}{' ...' if len(names) > 4 else ''}" if names else "its header says so"
    )
    raise ValueError(
        f"tune: the study's storage {where.shown} is another program's SQLite database ({held}); nothing was changed in"
        f" it. For a study {OTHER}."
    )


def _mark(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file, timeout=address.PATIENCE, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        if _application(connection) != APPLICATION and _all_ours(_tables(connection)):
            connection.execute(f"PRAGMA application_id={APPLICATION}")
        connection.execute("COMMIT")


def _application(connection: object) -> int:
    return connection.execute("PRAGMA application_id").fetchone()[0]  # type: ignore[attr-defined]


def _tables(connection: sqlite3.Connection) -> set[str]:
    """Of tables, views, indices and triggers; SQLite's own left out."""
    rows = connection.execute("SELECT tbl_name FROM sqlite_master WHERE tbl_name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    return {name for (name,) in rows}


def _all_ours(names: set[str]) -> bool:
    return not names or (tables.study.name in names and names <= {*tables.TABLES.tables, *_optunas()})


def _optunas() -> set[str]:
    from optuna.storages._rdb import models

    return {*models.BaseModel.metadata.tables, "alembic_version"}
