"""The annotated screens of docs/read/report.md: docs/images/report/NAME.png, NAME-dark.png for dark pages, and NAME-narrow.png for phones.

    python docs/report_pictures.py REPORT.html

Each is a part of the page with numbers beside what the text explains. Needs playwright and Debian's chromium.
"""

import argparse
import io
import itertools
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from take_pictures import ARGUMENTS, CHROMIUM

FOLDER = Path(__file__).parent / "images" / "report"
WIDTHS = {"": 960, "-narrow": 420}
COLOURS = 48  # enough for these, and a quarter of the bytes

# {picture: (selectors of its first and last part, {what is numbered: where the number stands})}
PARTS: dict[str, tuple[tuple[str, str], dict[str, str]]] = {
    "verdict": (
        ("#verdict", "#verdict"),
        {
            ".verdict .headline": "left",
            ".verdict .in-rows": "left",
            ".verdict .sure": "left",
            ".verdict table.priced": "left",
            ".verdict .sentence": "left",
            ".verdict li.warning": "left",
        },
    ),
    "threshold": (
        ("#controls", ".decisions"),
        {
            "#threshold": "end",
            "#ratio": "end",
            "#capacity": "end",
            "table.confusion": "left",
            ".decisions .share": "left",
        },
    ),
    "weightings": (
        ("#weightings", "table.forest"),
        {
            "table.forest thead .value": "above",
            "table.forest thead .difference": "above",
            "table.forest thead .interval": "above",
            "table.forest thead .drawn": "above",
            "table.forest tr.plain th": "left",
            'table.forest tr[data-arm^="logit_adjustment"] th': "left",
        },
    ),
    "probabilities": (("#believed", "section[aria-labelledby=believed]"), {}),
}
MARK = """
([selector, where, number]) => {
  const cell = document.querySelector(selector), box = cell.getBoundingClientRect(), phone = innerWidth < 600;
  let x = where === "left" ? box.left - 18 : where === "above" ? (box.left + box.right) / 2 : box.right + 150;
  let y = where === "above" ? box.top - 16 : box.top + Math.min(box.height / 2, 18);
  if (phone && where === "above") {  // there is no room above; beside its words there is
    const words = document.createRange();
    words.selectNodeContents(cell);
    const text = words.getBoundingClientRect();
    x = text.left > 100 ? text.left - 18 : text.right + 18;
    y = (text.top + text.bottom) / 2;
  }
  x = Math.min(Math.max(x, 13), innerWidth - 13);
  const mark = document.createElement("b");
  mark.textContent = number; mark.className = "mark";
  mark.style.cssText = `position:absolute;z-index:9;left:${x + scrollX - 12}px;top:${y + scrollY - 12}px;width:24px;height:24px;` +
    "border-radius:50%;background:#b84a00;color:#fff;font:bold 14px/24px sans-serif;text-align:center";
  document.body.append(mark);
}
"""
STYLE = ".toc { position: static !important } @media (max-width: 600px) { main { padding-left: 34px !important } }"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("page", type=Path)
    found = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for scheme, (shape, width) in itertools.product(("light", "dark"), WIDTHS.items()):
            page = browser.new_page(viewport={"width": width, "height": 1200}, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(found.page.resolve().as_uri())
            page.wait_for_selector("html[data-charts]", timeout=60_000)
            page.add_style_tag(content=STYLE)
            for name, (ends, marks) in PARTS.items():
                take(page, FOLDER / f"{name}{shape}{'-dark' if scheme == 'dark' else ''}.png", width, ends, marks)
            page.close()
        browser.close()


def take(page: Page, path: Path, width: int, ends: tuple[str, str], marks: dict[str, str]) -> None:
    for number, (selector, where) in enumerate(marks.items(), start=1):
        page.evaluate(MARK, [selector, where, str(number)])
    boxes = [page.locator(selector).first.bounding_box() for selector in ends]
    top, bottom = boxes[0], boxes[1]
    assert top is not None
    assert bottom is not None
    clip = {"x": 0.0, "y": top["y"] - 14, "width": width, "height": bottom["y"] + bottom["height"] - top["y"] + 24}
    png = page.screenshot(clip=clip, full_page=True)
    page.evaluate("document.querySelectorAll('.mark').forEach(mark => mark.remove())")
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(path, optimize=True)
    print(path)


if __name__ == "__main__":
    main()
