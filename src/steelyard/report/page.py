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
from .content import contents
from .document import FORMAT, NAME, Report

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
FILES = {NAME: marks.REPORT, "report.html": marks.PAGE, "recipe.json": marks.RECIPE}
SECTIONS = ("threshold", "reliability", "path", "classes")
UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
MISSING = "report: the page needs {name}, which is not installed; pip install 'steelyard[tune]' brings it."


def html(report: Report) -> str:
    """The whole page; whatever comes from the data is escaped. ImportError, with what to install, where a package that draws is
    missing."""
    from markupsafe import Markup

    content = contents(report)
    try:
        from .pictures import as_svg, pictures

        drawn = pictures(report)
        still = {picture.key: Markup(as_svg(picture.spec)) for picture in drawn}
        scripts = [_bundle(), _script("page.js")] if drawn else [_script("page.js")]
    except ModuleNotFoundError as error:
        raise ImportError(MISSING.format(name=error.name)) from error
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            page=content,
            sections={name: [p for p in drawn if p.section == name] for name in SECTIONS},
            still=still,
            specs=as_json({picture.key: picture.spec for picture in drawn}),
            operating=as_json(content.operating.to_dict() if content.operating else None),
            scripts=[Markup(script) for script in scripts],
            policy=policy(scripts),
        )
    )


def write(document: Mapping[str, Any], folder: str | os.PathLike[str], *, overwrite: bool = False) -> list[Path]:
    """Write report.json, as it is given, report.html and recipe.json into `folder`, which is made if it is absent; their paths.

    All three are made before the first is written. recipe.json is the recipe to train with: the winner's, else plain.
    They take the place of those of an earlier study; of other files only with `overwrite`, and of links never.
    ValueError for what is no report; OSError where something stands in the way or the folder cannot be written to.
    """
    report, folder = Report.from_json(document), Path(folder)
    texts = {
        NAME: json.dumps({"format": FORMAT, **document}, indent=1, allow_nan=False, ensure_ascii=False) + "\n",
        "report.html": html(report),
        "recipe.json": report.recipe.to_json() + "\n",
    }
    make_folder(folder)
    if not overwrite and (theirs := foreign(folder)):
        raise FileExistsError(f"report: {'; '.join(not_ours(*one) for one in theirs)}; {ALLOW}.")
    return [
        write_text_atomically(folder / name, text, FILES[name], overwrite=overwrite) for name, text in texts.items()
    ]


def foreign(folder: Path) -> list[tuple[Path, marks.Mark]]:
    """What `write` would find in its place that is not ours; OSError for what is never replaced."""
    return [(folder / name, mark) for name, mark in FILES.items() if is_foreign(folder / name, mark, below=folder)]


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
    environment.filters["breakable"] = lambda name: escape(name).replace("(", Markup("<wbr>("))
    return environment


def minus(text: Any) -> Any:
    """A leading hyphen of a number as a minus sign: as wide as the plus, and read aloud as one."""
    return re.sub(r"(?<![\w.])-(?=\d)", "\u2212", str(text))


@functools.cache
def _script(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@functools.cache
def _bundle() -> str:
    """Vega-Embed with Vega and Vega-Lite, as one script of about 0.9 MB."""
    import altair
    import vl_convert

    from .pictures.chart import version

    script = vl_convert.javascript_bundle(
        "window.vegaEmbed = vegaEmbed;", vl_version=version({"$schema": altair.SCHEMA_URL})
    )
    if "</script" in script.lower() or "<!--" in script:
        raise ImportError("report: this vl-convert's script cannot stand in a page; install another version of it.")
    return script
