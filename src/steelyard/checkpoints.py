"""Recipes and counts in other programs' files: what is stored is their JSON, and reading it runs nothing.

Pickle writes them as `read(kind, text)`. torch.load(weights_only=True), and with it Lightning's load_from_checkpoint, calls
nothing that torch was not told of, so `import steelyard` tells it of this one function.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

HOMES = {"recipe": "Recipe", "counts": "Counts"}  # module, class


def read(kind: str, text: str) -> Any:
    """The Recipe ("recipe") or Counts ("counts") of which `text` is the JSON. ValueError for anything else."""
    if kind not in HOMES:
        raise ValueError(f"steelyard: a checkpoint holds a {kind!r}, which is none of {', '.join(HOMES)}.")
    return getattr(importlib.import_module(f".{kind}", __package__), HOMES[kind]).from_json(text)


def allow() -> None:
    """Tell torch, now where it is there, else as soon as it is imported: steelyard itself does not import it."""
    if "torch" in sys.modules:
        _tell()
    elif not any(isinstance(finder, _Torch) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Torch())


def _tell() -> None:
    serialization = getattr(sys.modules["torch"], "serialization", None)
    if serialization is not None and hasattr(serialization, "add_safe_globals"):
        serialization.add_safe_globals([read])


class _Torch(importlib.abc.MetaPathFinder):
    """Finds torch as everybody does, and has `_tell` called after its import; who only asks where it is finds the same."""

    asked = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "torch" or self.asked:
            return None
        self.asked = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self.asked = False
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            _tell()

        spec.loader.exec_module = exec_module
        return spec
