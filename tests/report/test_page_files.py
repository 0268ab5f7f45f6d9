"""report.json, report.html and recipe.json: written whole or not at all."""

import html
import json

import numpy as np
import pytest

from steelyard import Recipe, report
from steelyard.report import Report
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
    for place in ("new/folder", "new/folder/report.json"):
        assert report.read(tmp_path / place) == Report.from_json(won)
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
    with pytest.raises(ValueError, match="seconds must be a number"):
        report.write(kept, tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_folder_that_is_a_file_is_said(kept, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OSError, match="out"):
        report.write(kept, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


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
    assert "None" not in report.text(Report.from_json(made))
