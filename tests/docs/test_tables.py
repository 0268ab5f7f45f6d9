"""The generated pages are those that the code would write now, and hold everything the code offers."""

import functools
import importlib.util
from pathlib import Path

import pytest

from steelyard import curves, ingredients

pytestmark = pytest.mark.xdist_group("generated pages")  # one worker: they are made once
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def build_tables():
    spec = importlib.util.spec_from_file_location("docs_build_tables", DOCS / "build_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.build = functools.cache(module.build)  # half of a dozen pages cost seconds
    return module


@pytest.mark.parametrize(
    "page",
    [
        "reference/ingredients.md",
        "reference/rules.md",
        "reference/cli.md",
        "reference/reading.md",
        "evidence/speed.md",
        "images/rooms.svg",
        "images/tuning.svg",
    ],
)
def test_generated_pages_are_up_to_date(build_tables, page):
    assert (DOCS / page).read_text("utf-8") == build_tables.build()[page], "run: python3 run.py docs"


def test_every_ingredient_stands_in_the_section_of_the_field_it_sets():
    text = (DOCS / "reference" / "ingredients.md").read_text("utf-8")
    sections = {part.partition("\n")[0]: part for part in text.split("\n## ")[1:]}
    where = {name: title for title, part in sections.items() for name in _first_column(part)}
    assert {f.spec.name for f in ingredients.OURS} <= set(where)
    assert where["inverse_frequency"].endswith("`weight`")
    assert where["logit_adjustment"].endswith("`offset`")
    assert where["class_temperature"].endswith("`scale`")
    assert where["margin"].endswith("`margin`")
    assert where["focal"].endswith("`curve`")
    assert where["smooth"].endswith("`target`")
    assert set(curves.CURVES) <= set(where)


def _first_column(part):
    return [line.split("`")[1].split("(")[0] for line in part.splitlines() if line.startswith("| `")]


def test_every_ingredient_names_a_source():
    for function in ingredients.OURS:
        assert function.spec.source, function.spec.name


def test_every_command_of_the_app_is_on_the_page():
    app = pytest.importorskip("steelyard.cli.app").app
    text = (DOCS / "reference" / "cli.md").read_text("utf-8")
    for command in app.registered_commands:
        assert f"\n## steelyard {command.name}\n" in text


def test_a_bar_or_star_cannot_break_the_table(build_tables):
    assert build_tables.cell("a | b * c `d * e`") == r"a \| b \* c `d * e`"


def test_a_stale_page_fails_the_check(build_tables, tmp_path, monkeypatch, capsys):
    for name, text in build_tables.build().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.setattr(build_tables, "FOLDER", tmp_path)
    assert build_tables.main(["--check"]) == 0
    (tmp_path / "reference" / "ingredients.md").write_text("old", "utf-8")
    assert build_tables.main(["--check"]) == 1
    assert "docs/reference/ingredients.md is out of date" in capsys.readouterr().out
    assert build_tables.main([]) == 0
    assert build_tables.main(["--check"]) == 0
