"""Fits as Ray tasks."""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from .. import cluster

Item = TypeVar("Item")
Result = TypeVar("Result")


def ray(
    function: Callable[[Item], Result], items: Iterable[Item], stop: Callable[[], bool]
) -> Iterator[tuple[Item, Result]]:
    """`threads.local` on a cluster: (item, function(item)) as they finish, on one thread each. See `cluster.ray`."""
    try:
        yield from cluster.ray(functools.partial(_alone, function), items, stop, command="tune", one="a fit")
    except cluster.Lost as error:
        raise ValueError(f"{error} Finished fits are kept; go on with --resume.") from None


def _alone(function: Callable[[Any], Any], item: Any) -> Any:
    from .threads import single

    with single():
        return function(item)
