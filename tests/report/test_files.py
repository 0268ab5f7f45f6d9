import html
import io
import json
import re

import numpy as np
import pytest
from rich.console import Console

from steelyard import Recipe, report
from steelyard.cli import main
from steelyard.cli import report as command
from steelyard.tuning import tune


def test_write_leaves_three_files_that_say_the_same(won, tmp_path):
    paths = report.write(won, tmp_path / "new" / "folder")
    assert sorted(p.name for p in (tmp_path / "new" / "folder").iterdir()) == [
        "recipe.json",
        "report.html",
        "report.json",
    ]
    assert sorted(p.name for p in paths) == ["recipe.json", "report.html", "report.json"]
    assert json.loads((tmp_path / "new/folder/report.json").read_text(encoding="utf-8")) == won
    assert report.read(tmp_path / "new/folder") == won
    assert report.read(tmp_path / "new/folder/report.json") == won
    recipe = Recipe.load(tmp_path / "new/folder/recipe.json")
    assert recipe == Recipe.from_json(json.dumps(won["final"]["recipe"]))
    assert recipe.weight is not None


def test_recipe_is_plain_where_nothing_won(kept, tmp_path):
    report.write(kept, tmp_path)
    assert Recipe.load(tmp_path / "recipe.json") == Recipe(classes=["well", "ill"])


def test_nothing_is_touched_when_the_data_cannot_be_shown(kept, won, tmp_path):
    report.write(won, tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    kept["final"]["recipe"] = {"format": "another"}
    with pytest.raises(ValueError, match="Recipe"):
        report.write(kept, tmp_path)
    kept["seconds"] = float("nan")
    with pytest.raises(ValueError, match="JSON"):
        report.write(kept, tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_folder_that_is_a_file_is_said(kept, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OSError, match="out"):
        report.write(kept, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "it has no format"),
        ([], "it has no format"),
        ({"format": "steelyard.recipe/1"}, "its format is 'steelyard.recipe/1'"),
        ({"format": "steelyard.report/2"}, "steelyard.report/2"),
        ({"format": "steelyard.report/1"}, "'data' is missing"),
        (
            {"format": "steelyard.report/1", "data": {}, "metric": "f1", "arms": [], "verdict": {}},
            "no named candidates",
        ),
        (
            {"format": "steelyard.report/1", "data": {}, "metric": "f1", "arms": [1], "verdict": {}},
            "no named candidates",
        ),
        (
            {"format": "steelyard.report/1", "data": {}, "metric": "f1", "arms": [{"name": "plain"}], "verdict": {}},
            "no sentence",
        ),
    ],
)
def test_a_foreign_file_is_refused_in_words(data, message, tmp_path):
    with pytest.raises(ValueError, match=re.escape(message)):
        report.html(data)
    with pytest.raises(ValueError, match=re.escape(message)):
        report.write(data, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "report.json").write_text(json.dumps(data))
    with pytest.raises(ValueError, match=r"report\.json"):
        report.read(tmp_path)


def test_a_winner_that_is_no_candidate_is_refused(kept):
    kept["verdict"]["winner"] = "magic"
    with pytest.raises(ValueError, match="'magic' is not among the candidates"):
        report.text(kept)


def test_reading_what_is_not_there_or_not_json(tmp_path):
    with pytest.raises(ValueError, match=r"there is no report\.json"):
        report.read(tmp_path)
    (tmp_path / "report.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(ValueError, match="is not JSON"):
        report.read(tmp_path)


def test_a_pipe_gets_the_plain_text(kept):
    file = io.StringIO()
    report.show(kept, Console(file=file))
    assert file.getvalue() == report.text(kept)


def test_the_command_lays_two_studies_side_by_side(kept, won, tmp_path, capsys):
    report.write(kept, tmp_path / "a")
    report.write(won, tmp_path / "b")
    before = (tmp_path / "a" / "report.html").read_bytes()
    command.run(tmp_path / "a", tmp_path / "b")
    said = capsys.readouterr().out
    assert kept["verdict"]["sentence"] in said
    assert won["verdict"]["sentence"] in said
    page = (tmp_path / "a" / "compare.html").read_text(encoding="utf-8")
    assert "Two studies side by side" in page
    assert (tmp_path / "a" / "report.html").read_bytes() == before


def test_comparing_with_what_is_no_study_is_refused_in_one_paragraph(kept, tmp_path, capsys):
    report.write(kept, tmp_path / "a")
    assert main(["report", str(tmp_path / "a"), "--compare", str(tmp_path / "nothing")]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: report: there is no report.json in")
    assert len(said.err.strip().splitlines()) == 1
    assert not (tmp_path / "a" / "compare.html").exists()


@pytest.mark.parametrize("width", [40, 120])
def test_a_terminal_gets_the_sentence_on_one_line(any_study, width):
    file = io.StringIO()
    report.show(any_study, Console(file=file, force_terminal=True, width=width))
    shown = re.sub(r"\x1b\[[\d;]*m", "", file.getvalue())
    assert any_study["verdict"]["sentence"] in shown.splitlines()


def test_names_are_not_read_as_markup(kept):
    kept["arms"][3]["name"] = "[red]bold[/red]"
    file = io.StringIO()
    report.show(kept, Console(file=file, force_terminal=True, width=160))
    assert "[red]bold[/red]" in re.sub(r"\x1b\[[\d;]*m", "", file.getvalue())


def test_the_command_makes_the_page_again(kept, tmp_path, capsys):
    report.write(kept, tmp_path)
    page = tmp_path / "report.html"
    made = page.read_text(encoding="utf-8")
    page.unlink()
    command.run(tmp_path, None)
    assert page.read_text(encoding="utf-8") == made
    assert kept["verdict"]["sentence"] in capsys.readouterr().out.splitlines()


def test_the_command_writes_nothing_for_a_foreign_folder(tmp_path):
    with pytest.raises(ValueError, match="steelyard tune"):
        command.run(tmp_path, None)
    assert list(tmp_path.iterdir()) == []


def test_no_name_can_command_the_terminal(kept):
    kept["data"]["label"] = kept["arms"][3]["name"] = "a\x1b[2Jb\x9bc\r"
    file = io.StringIO()
    report.show(kept, Console(file=file, force_terminal=True, width=160, color_system=None))
    for said in (file.getvalue(), report.text(kept)):
        assert "a\ufffd[2Jb\ufffdc\ufffd" in said
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", said)


def test_a_study_just_made_can_be_shown(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(160, 2))
    y = np.where(X[:, 0] + rng.normal(size=160) > 1, "ill", "well")
    rows = [f"{a:.3f},{b:.3f},{c}" for (a, b), c in zip(X, y, strict=True)]
    (tmp_path / "table.csv").write_text("\n".join(["a,b,state", *rows]))
    made = tune(tmp_path / "table.csv", label="state", repeats=1, folds=3, bootstrap=100).to_dict()
    report.write(made, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert html.escape(made["verdict"]["sentence"]) in page
    for part in (
        "Precision against recall",
        "Can the probability be believed?",
        "found",
        "ROC AUC",
        "BCEWithLogitsLoss",
    ):
        assert part in page
    assert len(page.encode()) < 2_000_000
    assert "None" not in report.text(made)
