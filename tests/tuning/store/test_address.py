"""Bad days of a file: one clear paragraph, and nothing lost."""

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import warnings
from contextlib import closing

import numpy as np
import pytest
from tests.tuning.store.made_up import KEYS, PART, TASK, scores

from steelyard.tuning.store import address
from steelyard.tuning.store.database import Database
from steelyard.tuning.store.trials import trials_in


def test_not_a_database_is_refused_and_left_as_it_is(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_bytes(b"dear diary\n" * 500)
    with pytest.raises(ValueError, match="is not a SQLite database; nothing was changed in it"):
        Database(f"sqlite:///{file}", TASK)
    assert file.read_bytes() == b"dear diary\n" * 500
    assert list(tmp_path.iterdir()) == [file]


def filled(folder):
    with Database(f"sqlite:///{folder}/study.db", TASK, fresh=True) as study:
        for f in range(30):
            study.save((0, f), {key: {"scores": np.full(3000, f, np.float32)} for key in KEYS})
    return folder / "study.db"


@pytest.mark.parametrize("left", [0.1, 0.5, 0.97])
def test_a_truncated_file_is_refused_and_left_as_it_is(tmp_path, left):
    file = filled(tmp_path)
    os.truncate(file, int(file.stat().st_size * left))
    before = file.read_bytes()
    with pytest.raises(ValueError, match="is damaged"):
        Database(f"sqlite:///{file}", TASK)
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
                with Database(f"sqlite:///{file}", TASK) as study:
                    found = {f: study.load((0, f), KEYS) for f in range(30)}
        except ValueError:
            refused += 1
            continue
        assert all((a["scores"] == f).all() for f, fits in found.items() for a in fits.values())
    assert refused < 12


def test_a_locked_file_is_named_after_some_patience(tmp_path, monkeypatch):
    Database(f"sqlite:///{tmp_path}/study.db", TASK).close()
    monkeypatch.setattr(address, "PATIENCE", 0.2)
    with closing(sqlite3.connect(tmp_path / "study.db")) as other:
        other.execute("begin exclusive")
        with pytest.raises(ValueError, match="has been locked by another program"):
            Database(f"sqlite:///{tmp_path}/study.db", TASK)


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
    study = Database(f"sqlite:///{folder}/study.db", TASK, fresh=True)
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
    with Database(f"sqlite:///{folder}/study.db", TASK) as again:
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
                Database(f"sqlite:///{folder}/{name}", TASK)
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
        with Database(f"sqlite:///{where}", TASK, fresh=True) as study:
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
@pytest.mark.parametrize("call", [lambda url: Database(url, TASK, fresh=True), trials_in])
def test_an_address_that_cannot_be_read_is_refused_without_its_password(given, says, call):
    with pytest.raises(ValueError, match=says) as error:
        call(given)
    assert "secret" not in str(error.value)
    assert error.value.__cause__ is None


def test_a_missing_driver_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ValueError, match=r'pip install "steelyard\[postgres\]"'):
        Database("postgresql://me@host/db", TASK, fresh=True)


def test_the_fingerprint_is_readable_in_the_file(tmp_path):
    file = filled(tmp_path)
    with closing(sqlite3.connect(file)) as plain:
        [(describe,)] = plain.execute("select describe from steelyard_study").fetchall()
    assert json.loads(describe) == TASK
    assert list(tmp_path.iterdir()) == [file]  # closed, a study is one file
