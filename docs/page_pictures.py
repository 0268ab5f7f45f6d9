"""The pictures that pages of the docs make themselves: their ```python blocks say `chart.save("NAME.svg")`.

    python docs/page_pictures.py [PAGE.md ...]    runs these pages, or all that save one, on light and on dark ground,
                                                  and writes docs/images/pages/NAME.svg and NAME-dark.svg

The blocks are the ones that a reader sees and that tests/docs/test_blocks.py runs.
"""

import contextlib
import io
import os
import re
import sys
import tempfile
from pathlib import Path

import altair

from steelyard.theme import DARK, LIGHT, config

DOCS = Path(__file__).resolve().parent
PICTURES = DOCS / "images" / "pages"
FENCE = re.compile(r"^```python[ \t]*\n(?P<body>.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)
SAVED = re.compile(r'\.save\("(?P<name>[a-z0-9-]+\.svg)"\)')


# charts that a page builds itself look like those of sy.plot, which goes by the name "dark"
for named, palette in (("light", LIGHT), ("dark", DARK)):
    looks = config(palette, palette.ground)
    looks["legend"]["symbolSize"] = 120  # of dots; that of our own charts is for lines
    altair.theme.register(named, enable=False)(lambda looks=looks: {"config": looks})


def pages() -> list[Path]:
    return [p for p in sorted(DOCS.rglob("*.md")) if "_build" not in p.parts and saved_by(p)]


def saved_by(page: Path) -> list[str]:
    """The names of the pictures that the blocks of a page save."""
    return [name for fence in FENCE.finditer(page.read_text("utf-8")) for name in SAVED.findall(fence["body"])]


def run(page: Path, theme: str) -> dict[str, str]:
    """{name: picture} of a page whose blocks were run in an empty folder, on `light` or `dark` ground."""
    back = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, altair.theme.enable(theme):
        for linked in ("examples", "docs"):
            (Path(folder) / linked).symlink_to(DOCS.parent / linked)
        os.chdir(folder)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                names: dict[str, object] = {"__name__": "__docs__"}
                for fence in FENCE.finditer(page.read_text("utf-8")):
                    exec(compile(fence["body"], str(page), "exec"), names)
            return {name: Path(name).read_text("utf-8") for name in saved_by(page)}
        finally:
            os.chdir(back)


def main(arguments: list[str]) -> None:
    PICTURES.mkdir(exist_ok=True)
    for page in [Path(a).resolve() for a in arguments] or pages():
        for theme, ending in (("light", ""), ("dark", "-dark")):
            for name, picture in run(page, theme).items():
                path = PICTURES / f"{Path(name).stem}{ending}.svg"
                path.write_text(picture + "\n", "utf-8")
                print(path.relative_to(DOCS.parent), f"{path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main(sys.argv[1:])
