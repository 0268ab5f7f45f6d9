"""The report as one HTML file that asks nobody for anything: no script, font, style or picture from elsewhere."""

import base64
import functools
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import marks
from ..files import ALLOW, is_foreign, make_folder, not_ours, write_text_atomically
from ..shown import clean_json
from .content import contents
from .document import FORMAT, NAME, Report
from .drawing import draw
from .stills import stills

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
FILES = {NAME: marks.REPORT, "report.html": marks.PAGE, "recipe.json": marks.RECIPE}
SECTIONS = ("threshold", "reliability", "path", "classes")
UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
MISSING = "report: the page needs {name}, which is not installed; pip install 'steelyard[tune]' brings it."


def html(report: Report, earlier: str | os.PathLike[str] | None = None) -> str:
    """The whole page; whatever comes from the data is escaped. Pictures that cannot be drawn are left out, and the page says why.
    ImportError, with what to install, where jinja2 is missing.

    earlier  a page of this report, if there is one: its pictures stay where they would be the same
    """
    try:
        from markupsafe import Markup

        template = environment().get_template("report.html.j2")
    except ModuleNotFoundError as error:
        raise ImportError(MISSING.format(name=error.name)) from error
    content, drawing = contents(report), draw(report, {} if earlier is None else stills(earlier))
    steps = _script("steps.js") if content.stepping else ""
    scripts = [script for script in (drawing.script, _script("page.js"), steps) if script]
    specs = {picture.key: picture.spec for picture in drawing.pictures} if drawing.script else {}
    return template.render(
        page=content,
        sections={name: [p for p in drawing.pictures if p.section == name] for name in SECTIONS},
        still={key: Markup(svg) for key, svg in drawing.still.items()},
        missing=drawing.missing,
        specs=as_json(specs),
        operating=as_json(content.operating.to_dict() if content.operating else None),
        stepping=as_json(content.stepping.to_dict() if content.stepping else None),
        scripts=[Markup(script) for script in scripts],
        policy=policy(scripts),
    )


def write_answer(document: Mapping[str, Any], folder: str | os.PathLike[str], *, overwrite: bool = False) -> list[Path]:
    """Write report.json, as it is given, and recipe.json into `folder`, which is made if it is absent; their paths.

    Both are made before the first is written, and need nothing that draws. recipe.json is the recipe to train with: the winner's,
    else plain. They take the place of those of an earlier study; of other files only with `overwrite`, and of links never.
    ValueError for what is no report; OSError where something stands in the way or the folder cannot be written to.
    """
    report, folder = Report.from_json(document), Path(folder)
    data = json.dumps({"format": FORMAT, **document}, indent=1, allow_nan=False, ensure_ascii=False)
    texts = {NAME: clean_json(data) + "\n", "recipe.json": clean_json(report.recipe.to_json()) + "\n"}
    make_folder(folder)
    if not overwrite and (theirs := foreign(folder)):
        raise FileExistsError(f"report: {'; '.join(not_ours(*one) for one in theirs)}; {ALLOW}.")
    return [
        write_text_atomically(folder / name, text, FILES[name], overwrite=overwrite) for name, text in texts.items()
    ]


def foreign(folder: Path) -> list[tuple[Path, marks.Mark]]:
    """What `write` would find in its place that is not ours; OSError for what is never replaced."""
    return [(folder / name, mark) for name, mark in FILES.items() if is_foreign(folder / name, mark, below=folder)]


def write_page(report: Report, folder: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write report.html into the folder; its path. See `write_answer`."""
    path = Path(folder) / "report.html"
    return write_text_atomically(path, html(report, path), marks.PAGE, overwrite=overwrite)


def write(document: Mapping[str, Any], folder: str | os.PathLike[str], *, overwrite: bool = False) -> list[Path]:
    """Write report.json and recipe.json, and then report.html: the answer does not wait for its pictures. See `write_answer`."""
    answer = write_answer(document, folder, overwrite=overwrite)
    return [*answer, write_page(Report.from_json(document), folder, overwrite=overwrite)]


def policy(scripts: list[str]) -> str:
    """Only these scripts may run, nothing may be fetched, and nothing may be evaluated from text."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes) or "'none'"
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}; base-uri 'none'; form-action 'none'"


def as_json(value: Any) -> Any:
    """JSON that can stand in a <script> element: nothing in it can end the element or open a comment."""
    from markupsafe import Markup

    return Markup(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(UNSAFE))


@functools.cache
def environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup, escape

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["generator"] = Markup(marks.GENERATOR)
    environment.filters["minus"] = minus
    environment.filters["css"] = css
    environment.filters["breakable"] = lambda name: escape(name).replace("(", Markup("<wbr>("))
    return environment


def css(text: Any) -> Any:
    """What stands in a string of a style sheet: letter by letter as its number, so that nothing can end the string."""
    from markupsafe import Markup

    return Markup("".join(f"\\{ord(c):06x} " for c in str(text)))


def minus(text: Any) -> Any:
    """A leading hyphen of a number as a minus sign: as wide as the plus, and read aloud as one."""
    return re.sub(r"(?<![\w.])-(?=\d)", "\u2212", str(text))


@functools.cache
def _script(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
