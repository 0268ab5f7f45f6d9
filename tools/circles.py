#!/usr/bin/env python3
"""No module may import itself by way of others: circles.py FOLDER prints each circle as `a -> b -> a` and exits with 1 if there is one.

Imports count wherever they stand, inside functions and under TYPE_CHECKING too: a reader follows them all. A module is a file; an
`__init__` is one as well, and `from .room import name` is an import of the module `room.name` where there is one, else of `room`.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path


def imports(package: Path) -> dict[str, set[str]]:
    """{module: the modules of the package that it imports}; names are dotted and begin with the package's."""
    files = {_name(package, file): file for file in sorted(package.rglob("*.py"))}
    return {name: set(_imported(name, file, files)) - {name} for name, file in files.items()}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """A shortest circle through each module that stands in one, but none twice: [a, b, a]."""
    known: dict[frozenset[str], list[str]] = {}
    for start in sorted(graph):
        way = _shortest(graph, start)
        if way is not None:
            known.setdefault(frozenset(way), way)
    return list(known.values())


def _name(package: Path, file: Path) -> str:
    parts = file.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(name: str, file: Path, files: dict[str, Path]) -> Iterator[str]:
    room = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in files)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(room.split(".")[: len(room.split(".")) + 1 - node.level]) if node.level else ""
            base = ".".join(part for part in (above, node.module) if part)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield from (module for module in [inner if inner in files else base] if module in files)


def _shortest(graph: dict[str, set[str]], start: str) -> list[str] | None:
    """The shortest way from a module back to it, or None."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:  # grows while it is read: breadth first
        for module in sorted(graph[way[-1]]):
            if module == start:
                return [*way, start]
            if module not in seen:
                seen.add(module)
                ways.append([*way, module])
    return None


def main(arguments: list[str]) -> int:
    found = [way for folder in arguments for way in circles(imports(Path(folder)))]
    for way in found:
        print(" -> ".join(way))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
