"""Boosters that can go on: 200 trees begin with the 100 that are there, and are the same as trained at once.

A study whose arms still gain at the last number of trees asks for more of the same fits soon. Found by content: rows, labels, weights,
recipe and seed; so whether one was kept changes the time and not the result.
"""

import hashlib
import threading
from typing import Any, Generic, TypeVar

import numpy as np

from ...recipe import Recipe
from .model import Fit

MOST = 2**29  # bytes in all; beyond, what comes is not kept and begins anew

One = TypeVar("One")


class Begun(Generic[One]):
    """What was kept, each handed out once: whoever goes on with it keeps it again. Another process starts with nothing."""

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[One, int]] = {}
        self._room = MOST
        self._lock = threading.Lock()

    def take(self, key: bytes) -> One | None:
        with self._lock:
            one, size = self._kept.pop(key, (None, 0))
            self._room += size
        return one

    def keep(self, key: bytes, one: One, size: int) -> None:
        """Unless there is no room for so many bytes."""
        with self._lock:
            if key not in self._kept and size <= self._room:
                self._kept[key] = one, size
                self._room -= size

    def __reduce__(self) -> tuple[Any, ...]:
        return Begun, ()


def name_of(fit: Fit, recipe: Recipe) -> bytes:
    """What the fit of this recipe is found by."""
    out = hashlib.blake2b(f"{fit.classes} {fit.seed} {recipe.to_json()}".encode(), digest_size=16)
    for array in (fit.X, fit.y, fit.weights, fit.categorical):
        if array is not None:
            out.update(f"{array.shape} {array.dtype}".encode())
            out.update(np.ascontiguousarray(array).data)
    return out.digest()
