"""Finished fits are kept whole and none is made twice, in every kind of store.

Files: tuning/store/differences.py, tuning/store/fits.py, tuning/store/tables.py, tuning/store/trials.py.
"""

import threading
import time

import numpy as np
import pytest
from tests.tuning.store.made_up import KEYS, OTHER, PART, TASK, same, scores

from steelyard.tuning import engine, threads
from steelyard.tuning.store import arrays as stored
from steelyard.tuning.store import database, share
from steelyard.tuning.store.database import Database
from steelyard.tuning.store.fits import Memory
from steelyard.tuning.store.trials import trials_in


@pytest.fixture(
    params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.slow)],
)
def store(request, tmp_path):
    if request.param == "memory":
        yield Memory()
        return
    url = f"sqlite:///{tmp_path}/study.db" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    with Database(url, TASK, fresh=True) as opened:
        yield opened


# -- what every store does


def test_what_was_saved_is_loaded_bit_by_bit(store):
    found = {
        KEYS[0]: scores(0),
        KEYS[2]: {"scores": np.array([np.nan, np.inf, -0.0]), "none": np.empty((0, 3), np.int8)},
    }
    store.save(PART, found)
    loaded = store.load(PART, KEYS)
    assert loaded.keys() == found.keys()
    assert all(same(loaded[key], found[key]) for key in found)
    assert store.load(OTHER, KEYS) == {}
    assert store.load((-1, -1), KEYS) == {}
    assert store.load(PART, []) == {}


def test_just_the_keys_that_were_asked_for_are_found(store):
    """Whether every arm is asked for at every setting or not."""
    every = [(arm, setting) for arm in "abc" for setting in (0.1, 1.0, 10.0)]
    store.save(PART, {key: {"n": np.array([i])} for i, key in enumerate(every)})
    for some in (
        every,
        every[:6],
        every[::3],
        every[:1],
        [*every[:4], *every[:2]],
        every[1:5],
        [*every[2:4], every[8]],
    ):
        loaded = store.load(PART, some)
        assert {key: int(fit["n"][0]) for key, fit in loaded.items()} == {key: every.index(key) for key in some}


def test_what_is_there_already_stays(store):
    store.save(PART, {KEYS[0]: scores(0)})
    store.save(PART, {KEYS[0]: scores(1), KEYS[1]: scores(2)})
    loaded = store.load(PART, KEYS)
    assert same(loaded[KEYS[0]], scores(0))
    assert same(loaded[KEYS[1]], scores(2))


def test_settings_are_told_apart_to_the_last_bit(store):
    settings = [0.1, np.nextafter(0.1, 1), 1e-300, 3, np.float64(1) / 3]
    store.save(PART, {("a", s): {"n": np.array([i])} for i, s in enumerate(settings)})
    loaded = store.load(PART, [("a", s) for s in settings])
    assert [int(loaded["a", s]["n"][0]) for s in settings] == [0, 1, 2, 3, 4]
    assert store.load(PART, [("a", -0.0)]) == {}
    store.save(PART, {("a", 0.0): scores()})
    assert same(store.load(PART, [("a", -0.0)])["a", -0.0], scores())


def test_arm_keys_may_be_long_and_of_any_script(store):
    keys = [('{"Gewicht": "größer; 権重 \'"%s"}', 1.0), ("x" * 9000 + "a", 1.0), ("x" * 9000 + "b", 1.0)]
    store.save(PART, {key: scores(i) for i, key in enumerate(keys)})
    loaded = store.load(PART, keys)
    assert all(same(loaded[key], scores(i)) for i, key in enumerate(keys))


def test_a_claim_is_refused_once_the_fit_is_finished(store):
    assert store.claim(PART, KEYS)
    assert store.claim(PART, KEYS + KEYS)  # by the same process
    store.save(PART, {key: scores() for key in KEYS[:1]})
    assert not store.claim(PART, KEYS)
    assert store.claim(PART, KEYS[1:])
    store.release(PART, KEYS[1:])
    assert store.claim(PART, KEYS[1:])


def test_notes_are_kept_once_and_in_order(store):
    for value in ("roc_auc", "average_precision", "roc_auc"):
        store.note("judged by", value)
    store.note("other", "x" * 5000)
    assert store.notes("judged by") == ["roc_auc", "average_precision"]
    assert store.notes("nothing") == []


