"""What a database's driver says, as one paragraph for the person who has to act."""

import sqlite3

from sqlalchemy import exc

from .address import PATIENCE, Address

DriverError = (exc.SQLAlchemyError, sqlite3.Error)

SQLITE = {
    sqlite3.SQLITE_NOTADB: "is not a SQLite database; nothing was changed in it. Give another file.",
    sqlite3.SQLITE_CORRUPT: "is damaged (torn or truncated); it was left as it is. Give another file, or bring back what"
    " can be read with: sqlite3 {file} .recover",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full. Every fit saved before is kept; make room and give"
    " the same command again to go on.",
    sqlite3.SQLITE_IOERR: "cannot be read or written ({detail}): is the disk full, or its folder gone? Every fit saved"
    " before is kept; when that is mended, give the same command again to go on.",
    sqlite3.SQLITE_READONLY: "is read-only, or its folder is; choose a folder that can be written to.",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: may this user read and write it and its folder {folder}?",
    sqlite3.SQLITE_PERM: "cannot be opened: may this user read and write it and its folder {folder}?",
    sqlite3.SQLITE_BUSY: "has been locked by another program for {patience:.0f} seconds; end that program, or give"
    " another file.",
    sqlite3.SQLITE_TOOBIG: "cannot hold that many scores in one fit (SQLite takes 1 GB at a time); use PostgreSQL"
    " or fewer rows.",
}

POSTGRESQL = {
    "28P01": "refuses the password. Check user and password, in the address, in PGPASSWORD or in ~/.pgpass.",
    "28000": "refuses this user ({detail}). Check user and password, in the address, in PGPASSWORD or in ~/.pgpass.",
    "3D000": "has no such database ({detail}); make it with createdb, or correct the name.",
    "42501": "does not let this user make or change tables ({detail}); ask its owner for GRANT CREATE ON SCHEMA public.",
    "25006": "is read-only ({detail}); give the address of the server that takes writes.",
    "53100": "cannot grow: its disk is full. Every fit saved before is kept; make room and give the same command again to go on.",
    "53300": "has too many connections ({detail}); try again when others have ended.",
}
# libpq gives no code when a connection fails, only words
LIBPQ = {
    "password authentication failed": "28P01",
    "no password supplied": "28P01",
    "does not exist": "28000",
    "too many clients": "53300",
    "too many connections": "53300",
}


def refusal(error: Exception, where: Address) -> ValueError:
    """The paragraph, without the password and without a traceback of the driver."""
    original = error.orig if isinstance(error, exc.DBAPIError) and error.orig is not None else error
    detail = _detail(original, where)
    if where.file is not None:
        code = original.sqlite_errorcode & 0xFF if isinstance(original, sqlite3.Error) and _coded(original) else -1
        says = SQLITE.get(code, "cannot be used ({detail}).")
    else:
        says = POSTGRESQL.get(_state(original, detail))
        if says is None and _unreachable(error):
            says = (
                "cannot be reached ({detail}). Is the server running, and are host and port right? Every fit saved"
                " before is kept; give the same command again to go on."
            )
        says = says or "cannot be used ({detail})."
    named = says.format(detail=detail, file=where.file, folder=where.file and where.file.parent, patience=PATIENCE)
    return ValueError(f"tune: the study's storage {where.shown} {named}")


def damaged(error: Exception, where: Address) -> ValueError:
    """The paragraph about rows that are not what steelyard wrote into them: text where numbers stood, no JSON."""
    return ValueError(
        f"tune: the study's storage {where.shown} holds what steelyard did not write ({type(error).__name__}: {_detail(error, where)});"
        " it was edited or is damaged, and was left as it is. Give another place, or bring back a copy."
    )


def lost(error: Exception) -> bool:
    """Whether a server went away and may come back, so that trying again makes sense."""
    return isinstance(error, exc.DBAPIError) and not isinstance(error.orig, sqlite3.Error) and _unreachable(error)


def _unreachable(error: Exception) -> bool:
    if not isinstance(error, exc.DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # libpq's own words: no connection, or none any more
        return error.connection_invalidated or isinstance(error, exc.OperationalError)
    # 08 connection, 40 chosen to end a deadlock, 57 shutting down or starting up
    return error.connection_invalidated or state[:2] in ("08", "40", "57")


def _coded(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", None) is not None  # the driver's own complaints have none


def _state(error: BaseException, detail: str) -> str:
    state = getattr(error, "sqlstate", None)
    if state:
        return state
    if 'database "' in detail and "does not exist" in detail:
        return "3D000"
    return next((code for said, code in LIBPQ.items() if said in detail), "")


def _detail(error: BaseException, where: Address) -> str:
    """The first line that is not empty, at most 200 characters, the password blotted out."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    for secret in filter(None, (where.url.password, where.url.query.get("password"))):
        line = line.replace(str(secret), "***")
    return line[:200].rstrip(" .")
