from hypothesis import given
from hypothesis import strategies as st

from steelyard.report import Report
from steelyard.report.decisions import Confusion, confusion, mistaken, operating, whole


def table(data) -> Confusion:
    """The decisions as the page shows them first."""
    study = Report.from_json(data)
    moved = operating(study)
    shown = confusion(study, moved.ratio if moved else 1.0)
    assert shown is not None
    return shown


@given(st.lists(st.integers(0, 40_000), min_size=1, max_size=6))
def test_whole_counts_keep_the_sum_of_their_row(quarters):
    row = [q / 4 for q in quarters]
    assert sum(whole(row)) == round(sum(row))
    assert all(abs(w - r) < 1 for w, r in zip(whole(row), row, strict=True))


def test_decisions_by_hand(kept):
    found = table(kept)
    assert found.classes == ("ill", "well")
    assert found.counts == (("30", "20"), ("29", "921"))  # of 30.5, 19.5, 29.5, 920.5
    assert found.per_1000 == (("30.0", "20.0"), ("29.0", "921.0"))
    assert "at threshold 0.231, which was chosen on these rows, mean of 5 repetitions" in found.caption
    assert found.shares[0].says == 'Of 50 rows that are "ill", 60.0 % are found.'


def test_a_threshold_that_was_not_kept_is_said(kept):
    kept["verdict"]["threshold"] = 0.25
    found = table(kept)
    assert "at threshold 0.231, the nearest to 0.250 that was kept" in found.caption


def test_the_commonest_mistake_comes_first(three):
    assert mistaken(Report.from_json(three))[0] == '60 rows of "b" called "a", 30.0 % of that class'


def test_the_sliders_get_whole_rows_at_every_threshold_that_was_kept(kept):
    kept["costs"] = {"fn": 20.0, "fp": 2.0}
    moved = operating(Report.from_json(kept))
    assert moved is not None
    assert (moved.arm, moved.at, moved.label, moved.ratio, moved.capacity, moved.per) == (
        "plain",
        2,
        "0.231",
        10.0,
        200,
        10000,
    )
    rows = moved.tables["plain"]
    assert (rows["tp"], rows["fn"]) == ([50, 40, 30, 10], [0, 10, 20, 40])
    assert [(ratio, rows["t"][at]) for ratio, at in moved.asked] == [
        (1.0, 0.6),
        (5.0, 0.231),
        (20.0, 0.0),
        (100.0, 0.0),
    ]
    assert [sum(cells) for cells in zip(*(rows[k] for k in ("tp", "fn", "fp", "tn")), strict=True)] == [1000] * 4


def test_figures_at_the_threshold_by_hand(kept):
    kept["costs"] = {"fn": 20.0, "fp": 1.0}
    shown = table(kept)
    assert {key: value for key, _, value in shown.figures} == {
        "precision-value": "0.508",  # 30 / 59
        "recall-value": "0.600",
        "f1-value": "0.550",  # 60 / 109
        "called-value": "59.0",
        "cost-value": "429.0",  # 20 * 20 + 29
    }


def test_a_threshold_that_calls_nobody_divides_by_nothing(kept):
    kept["verdict"]["threshold"] = 0.9
    for found in kept["curves"].values():
        t = found["thresholds"]
        for key, value in zip(("threshold", "tp", "fp", "fn", "tn"), (0.9, 0.0, 0.0, 50.0, 950.0), strict=True):
            t[key].append(value)
    shown = table(kept)
    assert shown.figures[0][2] == "–"
    assert shown.shares[1].says == 'Of 0 rows called "ill", none are right.'


def test_a_matrix_of_costs_moves_no_slider(three):
    assert operating(Report.from_json(three)) is None
