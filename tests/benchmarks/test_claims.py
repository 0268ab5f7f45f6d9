"""Claims: the rule that says whether they came out, what is kept of a run, and each program on a tiny size, which can come out either way."""

import copy
import functools
import json

import pytest
from benchmarks.claims import run as running
from benchmarks.claims.claim import (
    AS_CLAIMED,
    OTHERWISE,
    UNDECIDED,
    Absent,
    Claim,
    Conclusion,
    Finding,
    exact,
    overall,
    paired,
    rate,
)

from benchmarks import claims

QUICK = {"programs"}  # those whose tiny size takes less than a second
NAMES = [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in claims.CLAIMS]


@functools.cache
def tiny(name):
    one = claims.claim(name)
    return {unit: json.loads(json.dumps(one.run(unit, True))) for unit in one.units(True)}


def records(name):
    """Of a tiny run as JSON gives them back, to be changed."""
    return copy.deepcopy(tiny(name))


@pytest.mark.parametrize(
    ("claimed", "interval", "outcome"),
    [
        ((0, None), (0.1, 0.3), AS_CLAIMED),
        ((0, None), (-0.1, 0.3), UNDECIDED),
        ((0, None), (-0.3, -0.1), OTHERWISE),
        ((None, 0), (-0.3, -0.1), AS_CLAIMED),
        ((-1, 1), (-1, 1), AS_CLAIMED),
        ((-1, 1), (-2, 2), UNDECIDED),
        ((-1, 1), (1.5, 2), OTHERWISE),
        ((0, None), None, UNDECIDED),
    ],
)
def test_the_interval_decides(claimed, interval, outcome):
    middle = 0.2 if interval is None else sum(interval) / 2
    assert Finding("a", claimed, middle, interval, "draws").outcome == outcome


def test_one_contradiction_decides_the_claim_and_nothing_found_decides_nothing():
    yes, no = exact("a", (0, None), 1.0), exact("b", (0, None), -1.0)
    open_ = Finding("c", (0, None), 1.0, None, "one run")
    assert overall([yes, yes]) == AS_CLAIMED
    assert overall([yes, open_]) == UNDECIDED
    assert overall([yes, open_, no]) == OTHERWISE
    assert overall([]) == UNDECIDED


def test_what_says_nothing_is_no_finding():
    with pytest.raises(ValueError, match="says nothing"):
        exact("a", (0, None), float("nan"))
    with pytest.raises(ValueError, match="cannot come out otherwise"):
        exact("a", (None, None), 1.0)


def test_a_paired_interval_is_students_and_longer_for_splits_that_overlap():
    from scipy.stats import ttest_1samp

    x = [0.1, 0.3, 0.2, 0.6]
    expected = ttest_1samp(x, 0).confidence_interval()
    assert paired("a", (0, None), x, "draws").interval == pytest.approx((expected.low, expected.high))
    assert paired("a", (0, None), x, "splits", test_share=0.5).interval[0] < expected.low
    assert paired("a", (0, None), x[:1], "one run").outcome == UNDECIDED
    assert rate("a", (0, 0.1), 0, 100, "draws").interval == pytest.approx((0, 0.0362), abs=1e-4)


def counted(calls, *, absent=()):
    def unit(name, small):
        if name in absent:
            raise Absent(f"no data for {name}")
        calls.append(name)
        return {"n": len(calls)}

    return Claim(
        name="programs",  # its file gives the digest
        title="t",
        says="s",
        source="s",
        done="d",
        seeds="s",
        units=lambda small: ["a", "b"],
        run=unit,
        conclude=lambda found: Conclusion([exact("units", (2, None), len(found))]),
    )


def test_a_run_is_taken_up_where_it_stopped_and_says_what_was_left_out(tmp_path, capsys):
    calls, path = [], tmp_path / "c.json"
    assert running.run(counted(calls, absent=("b",)), path).findings[0].outcome == OTHERWISE
    assert json.loads(path.read_text())["skipped"] == ["no data for b"]
    assert "b skipped: no data for b" in capsys.readouterr().out
    assert running.run(counted(calls), path).findings[0].outcome == AS_CLAIMED
    assert calls == ["a", "b"]
    made = json.loads(path.read_text())
    assert list(made["units"]) == ["a", "b"]
    assert made["skipped"] == []
    assert {"commit", "device", "versions"} <= set(made["about"])
    path.write_text(json.dumps(made | {"code": "of another program"}))
    running.run(counted(calls), path)
    assert calls == ["a", "b", "a", "b"]
    running.run(counted(calls), path, again=True)
    assert len(calls) == 6


def test_an_unknown_claim_is_one_paragraph(capsys):
    with pytest.raises(SystemExit) as stop:
        running.main(["99"])
    assert stop.value.code == 2
    assert "there is no claim '99'; give a number from 1 to" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_a_tiny_run_has_the_form_of_a_result(name):
    made = claims.claim(name).conclude(tiny(name))
    assert made.findings
    assert len({f.what for f in made.findings}) == len(made.findings)
    for table in made.tables:
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.columns)}


@pytest.mark.parametrize("name", claims.CLAIMS)
def test_a_results_file_is_complete_and_says_what_its_program_concludes(name):
    path = running.RESULTS / f"{name}.json"
    if not path.exists():
        pytest.skip("this claim was not run yet")
    made, one = json.loads(path.read_text()), claims.claim(name)
    assert len(made["units"]) + len(made["skipped"]) == len(one.units(False))
    found = one.conclude({unit: r["found"] for unit, r in made["units"].items()})
    assert [f.what for f in found.findings] == [f["what"] for f in made["findings"]]
    assert [f.estimate for f in found.findings] == pytest.approx([f["estimate"] for f in made["findings"]])


def outcomes(name, changed):
    return {f.what: f.outcome for f in claims.claim(name).conclude(changed).findings}


def test_programs_that_do_not_fail_come_out_otherwise():
    changed = records("programs")
    for found in changed.values():
        if "copied" in found:
            found.update(seeds=50, copied=[], ours=[])
    found = outcomes("programs", changed)
    assert sum(o == OTHERWISE for o in found.values()) == 3


def test_a_loss_that_only_resembles_torchs_comes_out_otherwise(monkeypatch):
    from benchmarks.claims import numbers

    monkeypatch.setattr(
        numbers.sy, "CrossEntropyLoss", lambda **options: numbers.sy.CrossEntropy(reduction=options["reduction"])
    )
    assert numbers.as_torch(20)["worst"]["loss"] > 1e-3


def test_weights_that_are_no_shift_come_out_otherwise():
    from benchmarks.claims import shift

    changed = (
        records("shift")
        if "shift" in QUICK
        else {unit: shift.run(unit, True) for unit in ("well specified", "misspecified")}
    )
    assert max(abs(s) for s, _ in shift.shifts(changed["misspecified"]).values()) > 0.05
    assert max(abs(s) for s, _ in shift.shifts(changed["well specified"]).values()) < 1e-6
