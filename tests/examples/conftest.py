"""Examples are programs, not a package: load them by path, run them, read what they print."""

import contextlib
import importlib.util
import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True)
class Printed:
    """What an example printed, line by line."""

    text: str

    def line(self, *words: str, nth: int = 0) -> str:
        """The nth line that holds every word."""
        found = [line for line in self.text.splitlines() if all(word in line for word in words)]
        assert len(found) > nth, f"no line with {words} in\n{self.text}"
        return found[nth]

    def numbers(self, *words: str, nth: int = 0) -> list[float]:
        """The numbers of that line, after the last of the words."""
        line = self.line(*words, nth=nth)
        rest = line[max(line.index(word) + len(word) for word in words) :]
        return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", rest)]


@pytest.fixture(scope="session")
def load() -> Callable[[str], ModuleType]:
    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"examples_{name}", FOLDER / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look their module up
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="module")
def run(load: Callable[[str], ModuleType]) -> Callable[..., tuple[ModuleType, Printed]]:
    """(module, what its main() printed, given these options)"""

    def run(name: str, **options: Any) -> tuple[ModuleType, Printed]:
        module, out = load(name), io.StringIO()
        with contextlib.redirect_stdout(out):
            module.main(**options)
        return module, Printed(out.getvalue())

    return run
