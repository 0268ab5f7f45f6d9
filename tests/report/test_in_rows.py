import pytest

from steelyard.report import Report
from steelyard.report.decisions import whole
from steelyard.report.in_rows import alarms, in_rows, priced


def test_what_the_cut_brings_by_hand(kept):
    # 30.5 of 50 found, 29.5 false alarms of 60; 0.5 is not among the cuts that were kept
    assert in_rows(Report.from_json(kept)) == "That finds 30 of 50; one alarm in two is false."


def test_plain_at_a_half_stands_beside_where_it_was_kept(kept):
    for name in kept["curves"]:
        table = kept["curves"][name]["thresholds"]
        table["threshold"][3] = 0.5
    assert in_rows(Report.from_json(kept)).endswith("(at 0.5: 10 found, 1 false alarm).")


def test_beside_a_winner_stands_plain_at_its_own_cut(won):
    won["arms"][0]["threshold"] = 0.1
    assert "(without weights: 40 found, 160 false alarms)" in in_rows(Report.from_json(won))


@pytest.mark.parametrize("case", ["D", "E", "P"])
def test_without_a_verdict_it_is_a_description(kept, case):
    kept["verdict"]["case"] = case
    said = in_rows(Report.from_json(kept))
    assert said.startswith("Described, not advised: plain from 23 % finds 30 of 50")
    assert priced(Report.from_json(kept)) is None


def test_more_than_two_classes_are_counted_right_and_the_rarest_named(three):
    said = in_rows(Report.from_json(three))
    table = [whole(row) for row in three["curves"]["plain"]["confusion"]]
    right = sum(row[i] for i, row in enumerate(table))
    assert f"That gets {right:,.0f} of {sum(map(sum, table)):,.0f} rows right" in said
    assert 'of "c", the rarest' in said
    assert priced(Report.from_json(three)) is None


def test_costs_that_nobody_named_are_laid_out(kept):
    table = priced(Report.from_json(kept))
    assert table is not None
    assert table.title == 'If a missed "ill" costs'
    assert table.head == ('say "ill" from', "finds, of 50", "false alarms")
    assert [column.miss for column in table.columns] == ["1 alarm", "5 alarms", "20 alarms", "100 alarms"]
    assert table.columns[3].cells == ("0.96 %", "49", "702")
    assert "--cost-fn" in table.ask


def test_named_costs_and_older_reports_have_no_such_table(kept):
    kept["priced"] = []
    assert priced(Report.from_json(kept)) is None
    del kept["priced"]
    assert priced(Report.from_json(kept)) is None


def test_shares_in_words_are_near_the_share():
    words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    for called in (7, 100, 1000, 12345):
        for false in range(1, called, max(1, called // 97)):
            said = alarms(false, called)
            if "%" in said:
                part = float(said.split()[0]) / 100
            else:
                part = words.index(said.split()[0]) / (
                    words.index(said.split()[3]) if said.split()[3] in words else int(said.split()[3])
                )
            assert abs(part - false / called) <= 0.06 * false / called + 0.005, said
