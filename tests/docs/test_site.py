"""The site builds without a warning, asks nobody, and fits phone and desk, light and dark."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"site_{name}", DOCS / "_site" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        "-c",
        DOCS,
        "-d",
        out / "doctrees",
    ]
    return subprocess.run([*command, source, out / "html"], capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for needed in ("sphinx", "furo", "myst_parser"):
        pytest.importorskip(needed, reason="the site needs steelyard[docs]")
    out = tmp_path_factory.mktemp("site")
    done = build(DOCS, out)
    assert done.returncode == 0, done.stderr
    return out / "html"


@pytest.mark.slow
def test_it_builds_without_a_warning(site):
    pages = [p.relative_to(DOCS) for p in DOCS.rglob("*.md") if "_build" not in p.parts]
    assert not [p for p in pages if not (site / p.with_suffix(".html")).exists()]


def opened(browser: Any, site: Path, width: int, scheme: str) -> tuple[Any, list[str]]:
    """A page, and what it complains about or asks for outside of the site."""
    wrong: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: None if inside(asked.url, site) else wrong.append(asked.url))
    return page, wrong


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_in_a_browser(site, browser, scheme):
    """No message, no request that leaves the folder, no page wider than its window, be it a phone's or a desk's, no picture that is missing."""
    page, wrong = opened(browser, site, 400, scheme)
    for path in sorted(site.rglob("*.html")):
        page.set_viewport_size({"width": 400, "height": 900})
        page.goto(path.as_uri())
        for width in (400, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            wrong += [f"{path.relative_to(site)}, {width} wide: {fault}" for fault in faults(page, width)]
    page.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_it_is_searched_without_a_server(site, browser):
    page, wrong = opened(browser, site, 1280, "light")
    page.goto((site / "search.html").as_uri() + "?q=capacity")
    page.wait_for_selector("#search-results li a[href*='howto/fraud.html']")
    page.wait_for_timeout(300)
    page.close()
    assert wrong == []


@pytest.mark.slow
def test_one_picture_is_seen_of_those_for_light_dark_and_phone(site, browser):
    page, _ = opened(browser, site, 1280, "light")
    page.goto((site / "choosing.html").as_uri())

    def seen() -> list[str]:
        return [Path(i.get_attribute("src")).name for i in page.locator("article img").all() if i.is_visible()]

    assert seen() == ["decide.svg"]
    page.locator(".theme-toggle:visible").first.click()  # on a light machine the first click is dark
    assert seen() == ["decide-dark.svg"]
    page.set_viewport_size({"width": 400, "height": 900})
    assert seen() == ["decide-narrow-dark.svg"]
    page.close()


def inside(address: str, site: Path) -> bool:
    return address.startswith((site.as_uri(), "data:"))


def faults(page: Any, width: int) -> list[str]:
    found = []
    if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
        found.append(f"{wide} pixels wide in a window of {width}")
    missing = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    return found + [f"no picture at {source}" for source in page.evaluate(missing)]


@pytest.mark.slow
def test_a_lost_link_fails_the_build(site, tmp_path):
    source = tmp_path / "docs"
    source.mkdir()
    (source / "index.md").write_text("# Title\n\n[gone](gone.md)\n", "utf-8")
    done = build(source, tmp_path / "out")
    assert done.returncode != 0
    assert "gone.md" in done.stderr


def test_links_of_a_page_from_outside_lead_on_from_where_it_is_shown(tmp_path):
    pytest.importorskip("sphinx", reason="the site needs steelyard[docs]")
    links = load("links")
    lies, stands = tmp_path / "examples" / "x" / "README.md", tmp_path / "docs" / "evidence" / "x.md"
    text = "[a](../y/README.md) ![b](b.png) [c](https://c.org)\n```md\n[a](b.md)\n```\n[d](#d)"
    led = links.led_on(text, lies, stands, {tmp_path / "examples" / "y" / "README.md": stands.with_name("y.md")})
    expected = "[a](y.md) ![b](../../examples/x/b.png) [c](https://c.org)\n```md\n[a](b.md)\n```\n[d](#d)"
    assert led == expected
    (tmp_path / "results").mkdir()
    assert links.led_on("[the results](../../results)", stands, stands, {}) == "the results"


def test_a_picture_has_variants_where_there_is_a_dark_one(tmp_path):
    pytest.importorskip("sphinx", reason="the site needs steelyard[docs]")
    variants = load("pictures").variants
    for name in ("a", "a-dark", "b", "b-dark", "b-narrow", "b-narrow-dark", "c"):
        (tmp_path / f"{name}.svg").write_text('<svg viewBox="0 0 700 9" width="700" height="9"/>', "utf-8")
    one = {str(path): " ".join(classes) for path, classes in variants(tmp_path, Path("a.svg")).items()}
    assert one == {"a.svg": "wide only-light", "a-dark.svg": "wide only-dark"}
    two = {str(path): " ".join(classes) for path, classes in variants(tmp_path, Path("b.svg")).items()}
    desk = {"b.svg": "desk only-light", "b-dark.svg": "desk only-dark"}
    assert two == desk | {"b-narrow.svg": "narrow only-light", "b-narrow-dark.svg": "narrow only-dark"}
    assert variants(tmp_path, Path("c.svg")) == {}
