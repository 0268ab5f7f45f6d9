"""The public face as text, one line for each thing that a program may rely on: `python tests/public_face.py` writes public_face.txt.

Names and signatures of steelyard and its public modules (annotations left out), the command line, the formats of files.
"""

import inspect
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import steelyard as sy

FILE = Path(__file__).with_name("public_face.txt")
PARTS = ("adaptive", "calibrate", "curves", "plot", "spatial", "testing")


def face() -> str:
    lines = ["# Made by tests/public_face.py; what a change of it means: docs/project/stability.md"]
    lines += ["", "## steelyard", *module(sy, sy.__all__)]
    for part in PARTS:
        held = getattr(sy, part)
        lines += ["", f"## steelyard.{part}", *module(held, names(held))]
    return "\n".join([*lines, "", "## the command line", *commands(), "", "## formats of files", *formats()]) + "\n"


def names(held: types.ModuleType) -> list[str]:
    """What a module offers: its __all__, else what it or a part of steelyard below it defines."""
    if hasattr(held, "__all__"):
        return list(held.__all__)
    package = hasattr(held, "__path__")
    home = "steelyard." if package else held.__name__
    return [
        name
        for name, value in vars(held).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and (getattr(value, "__module__", None) or home).startswith(home)
        and (package or getattr(value, "__module__", None) == home or name.isupper())
    ]


def module(held: types.ModuleType, offered: list[str]) -> Iterator[str]:
    for name in sorted(offered):
        value = getattr(held, name)
        if isinstance(value, types.ModuleType):
            yield f"{name}: module"
        elif inspect.isclass(value):
            yield f"{name}{signature(value)}"
            yield from sorted(f"    .{line}" for line in members(value))
        elif callable(value):
            yield f"{name}{signature(value)}"
        elif isinstance(value, dict):
            yield f"{name}: {', '.join(map(str, sorted(value, key=str)))}"
        else:
            yield f"{name}: {type(value).__name__}"


def signature(value: Any) -> str:
    try:
        found = inspect.signature(value)
    except ValueError:  # builtins, such as the initialiser of a warning
        return "(...)"
    plain = [p.replace(annotation=p.empty) for p in found.parameters.values()]
    return str(found.replace(parameters=plain, return_annotation=inspect.Signature.empty))


def members(kind: type) -> Iterator[str]:
    """Methods and properties that steelyard itself defines."""
    for name in dir(kind):
        home = next((c for c in kind.__mro__ if name in vars(c)), None)
        if name.startswith("_") or home is None or not home.__module__.startswith("steelyard"):
            continue
        value = inspect.getattr_static(kind, name)
        if isinstance(value, property):
            yield name
        elif isinstance(value, (types.FunctionType, classmethod, staticmethod)):
            yield f"{name}{signature(getattr(kind, name))}"


def commands() -> Iterator[str]:
    import typer.main

    from steelyard.cli.app import app

    group: Any = typer.main.get_command(app)
    for name in sorted(group.commands):
        yield f"steelyard {name}"
        for p in sorted(group.commands[name].params, key=lambda p: (p.param_type_name, p.opts)):
            flags = p.name.upper() if p.param_type_name == "argument" else ", ".join((*p.opts, *p.secondary_opts))
            several = ", several" if p.multiple or p.nargs != 1 else ""
            kind = "flag" if getattr(p, "is_flag", False) else "value"
            hidden = ", hidden" if getattr(p, "hidden", False) else ""
            yield f"    {flags}: {kind}{several}{hidden}{', required' if p.required else ''}"


def formats() -> Iterator[str]:
    from steelyard import counts, recipe
    from steelyard.report import document
    from steelyard.tuning import final
    from steelyard.tuning.store import tables

    for home in (counts, recipe, document, final):
        yield home.FORMAT
    yield f"store of fits: {tables.FORMAT}"


if __name__ == "__main__":
    FILE.write_text(face(), "utf-8")
