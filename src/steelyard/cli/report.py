"""steelyard report: a study's answer again, without the study."""

from pathlib import Path
from typing import Annotated

import typer


def run(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that tune wrote, or its report.json.")],
) -> None:
    """Print the answer of a finished study, and make its report.html again."""
    from .. import report
    from ..files import write_text_atomically

    data = report.read(folder)
    page = (folder if folder.is_dir() else folder.parent) / "report.html"
    text = report.html(data)
    report.show(data)
    print(f"\nreport: {write_text_atomically(page, text)}")
