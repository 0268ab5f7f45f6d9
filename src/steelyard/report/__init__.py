"""The answer of a study for people: one self-contained page, plain text, and the recipe as a file.

Everything here reads the study's plain data (report.json), so a report can be made again long after the study.
"""

from .files import read, write
from .page import html
from .side_by_side import compare_html, compare_text
from .terminal import show, text

__all__ = ["compare_html", "compare_text", "html", "read", "show", "text", "write"]
