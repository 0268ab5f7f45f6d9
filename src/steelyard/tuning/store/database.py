"""Finished fits in SQLite or PostgreSQL: shared by processes, none lost or repeated when one is killed."""

import datetime
import hashlib
import json
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import sqlalchemy as sa

from . import ownership, tables
from .address import PATIENCE, address
from .arrays import Damaged, pack, unpack
from .errors import DriverError, lost, refusal
from .fits import Arrays, Key, Part
from .worker import Worker, me

RENEW = 5.0  # seconds between heartbeats
STALE = 30.0  # seconds without one after which the claims of a process are taken over
BATCH = 32 << 20  # bytes of scores that are handed to the driver at a time
MANY = 64  # fits that are read at a time
ADVISORY = 7355608  # PostgreSQL's lock number while tables and studies are made

Result = TypeVar("Result")


class Database:
    """The study with this fingerprint in sqlite:///FILE or postgresql://..., which is made if it is missing. Also a context
    manager. A process opens a study once.

    fingerprint  all that the fits depend on, in words and numbers that JSON can hold
    resume       True: go on with its fits, and share the work with others that are at it. Where there is no study at
                 all one is started, and `warnings` says so. False: start anew, the old fits are deleted

    ValueError, in one paragraph: the database holds only studies of other data or options (it says what differs);
    resume is False while another live process is at this study; the file or server cannot be used, or is another program's.

    started  True where this call made the study, or emptied it; False where it goes on with one
    shown    the address, without its password
    damaged  how many fits were found torn or edited, and are to be made again
    """

    def __init__(self, url: str, fingerprint: Mapping[str, Any], *, resume: bool):
        describe = json.dumps(fingerprint, sort_keys=True, default=_plain)
        where = address(url)
        ownership.adopt(where)
        self.shown, self.damaged, self.started, self._resume = where.shown, 0, False, resume
        self._where, self._engine, self._me = where, where.engine(), me()
        try:
            self._study = self._write(lambda c: self._open(c, describe, resume), patience=0.0)
        except BaseException:
            self._engine.dispose()
            raise
        stop = threading.Event()
        at = (self._engine, self._study, self._me, stop)
        thread = threading.Thread(target=_beat, args=at, name="steelyard heartbeat", daemon=True)
        self._finish = weakref.finalize(self, _finish, *at, thread)  # a forgotten study does not claim for ever
        thread.start()

    def load(self, part: Part, keys: Sequence[Key]) -> dict[Key, Arrays]:
        fits: dict[Key, Arrays] = {}
        for start in range(0, len(keys), MANY):
            wanted = {tables.stored(key): key for key in keys[start : start + MANY]}
            for arm, setting, data in self._read(partial(self._blobs, part, wanted.values())):
                try:
                    fits[wanted[arm, setting]] = unpack(data)
                except Damaged:
                    self._forget(part, wanted[arm, setting], data)
        return fits

    def save(self, part: Part, fits: Mapping[Key, Arrays]) -> None:
        packed = {tables.stored(key): pack(arrays) for key, arrays in fits.items()}

        def keep(connection: sa.Connection) -> None:
            self._lock(connection, alone=False)
            insert = tables.insert_missing(connection, tables.fit)
            rows = tables.rows(self._study, part, fits)
            for batch in _batches({**row, "arrays": packed[row["arm"], row["setting"]]} for row in rows):
                connection.execute(insert, batch)
            connection.execute(sa.delete(tables.claim).where(self._are(tables.claim, part, fits)))

        if packed:
            self._write(keep)

    def claim(self, part: Part, keys: Sequence[Key]) -> bool:
        t = tables.claim

        def take(connection: sa.Connection) -> bool:
            self._lock(connection, alone=True)
            finished = sa.select(tables.fit.c.arm).where(self._are(tables.fit, part, keys)).limit(1)
            if connection.execute(finished).first():
                return False
            others = set(connection.execute(sa.select(t.c.worker).where(self._are(t, part, keys))).scalars())
            if (others - {self._me.name}) & self._live(connection, self._study):
                return False
            connection.execute(sa.delete(t).where(self._are(t, part, keys)))
            rows = tables.rows(self._study, part, keys)
            connection.execute(sa.insert(t), [{**row, "worker": self._me.name} for row in rows])
            return True

        return self._write(take) if keys else True

    def release(self, part: Part, keys: Sequence[Key]) -> None:
        t = tables.claim
        own = sa.and_(self._are(t, part, keys), t.c.worker == self._me.name)
        if keys:
            self._write(lambda c: c.execute(sa.delete(t).where(own)))

    def note(self, name: str, value: str) -> None:
        t = tables.note
        same = sa.and_(t.c.study == self._study, t.c.name == name, t.c.value == value)

        def add(connection: sa.Connection) -> None:
            self._lock(connection, alone=True)
            if connection.execute(sa.select(t.c.id).where(same)).first() is None:
                connection.execute(sa.insert(t).values(study=self._study, name=name, value=value))

        self._write(add)

    def notes(self, name: str) -> list[str]:
        t = tables.note
        query = sa.select(t.c.value).where(t.c.study == self._study, t.c.name == name).order_by(t.c.id)
        return self._read(lambda c: list(c.execute(query).scalars()))

    def warnings(self) -> list[str]:
        sentences = []
        if self.started and self._resume:
            sentences.append(f"there was no study to go on with in {self.shown}, so one was started")
        if self.damaged:
            fits = "1 fit was" if self.damaged == 1 else f"{self.damaged} fits were"
            sentences.append(
                f"{fits} damaged in {self.shown} and made again; what damaged them may have damaged other files"
            )
        return sentences

    def close(self) -> None:
        """Give up what is claimed. The last process that closes a SQLite study leaves one file."""
        self._finish()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, connection: sa.Connection, describe: str, resume: bool) -> int:
        """Find or make the study in one transaction, so that of two processes one makes it and the other finds it."""
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY)))
        t = tables.study
        ownership.check_tables(connection, self.shown)
        tables.TABLES.create_all(connection)
        fingerprint = hashlib.sha256(describe.encode()).hexdigest()
        there = connection.execute(sa.select(t.c.id).where(t.c.fingerprint == fingerprint)).scalar()
        if there is None:
            others = connection.execute(sa.select(t.c.describe)).scalars().all() if resume else ()
            if others:
                raise ValueError(f"tune: {self.shown} {_differences(describe, others)}")
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            values = {"fingerprint": fingerprint, "describe": describe, "format": tables.FORMAT, "created": now}
            there = connection.execute(sa.insert(t).values(values).returning(t.c.id)).scalar_one()
            self.started = True
        elif not resume:
            if self._live(connection, there) - {self._me.name}:
                raise ValueError(
                    f"tune: another process is at work on this very study in {self.shown}. To share its work, add"
                    " --resume; to start anew, end that process first, or give another place."
                )
            for table in (tables.fit, tables.claim, tables.note):
                connection.execute(sa.delete(table).where(table.c.study == there))
            self.started = True
        gone = set(connection.execute(sa.select(tables.worker.c.name).where(tables.worker.c.study == there)).scalars())
        _leave(connection, there, gone - self._live(connection, there))
        _renew(connection, there, self._me)
        return int(there)

    def _blobs(self, part: Part, keys: Iterable[Key], connection: sa.Connection) -> list[Any]:
        t = tables.fit
        return list(connection.execute(sa.select(t.c.arm, t.c.setting, t.c.arrays).where(self._are(t, part, keys))))

    def _are(self, table: sa.Table, part: Part, keys: Iterable[Key]) -> sa.ColumnElement[bool]:
        return tables.among(table, self._study, part, keys)

    def _forget(self, part: Part, key: Key, data: bytes) -> None:
        t = tables.fit
        where = self._are(t, part, [key])
        self._write(lambda c: c.execute(sa.delete(t).where(where, t.c.arrays == data)))
        self.damaged += 1

    def _lock(self, connection: sa.Connection, *, alone: bool) -> None:
        """Until the transaction ends, claims wait for saves and the other way round; SQLite's own lock does it there."""
        t = tables.study
        query = sa.select(t.c.id).where(t.c.id == self._study).with_for_update(read=not alone)
        if connection.execute(query).first() is None:
            raise ValueError(
                f"tune: the study in {self.shown} was deleted while it was being worked on; start it anew."
            )

    def _live(self, connection: sa.Connection, study: int) -> set[str]:
        """Names of the processes that are at work on the study."""
        t = tables.worker
        query = sa.select(t).where(t.c.study == study)
        now = _now(connection)
        return {
            row.name
            for row in connection.execute(query)
            if abs(now - row.heartbeat) < STALE and not Worker(row.place, row.process, row.born).dead
        }

    def _read(self, action: Callable[[sa.Connection], Result]) -> Result:
        return self._do(self._engine.execution_options(writes=False), action, PATIENCE)

    def _write(self, action: Callable[[sa.Connection], Result], patience: float = PATIENCE) -> Result:
        return self._do(self._engine, action, patience)

    def _do(self, engine: sa.Engine, action: Callable[[sa.Connection], Result], patience: float) -> Result:
        """The action in one transaction, again while a server is away: each may be repeated without harm."""
        deadline = time.monotonic() + patience
        while True:
            try:
                with engine.begin() as connection:
                    return action(connection)
            except DriverError as error:
                if not lost(error) or time.monotonic() > deadline:
                    raise refusal(error, self._where) from None
            time.sleep(1.0)


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row["arrays"])
        if size > BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _now(connection: sa.Connection) -> float:
    """One clock for all: the server's; for a file, the machine's."""
    if connection.dialect.name != "postgresql":
        return time.time()
    return float(connection.execute(sa.select(sa.func.extract("epoch", sa.func.clock_timestamp()))).scalar_one())


