"""A source read by the tasks of a Ray cluster: the same parts, the same sums, the same answer to the digit."""

import functools
from collections.abc import Sequence

from ..cluster import ray
from ..counts import Counts
from .progress import bar
from .source import Partial, Shard, Source
from .workers import check, finish, read

FILES = 256  # of one task at most
BYTES = 1 << 28
TASKS = 64  # wanted at least, if there are so many parts


def read_on_cluster(source: Source, *, on_error: str = "raise", progress: bool = False) -> tuple[Counts, list[str]]:
    """(Counts, notes) of a source whose files every machine of the cluster can open by the same paths.

    A task whose worker is killed or whose machine goes away is done again elsewhere; see `steelyard.cluster.ray`.
    """
    check(on_error)
    shards = source.shards()
    batches = in_batches(shards)
    parts: dict[int, list[Partial]] = {}
    with bar("counting", sum(s.size for s in shards) or None, shown=progress) as tell:
        done = 0
        work = functools.partial(_read_some, source, on_error)
        for (number, batch), found in ray(work, enumerate(batches), command="count", one="a part of the data"):
            parts[number] = found
            done += sum(s.size for s in batch)
            tell(done)
    return finish(source, (part for number in sorted(parts) for part in parts[number]))


def in_batches(shards: Sequence[Shard]) -> list[list[Shard]]:
    """Neighbouring shards together, so that a task has something to do."""
    files = min(FILES, max(1, len(shards) // TASKS))
    batches: list[list[Shard]] = []
    held = BYTES
    for shard in shards:
        if held >= BYTES or len(batches[-1]) >= files:
            batches.append([])
            held = 0
        batches[-1].append(shard)
        held += shard.size
    return batches


def _read_some(source: Source, on_error: str, numbered: tuple[int, list[Shard]]) -> list[Partial]:
    return [read(source, shard, on_error, lambda size: None) for shard in numbered[1]]