def test_threads_may_share_a_store(store):
    parts = [(a, f) for a in range(4) for f in range(4)]

    def one(part):
        assert store.claim(part, KEYS)
        store.save(part, {key: scores(part[1]) for key in KEYS})
        return len(store.load(part, KEYS))

    pool = [threading.Thread(target=lambda part=part: done.append(one(part))) for part in parts]
    done: list[int] = []
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    assert done == [len(KEYS)] * len(parts)


def test_share_hands_out_every_fit_once_stored_ones_first(store):
    store.save((1, 0), {KEYS[0]: scores(9)})
    wanted = [((a, f), tuple(KEYS)) for a in range(2) for f in range(3)]
    made = []

    def fit(item):
        made.append(item)
        return {key: scores(item[0][1]) for key in item[1]}

    out = list(share.share(store, wanted, fit, engine.local, lambda: False))
    assert (out[0][0], list(out[0][1]), out[0][2]) == ((1, 0), KEYS[:1], False)
    handed = [(part, key) for part, found, _ in out for key in found]
    assert sorted(handed) == sorted((part, key) for part, keys in wanted for key in keys)
    assert sum(len(keys) for _, keys in made) == len(handed) - 1
    again = list(share.share(store, wanted, fit, engine.local, lambda: False))
    assert not any(new for _, _, new in again)
    assert len(made) == len(wanted)


def test_share_may_be_asked_for_two_shares_of_one_part(store):
    wanted = [((0, 0), tuple(KEYS[:1])), ((0, 0), tuple(KEYS[1:])), ((0, 1), ())]
    out = list(share.share(store, wanted, lambda item: {key: scores() for key in item[1]}, engine.local, lambda: False))
    assert sorted(key for _, found, _ in out for key in found) == sorted(KEYS)
    assert len(out) == 2


def test_share_starts_nothing_after_stop_and_loses_nothing_that_was_under_way(store):
    wanted = [((0, f), tuple(KEYS)) for f in range(50)]
    made = []

    def fit(item):
        made.append(item[0])
        time.sleep(0.01)
        return {key: scores() for key in item[1]}

    out = list(share.share(store, wanted, fit, engine.local, lambda: len(made) >= 5))
    assert 5 <= len(made) <= 5 + threads.cores()
    assert sorted(part for part, _, new in out if new) == sorted(made)
    assert [part for part, keys in wanted if store.load(part, keys)] == sorted(made)


def test_an_error_in_a_fit_is_raised_and_gives_the_claims_up(store):
    def fit(item):
        if item[0] == (0, 1):
            raise ValueError("tune: cannot fit this")
        return {key: scores() for key in item[1]}

    with pytest.raises(ValueError, match="cannot fit this"):
        list(share.share(store, [((0, f), tuple(KEYS)) for f in range(4)], fit, engine.local, lambda: False))
    assert store.claim((0, 1), KEYS)


# -- a study goes on, or starts anew


def test_a_study_goes_on_and_fresh_starts_anew(url):
    with Database(url, TASK) as first:
        assert first.started
        first.save(PART, {KEYS[0]: scores()})
        first.note("judged by", "f1")
    with Database(url, dict(reversed(TASK.items())) | {"seed": np.int64(0)}) as second:
        assert not second.started
        assert second.warnings() == []
        assert same(second.load(PART, KEYS)[KEYS[0]], scores())
        assert second.notes("judged by") == ["f1"]
    with Database(url, TASK, fresh=True) as third:
        assert third.started
        assert third.load(PART, KEYS) == {}
        assert third.notes("judged by") == []
        assert third.dropped == 1
        assert "1 finished fit" in third.warnings()[0]


def test_studies_with_other_fingerprints_lie_beside_each_other(url):
    with Database(url, TASK, fresh=True) as first, Database(url, TASK | {"seed": 1}, fresh=True) as second:
        assert second.claim(PART, KEYS)
        assert first.claim(PART, KEYS)
        second.save(PART, {KEYS[0]: scores(2)})
        assert first.load(PART, KEYS) == {}
    with Database(url, TASK | {"seed": 1}) as again:
        assert same(again.load(PART, KEYS)[KEYS[0]], scores(2))


