"""Pages that live outside of docs/, and links to them.

A link to a folder, which a code host shows and a site does not, is its text alone. A page that starts with `<!-- whole page: PATH -->` is shown as that file, whose links and pictures are made to lead on from here; on a
code host the page shows its own few lines and the link. A link to such a file anywhere in the docs leads to its page.
"""

import os
import re
from pathlib import Path

from sphinx.application import Sphinx

WHOLE = re.compile(r"\A<!-- whole page: (?P<path>\S+) -->")
FOLDER = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?!https?:|mailto:|#)(?P<target>[^)#\s]+)\)")
LINK = re.compile(r"(?P<start>\]\()(?!https?:|mailto:|#)(?P<target>[^)#\s]+)")
FENCE = re.compile(r"^```.*?^```[ \t]*$", re.DOTALL | re.MULTILINE)


def pages_of(folder: Path) -> dict[Path, Path]:
    """{file outside: the page that shows it}"""
    found = {}
    for page in folder.rglob("*.md"):
        if "_build" not in page.parts and (shown := WHOLE.match(page.read_text("utf-8"))):
            found[(page.parent / shown["path"]).resolve()] = page
    return found


def led_on(text: str, lies: Path, stands: Path, shown: dict[Path, Path]) -> str:
    """`text` of the file `lies` with its links made for the page `stands`; code blocks stay as they are."""

    def link(found: re.Match[str]) -> str:
        target = (lies.parent / found["target"]).resolve()
        target = shown.get(target, target)
        return found["start"] + Path(os.path.relpath(target, stands.parent)).as_posix()

    def folder(found: re.Match[str]) -> str:
        return found["text"] if (lies.parent / found["target"]).resolve().is_dir() else found[0]

    def prose(part: str) -> str:
        return LINK.sub(link, FOLDER.sub(folder, part))

    parts, end = [], 0
    for fence in FENCE.finditer(text):
        parts += [prose(text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, prose(text[end:])])


def read(app: Sphinx, docname: str, source: list[str]) -> None:
    folder = Path(app.srcdir)
    stands = folder / f"{docname}.md"
    lies, text = stands, source[0]
    if whole := WHOLE.match(text):
        lies = (stands.parent / whole["path"]).resolve()
        app.env.note_dependency(str(lies))
        text = lies.read_text("utf-8")
    source[0] = led_on(text, lies, stands, pages_of(folder))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", read)
    return {"parallel_read_safe": True}
