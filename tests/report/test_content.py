import pytest

from steelyard.report import Report
from steelyard.report.content import Content, contents


def said(data) -> Content:
    return contents(Report.from_json(data))


def test_what_to_do_names_the_threshold_and_the_undo(kept, won):
    assert said(kept).next == ('Call a row "ill" when its probability is at least 0.231, not 0.5.',)
    assert any("sy.posterior" in step for step in said(won).next)
    assert 'Call a row "ill" when its undone probability is at least 0.231, not 0.5.' in said(won).next


@pytest.mark.parametrize(
    ("case", "headline"),
    [
        ("A", 'Train with inverse_frequency(beta=0.5); say "ill" from 23 %.'),
        ("B", 'Train without weights; say "ill" from 23 %.'),
        ("C'", 'Train without weights; say "ill" from 23 %.'),
        ("D", "No verdict: plain training is no better than chance."),
        ("E", "No verdict: 50 rows are too few."),
        ("F", 'Train without weights; say "ill" from 23 %.'),
        ("P", "No verdict yet: the study is not finished."),
    ],
)
def test_the_headline_follows_the_case_and_an_older_report_gets_one_too(kept, won, case, headline):
    data = won if case == "A" else kept
    data["verdict"]["case"] = case
    assert said(data).headline == headline


def test_the_studys_own_headline_goes_first(kept):
    kept["verdict"]["headline"] = "Train without weights; bring more rows."
    assert said(kept).headline == "Train without weights; bring more rows."


def test_a_lower_metric_says_so(kept):
    kept |= {"metric": "log_loss", "metric_title": "log loss", "metric_higher": False}
    assert "Lower values are better" in said(kept).compared


def test_three_classes_have_no_threshold_of_probability(three):
    found = said(three)
    assert found.confusion is not None
    assert found.confusion.classes == ("a", "b", "c")
    assert "3 classes" in found.data
    assert any("to the power 0.350" in step for step in found.next)


def test_a_stopped_study_says_how_far_it_came(partial):
    found = said(partial)
    assert found.outcome == "unfinished"
    assert "The study stopped early: it was interrupted; 2 of 5 repetitions were finished." in found.warnings
    assert "same command" in found.next[0]
    assert found.confusion is not None
    assert "mean of 2 repetitions" in found.confusion.caption


def test_what_was_not_compared_is_said_with_the_reason(kept):
    assert "Not compared: generalized(q=0.7), this model cannot train with it." in said(kept).notes
