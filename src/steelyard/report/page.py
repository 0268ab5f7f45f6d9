"""The report as one HTML file that asks nobody for anything: no script, font, style or picture from elsewhere."""

import base64
import functools
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import charts
from .given import Data
from .model import page

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = Path(__file__).parent / "templates"


def html(data: Data) -> str:
    """The whole page; whatever comes from the data is escaped. ValueError if `data` is no report."""
    script = (TEMPLATES / "copy.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _template().render(page=page(data), box=charts, script=script, digest=digest)


@functools.cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup, escape

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["minus"] = minus
    environment.filters["breakable"] = lambda name: escape(name).replace("(", Markup("<wbr>("))
    return environment.get_template("report.html.j2")


def minus(text: Any) -> Any:
    """A leading hyphen of a number as a minus sign: as wide as the plus, and read aloud as one."""
    return re.sub(r"(?<![\w.])-(?=\d)", "\u2212", str(text))
