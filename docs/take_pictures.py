"""Pictures of a report: the one in the README, or with --sections one of each section, to look at.

    python docs/take_pictures.py REPORT.html                       writes docs/images/report.png
    python docs/take_pictures.py REPORT.html --sections FOLDER     [--dark] [--width 400] [--print]

Needs playwright and Debian's chromium.
"""

import argparse
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTH, HEIGHT = 1000, 1240
README = Path(__file__).parent / "images" / "report.png"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--sections", type=Path, help="folder for one picture of each section")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--print", action="store_true", dest="paper", help="as on paper")
    parser.add_argument("--width", type=int, default=WIDTH)
    found = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(
            viewport={"width": found.width, "height": HEIGHT}, color_scheme="dark" if found.dark else "light"
        )
        if found.paper:
            page.emulate_media(media="print")
        page.goto(found.page.resolve().as_uri())
        page.wait_for_selector("html[data-charts]", timeout=60_000)
        if found.sections is None:
            page.screenshot(path=README)
            print(README)
        else:
            take_sections(page, found.sections)
        browser.close()


def take_sections(page: Page, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / "0-top.png")
    for i, section in enumerate(page.query_selector_all("section"), start=1):
        path = folder / f"{i}-{section.get_attribute('aria-labelledby')}.png"
        section.screenshot(path=path)
        print(path)


if __name__ == "__main__":
    main()
