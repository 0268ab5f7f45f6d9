"""steelyard report: a study's answer again, without the study."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from .output import tell
from .targets import Overwrite, check_targets


def run(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that tune wrote, or its report.json.")],
    other: Annotated[
        Path | None,
        typer.Option(
            "--compare", metavar="OTHER", help="A second study, to be laid beside the first: writes compare.html."
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Print the answer of a finished study, and make its report.html again.

    Example: steelyard report steelyard-report --compare other-report
    """
    from .. import marks, report
    from ..files import write_text_atomically

    study = report.read(folder)
    place = folder if folder.is_dir() else folder.parent
    if other is not None:
        beside = report.read(other)
        tell(report.compare_text(study, beside))
        sys.stdout.flush()
        check_targets("report", [(place / "compare.html", marks.PAGE)], overwrite)
        page = report.compare_html(study, beside)
        tell(f"compared: {write_text_atomically(place / 'compare.html', page, marks.PAGE, overwrite=overwrite)}")
        return
    report.show(study)  # the answer is not lost where the page cannot be written
    sys.stdout.flush()
    check_targets("report", [(place / "report.html", marks.PAGE)], overwrite)
    tell(f"\nreport: {report.write_page(study, place, overwrite=overwrite)}")
