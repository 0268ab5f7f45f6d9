"""The documentation site: `python3 run.py docs` builds docs/_build/html, offline, with warnings as errors.

Pages are plain Markdown that reads on a code host as well. Their ```python blocks are run by tests/docs/test_blocks.py, which
compares what they print with the ```output block below; so Sphinx runs nothing, and a build takes seconds.
"""

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_site"), str(HERE.parent / "src")]

project = "steelyard"
author = "The steelyard authors"
project_copyright = author
release = version = runpy.run_path(str(HERE.parent / "src/steelyard/version.py"))["__version__"]

extensions = ["myst_parser", "links", "pictures", "glossary"]
exclude_patterns = ["_build", "_site"]
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3
smartquotes = False  # `--label` and quotes in the help of commands stay what one types

html_theme = "furo"
html_title = "steelyard"
html_static_path = ["_site/static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_search_summary = False  # it fetches pages, which a browser forbids for files
html_permalinks_icon = "#"
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#005ea8",
        "color-brand-content": "#005ea8",
        "color-brand-visited": "#7a3ea8",
    },
    "dark_css_variables": {
        "color-brand-primary": "#72b9fa",
        "color-brand-content": "#72b9fa",
        "color-brand-visited": "#c79bf0",
    },
}
