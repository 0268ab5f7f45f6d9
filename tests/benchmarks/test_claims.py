"""Claims: the rule that says whether they came out, what is kept of a run, and each program on a tiny size, which can come out either way."""

import copy
import dataclasses
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

QUICK = {"programs", "detection"}  # those whose tiny size takes less than a second
NAMES = [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in claims.CLAIMS]


@functools.cache
def tiny(name):
    """Records of a tiny run, as JSON gives them back."""
    one = claims.claim(name)
    return {unit: json.loads(json.dumps(one.run(unit, True))) for unit in one.units(True)}


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


@pytest.mark.filterwarnings("ignore:Uncertainty")  # that a class is given up is what is shown
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
    assert set(made["units"]) <= set(one.units(False)), f"run: python3 run.py bench claims {name}"
    assert len(made["units"]) + len(made["skipped"]) == len(one.units(False))
    found = one.conclude({unit: r["found"] for unit, r in made["units"].items()})
    assert [f.what for f in found.findings] == [f["what"] for f in made["findings"]]
    assert [f.estimate for f in found.findings] == pytest.approx([f["estimate"] for f in made["findings"]])


def failing(units):
    for found in units.values():
        if "copied" in found:
            found.update(seeds=50, copied=[], ours=[])


def ranked(units):
    for run in units["drawn"]["runs"]:
        run["AUC, weighted"] = run["AUC, plain"] + 0.05


def lasting(units):
    for unit, found in units.items():
        if unit.startswith("margins"):
            found["weights 1 : 10"] = found["temperature 3 on the rare class"]


def even(units):
    units["shares"]["8"] = [[0.5, 0.5 + k / 1000] for k in range(20)]
    units["two ranks"]["worst"] = 0.1


def beaten(units):
    digits = units["digits"]
    digits["inverse_frequency"][0] = [x + 0.1 for x in digits["plain, then the threshold moved (no retraining)"][0]]


def harmed(units):
    for unit, found in units.items():
        if unit != "maps":
            for measure in found["class weights and dilate 30%"]:
                found["class weights and dilate 30%"][measure] = found["class weights"][measure] - 0.1


def good(units):
    for unit, found in units.items():
        if unit.startswith("uncertainty"):
            found["uncertainty"]["weights"] = [1.0, 20.0]


def unmoved(units):
    (results,) = units.values()
    for found in results["nets"].values():
        for measure in found["minus plain"].get("focal", ()):
            found["minus plain"]["focal"][measure] = [-0.3, -0.4, -0.2]


def exactly_not(units):
    units["as torch"]["worst"]["loss"] = 1e-3


def scattered(units):
    units["every ingredient"]["poly"] = 0.1


CONTRARY = {
    "numbers": exactly_not,
    "programs": failing,
    "shift": scattered,
    "threshold": ranked,
    "geometry": lasting,
    "denominator": even,
    "comparison": beaten,
    "delineation": harmed,
    "dynamic": good,
    "detection": unmoved,
}


@pytest.mark.parametrize("name", claims.CLAIMS)
def test_other_numbers_contradict_a_claim(name):
    """Each program says so where the runs that it kept are changed against its claim."""
    path = running.RESULTS / f"{name}.json"
    if not path.exists():
        pytest.skip("this claim was not run yet")
    one, units = claims.claim(name), {u: r["found"] for u, r in json.loads(path.read_text())["units"].items()}
    before = [f.outcome for f in one.conclude(units).findings]
    changed = copy.deepcopy(units)
    CONTRARY[name](changed)
    after = [f.outcome for f in one.conclude(changed).findings]
    assert after.count(OTHERWISE) > before.count(OTHERWISE)
    assert overall(one.conclude(changed).findings) == OTHERWISE


def test_a_claim_in_which_nothing_stands_against_it_comes_out_as_claimed():
    """Detection came out otherwise; if the common class had lost nothing, and both nets had intervals, it would not have."""
    one = claims.claim("detection")
    (results,) = (copy.deepcopy(one.run(unit, True)) for unit in one.units(True))
    for found in results["nets"].values():
        found["minus plain"] = {
            way: {m: [0.1, 0.05, 0.15] for m in ("recall Platelets", "recall RBC", "AP Platelets", "AP RBC")}
            for way in ("class frequency", "log-scaled", "focal")
        }
    assert overall(one.conclude({"results": results}).findings) == AS_CLAIMED


def test_a_loss_that_only_resembles_torchs_is_far_from_it(monkeypatch):
    from benchmarks.claims import numbers

    monkeypatch.setattr(
        numbers.sy, "CrossEntropyLoss", lambda **options: numbers.sy.CrossEntropy(reduction=options["reduction"])
    )
    assert numbers.as_torch(20)["worst"]["loss"] > 1e-3


def test_two_runs_share_a_claim(tmp_path):
    calls, path = [], tmp_path / "c.json"
    one = counted(calls)

    def meeting(unit, small):
        if not calls:
            calls.append(unit)
            running.run(counted(calls), path, backwards=True)
            calls.append("back")
        return {"n": 1}

    running.run(dataclasses.replace(one, run=meeting), path)
    assert calls == ["a", "b", "a", "back"]
    assert set(json.loads(path.read_text())["units"]) == {"a", "b"}


def test_without_the_images_of_nuclei_one_sentence_says_where_they_are_from(tmp_path, monkeypatch):
    monkeypatch.setenv("STEELYARD_NUCLEI", str(tmp_path))
    with pytest.raises(Absent, match=r"not here; examples/nuclei/README.md says where they are from, STEELYARD_NUCLEI"):
        claims.claim("delineation").run("nuclei 0", False)
