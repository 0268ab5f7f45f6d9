"""Finished fits are kept whole, none is made twice, and a bad storage is named in one paragraph."""

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from contextlib import closing
from pathlib import Path

import hypothesis
import hypothesis.extra.numpy as arrays_of
import hypothesis.strategies as st
import numpy as np
import pytest

from steelyard.tuning.storage import address, blob, database, share, threads
from steelyard.tuning.storage.store import Memory, open_store, optuna_storage

TASK = {
    "format": 1,
    "data": "9b1c" * 16,
    "rows": 11183,
    "columns": 6,
    "label": "ill",
    "positive": "yes",
    "model": "linear",
    "splits": {"kind": "stratified", "folds": 5, "repeats": 5, "by": None},
    "seed": 0,
}
PART, OTHER = (0, 1), (1, 0)
KEYS = [("plain", 1.0), ("plain", 0.1), ("inverse frequency", 1.0)]
WORKER = Path(__file__).with_name("fake_fits.py")


def scores(seed=0):
    rng = np.random.default_rng(seed)
    return {"scores": rng.normal(size=40).astype(np.float32), "converged": np.array([True])}


def same(a, b):
    return a.keys() == b.keys() and all(
        a[name].dtype == b[name].dtype and a[name].shape == b[name].shape and a[name].tobytes() == b[name].tobytes()
        for name in a
    )


@pytest.fixture(
    params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.slow)],
)
def store(request, tmp_path):
    if request.param == "memory":
        yield Memory()
        return
    url = f"sqlite:///{tmp_path}/study.db" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    with open_store(url, TASK, resume=False) as opened:
        yield opened


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request, tmp_path):
    """Of an empty database."""
    return f"sqlite:///{tmp_path}/study.db" if request.param == "sqlite" else request.getfixturevalue("postgresql")


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

    out = list(share.share(store, wanted, fit, threads.local, lambda: False))
    assert (out[0][0], list(out[0][1]), out[0][2]) == ((1, 0), KEYS[:1], False)
    handed = [(part, key) for part, found, _ in out for key in found]
    assert sorted(handed) == sorted((part, key) for part, keys in wanted for key in keys)
    assert sum(len(keys) for _, keys in made) == len(handed) - 1
    again = list(share.share(store, wanted, fit, threads.local, lambda: False))
    assert not any(new for _, _, new in again)
    assert len(made) == len(wanted)


def test_share_may_be_asked_for_two_shares_of_one_part(store):
    wanted = [((0, 0), tuple(KEYS[:1])), ((0, 0), tuple(KEYS[1:])), ((0, 1), ())]
    out = list(
        share.share(store, wanted, lambda item: {key: scores() for key in item[1]}, threads.local, lambda: False)
    )
    assert sorted(key for _, found, _ in out for key in found) == sorted(KEYS)
    assert len(out) == 2


def test_share_starts_nothing_after_stop_and_loses_nothing_that_was_under_way(store):
    wanted = [((0, f), tuple(KEYS)) for f in range(50)]
    made = []

    def fit(item):
        made.append(item[0])
        time.sleep(0.01)
        return {key: scores() for key in item[1]}

    out = list(share.share(store, wanted, fit, threads.local, lambda: len(made) >= 5))
    assert 5 <= len(made) <= 5 + threads.cores()
    assert sorted(part for part, _, new in out if new) == sorted(made)
    assert [part for part, keys in wanted if store.load(part, keys)] == sorted(made)


def test_an_error_in_a_fit_is_raised_and_gives_the_claims_up(store):
    def fit(item):
        if item[0] == (0, 1):
            raise ValueError("tune: cannot fit this")
        return {key: scores() for key in item[1]}

    with pytest.raises(ValueError, match="cannot fit this"):
        list(share.share(store, [((0, f), tuple(KEYS)) for f in range(4)], fit, threads.local, lambda: False))
    assert store.claim((0, 1), KEYS)


# -- a study goes on, or starts anew


