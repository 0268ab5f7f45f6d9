"""The cuts of more than two classes: what the page's script is given to move."""

import math
import re

import pytest

from steelyard.report import Report
from steelyard.report.stepping import REACH, STEP, stepping


def test_a_class_is_multiplied_by_what_the_verdict_divides_by(three):
    three["verdict"]["factors"] = [1.0, 0.5, 0.1]
    found = stepping(Report.from_json(three))
    assert found is not None
    assert found.arms["plain"]["multiply"] == pytest.approx([1, 2, 10])
    assert [line.times for line in found.lines] == ["× 1.00", "× 2.00", "× 10.0"]
    assert [line.rows for line in found.lines] == ["700", "200", "100"]
    assert [line.recall for line in found.lines] == ["0.722"] * 3
    assert math.exp(STEP * REACH) == pytest.approx(20, rel=0.01)


def test_the_other_weighting_has_steps_of_its_own_unless_none_is_moved(three):
    name = "inverse_frequency(beta=0.5)"
    three["arms"][3]["factors"] = [1.0, 0.8, 0.4]
    three["verdict"]["factors"] = [1.0, 0.5, 0.1]
    assert stepping(Report.from_json(three)).arms[name]["multiply"] == pytest.approx([1, 1.25, 2.5])
    three["verdict"]["factors"] = [1.0, 1.0, 1.0]
    assert stepping(Report.from_json(three)).arms[name]["multiply"] == [1, 1, 1]


def test_costs_can_be_moved_where_they_were_named(three):
    assert stepping(Report.from_json(three)).costs == ((0, 1, 1), (2, 0, 1), (7, 3, 0))
    three["costs"] = None
    assert stepping(Report.from_json(three)).costs is None


def test_nothing_moves_for_two_classes_or_where_nothing_was_kept(kept, three):
    assert stepping(Report.from_json(kept)) is None
    del three["sampled"]
    assert stepping(Report.from_json(three)) is None


def test_a_part_of_all_decisions_is_said(three):
    assert stepping(Report.from_json(three)).some == ""
    three["sampled"]["plain"]["of"] = 5000
    assert stepping(Report.from_json(three)).some == "9 of 5,000 decisions, the rare ones first, weighed up to all"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"truth": "AAAA!"}, "truth is not base64"),
        ({"truth": "AAAA"}, "truth is not of 9 rows and 3 classes"),
        ({"truth": "A" * 10 + "cA"}, "truth"),
        ({"behind": "AAAA"}, "behind is not of 9 rows and 3 classes"),
        ({"times": ""}, "times is not of 9 rows and 3 classes"),
        ({"rows": 8}, "truth is not of 8 rows and 3 classes"),
        ({"rows": "many"}, "rows must be a whole number"),
        ({"truth": 5}, "truth must be text"),
    ],
)
def test_what_does_not_fit_the_classes_is_refused(three, change, message):
    three["sampled"]["plain"] |= change
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        Report.from_json(three)
    assert "\n" not in str(refused.value)


def test_a_class_that_is_not_there_is_refused(three):
    three["sampled"]["plain"]["truth"] = "CQEBAQEBAQEB"  # 9 in nine rows of three classes
    with pytest.raises(ValueError, match="truth names a class that is not there"):
        Report.from_json(three)
