"""Reading all parts of a source, on the threads of this machine. A part that cannot be read is never skipped in silence."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from ..cluster import cores
from ..counts import Counts
from .progress import bar
from .source import Partial, Shard, Source

ERRORS = ("raise", "report")
SHOWN = 5


def read_all(
    source: Source, *, on_error: str = "raise", workers: int | None = None, progress: bool = False
) -> tuple[Counts, list[str]]:
    """(Counts, notes) of a source. `on_error="report"` counts the rest and names what could not be read in the notes."""
    check(on_error)
    shards = source.shards()
    with bar("counting", sum(s.size for s in shards) or None, shown=progress) as tell:
        return finish(source, _read(source, shards, on_error, workers or cores(), tell))


def read(source: Source, shard: Shard, on_error: str, tell: Callable[[int], None]) -> Partial:
    """One part; or the reason why not, as a part of its own, under on_error="report"."""
    try:
        return source.read(shard, tell)
    except (ValueError, OSError) as error:
        if on_error == "raise":
            raise
        return Partial(unread=[(str(shard.path), _reason(shard, error))])


def finish(source: Source, parts: Iterable[Partial]) -> tuple[Counts, list[str]]:
    """Add up and name the classes."""
    total = Partial()
    for part in parts:
        total.add(part)
    if total.unread and not total.found and not total.items:
        raise ValueError(f"{source.where}: no file could be read; {_named(total.unread)}.")
    counts, notes = source.counts(total)
    if total.unread:
        n = len(total.unread)
        notes.append(f"{n:,} {'file' if n == 1 else 'files'} could not be read: {_named(total.unread)}")
    return counts, notes


def check(on_error: str) -> None:
    if on_error not in ERRORS:
        raise ValueError(f"count: on_error must be 'raise' or 'report', got {on_error!r}.")


def _read(
    source: Source, shards: Sequence[Shard], on_error: str, workers: int, tell: Callable[[float], None]
) -> Iterator[Partial]:
    """The parts in their order, however the threads finish, so that notes and the first error are always the same."""
    lock = threading.Lock()
    done = 0
    inside: dict[Shard, int] = {}

    def told(shard: Shard, size: int, *, whole: bool) -> None:
        nonlocal done
        with lock:
            if whole:
                inside.pop(shard, None)
                done += shard.size
            else:
                inside[shard] = min(size, shard.size)
            tell(done + sum(inside.values()))

    def work(shard: Shard) -> Partial:
        part = read(source, shard, on_error, lambda size: told(shard, size, whole=False))
        told(shard, shard.size, whole=True)
        return part

    if workers == 1 or len(shards) == 1:
        yield from map(work, shards)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Partial]] = deque()
        try:
            for shard in shards:
                waiting.append(pool.submit(work, shard))
                if len(waiting) > 8 * workers:  # parts in flight stay few, however many files there are
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _reason(shard: Shard, error: BaseException) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return said.removeprefix(f"{shard.path}: ").rstrip(".")


def _named(unread: Sequence[tuple[str, str]]) -> str:
    said = "; ".join(f"{path} ({reason})" for path, reason in unread[:SHOWN])
    return said + (f"; and {len(unread) - SHOWN:,} more" if len(unread) > SHOWN else "")
