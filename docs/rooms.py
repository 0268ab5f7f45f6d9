"""The rooms of the house and who imports whom, drawn from the imports.

Boxes stand in the layers that import-linter enforces (pyproject.toml), the highest first. A line is an import, from the room that
imports down to the one that is imported; lines that follow from others (a to b to c) are left out.
"""

import ast
import html
import tomllib
from collections import defaultdict
from pathlib import Path

from steelyard.theme import DARK, LIGHT, Palette

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "steelyard"
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 112, 30, 20, 36, 20


def draw(container: str = "") -> str:
    """The picture of one package's rooms as SVG; `container` is a dotted name below steelyard, "" the whole house."""
    layers = [[room for room in layer if _path(container, room).exists()] for layer in _layers(container)]
    rooms = [name for layer in layers for name in layer]
    below = _reduced(_imports(container, set(rooms)))
    wide = max(map(len, layers)) * (WIDTH + GAP_X) - GAP_X + 2 * MARGIN
    tall = len(layers) * (HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN
    corner = {
        name: ((wide - len(layer) * (WIDTH + GAP_X) + GAP_X) / 2 + i * (WIDTH + GAP_X), MARGIN + row * (HEIGHT + GAP_Y))
        for row, layer in enumerate(layers)
        for i, name in enumerate(layer)
    }
    lines = [_line(corner[a], corner[b]) for a in sorted(below) for b in sorted(below[a])]
    boxes = [_box(name, *corner[name]) for name in rooms]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" width="{wide}" height="{tall}" font-family="sans-serif">',
            f"<style>{_style(LIGHT)} @media (prefers-color-scheme: dark) {{ {_style(DARK)} }}</style>",
            f'<rect class="ground" width="{wide}" height="{tall}"/>',
            *lines,
            *boxes,
            "</svg>\n",
        ]
    )


def _style(palette: Palette) -> str:
    return (
        f".ground {{ fill: {palette.ground} }} path {{ fill: none; stroke: {palette.guide}; stroke-width: 1.2 }} "
        f".room {{ fill: {palette.band}; stroke: {palette.best} }} text {{ fill: {palette.ink} }}"
    )


def _layers(container: str) -> list[list[str]]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    full = "steelyard" + (f".{container}" if container else "")
    rows = next(c["layers"] for c in contracts if c["type"] == "layers" and full in c["containers"])
    return [[name.strip(" ()") for name in row.replace(":", "|").split("|")] for row in rows]


def _path(container: str, room: str) -> Path:
    place = SOURCE.joinpath(*container.split("."), room) if container else SOURCE / room
    return place if place.is_dir() else place.with_suffix(".py")


def _imports(container: str, rooms: set[str]) -> dict[str, set[str]]:
    """{room: rooms that it imports}"""
    base = container.split(".") if container else []
    found: dict[str, set[str]] = defaultdict(set)
    for file in SOURCE.joinpath(*base).rglob("*.py"):
        module = list(file.relative_to(SOURCE).with_suffix("").parts)
        package = module[:-1]  # of the file; __init__ is in its own
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not node.level:
                continue
            start = package[: len(package) - node.level + 1] + (node.module.split(".") if node.module else [])
            for path in [start, *([*start, alias.name] for alias in node.names)]:
                if path[: len(base)] == base and len(path) > len(base):
                    a, b = module[len(base)], path[len(base)]
                    if a in rooms and b in rooms and a != b:
                        found[a].add(b)
    return found


def _reduced(below: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without the lines that a longer way stands for."""

    def reached(room: str) -> set[str]:
        return {r for b in below.get(room, ()) for r in {b, *reached(b)}}

    return {a: {b for b in bs if not any(b in reached(other) for other in bs - {b})} for a, bs in below.items()}


def _line(upper: tuple[float, float], lower: tuple[float, float]) -> str:
    x1, y1, x2, y2 = upper[0] + WIDTH / 2, upper[1] + HEIGHT, lower[0] + WIDTH / 2, lower[1]
    bend = max((y2 - y1) / 2, GAP_Y / 2)
    way = f"M{x1:g} {y1:g} C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"
    return f'<path d="{way}"/>'


def _box(name: str, x: float, y: float) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="6" class="room"/>'
        f'<text x="{x + WIDTH / 2:g}" y="{y + 20:g}" text-anchor="middle" font-size="14">{html.escape(name)}</text>'
    )
