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

from ...schema import Anything, ByName, checked, parsed
from . import ownership, tables
from .address import PATIENCE, address
from .arrays import Damaged, pack, unpack
from .differences import differences
from .errors import DriverError, damaged, lost, refusal
from .fits import Arrays, Key, Part
from .worker import Worker, me

RENEW = 5.0  # seconds between heartbeats
STALE = 30.0  # seconds without one after which the claims of a process are taken over
BATCH = 32 << 20  # bytes of scores that are handed to the driver at a time
MANY = 64  # fits that are read at a time
ADVISORY = 7355608  # PostgreSQL's lock number while tables and studies are made
FINGERPRINT = ByName(Anything())
TABLE = "table"  # what of a fingerprint says which data it is about; and a note of what that is called

Result = TypeVar("Result")


class Database:
    """The study with this fingerprint in sqlite:///FILE or postgresql://..., which is made if it is missing. Also a context
    manager. A process opens a study once.

    fingerprint  all that the fits depend on, in words and numbers that JSON can hold
    name         what its data is called, for whoever comes with other data
    fresh        False: go on with its fits, and share the work with others that are at it. True: start anew; its fits are deleted,
                 and in a file those of other data, too

    Studies of one table lie beside each other, on a server those of all tables. ValueError, in one paragraph: a file holds a study of
    other data (it says which, and what differs); fresh while another live process is at what would be deleted; the file or server
    cannot be used, or is another program's.

    started  True where this call made the study, or emptied it; False where it goes on with one
    shown    the address, without its password
    dropped  how many finished fits `fresh` deleted
    damaged  how many fits were found torn or edited, and are to be made again
    """

    def __init__(self, url: str, fingerprint: Mapping[str, Any], *, name: str = "", fresh: bool = False):
        describe = json.dumps(fingerprint, sort_keys=True, default=_plain)
        where = address(url)
        ownership.adopt(where)
        self.shown, self.damaged, self.dropped, self.started = where.shown, 0, 0, False
        self._where, self._engine, self._me = where, where.engine(), me()
        try:
            self._study = self._write(lambda c: self._open(c, describe, name, fresh), patience=0.0)
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
        if self.dropped:
            fits = "1 finished fit" if self.dropped == 1 else f"{self.dropped:,} finished fits"
            sentences.append(f"this study was started anew, and {fits} in {self.shown} deleted, as asked for")
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

    def _open(self, connection: sa.Connection, describe: str, name: str, fresh: bool) -> int:
        """Find or make the study in one transaction, so that of two processes one makes it and the other finds it."""
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY)))
        t = tables.study
        ownership.check_tables(connection, self.shown)
        tables.TABLES.create_all(connection)
        fingerprint = hashlib.sha256(describe.encode()).hexdigest()
        there = connection.execute(sa.select(t.c.id).where(t.c.fingerprint == fingerprint)).scalar()
        others = [] if self._where.file is None else _of_other_data(connection, describe)
        if fresh:
            self.dropped = self._drop(connection, [*others, *([] if there is None else [there])])
            there = None
        elif others and there is None:
            raise ValueError(f"tune: {self.shown} {_refused(connection, others, describe, name)}")
        if there is None:
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            values = {"fingerprint": fingerprint, "describe": describe, "format": tables.FORMAT, "created": now}
            there = connection.execute(sa.insert(t).values(values).returning(t.c.id)).scalar_one()
            connection.execute(sa.insert(tables.note).values(study=there, name=TABLE, value=name))
            self.started = True
        gone = set(connection.execute(sa.select(tables.worker.c.name).where(tables.worker.c.study == there)).scalars())
        _leave(connection, there, gone - self._live(connection, there))
        _renew(connection, there, self._me)
        return int(there)

    def _drop(self, connection: sa.Connection, studies: Sequence[int]) -> int:
        """Delete them; how many fits they held. ValueError where another process is at one of them."""
        if any(self._live(connection, study) - {self._me.name} for study in studies):
            raise ValueError(
                f"tune: another process is at work on a study in {self.shown} that would be deleted. Without --fresh its work is"
                " shared; to start anew, end that process first, or give another place."
            )
        fits = _fits_of(connection, studies)
        for table in (tables.fit, tables.claim, tables.note, tables.worker):
            connection.execute(sa.delete(table).where(table.c.study.in_(studies)))
        connection.execute(sa.delete(tables.study).where(tables.study.c.id.in_(studies)))
        return fits

    def _blobs(self, part: Part, keys: Iterable[Key], connection: sa.Connection) -> list[Any]:
        t = tables.fit
        return list(connection.execute(sa.select(t.c.arm, t.c.setting, t.c.arrays).where(self._are(t, part, keys))))

    def _are(self, table: sa.Table, part: Part, keys: Iterable[Key]) -> sa.ColumnElement[bool]:
        return tables.among(table, self._study, part, keys)

    def _forget(self, part: Part, key: Key, data: bytes) -> None:
        t = tables.fit
        where = self._are(t, part, [key])
        if isinstance(data, bytes):  # another process may have made it again since
            where = sa.and_(where, t.c.arrays == data)
        self._write(lambda c: c.execute(sa.delete(t).where(where)))
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
            except ValueError as error:
                if str(error).startswith("tune:"):
                    raise
                raise damaged(error, self._where) from error
            except (TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
                raise damaged(error, self._where) from error
            time.sleep(1.0)


def _of_other_data(connection: sa.Connection, describe: str) -> list[int]:
    """The studies whose table is another one."""
    t = tables.study
    wanted = json.loads(describe).get(TABLE)
    studies = connection.execute(sa.select(t.c.id, t.c.describe).order_by(t.c.id))
    return [row.id for row in studies if _described(row.describe).get(TABLE) != wanted]


def _described(text: str) -> Mapping[str, Any]:
    return checked("the fingerprint of a study", parsed(text), FINGERPRINT, "")


def _refused(connection: sa.Connection, others: Sequence[int], describe: str, name: str) -> str:
    """What is there, by name, and the way out."""
    t, n = tables.study, tables.note
    there = connection.execute(sa.select(t.c.describe).where(t.c.id.in_(others))).scalars().all()
    query = sa.select(n.c.value).where(n.c.study.in_(others), n.c.name == TABLE).order_by(n.c.id)
    names = list(dict.fromkeys(connection.execute(query).scalars()))
    return (
        f"keeps a study of other data: {' and '.join(names) or 'a table without a name'} there, {name or 'this table'} here."
        f" {differences(describe, there)} Give another folder (--out) or --storage; --fresh deletes the"
        f" {_fits_of(connection, others):,} finished fits that are there and starts anew."
    )


def _fits_of(connection: sa.Connection, studies: Sequence[int]) -> int:
    count = sa.select(sa.func.count()).select_from(tables.fit).where(tables.fit.c.study.in_(studies))
    return int(connection.execute(count).scalar_one())


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
