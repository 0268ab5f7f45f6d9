"""A command that takes options it does not declare: those of what it lets one choose."""

import difflib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from typer.core import TyperCommand

KEY = "steelyard.options"  # in ctx.meta: (the options in their order, the flags that are the command's own)


@dataclass(frozen=True)
class Taken:
    """An option that the command does not declare, its text, and how often `--strategy` stood before it."""

    name: str
    text: str
    after: int = 0


def open_command(title: str, listing: Callable[[], str]) -> type[TyperCommand]:
    """The class of such a command; its help ends with `title` and what `listing` says."""

    class OpenCommand(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            known = {name for parameter in self.params for name in parameter.opts} | {"--help"}
            args, taken = take_options(args, known)
            ctx.meta[KEY] = (taken, known)
            return super().parse_args(ctx, args)

        def format_help(self, ctx: Any, formatter: Any) -> None:
            super().format_help(ctx, formatter)
            print(f"{title}:\n\n{listing()}")

    return OpenCommand


def take_options(arguments: list[str], known: set[str], counted: str = "--strategy") -> tuple[list[str], list[Taken]]:
    """(the arguments without unknown options, those in their order); `--name value` and `--name=value` are read."""
    kept: list[str] = []
    taken: list[Taken] = []
    rest, after = list(arguments), 0
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*kept, word, *rest], taken
        name, equals, value = word.partition("=")
        after += name == counted
        if not word.startswith("--") or name in known:
            kept.append(word)
            if name in known and not equals and rest and rest[0].startswith("-") and _is_number(rest[0]):
                kept.append(rest.pop(0))  # --label -1
            continue
        if not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else "true"
        taken.append(Taken(name.removeprefix("--").replace("-", "_"), value, after))
    return kept, taken


def unknown_option(of: str, option: str, takes: Sequence[str], flags: set[str]) -> str:
    """The sentence that refuses an option which `of` does not take; `flags` are the command's own."""
    listed = ", ".join(f"--{flag_of(name)}" for name in takes) or "none"
    hint = did_you_mean(flag_of(option), [*map(flag_of, takes), *(f.removeprefix("--") for f in flags)], "--{}")
    return f"{of}: unknown option --{flag_of(option)}; it takes {listed}.{hint}"


def did_you_mean(wanted: str, known: Sequence[str], form: str) -> str:
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    return f" Did you mean {form.format(near[0])}?" if near else ""


def flag_of(name: str) -> str:
    return name.replace("_", "-")


def value_of(text: str) -> Any:
    """A number, JSON, numbers between commas, or the text itself."""
    for read in (float, json.loads, lambda t: [float(v) for v in t.split(",")]):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _is_number(text: str) -> bool:
    return isinstance(value_of(text), float)
