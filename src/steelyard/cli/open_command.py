"""A command that takes options it does not declare: those of what it lets one choose."""

from collections.abc import Callable
from typing import Any

from typer.core import TyperCommand

KEY = "steelyard.options"  # in ctx.meta: ({option: its text}, the flags that are the command's own)


def open_command(title: str, listing: Callable[[], str]) -> type[TyperCommand]:
    """The class of such a command; its help ends with `title` and what `listing` says."""

    class OpenCommand(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            from .strategy import take_options

            known = {name for parameter in self.params for name in parameter.opts} | {"--help"}
            args, taken = take_options(args, known)
            ctx.meta[KEY] = (taken, known)
            return super().parse_args(ctx, args)

        def format_help(self, ctx: Any, formatter: Any) -> None:
            super().format_help(ctx, formatter)
            print(f"{title}:\n\n{listing()}")

    return OpenCommand
