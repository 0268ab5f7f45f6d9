"""The reference holds everything: each ingredient and rule with its section and picture, each public name with its entry."""

import importlib
import inspect
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import steelyard as sy
from steelyard import adaptive, curves, ingredients

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
SVG = "{http://www.w3.org/2000/svg}"
MENU = {f.spec.name: f for f in ingredients.OURS} | adaptive.RULES
ROWS = ("Options", "Paper", "Undone", "Runs in")
SUBMODULES = ("adaptive", "calibrate", "curves", "plot", "spatial", "testing", "tuning")


def sections(page, level):
    parts = re.split(rf"^{'#' * level} (.+)\n", (REFERENCE / page).read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture(scope="module")
def menu():
    return sections("ingredients.md", 3) | sections("rules.md", 2)


@pytest.mark.parametrize("name", MENU)
def test_a_section_has_formula_paper_undo_kernel_and_picture(menu, name):
    text = menu[name]
    assert inspect.getdoc(MENU[name]).partition("\n")[0].split("`")[0].split("*")[0].split("[")[0].split("<")[0] in text
    rows = dict(re.findall(r"^\| \*\*(.+?)\*\* \| (.+) \|$", text, re.MULTILINE))
    wanted = [r for r in ROWS if r != "Options" or "Options" in rows]
    assert all(rows.get(row) for row in wanted), rows
    assert ("Sets" in rows) == (name not in adaptive.RULES)
    alt, picture = re.search(r"!\[(.+)\]\((.+)\)", text).groups()
    assert "Loss at a lead of 0" in alt
    assert (REFERENCE / picture).exists()


@pytest.mark.parametrize("name", MENU)
def test_a_picture_says_in_words_what_it_shows_and_is_for_light_and_dark(name):
    root = ET.parse(REFERENCE.parent / "images" / "losses" / f"{name}.svg").getroot()
    named = [root.find(f"{SVG}{tag}") for tag in ("title", "desc")]
    assert root.get("aria-labelledby") == " ".join(e.get("id") for e in named)
    assert all(e.text for e in named)
    assert "prefers-color-scheme: dark" in root.find(f"{SVG}style").text
    assert len(root.findall(f"{SVG}polyline")) >= 4  # plain and this one, twice


def test_every_ingredient_stands_below_the_field_it_sets():
    where = {
        n: title for title, part in sections("ingredients.md", 2).items() for n in re.findall("^### (.+)$", part, re.M)
    }
    known = {
        "inverse_frequency": "weight",
        "logit_adjustment": "offset",
        "class_temperature": "scale",
        "margin": "margin",
    }
    known |= {"focal": "curve", "smooth": "target"}
    assert {n for n, title in where.items() if n in known and title.endswith(f"`{known[n]}`")} == set(known)


def test_every_curve_is_in_the_table():
    text = sections("ingredients.md", 2)["Curves"]
    assert all(f"| `{name}(" in text for name in curves.CURVES)


def test_every_public_name_is_on_a_page():
    entries = set(
        re.findall(r"^##+ (\S+)$", "".join(p.read_text("utf-8") for p in REFERENCE.rglob("*.md")), re.MULTILINE)
    )
    wanted = {name for name in sy.__all__ if not inspect.ismodule(getattr(sy, name))}
    for name in SUBMODULES:
        module = importlib.import_module(f"steelyard.{name}")
        for short in getattr(module, "__all__", None) or vars(module):
            value = vars(module).get(short, getattr(module, short))
            own = getattr(value, "__module__", "") == module.__name__ or hasattr(module, "__path__")
            public = not short.startswith("_") and (inspect.isfunction(value) or isinstance(value, type)) and own
            if public and value.__module__.startswith("steelyard") and value not in adaptive.RULES.values():
                top = getattr(sy, short, None) is value
                wanted.add(short if top else f"{name}.{short}")
    assert wanted > {"CrossEntropy", "focal", "spatial.border"}
    assert len(wanted) > 90
    assert not wanted - entries


def test_submodules_that_are_public_are_looked_into():
    assert {name for name in sy.__all__ if inspect.ismodule(getattr(sy, name))} <= set(SUBMODULES)


def test_every_adapter_is_on_a_page():
    folder = Path(sy.__file__).parent / "integrations"
    text = "".join((REFERENCE / "api" / f"{page}.md").read_text("utf-8") for page in ("integrations", "jax-keras"))
    shown = set(re.findall(r"^## (\S+)$", text, re.MULTILINE))
    sources = {p.stem: p.read_text("utf-8") for p in folder.glob("*.py") if not p.stem.startswith("_")}
    # an adapter that is not shown is one that others are made of
    assert all(
        any(re.search(rf"from \.({name} import| import .*\b{name}\b)", other) for other in sources.values())
        for name in set(sources) - shown
    )


def test_every_picture_is_shown_somewhere():
    docs = REFERENCE.parent
    pages = "".join(
        p.read_text("utf-8") for p in [*docs.rglob("*.md"), docs.parent / "README.md"] if "_build" not in p.parts
    )
    pictures = {p.relative_to(docs / "images").as_posix() for p in (docs / "images").rglob("*.*")}
    shown = {p for p in pictures if f"images/{p}" in pages}
    variants = re.compile(r"(-narrow)?(-dark)?(?=\.\w+$)")  # which the site puts in its place
    assert {p for p in pictures - shown if variants.sub("", p) not in shown} == set()


def test_the_glossary_has_the_words_of_the_report():
    words = set(re.findall(r"^### (.+)$", (REFERENCE.parent / "read" / "glossary.md").read_text("utf-8"), re.MULTILINE))
    wanted = {"plain", "undone", "unit mass", "prior shift", "case", "arm", "fold set", "threshold", "cut", "winner"}
    assert wanted <= words


def test_words_that_the_site_links_are_in_the_glossary():
    text = (REFERENCE.parent / "_site" / "glossary.py").read_text("utf-8")
    linked = set(re.findall(r'^    "[a-z -]+": "([a-z -]+)",$', text, re.MULTILINE))
    words = set(re.findall(r"^### (.+)$", (REFERENCE.parent / "read" / "glossary.md").read_text("utf-8"), re.MULTILINE))
    assert {"undone", "unit mass", "prior shift"} <= linked <= words