def _renew(connection: sa.Connection, study: int, who: Worker) -> None:
    t = tables.worker
    now = _now(connection)
    same = sa.and_(t.c.study == study, t.c.name == who.name)
    if connection.execute(sa.update(t).where(same).values(heartbeat=now)).rowcount == 0:
        values = {"study": study, "name": who.name, "place": who.place, "process": who.process, "born": who.born}
        connection.execute(tables.insert_missing(connection, t), [{**values, "heartbeat": now}])


def _leave(connection: sa.Connection, study: int, names: Iterable[str]) -> None:
    """Delete these processes and what they claim."""
    names = sorted(names)
    for table, column in ((tables.claim, tables.claim.c.worker), (tables.worker, tables.worker.c.name)):
        connection.execute(sa.delete(table).where(table.c.study == study, column.in_(names)))


def _beat(engine: sa.Engine, study: int, who: Worker, stop: threading.Event) -> None:
    while not stop.wait(RENEW):
        try:
            with engine.begin() as connection:
                _renew(connection, study, who)
        except DriverError:
            pass  # a full disk or a server that is away: `save` says so; the next heartbeat tries again


def _finish(engine: sa.Engine, study: int, who: Worker, stop: threading.Event, thread: threading.Thread) -> None:
    stop.set()
    if thread is not threading.current_thread():
        thread.join(PATIENCE)
    try:
        with engine.begin() as connection:
            _leave(connection, study, [who.name])
    except DriverError:
        pass  # the claims of an ended process are taken over anyway
    engine.dispose()


