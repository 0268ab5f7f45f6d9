"""A store that outlives its file or server: what can no longer be kept there is kept in memory, and the answer says so."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from .fits import Arrays, Key, Memory, Part, Store

Result = TypeVar("Result")


class Fallback:
    """`store` until it refuses, then memory: a removed folder, a full disk or a server that is away costs no answer.

    What is in `store` is read as long as that goes; fits that are lost are made again by whoever asks for them.

    file  that the store is, or None; one that is open can be removed, or another put in its place, without a word
    lost  why the store is not written to any more, or ""
    """

    def __init__(self, store: Store, file: Path | None = None):
        self._store, self._memory, self._file, self._same = store, Memory(), file, _identity(file)
        self._readable = True
        self.lost = ""

    def load(self, part: Part, keys: Sequence[Key]) -> dict[Key, Arrays]:
        fits = self._memory.load(part, keys)
        rest = [key for key in keys if key not in fits]
        if rest and self._readable:
            try:
                fits |= self._store.load(part, rest)
            except ValueError as error:
                self._readable, self.lost = False, self.lost or str(error)
        return fits

    def save(self, part: Part, fits: Mapping[Key, Arrays]) -> None:
        self._try(lambda: self._store.save(part, fits), lambda: self._memory.save(part, fits))

    def claim(self, part: Part, keys: Sequence[Key]) -> bool:
        return self._try(lambda: self._store.claim(part, keys), lambda: self._memory.claim(part, keys))

    def release(self, part: Part, keys: Sequence[Key]) -> None:
        self._try(lambda: self._store.release(part, keys), lambda: None)

    def note(self, name: str, value: str) -> None:
        self._try(lambda: self._store.note(name, value), lambda: self._memory.note(name, value))

    def notes(self, name: str) -> list[str]:
        return self._try(lambda: self._store.notes(name), lambda: self._memory.notes(name))

    def warnings(self) -> list[str]:
        if not self.lost and _identity(self._file) != self._same:
            self.lost = f"{self._file} was removed or replaced"
        if not self.lost:
            return self._store.warnings()
        why = self.lost.removeprefix("tune: ").rstrip(".")
        return [
            f"fits could not be kept while the study ran: {why}; this answer is made of all of them, but the same command"
            " makes those again that are not there",
        ]

    def close(self) -> None:
        self._store.close()

    def _try(self, action: Callable[[], Result], instead: Callable[[], Result]) -> Result:
        if not self.lost:
            try:
                return action()
            except ValueError as error:
                self.lost = str(error)
        return instead()


def _identity(file: Path | None) -> tuple[int, int] | None:
    try:
        there = None if file is None else file.stat()
    except OSError:
        return None
    return None if there is None else (there.st_dev, there.st_ino)
