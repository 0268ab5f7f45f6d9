"""Reading all shards of a source, on the threads of this machine or by the tasks of a Ray cluster: the same sums, the same answer to the
digit. A shard that cannot be read is never skipped in silence."""

import functools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from ..cluster import cores, ray
from ..counts import Counts
from ..progress import bar
from .gate import gate
from .notes import Scope
from .source import Shard, Source, Tally

ERRORS = ("raise", "report")
SHOWN = 5
FILES = 256  # of one task at most
BYTES = 1 << 28
TASKS = 64  # wanted at least, if there are so many shards


def read_all(
    source: Source, *, on_error: str = "raise", workers: int | None = None, progress: bool = False
) -> tuple[Counts, list[str]]:
    """(Counts, notes) of a source. `on_error="report"` counts the rest and names what could not be read in the notes."""
    _check(on_error)
    with gate(source.path):
        shards = source.shards()
    with bar("counting", sum(s.size for s in shards) or None, shown=progress) as tell:
        counts, notes = finish(source, _read_on_threads(source, shards, on_error, workers or cores(), tell))
    with gate(source.path):
        return counts, [*notes, *source.beside(shards)]


def read_on_cluster(source: Source, *, on_error: str = "raise", progress: bool = False) -> tuple[Counts, list[str]]:
    """(Counts, notes) of a source whose files every machine of the cluster can open by the same paths.

    A task whose worker is killed or whose machine goes away is done again elsewhere; see `steelyard.cluster.ray`.
    """
    _check(on_error)
    with gate(source.path):
        shards = source.shards()
    read: dict[int, list[Tally]] = {}
    with bar("counting", sum(s.size for s in shards) or None, shown=progress) as tell:
        done = 0
        work = functools.partial(_read_batch, source, on_error)
        for (number, batch), tallies in ray(
            work, enumerate(in_batches(shards)), command="count", one="a part of the data"
        ):
            read[number] = tallies
            done += sum(s.size for s in batch)
            tell(done)
    counts, notes = finish(source, (tally for number in sorted(read) for tally in read[number]))
    with gate(source.path):
        return counts, [*notes, *source.beside(shards)]


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


def _read_one(source: Source, shard: Shard, on_error: str, tell: Callable[[int], None]) -> Tally:
    """What one shard holds; or the reason why it cannot be read, under on_error="report"."""
    try:
        with gate(shard.path, source.path):
            part = source.read(shard, tell)
    except (ValueError, OSError) as error:
        if on_error == "raise":
            raise
        return Tally(unread=[(str(shard.path), _reason(shard, error))])
    if part.wrong and on_error == "raise":
        more = f" {len(part.wrong) - 1:,} more could not be read." if len(part.wrong) > 1 else ""
        raise ValueError(f"{part.wrong[0]}{more} on_error='report' (--on-error report) counts the rest.")
    return part


def finish(source: Source, tallies: Iterable[Tally]) -> tuple[Counts, list[str]]:
    """Add up and name the classes."""
    total = Tally()
    for tally in tallies:
        total.add(tally)
    if total.unread and not total.labels and not total.items and not total.cells.times:
        raise ValueError(f"{source.path}: no file could be read; {_named(total.unread)}.")
    with gate(source.path):
        counts, notes = source.counts(total)
    if total.unread:
        n = len(total.unread)
        notes.append(Scope(f"{n:,} {'file' if n == 1 else 'files'} could not be read: {_named(total.unread)}"))
    if total.wrong:
        shown = " ".join(total.wrong[:SHOWN]).rstrip(".")
        more = f"; and {len(total.wrong) - SHOWN:,} more" if len(total.wrong) > SHOWN else ""
        notes.append(Scope(f"{len(total.wrong):,} annotations could not be read and are left out: {shown}{more}"))
    return counts, notes


def _check(on_error: str) -> None:
    if on_error not in ERRORS:
        raise ValueError(f"count: on_error must be 'raise' or 'report', got {on_error!r}.")


def _read_on_threads(
    source: Source, shards: Sequence[Shard], on_error: str, workers: int, tell: Callable[[float], None]
) -> Iterator[Tally]:
    """The tallies in their order, however the threads finish, so that notes and the first error are always the same."""
    lock = threading.Lock()
    done = 0
    inside: dict[Shard, int] = {}

    def hear(shard: Shard, size: int, *, whole: bool) -> None:
        nonlocal done
        with lock:
            if whole:
                inside.pop(shard, None)
                done += shard.size
            else:
                inside[shard] = min(size, shard.size)
            tell(done + sum(inside.values()))

    def work(shard: Shard) -> Tally:
        tally = _read_one(source, shard, on_error, lambda size: hear(shard, size, whole=False))
        hear(shard, shard.size, whole=True)
        return tally

    if workers == 1 or len(shards) == 1:
        yield from map(work, shards)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Tally]] = deque()
        try:
            for shard in shards:
                waiting.append(pool.submit(work, shard))
                if len(waiting) > 8 * workers:  # those in flight stay few, however many files there are
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _read_batch(source: Source, on_error: str, numbered: tuple[int, list[Shard]]) -> list[Tally]:
    return [_read_one(source, shard, on_error, lambda size: None) for shard in numbered[1]]


def _reason(shard: Shard, error: BaseException) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return reason.removeprefix(f"{shard.path}: ").rstrip(".")


def _named(unread: Sequence[tuple[str, str]]) -> str:
    shown = "; ".join(f"{path} ({reason})" for path, reason in unread[:SHOWN])
    return shown + (f"; and {len(unread) - SHOWN:,} more" if len(unread) > SHOWN else "")
