"""Every ```python block of the docs and the README runs, and prints what the page says it prints.

Blocks of one page share their names, top to bottom, and run in a folder that holds links to examples/ and docs/, where the pictures that
they save stay (docs/page_pictures.py keeps those of the pages). An ```output
block right after one is compared with what it printed. ```python no-run: REASON is not run; where the reason is that a test of frameworks
runs it, that test compares the output.
"""

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(p for p in DOCS.rglob("*.md") if "_build" not in p.parts), ROOT / "README.md"]
TOCTREE = re.compile(r"^```\{toctree\}\n(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?!https?:|#)(?P<target>[^)#]+)(?:#[^)]*)?\)")
EXAMPLE = re.compile(r"(?:examples/)?\b[a-z0-9_]+\.py\b")


@dataclass(frozen=True)
class Block:
    """A fenced block and the line of the page where its text starts."""

    info: str
    body: str
    line: int


def blocks(text: str) -> list[Block]:
    return [Block(m["info"].strip(), m["body"], text.count("\n", 0, m.start()) + 2) for m in FENCE.finditer(text)]


def run_page(page: Path) -> None:
    """Run the blocks of a page; the first that fails or prints something else fails the page."""
    names: dict[str, object] = {"__name__": "__docs__"}
    printed: str | None = None
    elsewhere = False
    for block in blocks(page.read_text("utf-8")):
        kind = block.info.split()[0] if block.info else ""
        if kind == "python" and "no-run" not in block.info:
            code = compile("\n" * (block.line - 1) + block.body, str(page), "exec")
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(code, names)
            printed = out.getvalue()
            elsewhere = False
        elif kind == "output" and elsewhere:
            elsewhere = False
        elif kind == "output":
            assert printed is not None, f"{page.name}:{block.line}: no block that ran stands before this output"
            assert printed.rstrip() == block.body.rstrip(), f"{page.name}:{block.line}: the page shows something else"
            printed = None
        else:
            printed, elsewhere = None, "tests/integrations/test_frameworks_page.py runs it" in block.info


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_the_python_blocks_run_and_print_what_the_page_shows(page, tmp_path, monkeypatch):
    for folder in ("examples", "docs"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    run_page(page)
    for drawn in tmp_path.glob("*.svg"):
        kept = DOCS / "images" / "pages" / drawn.name
        assert words(kept) == words(drawn), f"{kept.name} is out of date; run: python docs/page_pictures.py {page}"


def words(picture: Path) -> list[str]:
    """What is written in a picture, without numbers: their last digits are those of the machine."""
    found = re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text("utf-8"))
    return [word for word in (re.sub(r"[\d.,%−+-]+", "", text).strip() for text in found) if word]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_block_that_is_not_run_says_why(page):
    for block in blocks(page.read_text("utf-8")):
        if "no-run" in block.info:
            assert re.search(r"no-run: \S+ \S+", block.info), (
                f"{page.name}:{block.line}: write ```python no-run: REASON"
            )


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_block_hides_from_the_tests_by_being_indented(page):
    assert not re.findall(r"^[ \t]+```python", page.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_picture_that_a_page_saves_is_kept_and_shown(page):
    """In light and dark, written by docs/page_pictures.py out of these very blocks."""
    text = page.read_text("utf-8")
    saved = re.findall(r'\.save\("([a-z0-9-]+)\.svg"\)', "".join(b.body for b in blocks(text) if b.info == "python"))
    for name in saved:
        assert f"](../images/pages/{name}.svg)" in text, name
        for kept in (f"{name}.svg", f"{name}-dark.svg"):
            assert (DOCS / "images" / "pages" / kept).exists(), f"{kept}: run python docs/page_pictures.py {page}"


def test_every_kept_picture_is_on_a_page():
    kept = {p.name.replace("-dark.svg", ".svg") for p in (DOCS / "images" / "pages").iterdir()}
    assert kept == {m for page in PAGES for m in re.findall(r"images/pages/([a-z0-9-]+\.svg)", page.read_text("utf-8"))}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    lost = [m["target"] for m in LINK.finditer(page.read_text("utf-8")) if not (page.parent / m["target"]).exists()]
    assert not lost, f"{page.name} links to {lost}"


def test_the_index_lists_every_page_and_says_what_it_is_for():
    """In its tables, for whoever reads the folder on a code host, and in its menus, by name or by folder."""
    text = (DOCS / "index.md").read_text("utf-8")
    pages = {p.relative_to(DOCS).as_posix() for p in PAGES if p.is_relative_to(DOCS)} - {"index.md"}
    pages = {p for p in pages if not p.startswith("reference/api/")} | {
        "reference/api/index.md"
    }  # which lists the others
    assert {m["target"] for m in LINK.finditer(text)} >= pages
    menus = "".join(m["body"] for m in TOCTREE.finditer(text)).split()
    assert not [p for p in pages if p.removesuffix(".md") not in menus and f"{Path(p).parent}/*" not in menus]


def test_the_page_of_programs_lists_every_one():
    text = (DOCS / "evidence" / "programs.md").read_text("utf-8")
    assert {m[0] for m in EXAMPLE.finditer(text)} == {p.name for p in (ROOT / "examples").glob("*.py")}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_pages_name_only_examples_that_exist(page):
    named = {m[0] for m in EXAMPLE.finditer(page.read_text("utf-8")) if m[0].startswith("examples/")}
    assert not [name for name in named if not (ROOT / name).exists()]


def test_the_checker_catches_wrong_output_and_failing_blocks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1 + 1)\n```\n```output\n3\n```\n", "utf-8")
    with pytest.raises(AssertionError, match=r"page\.md:5: the page shows something else"):
        run_page(page)
    page.write_text("```python\nx = 1\n```\ntext\n```python\nx / 0\n```\n", "utf-8")
    with pytest.raises(ZeroDivisionError):
        run_page(page)
    page.write_text("```python no-run: needs a GPU\nx / 0\n```\n", "utf-8")
    run_page(page)
