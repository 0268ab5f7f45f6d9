"""The pictures of a page that is there already, so that those whose chart has not changed need not be drawn again.

Whoever wrote the page, only shapes and words come out of it: an <svg> of other elements or attributes than the charts have is left.
"""

import os
import re
from pathlib import Path
from xml.etree import ElementTree

from .. import marks

LARGEST = 32 << 20  # bytes of a page that is read
STILL = re.compile(
    r'<svg class="chart" aria-hidden="true" data-of="([0-9a-f]{64})" viewBox="[-0-9. ]+">.*?</svg>', re.DOTALL
)
ELEMENTS = frozenset(["svg", "g", "path", "line", "rect", "text", "tspan", "defs", "clipPath"])
ATTRIBUTES = frozenset(
    [
        "class",
        "role",
        "aria-hidden",
        "aria-roledescription",
        "data-of",
        "viewBox",
        "transform",
        "d",
        "x",
        "y",
        "x1",
        "x2",
        "y1",
        "y2",
        "dx",
        "dy",
        "width",
        "height",
        "opacity",
        "display",
        "fill",
        "fill-opacity",
        "stroke",
        "stroke-width",
        "stroke-opacity",
        "stroke-miterlimit",
        "stroke-dasharray",
        "stroke-dashoffset",
        "stroke-linecap",
        "stroke-linejoin",
        "font-family",
        "font-size",
        "font-weight",
        "font-style",
        "text-anchor",
        "pointer-events",
    ]
)
ELSEWHERE = re.compile(r"[:\\]|url\s*\(", re.IGNORECASE)  # in an attribute, what could ask for something from outside


def stills(page: str | os.PathLike[str]) -> dict[str, str]:
    """{digest of a chart: its <svg>} in a page of ours; {} where there is none that can be read."""
    path = Path(page)
    try:
        if path.stat().st_size > LARGEST:
            return {}
        with path.open("rb") as file:
            if not marks.PAGE.on(file):
                return {}
        text = path.read_text("utf-8")
    except (OSError, ValueError):
        return {}
    return {found[1]: found[0] for found in STILL.finditer(text) if _only_drawn(found[0])}


def _only_drawn(svg: str) -> bool:
    if "<!" in svg or "<?" in svg:
        return False
    try:
        every = ElementTree.fromstring(svg).iter()
    except ElementTree.ParseError:
        return False
    return all(
        one.tag in ELEMENTS
        and ATTRIBUTES.issuperset(one.keys())
        and not any(ELSEWHERE.search(v) for v in one.attrib.values())
        for one in every
    )