def _plain(value: Any) -> Any:
    """Numbers of numpy as JSON's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a fingerprint is made of words and numbers, got {type(value).__name__}")


# What another study was made with, in words ----------------------------------------------------------------------------

NAMES = {
    "data": "the content of the data",
    "format": "the format of steelyard's scores",
    "positive": "positive class",
    "rows": "rows",
    "columns": "columns",
}
LONGEST = 40  # characters of a value that are still read
MOST = 6  # differences that are named


def _differences(wanted: str, there: Sequence[str]) -> str:
    """Two or three sentences about the study (JSON) among `there` that is nearest to the wanted one."""
    here = dict(_flat(json.loads(wanted)))
    each = [_compare(here, dict(_flat(json.loads(other)))) for other in there]
    nearest = min(each, key=len)
    named = "; ".join(nearest[:MOST]) + (f"; and {len(nearest) - MOST} more" if len(nearest) > MOST else "")
    which = "the study in it" if len(there) == 1 else f"the nearest of the {len(there)} studies in it"
    return (
        f"holds no study of this task to go on with: {which} was made with other data or options. Different:"
        f" {named}. Give what it was made with, or leave out --resume to start a study beside it."
    )


def _compare(here: dict[str, Any], there: dict[str, Any]) -> list[str]:
    missing = "nothing"
    names = [*here, *(name for name in there if name not in here)]
    pairs = [(NAMES.get(name, name), there.get(name, missing), here.get(name, missing)) for name in names]
    return [
        f"{name} ({_short(old)} there, {_short(new)} here)" if _readable(old) and _readable(new) else name
        for name, old, new in pairs
        if old != new
    ]


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """{"splits": {"folds": 5}} as ("splits: folds", 5)."""
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        yield from _flat(inner, f"{name}: {key}" if name else str(key))


def _readable(value: Any) -> bool:
    return len(_short(value)) <= LONGEST


def _short(value: Any) -> str:
    return value if isinstance(value, str) and value == "nothing" else json.dumps(value, ensure_ascii=False)