def test_resume_goes_on_and_no_resume_starts_anew(url):
    with open_store(url, TASK, resume=True) as first:
        assert first.started
        first.save(PART, {KEYS[0]: scores()})
        first.note("judged by", "f1")
    with open_store(url, dict(reversed(TASK.items())) | {"seed": np.int64(0)}, resume=True) as second:
        assert not second.started
        assert second.remarks() == []
        assert same(second.load(PART, KEYS)[KEYS[0]], scores())
        assert second.notes("judged by") == ["f1"]
    with open_store(url, TASK, resume=False) as third:
        assert third.started
        assert third.load(PART, KEYS) == {}
        assert third.notes("judged by") == []


def test_studies_with_other_fingerprints_lie_beside_each_other(url):
    with open_store(url, TASK, resume=False) as first, open_store(url, TASK | {"seed": 1}, resume=False) as second:
        assert second.claim(PART, KEYS)
        assert first.claim(PART, KEYS)
        second.save(PART, {KEYS[0]: scores(2)})
        assert first.load(PART, KEYS) == {}
    with open_store(url, TASK | {"seed": 1}, resume=True) as again:
        assert same(again.load(PART, KEYS)[KEYS[0]], scores(2))


def test_a_study_of_other_data_is_not_resumed_and_what_differs_is_said(url):
    open_store(url, TASK, resume=False).close()
    other = TASK | {
        "rows": 900,
        "data": "77aa" * 16,
        "label": "größe",
        "splits": {"kind": "stratified", "folds": 10, "repeats": 5},
    }
    with pytest.raises(ValueError, match="holds no study of this task") as error:
        open_store(url, other, resume=True)
    said = str(error.value)
    assert "rows (11183 there, 900 here)" in said
    assert 'label ("ill" there, "größe" here)' in said
    assert "splits: folds (5 there, 10 here)" in said
    assert "the content of the data;" in said
    assert "77aa" not in said
    assert "seed" not in said
    assert "\n" not in said
    open_store(url, other, resume=False).close()
    with pytest.raises(
        ValueError, match=r"the nearest of the 2 studies in it .* Different: seed \(0 there, 3 here\)\."
    ):
        open_store(url, TASK | {"seed": 3}, resume=True)


def test_a_newer_format_is_refused(url):
    with open_store(url, TASK, resume=False) as first:
        first._write(lambda c: c.exec_driver_sql("update steelyard_study set format = 7"))
    for resume in (True, False):
        with pytest.raises(ValueError, match=r"made by a newer steelyard \(format 7, this one reads up to 1\)"):
            open_store(url, TASK, resume=resume)


def test_a_torn_fit_is_noticed_and_made_again(url):
    with open_store(url, TASK, resume=False) as study:
        study.save(PART, {key: scores(i) for i, key in enumerate(KEYS)})
        whole = blob.pack(scores(1))
        edited = bytearray(whole)
        edited[-10] ^= 1
        t = database.tables.fit
        for key, data in ((KEYS[0], bytes(edited)), (KEYS[2], whole[:-7])):
            query = database.sa.update(t).where(study._are(t, PART, [key])).values(arrays=data)
            study._write(lambda c, query=query: c.execute(query))
        loaded = study.load(PART, KEYS)
        assert study.damaged == 2
        (said,) = study.remarks()
        assert said.startswith(f"2 fits were damaged in {study.shown} and made again")
        assert list(loaded) == [KEYS[1]]
        assert study.claim(PART, [KEYS[0], KEYS[2]])
        study.save(PART, {KEYS[0]: scores(0), KEYS[2]: scores(2)})
        assert all(same(found, scores(KEYS.index(key))) for key, found in study.load(PART, KEYS).items())


# -- processes share a study


def pretend(study, *, process, heartbeat, place=None):
    """Another worker at the study that claims PART: a row as its process would write it."""
    me = study._me
    other = database.Worker(place or me.place, process, me.born if process == os.getpid() else "12345")

    def write(connection):
        t = database.tables
        database._renew(connection, study._study, other)
        row = database.sa.update(t.worker).where(t.worker.c.name == other.name)
        connection.execute(row.values(heartbeat=database._now(connection) + heartbeat))
        rows = [{**row, "worker": other.name} for row in t.rows(study._study, PART, KEYS[:1])]
        connection.execute(database.sa.insert(t.claim), rows)

    study._write(write)


