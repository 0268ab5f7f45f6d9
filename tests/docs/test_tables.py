"""The generated pages are those that the code would write now, and hold everything the code offers."""

import functools
import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
NUMBER = re.compile(r"\d+(?:\.\d+)?")


@pytest.fixture(scope="module")
def build_tables():
    spec = importlib.util.spec_from_file_location("docs_build_tables", DOCS / "build_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.build = functools.cache(module.build)  # half of a dozen pages cost seconds
    return module


def test_generated_pages_are_up_to_date(build_tables):
    made = build_tables.build()
    stale = [n for n, text in made.items() if n.endswith(".md") and (DOCS / n).read_text("utf-8") != text]
    assert not stale, "run: python3 run.py docs"


def test_generated_pictures_are_up_to_date(build_tables):
    """To a fifth of a pixel: other CPUs round the last digit of a loss otherwise."""
    for name, text in build_tables.build().items():
        if name.endswith(".svg"):
            kept = (DOCS / name).read_text("utf-8")
            assert NUMBER.sub("", kept) == NUMBER.sub("", text), f"{name}: run: python3 run.py docs"
            pairs = zip(NUMBER.findall(kept), NUMBER.findall(text), strict=True)
            assert max(abs(float(a) - float(b)) for a, b in pairs) < 0.2, f"{name}: run: python3 run.py docs"


def test_no_generated_page_is_left_over(build_tables):
    made = build_tables.build()
    for folder in ("reference/api", "images/losses"):
        assert {f"{folder}/{p.name}" for p in (DOCS / folder).iterdir()} <= set(made)


def test_every_command_of_the_app_is_on_the_page():
    app = pytest.importorskip("steelyard.cli.app").app
    text = (DOCS / "reference" / "cli.md").read_text("utf-8")
    for command in app.registered_commands:
        assert f"\n## steelyard {command.name}\n" in text


def test_a_bar_or_star_cannot_break_the_table(build_tables):
    assert build_tables.cell("a | b * c `d * e`") == r"a \| b \* c `d * e`"


def test_a_stale_page_fails_the_check(build_tables, tmp_path, monkeypatch, capsys):
    for name, text in build_tables.build().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.setattr(build_tables, "FOLDER", tmp_path)
    assert build_tables.main(["--check"]) == 0
    (tmp_path / "reference" / "ingredients.md").write_text("old", "utf-8")
    assert build_tables.main(["--check"]) == 1
    assert "docs/reference/ingredients.md is out of date" in capsys.readouterr().out
    assert build_tables.main([]) == 0
    assert build_tables.main(["--check"]) == 0
