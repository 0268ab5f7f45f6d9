"""Pictures for light and dark ground, and the blocks of what a program printed.

Where `name-dark.svg` or `name-dark.png` lies beside a picture, a dark page shows it, and a phone `name-narrow.svg` where that is there.
Elsewhere, as on a code host, only the first is seen.
"""

import re
from pathlib import Path

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

PHONE = 480  # a picture up to this is drawn as wide as a phone, with letters that can be read


class Variants(SphinxTransform):
    """Puts the dark picture, and those for phones, beside the light one, before Sphinx collects the files."""

    default_priority = 10

    def apply(self) -> None:
        folder = Path(self.document["source"]).parent
        for light in list(self.document.findall(nodes.image)):
            if "://" not in light["uri"] and (found := variants(folder, Path(light["uri"]))):
                each = [light.deepcopy() for _ in found]
                for image, (path, classes) in zip(each, found.items(), strict=True):
                    image["uri"] = path.as_posix()
                    image["classes"] = [*light["classes"], *classes]
                light.replace_self(each)


def variants(folder: Path, path: Path) -> dict[Path, list[str]]:
    """{picture: its classes} where there is a dark one; none where the picture stands alone."""
    narrow = path.with_name(f"{path.stem}-narrow{path.suffix}")
    found = {}
    for one in (path, narrow):
        dark = one.with_name(f"{one.stem}-dark{one.suffix}")
        if (folder / dark).exists():
            classes = ["narrow"] if one is narrow else ["wide"] if width(folder / one) > PHONE else []
            if one is path and (folder / narrow).exists():
                classes = ["desk"]
            found |= {one: [*classes, "only-light"], dark: [*classes, "only-dark"]}
    return found


def width(picture: Path) -> float:
    """Of an SVG, in pixels; 0 of anything else."""
    found = re.search(r'<svg[^>]*\swidth="([\d.]+)"', picture.read_text("utf-8")) if picture.suffix == ".svg" else None
    return float(found[1]) if found else 0


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(Variants)
    app.add_lexer("output", TextLexer)
    return {"parallel_read_safe": True}
