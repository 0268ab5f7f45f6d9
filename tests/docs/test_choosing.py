"""The measured tables of docs/choosing.md are what the named commands print."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "choosing.md").read_text("utf-8")


def load(name, folder="examples"):
    spec = importlib.util.spec_from_file_location(f"choosing_{name}", ROOT / folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def row(label):
    """The numbers of the table row that starts with `label`, code marks removed."""
    for line in TEXT.splitlines():
        cells = [c.strip() for c in line.replace("`", "").strip("|").split("|")]
        if line.startswith("|") and cells[0] == label:
            return [float(c.partition(" ±")[0]) for c in cells[1:] if c]
    raise AssertionError(f"docs/choosing.md has no row {label!r}")


@pytest.mark.slow
def test_the_mammography_table():
    named = {"balanced weights undone by sy.posterior": "balanced weights, undone by sy.posterior"}
    for way, each in load("threshold_first").compare(repeats=3).items():
        assert row(named.get(way, way)) == pytest.approx(each.tolist(), abs=2e-3), way


@pytest.mark.slow
def test_the_digits_table():
    """Nets differ a little from machine to machine, so within half a point."""
    found = load("digits_long_tail").compare(seeds=25)
    for name, each in found.items():
        said = row(name.replace(" + ", " with "))
        gain = (each - found["plain"]).mean().item()
        expected = [each.mean().item(), each[:, 6:].mean().item(), gain][: len(said)]
        assert said == pytest.approx(expected, abs=5e-3), name


def test_what_the_page_concludes_follows_from_its_tables():
    moved = row("plain, then the threshold moved (no retraining)")[0]
    weights = ("inverse_frequency", "inverse_frequency(beta=0.5)", "effective_number(beta=0.999)")
    assert all(moved > row(name)[0] for name in weights)
    assert abs(row("focal(gamma=2)")[2]) < 0.003
    pair, alone = row("class_temperature(gamma=0.15) with logit_adjustment"), row("logit_adjustment")
    assert pair[0] <= alone[0]
    assert pair[1] > alone[1] + 0.05
    assert row("plain, threshold = share of positives")[2] > row("balanced weights, threshold 1/2")[2]


def test_the_chart_and_the_list_below_it_say_the_same():
    flow = load("flow", "docs")
    items = [line + " " for line in re.split(r"^\d\. ", TEXT, flags=re.MULTILINE)[1:]]
    assert len(items) >= len(flow.QUESTIONS)
    for item, question in zip(items, flow.QUESTIONS, strict=False):
        assert item.startswith(f"**{' '.join(question.asks)}**")
        for taken in question.take.split(", "):
            assert taken.removeprefix("sy.").split("(")[0].casefold() in item.casefold(), taken
        assert re.search(r"\]\(\S+\.md\)", item), item


def test_no_line_of_the_chart_leaves_its_box():
    """At 15 pixels a letter is 7.5 wide on average and bold ones 8; a browser has the last word (test_site.py)."""
    flow = load("flow", "docs")
    for question in flow.QUESTIONS:
        assert max(map(len, question.asks)) * 7.5 <= flow.ASKS - 20
        assert max(len(question.take) * 8, *(len(line) * 7.2 for line in question.why)) <= flow.TAKES - 28
