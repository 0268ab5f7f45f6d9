"""Work on many cores: those of this machine, or Ray tasks on many, where a worker or a machine that goes away costs time, not results."""

import importlib
import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

RETRIES = 5  # of one item, when its worker or machine goes away
POLL = 1.0  # seconds between two looks at how many machines there are
SETTINGS = {  # read by Ray when it is imported
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else a warning about a change to come
    # an item that is tried again is no news; one that is given up is an error of ours
    "RAY_DEDUP_LOGS_SKIP_REGEX": r"A worker died or was killed|Task _one failed\. There are|The node with node id|Raylet is terminated",
}


class Lost(ValueError):
    """An item ended its worker time after time."""


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ray(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    stop: Callable[[], bool] = lambda: False,
    *,
    command: str,
    one: str,
) -> Iterator[tuple[Item, Result]]:
    """(item, function(item)) as they finish, one core each, on the cluster that RAY_ADDRESS names or on one that is started
    here and ends with this call.

    function  can be sent to other machines; it goes there once, and its arrays are shared by all tasks of a machine, read-only
    stop      once it says True no more are started; those under way are finished and handed out
    command   and `one`: who asks, and what an item is called, in errors: "tune", "a fit"

    An item is taken only when a core is free for it. One whose worker is killed or whose machine goes away is done again
    elsewhere. ValueError if Ray is not installed, if there is no cluster at RAY_ADDRESS, or if an item ends its worker time
    after time (too little memory, as a rule). An error of `function` is raised here as it is.
    """
    with _connected(command) as api:
        task = api.remote(num_cpus=1, max_retries=RETRIES)(_call)
        shared, left, running = api.put(function), iter(items), dict[Any, Item]()
        try:
            while True:
                # one more than there are cores: a cluster that grows by itself sees that there is something to do
                room = 1 + int(api.cluster_resources().get("CPU", 1))
                while len(running) < room and not stop():
                    try:
                        item = next(left)
                    except StopIteration:
                        break
                    running[task.remote(shared, item)] = item
                if not running:
                    return
                for done in api.wait(list(running), timeout=POLL)[0]:
                    yield running.pop(done), _result(api, done, command, one)
        finally:
            for unfinished in running:
                api.cancel(unfinished, force=True)


def _call(function: Callable[[Any], Any], item: Any) -> Any:
    return function(item)


def _result(api: Any, done: Any, command: str, one: str) -> Any:
    try:
        return api.get(done)
    except api.exceptions.RayTaskError as error:
        raise error.cause from None  # what the function raised, not Ray's story of it
    except api.exceptions.RayError as error:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        raise Lost(
            f"{command}: --engine ray: {one} was lost {RETRIES + 1} times ({type(error).__name__}: {first[:200]}). If its"
            " worker was killed, it needs more memory than there is: fewer cores per machine, or a larger machine."
        ) from None


@contextmanager
def _connected(command: str) -> Iterator[Any]:
    """Ray's API, connected to a cluster. One that was there before stays there."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        api = importlib.import_module("ray")  # by name: a checkout without Ray passes the type checker
    except ImportError:
        raise ValueError(
            f'{command}: --engine ray needs Ray, which is not installed: pip install "steelyard[ray]".'
        ) from None
    if api.is_initialized():
        yield api
        return
    _connect(api, command)
    try:
        yield api
    finally:
        api.shutdown()  # the cluster if it was started here, else only the connection


def _connect(api: Any, command: str) -> None:
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    address = os.environ.get("RAY_ADDRESS")
    try:
        if address and address != "local":
            _knock(address)
            api.init(address=address, **quiet)
        else:
            api.init(address="local", num_cpus=cores(), include_dashboard=False, **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        where = f"RAY_ADDRESS={address}" if address else "a cluster on this machine"
        raise ValueError(f"{command}: --engine ray: cannot use {where}: {first[:300]}") from None


def _knock(address: str) -> None:
    """OSError where nothing answers: Ray itself would try for many minutes, deaf to Ctrl-C."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
