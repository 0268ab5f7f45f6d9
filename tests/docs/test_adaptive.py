"""The table of docs/howto/adaptive.md is that of benchmarks/results/rules.json, and what the page concludes follows from it."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "howto" / "adaptive.md").read_text("utf-8")
RESULTS = json.loads((ROOT / "benchmarks" / "results" / "rules.json").read_text("utf-8"))["rows"]


def told(number: float) -> str:
    return f"{number:+.3f}".replace("-0", "−").replace("+0", "+")


def test_every_measured_rule_stands_in_the_table_with_its_number():
    rows = re.findall(r"^\| .* \| (softmax|sigmoid) \| (\S+) ± (\S+) \|$", PAGE, re.MULTILINE)
    measured = [r for r in RESULTS if r["data"] == "long tail"]
    assert rows == [(r["link"], told(r["gain"]), f"{r['error']:.3f}".removeprefix("0")) for r in measured]


def test_the_table_of_the_knee():
    shown = re.findall(
        r"^\| (knee, .*|plain, threshold .*|`inverse_frequency`) ((?:\| [+−]\S+ ± \S+ ){4})\|$", PAGE, re.MULTILINE
    )
    assert len(shown) == 6
    for name, cells in shown:
        rule = name.strip("`").replace("\\*", "*").replace("β²", "beta^2")
        numbers = [r for r in RESULTS if r.get("beta") and r["rule"] == rule]
        expected = [
            f"{told(r['gain'])} ± {r['error']:.3f}".replace("± 0", "± ")
            for r in sorted(numbers, key=lambda r: (r["data"] != "digits", r["beta"]))
        ]
        assert [c.strip() for c in cells.split("|") if c.strip()] == expected, name


def test_no_rule_beats_logit_adjustment_by_more_than_the_error():
    gains = {r["rule"]: r for r in RESULTS if r["data"] == "long tail" and r["link"] == "softmax"}
    best = gains["logit_adjustment"]
    assert all(r["gain"] - best["gain"] < r["error"] for r in gains.values())