def test_a_claim_of_a_live_process_elsewhere_holds(url):
    with open_store(url, TASK, resume=False) as study:
        pretend(study, process=1, heartbeat=0.0, place="another machine")
        assert not study.claim(PART, KEYS)
        assert study.claim(PART, KEYS[1:])
        study.release(PART, KEYS)
        assert not study.claim(PART, KEYS[:1])  # only one's own claims can be given up
        with pytest.raises(ValueError, match=r"another process is at work on this very study .* add --resume"):
            open_store(url, TASK, resume=False)
        open_store(url, TASK, resume=True).close()
        open_store(url, TASK | {"seed": 4}, resume=False).close()


@pytest.mark.parametrize("heartbeat", [-31.0, +3600.0])
def test_a_claim_without_a_heartbeat_is_taken_over(url, heartbeat):
    with open_store(url, TASK, resume=False) as study:
        pretend(study, process=1, heartbeat=heartbeat, place="another machine")
        assert study.claim(PART, KEYS)
        open_store(url, TASK, resume=False).close()


def test_a_claim_of_a_dead_process_on_this_machine_is_taken_over_at_once(url):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    with open_store(url, TASK, resume=False) as study:
        pretend(study, process=process.pid, heartbeat=0.0)
        assert study.claim(PART, KEYS)


