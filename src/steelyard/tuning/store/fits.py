"""Where finished fits are kept, so that none is lost or made twice: in memory, in a file, or in a database of many.

A fit is named by the study's fingerprint, the part of the data it was trained for, and its key.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

Part = tuple[int, int]  # (repetition, fold); (-1, -1) = all rows
Key = tuple[str, float]  # the arm's key, the setting
Arrays = dict[str, np.ndarray]  # booleans and numbers only


class Store(Protocol):
    """Fits of one study. Every method may be called by several threads at once."""

    def load(self, part: Part, keys: Sequence[Key]) -> dict[Key, Arrays]:
        """Those of the keys that are finished."""
        ...

    def save(self, part: Part, fits: Mapping[Key, Arrays]) -> None:
        """Keep them, all or none, and give up the claims on them. What is there already stays."""
        ...

    def claim(self, part: Part, keys: Sequence[Key]) -> bool:
        """True: none of these is finished, and this process is to fit them all now. False: another live process is at
        one of them, or one is finished since it was looked for: load again."""
        ...

    def release(self, part: Part, keys: Sequence[Key]) -> None:
        """Give up the claim, so that others may fit them."""
        ...

    def note(self, name: str, value: str) -> None:
        """Remember a value once."""
        ...

    def notes(self, name: str) -> list[str]:
        """Values under this name, in the order they were noted."""
        ...

    def warnings(self) -> list[str]:
        """What whoever reads the result should know of this storage."""
        ...

    def close(self) -> None: ...


def check(part: Part, fits: Mapping[Key, Arrays], name: str, shape: tuple[int, ...]) -> None:
    """ValueError where a fit has no array of this name and shape: whole by its checksum, and not what this study kept."""
    for (arm, setting), arrays in fits.items():
        found = arrays[name].shape if name in arrays else "nothing"
        if found != shape or "converged" not in arrays:
            raise ValueError(
                f"tune: the fit of {arm.partition(' #')[0]} at {setting:.4g} on training part {part} was kept with {found} as its {name}, where numbers of"
                f" shape {shape} belong, so somebody edited the storage; start the study anew (--fresh), or give another folder."
            )


class Memory:
    """A study that ends with the process. The arrays are kept as they are, not copied."""

    def __init__(self) -> None:
        self._fits: dict[tuple[Part, Key], Arrays] = {}
        self._notes: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def load(self, part: Part, keys: Sequence[Key]) -> dict[Key, Arrays]:
        with self._lock:
            return {key: self._fits[part, key] for key in keys if (part, key) in self._fits}

    def save(self, part: Part, fits: Mapping[Key, Arrays]) -> None:
        with self._lock:
            for key, arrays in fits.items():
                self._fits.setdefault((part, key), arrays)

    def claim(self, part: Part, keys: Sequence[Key]) -> bool:
        with self._lock:
            return not any((part, key) in self._fits for key in keys)

    def release(self, part: Part, keys: Sequence[Key]) -> None:
        pass

    def note(self, name: str, value: str) -> None:
        with self._lock:
            values = self._notes.setdefault(name, [])
            if value not in values:
                values.append(value)

    def notes(self, name: str) -> list[str]:
        with self._lock:
            return list(self._notes.get(name, ()))

    def warnings(self) -> list[str]:
        return []

    def close(self) -> None:
        pass
