"""Where a study is kept: sqlite:///FILE or postgresql://..., opened so that threads and processes can share it."""

import dataclasses
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

FORMS = "sqlite:///FILE or postgresql://USER@HOST/NAME"
PATIENCE = 30.0  # seconds to wait for a lock that another process holds
REACH = 10  # seconds to wait for a server


@dataclasses.dataclass(frozen=True)
class Address:
    """`url` with its password, for the driver alone; `shown` is for people."""

    url: sa.URL
    shown: str

    @property
    def file(self) -> Path | None:
        return Path(str(self.url.database)) if self.url.drivername == "sqlite" else None

    def engine(self) -> sa.Engine:
        options: dict[str, Any] = {"hide_parameters": True}
        if self.file is not None:
            engine = sa.create_engine(self.url, connect_args={"timeout": PATIENCE}, **options)
            event.listen(engine, "connect", _prepare)
            event.listen(engine, "begin", _begin)
            return engine
        reach = {} if "connect_timeout" in self.url.query else {"connect_timeout": REACH}
        return sa.create_engine(self.url, pool_pre_ping=True, connect_args=reach, **options)


def address(url: str) -> Address:
    """Read what was given as --storage.

    What follows sqlite:/// is the path as it is: blanks, percent signs and question marks belong to it. ValueError
    where it is neither form, where there is no such folder, or where the driver is missing.
    """
    scheme, colon, rest = url.partition("://")
    if scheme == "sqlite":
        return _sqlite(rest)
    if colon and scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        return _postgresql(rest)
    raise ValueError(f"tune: --storage must be {FORMS}, got {scheme + '://...' if colon else repr(url)}.{_meant(url)}")


def _sqlite(rest: str) -> Address:
    name = rest.removeprefix("/")
    if not rest.startswith("/") or name in ("", ":memory:"):
        raise ValueError("tune: --storage sqlite:/// needs the name of a file, with three slashes: sqlite:///study.db.")
    path = Path(name).absolute()
    if path.is_dir():
        raise ValueError(f"tune: --storage {path} is a folder; give the name of a file in it.")
    if not path.parent.is_dir():
        raise ValueError(f"tune: --storage {path}: there is no folder {path.parent}; create it first.")
    return Address(sa.URL.create("sqlite", database=str(path)), name)


def _postgresql(rest: str) -> Address:
    try:
        url = sa.make_url(f"postgresql+psycopg://{rest}")
    except (exc.ArgumentError, ValueError):  # its words may hold the password
        raise ValueError(
            "tune: --storage postgresql://... cannot be read; write postgresql://USER:PASSWORD@HOST:PORT/NAME, with %40"
            " for @, %2F for / and %3A for : in the password."
        ) from None
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise ValueError(
            "tune: --storage postgresql://... needs the driver psycopg 3, which is not installed:"
            ' pip install "steelyard[postgres]".'
        ) from None
    host = url.host or url.query.get("host") or "local socket"
    return Address(url, f"postgresql://{host}{f':{url.port}' if url.port else ''}/{url.database or ''}")


def _meant(url: str) -> str:
    return "" if "://" in url or not url else f" Did you mean sqlite:///{url}?"


def _prepare(connection: sqlite3.Connection, _: Any) -> None:
    """SQLite so that readers never wait, and nothing that was saved is lost, be it by kill -9 or with the current."""
    connection.isolation_level = None  # transactions are begun by `_begin`, not by the driver
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        # some file systems have no shared memory, and another process may be at the same: the old journal will do
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
            raise
    connection.execute("PRAGMA synchronous=FULL")


def _begin(connection: sa.Connection) -> None:
    # who will write takes the lock at once: a reader that becomes a writer may be refused without waiting
    writes = connection.get_execution_options().get("writes", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