OTHERS = TASK | {
    "table": {"rows": 900, "columns": 6, "label": "größe"},
    "data": "77aa" * 16,
    "splits": {"kind": "stratified", "folds": 10, "repeats": 5},
}


def test_a_file_of_other_data_is_refused_with_both_names_and_what_differs(tmp_path):
    url = f"sqlite:///{tmp_path}/study.db"
    with Database(url, TASK, name="patients.csv") as first:
        first.save(PART, {KEYS[0]: scores()})
    with pytest.raises(ValueError, match=r"patients\.csv there, sizes\.csv here") as error:
        Database(url, OTHERS, name="sizes.csv")
    said = str(error.value)
    assert "rows (11183 there, 900 here)" in said
    assert 'label ("ill" there, "größe" here)' in said
    assert "splits: folds (5 there, 10 here)" in said
    assert "the content of the data;" in said
    assert "--fresh deletes the 1 finished fits" in said
    assert "77aa" not in said
    assert "seed" not in said
    assert "\n" not in said
    with Database(url, TASK) as again:
        assert again.load(PART, KEYS)


def test_fresh_gives_a_file_to_other_data_and_counts_what_it_deletes(tmp_path):
    url = f"sqlite:///{tmp_path}/study.db"
    for seed in (0, 1):
        with Database(url, TASK | {"seed": seed}) as one:
            one.save(PART, {KEYS[0]: scores(), KEYS[1]: scores()})
    with Database(url, OTHERS, fresh=True) as anew:
        assert anew.dropped == 4
        with pytest.raises(ValueError, match="keeps a study of other data"):
            Database(url, TASK)


@pytest.mark.slow
def test_a_server_holds_studies_of_many_tables(postgresql):
    with Database(postgresql, TASK) as first:
        first.save(PART, {KEYS[0]: scores()})
    with Database(postgresql, OTHERS, fresh=True) as second:
        assert second.dropped == 0
    with Database(postgresql, TASK) as again:
        assert again.load(PART, KEYS)


def test_a_newer_format_is_refused(url):
    with Database(url, TASK, fresh=True) as first:
        first._write(lambda c: c.exec_driver_sql("update steelyard_study set format = 7"))
    for fresh in (True, False):
        with pytest.raises(ValueError, match=r"made by a newer steelyard \(format 7, this one reads up to 1\)"):
            Database(url, TASK, fresh=fresh)


def test_a_torn_fit_is_noticed_and_made_again(url):
    with Database(url, TASK, fresh=True) as study:
        study.save(PART, {key: scores(i) for i, key in enumerate(KEYS)})
        whole = stored.pack(scores(1))
        edited = bytearray(whole)
        edited[-10] ^= 1
        t = database.tables.fit
        for key, data in ((KEYS[0], bytes(edited)), (KEYS[2], whole[:-7])):
            query = database.sa.update(t).where(study._are(t, PART, [key])).values(arrays=data)
            study._write(lambda c, query=query: c.execute(query))
        loaded = study.load(PART, KEYS)
        assert study.damaged == 2
        (said,) = study.warnings()
        assert said.startswith(f"2 fits were damaged in {study.shown} and made again")
        assert list(loaded) == [KEYS[1]]
        assert study.claim(PART, [KEYS[0], KEYS[2]])
        study.save(PART, {KEYS[0]: scores(0), KEYS[2]: scores(2)})
        assert all(same(found, scores(KEYS.index(key))) for key, found in study.load(PART, KEYS).items())


# -- optuna in the same database


def test_optuna_keeps_its_trials_beside_the_fits_in_silence(url, capfd):
    import optuna

    with Database(url, TASK, fresh=True) as study:
        study.save(PART, {KEYS[0]: scores()})
        for total in (3, 5):
            search = optuna.create_study(storage=trials_in(url), study_name="beta", load_if_exists=True)
            search.optimize(lambda trial: trial.suggest_float("beta", 0, 1) ** 2, n_trials=total - len(search.trials))
            assert len(search.trials) == total
        assert same(study.load(PART, KEYS)[KEYS[0]], scores())
    assert capfd.readouterr() == ("", "")


def test_optuna_storage_names_a_bad_file(tmp_path):
    (tmp_path / "x.db").write_text("no database, whatever it says" * 100)
    with pytest.raises(ValueError, match="is not a SQLite database"):
        trials_in(f"sqlite:///{tmp_path}/x.db")