def test_a_process_that_lives_renews_its_heartbeat(url, monkeypatch):
    monkeypatch.setattr(database, "RENEW", 0.05)
    with open_store(url, TASK, resume=False) as study:
        age = database.sa.update(database.tables.worker).values(heartbeat=0.0)
        study._write(lambda c: c.execute(age))
        deadline = time.monotonic() + 20
        while not study._read(lambda c: study._live(c, study._study)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert study._read(lambda c: study._live(c, study._study)) == {study._me.name}


def test_a_forgotten_store_gives_its_claims_up(url):
    study = open_store(url, TASK, resume=False)
    assert study.claim(PART, KEYS)
    del study
    with open_store(url, TASK, resume=True) as again:
        count = database.sa.select(database.sa.func.count()).select_from(database.tables.claim)
        assert again._read(lambda c: c.execute(count).scalar_one()) == 0


def records(folder, kind):
    return [line.split()[1] for line in (folder / "log").read_text().splitlines() if line.split()[0] == kind]


def helper(*arguments):
    done = subprocess.run([sys.executable, str(WORKER), *map(str, arguments)], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr


def test_processes_share_a_study_and_every_fit_is_made_once(url, tmp_path):
    helper("work", url, tmp_path, 24)
    made = records(tmp_path, "fit")
    assert len(made) == len(set(made)) == 24
    by = [line.split()[2] for line in (tmp_path / "log").read_text().splitlines() if line.startswith("fit")]
    assert len(set(by)) == 2  # both had their share
    assert len(records(tmp_path, "have")) == 2 * 24


@pytest.mark.parametrize(
    ("url", "kills"),
    [
        ("sqlite", 5),
        pytest.param("sqlite", 50, marks=pytest.mark.slow),
        pytest.param("postgresql", 15, marks=pytest.mark.slow),
    ],
    indirect=["url"],
)
def test_after_kill_9_no_finished_fit_is_lost_and_none_is_made_again(url, tmp_path, kills):
    helper("kill", url, tmp_path, kills)
    made, saved = records(tmp_path, "fit"), records(tmp_path, "saved")
    assert records(tmp_path, "killed") == [str(n) for n in range(kills)]
    assert len(saved) > kills
    assert len(saved) == len(set(saved))
    assert records(tmp_path, "lost") == []
    assert records(tmp_path, "repeated") == []
    assert len(made) <= len(saved) + 2 * threads.cores() * kills  # only what was under way is made again
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(tmp_path / "study.db")) as file:
            assert file.execute("pragma integrity_check").fetchall() == [("ok",)]
            assert file.execute("pragma journal_mode").fetchall() == [("wal",)]


# -- bad days of a file


def test_not_a_database_is_refused_and_left_as_it_is(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_bytes(b"dear diary\n" * 500)
    with pytest.raises(ValueError, match="is not a SQLite database; nothing was changed in it"):
        open_store(f"sqlite:///{file}", TASK, resume=True)
    assert file.read_bytes() == b"dear diary\n" * 500
    assert list(tmp_path.iterdir()) == [file]


def filled(folder):
    with open_store(f"sqlite:///{folder}/study.db", TASK, resume=False) as study:
        for f in range(30):
            study.save((0, f), {key: {"scores": np.full(3000, f, np.float32)} for key in KEYS})
    return folder / "study.db"


@pytest.mark.parametrize("left", [0.1, 0.5, 0.97])
def test_a_truncated_file_is_refused_and_left_as_it_is(tmp_path, left):
    file = filled(tmp_path)
    os.truncate(file, int(file.stat().st_size * left))
    before = file.read_bytes()
    with pytest.raises(ValueError, match="is damaged"):
        open_store(f"sqlite:///{file}", TASK, resume=True)
    assert file.read_bytes() == before


def test_a_file_with_bytes_changed_gives_words_or_right_scores_never_wrong_ones(tmp_path):
    whole = filled(tmp_path).read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for i in range(12):
        data = bytearray(whole)
        start = int(rng.integers(len(data) - 4096))
        data[start : start + 4096] = rng.bytes(4096)
        file = tmp_path / f"{i}.db"
        file.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                with open_store(f"sqlite:///{file}", TASK, resume=True) as study:
                    found = {f: study.load((0, f), KEYS) for f in range(30)}
        except ValueError:
            refused += 1
            continue
        assert all((a["scores"] == f).all() for f, fits in found.items() for a in fits.values())
    assert refused < 12


def test_a_locked_file_is_named_after_some_patience(tmp_path, monkeypatch):
    open_store(f"sqlite:///{tmp_path}/study.db", TASK, resume=False).close()
    monkeypatch.setattr(address, "PATIENCE", 0.2)
    with closing(sqlite3.connect(tmp_path / "study.db")) as other:
        other.execute("begin exclusive")
        with pytest.raises(ValueError, match="has been locked by another program"):
            open_store(f"sqlite:///{tmp_path}/study.db", TASK, resume=True)


def mounted(folder, *options):
    """A file system of a few kilobytes of memory there, or skip."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", folder], capture_output=True)
    if done.returncode:
        pytest.skip("mounting is not permitted")


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 400 kB."""
    if shutil.which("mount") is None:
        pytest.skip("no mount")
    mounted(tmp_path / "small", "-o", "size=400k")
    yield tmp_path / "small"
    subprocess.run(["umount", tmp_path / "small"], check=True)


@pytest.fixture
def small_files(tmp_path):
    """A folder, while no file may grow beyond 300 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("disk", ["small_disk", "small_files"])
def test_on_a_full_disk_what_was_saved_stays_and_the_rest_is_refused(disk, request):
    folder = request.getfixturevalue(disk)
    study = open_store(f"sqlite:///{folder}/study.db", TASK, resume=False)
    saved: list[int] = []

    def save_on():
        for f in range(100):
            study.save((0, f), {key: {"scores": np.full(3000, f, np.float32)} for key in KEYS})
            saved.append(f)

    with pytest.raises(ValueError, match=r"disk (is )?full.*Every fit saved before is kept"):
        save_on()
    assert saved
    assert [f for f in range(100) if len(study.load((0, f), KEYS)) == len(KEYS)] == saved
    assert study.load((0, len(saved)), KEYS) == {}  # all of a part or nothing
    study.close()
    with open_store(f"sqlite:///{folder}/study.db", TASK, resume=True) as again:
        assert [f for f in range(100) if again.load((0, f), KEYS)] == saved


def test_a_read_only_folder_is_named(tmp_path):
    if os.geteuid():
        folder = tmp_path
        file = filled(folder)
        file.chmod(0o444)
        folder.chmod(0o555)
    else:  # permissions do not bind root
        folder = tmp_path / "only"
        mounted(folder, "-o", "size=4m")
        filled(folder)
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    try:
        for name in ("study.db", "new.db"):
            with pytest.raises(ValueError, match=r"read-only|cannot be opened") as error:
                open_store(f"sqlite:///{folder}/{name}", TASK, resume=True)
            assert name in str(error.value)
    finally:
        if os.geteuid():
            folder.chmod(0o755)
        else:
            subprocess.run(["umount", folder], check=True)


def test_a_relative_path_of_any_name_is_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "Größe 100%25 a?b=c#d {x}'\"権.db"
    for where in (name, f"{tmp_path}/sub dir/{name}"):
        (tmp_path / "sub dir").mkdir(exist_ok=True)
        with open_store(f"sqlite:///{where}", TASK, resume=False) as study:
            study.save(PART, {KEYS[0]: scores()})
        assert (tmp_path / where).is_file()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, "sub dir"])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("study.db", "Did you mean sqlite:///study.db"),
        ("mysql://root:secret@host/db", "got mysql://"),
        ("sqlite://", "three slashes"),
        ("sqlite://study.db", "three slashes"),
        ("sqlite:///:memory:", "name of a file"),
        ("sqlite:///no/such/folder/study.db", "there is no folder .*no/such/folder"),
        ("sqlite:///.", "is a folder"),
        ("", "must be"),
        ("postgresql://me:secret/x@host:port/db", "cannot be read"),
        ("postgresql://me:secret@host:port/db", "cannot be read"),
    ],
)
@pytest.mark.parametrize("call", [lambda url: open_store(url, TASK, resume=False), optuna_storage])
def test_an_address_that_cannot_be_read_is_refused_without_its_password(given, says, call):
    with pytest.raises(ValueError, match=says) as error:
        call(given)
    assert "secret" not in str(error.value)
    assert error.value.__cause__ is None


def test_a_missing_driver_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ValueError, match=r'pip install "steelyard\[postgres\]"'):
        open_store("postgresql://me@host/db", TASK, resume=False)


# -- arrays as bytes

DTYPES = st.one_of(
    arrays_of.boolean_dtypes(),
    arrays_of.integer_dtypes(endianness="?"),
    arrays_of.unsigned_integer_dtypes(endianness="?"),
    arrays_of.floating_dtypes(endianness="?"),
)
ARRAYS = st.dictionaries(
    st.text(max_size=8),
    arrays_of.arrays(DTYPES, arrays_of.array_shapes(min_dims=0, min_side=0, max_side=4)),
    max_size=3,
)


@hypothesis.given(ARRAYS)
def test_unpack_undoes_pack(arrays):
    back = blob.unpack(blob.pack(arrays))
    assert list(back) == list(arrays)
    for name, values in arrays.items():
        native = values.astype(values.dtype.newbyteorder("="))
        assert back[name].tobytes() == native.tobytes()
        assert back[name].shape == values.shape
        assert back[name].flags.writeable


@hypothesis.given(ARRAYS, st.data())
def test_no_changed_or_shortened_bytes_are_unpacked(arrays, data):
    packed = blob.pack(arrays)
    at = data.draw(st.integers(0, len(packed) - 1))
    changed = bytearray(packed)
    changed[at] ^= data.draw(st.integers(1, 255))
    for broken in (bytes(changed), packed[:at], packed + b"\0"):
        with pytest.raises(blob.Damaged):
            blob.unpack(broken)


def test_what_would_need_pickle_is_refused():
    with pytest.raises(ValueError, match="'names' holds object; only booleans and numbers"):
        blob.pack({"names": np.array([{}, "a"], dtype=object)})


# -- optuna in the same database


def test_optuna_keeps_its_trials_beside_the_fits_in_silence(url, capfd):
    import optuna

    with open_store(url, TASK, resume=False) as study:
        study.save(PART, {KEYS[0]: scores()})
        for total in (3, 5):
            search = optuna.create_study(storage=optuna_storage(url), study_name="beta", load_if_exists=True)
            search.optimize(lambda trial: trial.suggest_float("beta", 0, 1) ** 2, n_trials=total - len(search.trials))
            assert len(search.trials) == total
        assert same(study.load(PART, KEYS)[KEYS[0]], scores())
    assert capfd.readouterr() == ("", "")


def test_optuna_storage_names_a_bad_file(tmp_path):
    (tmp_path / "x.db").write_text("no database, whatever it says" * 100)
    with pytest.raises(ValueError, match="is not a SQLite database"):
        optuna_storage(f"sqlite:///{tmp_path}/x.db")


def test_the_fingerprint_is_readable_in_the_file(tmp_path):
    file = filled(tmp_path)
    with closing(sqlite3.connect(file)) as plain:
        [(describe,)] = plain.execute("select describe from steelyard_study").fetchall()
    assert json.loads(describe) == TASK
    assert list(tmp_path.iterdir()) == [file]  # closed, a study is one file
