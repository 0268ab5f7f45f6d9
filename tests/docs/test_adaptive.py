"""What docs/evidence/rules.md and the pages that point at it conclude follows from benchmarks/results/rules.json and family.json."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "evidence" / "rules.md").read_text("utf-8")
ROWS = json.loads((ROOT / "benchmarks" / "results" / "rules.json").read_text("utf-8"))["rows"]
FAMILY = json.loads((ROOT / "benchmarks" / "results" / "family.json").read_text("utf-8"))["rows"]


def told(number: float) -> str:
    return f"{number:+.3f}".replace("-0", "−").replace("+0", "+")


def test_every_measured_rule_stands_in_the_table_with_its_number():
    rows = re.findall(r"^\| .* \| (softmax|sigmoid) \| (\S+)\s±\s(\S+) \|$", PAGE, re.MULTILINE)
    measured = [r for r in ROWS if r["data"] == "long tail"]
    assert rows == [(r["link"], told(r["gain"]), f"{r['error']:.3f}".removeprefix("0")) for r in measured]


def test_no_rule_beats_logit_adjustment_by_more_than_the_error():
    gains = {r["rule"]: r for r in ROWS if r["data"] == "long tail" and r["link"] == "softmax"}
    best = gains["logit_adjustment"]
    assert all(r["gain"] - best["gain"] < r["error"] for r in gains.values())


def test_for_f2_the_moved_threshold_is_behind_no_setting_of_the_knee_by_more_than_two_errors():
    for data in ("digits", "cancer"):
        found = {r["rule"]: r for r in ROWS if r.get("beta") == 2 and r["data"] == data}
        moved = found["plain, threshold F*/(1+beta^2)"]
        knees = [r for rule, r in found.items() if rule.startswith("knee")]
        assert knees
        assert all(r["gain"] - moved["gain"] < 2 * r["error"] for r in knees)


def test_one_net_takes_a_quarter_to_a_bit_more_than_a_third_of_the_time_and_ranks_more_evenly():
    for case in {r["case"] for r in FAMILY}:
        found = {r["variant"]: r for r in FAMILY if r["case"] == case}
        one, each = found["one net"], found["a net each"]
        assert 0.2 < one["train_seconds"] / each["train_seconds"] < 0.4
        assert one["auc"]["spread"][0] < each["auc"]["spread"][0]
