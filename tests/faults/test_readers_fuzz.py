"""Whatever bytes a file holds, it is a reading or one clear sentence: no traceback, and neither much time nor much memory.

The slow run reads 10,000 files; `STEELYARD_HYPOTHESIS=explore STEELYARD_FUZZ=1000000` looks for as long as you like.
"""

import os
import shutil
import time
from pathlib import Path

import hypothesis
import pytest
from tests.faults.readers import READERS, Reader, clear

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of a file that fails

FEW, MANY = 130, int(os.environ.get("STEELYARD_FUZZ", "10000"))  # files in all
SECONDS, MOST = 5.0, 1_000_000_000  # of one file, of one format
SHARES = sum(reader.share for reader in READERS.values())
CALM = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large, hypothesis.HealthCheck.filter_too_much]


def check(reader: Reader, place: Path, content: bytes) -> bool:
    """Whether it was read."""
    path = reader.write(place, content)
    start = time.process_time()
    try:
        reader.read(path)
    except (ValueError, OSError) as error:
        clear(error, place)
        return False
    finally:
        took = time.process_time() - start
        shutil.rmtree(place)
    assert took < SECONDS
    return True


def fuzz(name: str, top: Path, files: int) -> None:
    reader, seen = READERS[name], []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @hypothesis.settings(max_examples=files, suppress_health_check=CALM)
    @hypothesis.given(reader.files())
    def one(content: bytes) -> None:
        place = top / str(len(seen))
        place.mkdir()
        seen.append(check(reader, place, content))

    one()
    assert len(seen) >= files  # hypothesis does not give up
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < MOST


def files_of(name: str, all_of_them: int) -> int:
    return max(2, round(all_of_them * READERS[name].share / SHARES))


@pytest.mark.parametrize("name", READERS)
def test_the_seeds_are_whole(tmp_path, name):
    """Damage to a file that was refused before would say nothing; NPZ and LIBSVM are refused in words."""
    reader = READERS[name]
    for number, content in enumerate(reader.seeds()):
        place = tmp_path / str(number)
        place.mkdir()
        assert check(reader, place, content) or name in ("NPZ", "LIBSVM")


@pytest.mark.parametrize("name", READERS)
def test_any_file_is_read_or_one_clear_sentence(tmp_path, name):
    fuzz(name, tmp_path, files_of(name, FEW))


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_ten_thousand_files_are_read_or_one_clear_sentence_each(tmp_path, name):
    fuzz(name, tmp_path, files_of(name, MANY))


def test_ten_thousand_are_shared_out():
    assert sum(files_of(name, 10_000) for name in READERS) >= 9_990
