"""Pictures for light and dark ground, and the blocks of what a program printed.

Where `name-dark.svg` or `name-dark.png` lies beside a picture, a dark page shows it. Elsewhere, as on a code host, only the
light one is seen.
"""

from pathlib import Path

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class Dark(SphinxTransform):
    """Puts the dark picture beside the light one, before Sphinx collects the files."""

    default_priority = 10

    def apply(self) -> None:
        folder = Path(self.document["source"]).parent
        for light in list(self.document.findall(nodes.image)):
            path = Path(light["uri"])
            dark = path.with_name(f"{path.stem}-dark{path.suffix}")
            if "://" in light["uri"] or not (folder / dark).exists():
                continue
            other = light.deepcopy()
            other["uri"] = dark.as_posix()
            light["classes"] = [*light["classes"], "only-light"]
            other["classes"] = [*other["classes"], "only-dark"]
            light.replace_self([light.deepcopy(), other])


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(Dark)
    app.add_lexer("output", TextLexer)
    return {"parallel_read_safe": True}
