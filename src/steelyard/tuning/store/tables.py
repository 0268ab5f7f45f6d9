"""The tables of a study, one schema for SQLite and PostgreSQL."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from .fits import Key, Part

FORMAT = 1  # of these tables; a study with a higher one was made by a newer steelyard

TABLES = sa.MetaData()

study = sa.Table(
    "steelyard_study",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, unique=True),  # SHA-256 of `describe`
    sa.Column("describe", sa.Text, nullable=False),  # JSON, keys sorted
    sa.Column("format", sa.Integer, nullable=False),
    sa.Column("created", sa.Text, nullable=False),
)

# a row per process, so that a heartbeat writes one row however many fits are claimed
worker = sa.Table(
    "steelyard_worker",
    TABLES,
    sa.Column("study", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("process", sa.Integer, nullable=False),
    sa.Column("born", sa.Text, nullable=False),
    sa.Column("heartbeat", sa.Double, nullable=False),  # seconds since 1970 by the server's clock
)


def _fits(name: str, *columns: sa.Column[Any]) -> sa.Table:
    return sa.Table(
        name,
        TABLES,
        sa.Column("study", sa.Integer, primary_key=True),
        sa.Column("repetition", sa.Integer, primary_key=True),
        sa.Column("fold", sa.Integer, primary_key=True),
        sa.Column("arm", sa.Text, primary_key=True),
        sa.Column("setting", sa.Text, primary_key=True),  # repr: equal floats and nothing else have the same
        *columns,
    )


claim = _fits("steelyard_claim", sa.Column("worker", sa.Text, nullable=False))  # being fitted
fit = _fits("steelyard_fit", sa.Column("arrays", sa.LargeBinary, nullable=False))  # finished

note = sa.Table(
    "steelyard_note",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("study", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
)

LONGEST = 512  # bytes of an arm's key: PostgreSQL's index takes rows of 2.7 kB


def stored(key: Key) -> tuple[str, str]:
    """A key as the columns `arm` and `setting`."""
    arm, setting = key
    if len(arm.encode()) > LONGEST:
        arm = f"{arm[:60]}... {hashlib.sha256(arm.encode()).hexdigest()}"
    return arm, repr(float(setting) + 0.0)  # + 0.0: minus zero is zero


def rows(study_id: int, part: Part, keys: Iterable[Key]) -> Iterator[dict[str, Any]]:
    """Their columns, each once, always in the same order, so that two transactions never wait for each other."""
    for arm, setting in sorted(set(map(stored, keys))):
        yield {"study": study_id, "repetition": part[0], "fold": part[1], "arm": arm, "setting": setting}


def among(table: sa.Table, study_id: int, part: Part, keys: Iterable[Key]) -> sa.ColumnElement[bool]:
    """Rows of exactly these keys."""
    pairs = sorted(set(map(stored, keys)))
    arms, settings = sorted({arm for arm, _ in pairs}), sorted({setting for _, setting in pairs})
    if len(pairs) == len(arms) * len(
        settings
    ):  # every arm at every setting, as mostly: a fifth of the words, and of the time
        of_keys = sa.and_(table.c.arm.in_(arms), table.c.setting.in_(settings))
    else:
        of_keys = sa.tuple_(table.c.arm, table.c.setting).in_(pairs)
    return sa.and_(table.c.study == study_id, table.c.repetition == part[0], table.c.fold == part[1], of_keys)


def insert_missing(connection: sa.Connection, table: sa.Table) -> sa.Insert:
    """INSERT that leaves a row with the same primary key as it is."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing()
