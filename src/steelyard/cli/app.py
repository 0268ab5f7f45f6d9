"""The commands by name. One line adds one; each file parses, calls the library and prints."""

from typing import Annotated, Any

import typer

from .. import __version__
from . import count, doctor, explain, maps, predict, report, strategies, tune, weigh
from .open_command import open_command

CLICK_ERROR: Any = typer.BadParameter.__mro__[2]  # ClickException, which typer does not export

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich")
app.command("count")(count.run)
app.command("weigh", cls=open_command("Strategies and their options", strategies.listing))(weigh.run)
app.command("explain")(explain.run)
app.command("tune")(tune.run)
app.command("predict")(predict.run)
app.command("report")(report.run)
app.command("maps", cls=open_command("Kinds and their options", maps.listing))(maps.run)
app.command("doctor")(doctor.run)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"steelyard {__version__}")
        raise typer.Exit


@app.callback()
def steelyard(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="On an error show the traceback.")] = False,
) -> None:
    """Set the loss weights for imbalanced data, and see whether they helped."""
