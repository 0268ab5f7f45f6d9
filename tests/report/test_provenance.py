import pytest

from steelyard.report import Report
from steelyard.report.provenance import provenance


def terms(data) -> dict[str, str]:
    return dict(provenance(Report.from_json(data)))


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        ({"kind": "grouped", "by": "patient"}, '5 x 5 cross-validation that keeps groups in column "patient" whole'),
        ({"kind": "time", "by": "day", "judged": 800}, '5 test blocks in the order of time in column "day"'),
        ({"kind": "time", "by": "day", "judged": 800}, "800 rows judged"),
        ({"kind": "stratified"}, "5 x 5 stratified cross-validation"),
    ],
)
def test_the_kind_of_splits_is_said(kept, splits, said):
    kept["splits"] |= splits
    assert said in terms(kept)["splits"]


def test_costs_are_said_as_a_pair_or_a_matrix(kept, three):
    kept["costs"] = {"fn": 20.0, "fp": 1.0}
    assert terms(kept)["costs"] == "missed positive 20, false alarm 1"
    assert '"c" called "a" 7' in terms(three)["costs"]
