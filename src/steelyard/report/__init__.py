"""The answer of a study for people: one self-contained page, plain text, and the recipe as a file.

Everything here reads report.json, so a report can be made again long after the study:

    report.html(report.read("steelyard-report"))
"""

from .compare import compare_html, compare_text
from .document import Report, read
from .notebook import fragment
from .page import FILES, html, write, write_answer, write_page
from .terminal import show, text

__all__ = [
    "FILES",
    "Report",
    "compare_html",
    "compare_text",
    "fragment",
    "html",
    "read",
    "show",
    "text",
    "write",
    "write_answer",
    "write_page",
]
