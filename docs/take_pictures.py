"""Pictures of a report: the one in the README, or with --sections one of each section, to look at; or the first screens of all states.

    python docs/take_pictures.py --states build/states             page at five widths, light and dark; terminal at five widths

    python docs/take_pictures.py REPORT.html                       writes docs/images/report.png
    python docs/take_pictures.py REPORT.html --sections FOLDER     [--dark] [--width 400] [--print]

Needs playwright and Debian's chromium.
"""

import argparse
from pathlib import Path

import states
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from steelyard import report

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
WIDTHS = (400, 768, 900, 1280, 1920)
COLUMNS = (60, 80, 100, 120, 200)
README = Path(__file__).parent / "images" / "report.png"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("page", type=Path, nargs="?")
    parser.add_argument(
        "--states", type=Path, help="folder for the first screens of studies in all states, which are made"
    )
    parser.add_argument("--sections", type=Path, help="folder for one picture of each section")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--print", action="store_true", dest="paper", help="as on paper")
    parser.add_argument("--width", type=int, default=WIDTH)
    found = parser.parse_args()
    if (found.page is None) == (found.states is None):
        parser.error("give a REPORT.html, or --states FOLDER")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        if found.states is not None:
            take_states(browser, found.states)
            browser.close()
            return
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


def take_states(browser: Browser, folder: Path) -> None:
    """STATE-WIDTH-light.png and -dark.png, and STATE-COLUMNS.txt."""
    for name, study in states.make(folder).items():
        for scheme in ("light", "dark"):
            for width in WIDTHS:
                page = browser.new_page(viewport={"width": width, "height": 1000}, color_scheme=scheme)
                page.goto((study / "report.html").resolve().as_uri())
                page.wait_for_selector("html[data-charts]", timeout=60_000)
                page.screenshot(path=folder / f"{name}-{width}-{scheme}.png")
                if page.evaluate("document.documentElement.scrollWidth") > width:
                    print(f"{name} overflows at {width}")
                page.close()
        for columns in COLUMNS:
            with (folder / f"{name}-{columns}.txt").open("w", encoding="utf-8") as file:
                report.show(
                    report.read(study), Console(file=file, force_terminal=True, color_system=None, width=columns)
                )
        print(folder / f"{name}-*")


def take_sections(page: Page, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / "0-top.png")
    for i, section in enumerate(page.query_selector_all("section"), start=1):
        path = folder / f"{i}-{section.get_attribute('aria-labelledby')}.png"
        section.screenshot(path=path)
        print(path)


if __name__ == "__main__":
    main()
