"""Optuna's own tables beside ours, for the continuous search."""

import time
import warnings

from optuna import logging
from optuna.exceptions import ExperimentalWarning
from optuna.storages import RDBStorage
from sqlalchemy import NullPool, exc

from .address import PATIENCE, REACH, address
from .errors import DriverError, refusal

HEARTBEAT, GRACE = 10, 60  # seconds
TRIES = 5  # two processes that make the tables at once: the second finds them at its next try


def trials_in(url: str) -> RDBStorage:
    """Optuna's tables in the same database, silent. A trial whose process died is marked so after a minute.

    ValueError as in `Database`.
    """
    where = address(url)
    logging.set_verbosity(logging.WARNING)
    text = where.url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")  # it formats its URL
    reach = {"timeout": PATIENCE} if where.file else {"connect_timeout": REACH}
    options = {"hide_parameters": True, "poolclass": NullPool, "connect_args": reach}  # Optuna never closes a pool
    for left in reversed(range(TRIES)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                return RDBStorage(text, engine_kwargs=options, heartbeat_interval=HEARTBEAT, grace_period=GRACE)
        except DriverError as error:
            raced = isinstance(error, (exc.ProgrammingError, exc.IntegrityError, exc.OperationalError))
            if not (left and raced and "exists" in str(error)):
                raise refusal(error, where) from None
            time.sleep(0.2)
        except RuntimeError as error:  # tables of another version; it names the way out
            raise ValueError(f"tune: the trials in {where.shown} cannot be used: {error}") from None
    raise AssertionError("the last try returns or raises")
