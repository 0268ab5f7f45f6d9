"""How sure, in one line: the verdict's own interval, and nothing where there is no verdict."""

import pytest

from steelyard import report
from steelyard.report import Report
from steelyard.report.sure import sure


def test_a_winner_says_what_it_gains(won):
    assert sure(Report.from_json(won)) == "How sure: it gains between +0.031 and +0.152 in average precision (95 %)."


def test_without_a_winner_the_best_weighting_says_what_it_would(kept):
    assert sure(Report.from_json(kept)) == (
        "How sure: the best weighting, inverse_frequency(beta=0.5), would gain between -0.004 and +0.010 in average precision (95 %)."
    )
    kept["verdict"]["case"] = "C"
    assert sure(Report.from_json(kept)).startswith("How sure: not settled, the best weighting")


def test_a_study_that_stopped_early_says_so(kept):
    kept["stopped"] = {"why": "budget", "repeats_done": 3, "repeats_planned": 5}
    assert "3 of 5 repetitions were finished" in sure(Report.from_json(kept))


@pytest.mark.parametrize("case", ["D", "E", "P"])
def test_without_a_verdict_the_headline_says_all(kept, case):
    kept["verdict"]["case"] = case
    assert sure(Report.from_json(kept)) == ""


def test_what_do_i_do_what_does_it_bring_and_how_sure_stand_in_the_first_lines(any_study):
    first = " ".join(report.text(Report.from_json(any_study)).splitlines()[:3])
    study = Report.from_json(any_study)
    assert first.startswith(report.text(study).splitlines()[0])
    if study.verdict.case not in ("D", "E", "P"):
        assert "How sure: " in first
