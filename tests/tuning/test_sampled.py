"""Decisions that a page can move the cuts along: at rest they give the table of the study again."""

import base64

import numpy as np
import pytest

from steelyard.tuning.pictures import Pictures, Predictions
from steelyard.tuning.sampled import CELLS, CLASSES, drawn, sampled


def pictures(C: int, rows: int, repetitions: int = 3, weights=None) -> Pictures:
    rng = np.random.default_rng(C)
    y = np.sort(rng.choice(C, rows, p=np.arange(C, 0, -1) / (C * (C + 1) / 2)))
    logits = rng.normal(size=(repetitions, rows, C)) + 2 * np.eye(C)[y]
    logp = (logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))).astype(np.float32)
    shifted = logp - np.linspace(0, 1, C, dtype=np.float32)
    arm = Predictions(logp, logp, logp, shifted.argmax(axis=-1), shifted)
    return Pictures(y, {"plain": arm}, weights)


def read(kept, C: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    raw = {key: base64.b64decode(kept[key]) for key in ("truth", "times", "behind")}
    behind = np.frombuffer(raw["behind"], "<u2").reshape(-1, C) * kept["unit"]
    return np.frombuffer(raw["truth"], "u1"), np.frombuffer(raw["times"], "<f4"), behind


def table(y, said, times, C: int) -> np.ndarray:
    return np.bincount(y * C + said, weights=times, minlength=C * C).reshape(C, C)


@pytest.mark.parametrize(("C", "rows"), [(3, 500), (7, 20_000), (CLASSES, 30_000)])
@pytest.mark.parametrize("weighted", [False, True])
def test_at_rest_the_kept_decisions_are_those_of_all_rows(C, rows, weighted):
    w = np.random.default_rng(1).exponential(size=rows) if weighted else None
    if w is not None:
        w[:5] = 0.0
    found = pictures(C, rows, weights=w)
    kept = sampled(found, C)["plain"]
    y, times, behind = read(kept, C)
    assert kept["rows"] == len(y) == len(times) == len(behind) <= CELLS // C
    decided = found.arms["plain"].decided
    whole = sum(table(found.y, one, found.times / len(decided), C) for one in decided)
    np.testing.assert_allclose(table(y, behind.argmin(axis=1), times, C), whole, rtol=1e-5, atol=1e-3)
    assert np.all(np.sum(behind == 0, axis=1) == 1)  # rounding ties nobody with the one that leads


def test_a_moved_cut_counts_as_on_all_rows_where_all_are_kept():
    found = pictures(4, 900)
    arm = found.arms["plain"]
    y, times, behind = read(sampled(found, 4)["plain"], 4)
    for move in np.random.default_rng(2).normal(size=(20, 4)).round(1):
        moved = arm.shifted.astype(np.float64) + move
        whole = sum(table(found.y, one.argmax(axis=-1), found.times / 3, 4) for one in moved)
        here = table(y, (move - behind).argmax(axis=1), times, 4)
        # a row whose two best are within the unit of each other may be told otherwise
        assert np.abs(here - whole).sum() < 3


def test_a_sample_is_near_the_whole_under_a_moved_cut():
    found = pictures(6, 40_000)
    y, times, behind = read(sampled(found, 6)["plain"], 6)
    move = np.array([0, 0, 0, 0.5, 0, 1.0])
    moved = found.arms["plain"].shifted.astype(np.float64) + move
    whole = sum(table(found.y, one.argmax(axis=-1), found.times / 3, 6) for one in moved)
    here = table(y, (move - behind).argmax(axis=1), times, 6)
    assert here.sum(axis=1) == pytest.approx(whole.sum(axis=1), rel=1e-4)
    share = np.diagonal(here) / here.sum(axis=1) - np.diagonal(whole) / whole.sum(axis=1)
    assert np.abs(share).max() < 0.015  # of recall


def test_rare_cells_are_kept_whole():
    cell = np.repeat([0, 1, 2, 3], [9_000, 40, 1, 600])
    lead = np.random.default_rng(0).random(len(cell))
    kept = drawn(cell, np.ones(len(cell)), lead, 500)
    few = np.bincount(cell[kept])
    assert few[1:3].tolist() == [35, 1]
    assert (few[0] - 12) / (few[3] - 12) == pytest.approx(np.sqrt(9_000 / 600), rel=0.02)
    assert 490 < len(np.unique(kept)) <= 500
    assert np.sort(lead[kept][cell[kept] == 0]) == pytest.approx((np.arange(few[0]) + 0.5) / few[0], abs=0.02)


@pytest.mark.parametrize("C", [2, CLASSES + 1])
def test_two_classes_have_a_threshold_and_many_have_no_table(C):
    assert sampled(pictures(C, 200), C) == {}
