"""Data in parts: the parts add to the whole, however they are cut, ordered, read, or damaged.

Files: data/digest.py, data/source.py.
"""

import json
import os

import numpy as np
import pandas as pd
import pytest
from tests.data.examples import arff, coco, masks, voc, yolo

from steelyard import Counts, count
from steelyard.data import columns, count_path, parquet
from steelyard.data.dispatch import source_of
from steelyard.data.source import Tally
from steelyard.data.workers import finish, in_batches

SOURCES = {
    "masks": lambda folder: (masks(folder / "m"), {"ignore": 255}),
    "coco": lambda folder: (coco(folder / "c.json"), {}),
    "voc": lambda folder: (voc(folder / "v") / "Annotations", {}),
    "yolo": lambda folder: (yolo(folder / "y") / "data.yaml", {}),
    "arff": lambda folder: (arff(folder / "t.arff"), {}),
    "csv": lambda folder: (tables(folder, "csv"), {"label": "y"}),
    "parquet": lambda folder: (tables(folder, "parquet"), {"label": "y"}),
    "tokens": lambda folder: (tables(folder, "parquet"), {"label": "tags", "kind": "exclusive"}),
    "split tokens": lambda folder: (tables(folder, "csv"), {"label": "text", "kind": "exclusive", "separator": " "}),
    "indicators": lambda folder: (tables(folder, "parquet"), {"label": ["p", "q"]}),
}


def tables(folder, kind):
    rng = np.random.default_rng(0)
    (folder / "t").mkdir(exist_ok=True)
    for i in range(4):
        y = rng.choice(["a", "b", "c"], 50, p=[0.8, 0.15, 0.05])
        frame = pd.DataFrame({"y": y, "p": rng.integers(0, 2, 50), "q": rng.integers(0, 2, 50)})
        frame["text"] = [" ".join(y[: 1 + n % 5]) for n in range(50)]
        if kind == "parquet":
            frame["tags"] = frame["text"].str.split()
        frame.to_csv(folder / "t" / f"{i}.csv", index=False) if kind == "csv" else frame.to_parquet(
            folder / "t" / f"{i}.parquet", row_group_size=20
        )
    return folder / "t"


@pytest.fixture(params=SOURCES)
def where(request, tmp_path):
    return SOURCES[request.param](tmp_path)


def test_the_order_of_the_parts_does_not_matter(where):
    path, options = where
    source = source_of(path, **options)
    parts = [source.read(shard, lambda size: None) for shard in source.shards()]
    forward, backward = (finish(source, some)[0] for some in (parts, parts[::-1]))
    assert forward == backward
    assert forward.digest == backward.digest


def test_threads_do_not_change_the_answer(where):
    path, options = where
    one, many = (count_path(path, **options, workers=n) for n in (1, 7))
    assert one == many
    assert one[0].digest == many[0].digest is not None


def test_counts_that_were_saved_come_back_with_their_provenance(where, tmp_path):
    path, options = where
    counts = count(path, **options)
    counts.save(tmp_path / "counts.json")
    again = count(tmp_path / "counts.json")
    assert again == counts
    assert (again.digest, again.source, again.items) == (counts.digest, counts.source, counts.items)
    assert {k: v.tolist() for k, v in again.also.items()} == {k: v.tolist() for k, v in counts.also.items()}


def test_the_digest_tells_one_changed_byte(where):
    path, options = where
    before = count(path, **options)
    file = source_of(path, **options).shards()[0].path
    raw = file.read_bytes()
    if file.suffix in (".csv", ".json", ".xml", ".txt", ".arff"):
        file.write_bytes(raw + b"\n")  # says the same
        after = count(path, **options)
        assert after == before
        assert after.digest != before.digest
    file.write_bytes(raw)
    assert count(path, **options).digest == before.digest


def test_parquet_digests_look_at_the_label_column_alone(tmp_path):
    frame = pd.DataFrame({"y": [0, 1, 1] * 50, "x": np.arange(150.0)})
    frame.to_parquet(tmp_path / "a.parquet")
    frame.assign(x=-frame.x).to_parquet(tmp_path / "b.parquet")
    frame.assign(y=1 - frame.y).to_parquet(tmp_path / "c.parquet")
    a, b, c = (count(tmp_path / f"{name}.parquet", label="y").digest for name in "abc")
    assert a == b != c


def test_shards_of_a_folder_add_to_the_folder(tmp_path):
    folder = masks(tmp_path / "m")
    whole = count(folder, ignore=255)
    parts = [count(folder / f"{name}.png", ignore=255) for name in "abc"]
    total = parts[0] + parts[1] + parts[2]
    assert total.per_class.tolist() == whole.per_class.tolist()
    assert total.containing.tolist() == whole.containing.tolist()
    assert total.also["images"].tolist() == whole.also["images"].tolist()
    assert (total.items, total.digest) == (whole.items, whole.digest)


def test_large_parquet_files_are_cut_by_row_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(columns, "GROUPS", 45)
    pd.DataFrame({"y": np.arange(200) % 7}).to_parquet(tmp_path / "t.parquet", row_group_size=20)
    shards = source_of(tmp_path / "t.parquet", label="y").shards()
    assert [(s.start, s.stop) for s in shards] == [(0, 3), (3, 6), (6, 9), (9, 10)]
    assert count(tmp_path / "t.parquet", label="y").per_class.tolist() == np.bincount(np.arange(200) % 7).tolist()
    assert parquet.shards(tmp_path / "t.parquet", 10**9)[0].stop == 10


def test_a_file_that_cannot_be_read_stops_the_count_or_is_named(tmp_path):
    folder = masks(tmp_path / "m")
    (folder / "b.png").write_bytes(b"\x89PNG no")
    (folder / "d.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"b\.png: "):
        count(folder)
    for workers in (1, 4):
        counts, notes = count_path(folder, ignore=255, on_error="report", workers=workers)
        assert counts.items == 2
        assert notes[-1].startswith(f"2 files could not be read: {folder}/b.png (this is no image")
        assert "d.png" in notes[-1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path):
    folder = masks(tmp_path / "m")
    (folder / "b.png").chmod(0)
    assert "Permission denied" in count_path(folder, ignore=255, on_error="report")[1][-1]


def test_nothing_readable_is_an_error_even_when_reported(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"no file could be read; .*a\.png"):
        count(tmp_path, on_error="report")


def test_whatever_a_reader_raises_names_the_file_and_keeps_its_cause(tmp_path, monkeypatch):
    monkeypatch.setattr("steelyard.data.masks.pieces", lambda *_: 1 / 0)
    with pytest.raises(
        ValueError, match=r"a\.png: it cannot be read \(ZeroDivisionError: division by zero\)"
    ) as caught:
        count(masks(tmp_path / "m"), workers=1)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(ValueError, match=r"no file could be read; .*ZeroDivisionError"):
        count(tmp_path / "m", on_error="report")


def test_batches_hold_every_shard_once(where):
    path, options = where
    shards = source_of(path, **options).shards()
    assert [s for batch in in_batches(list(shards) * 50) for s in batch] == list(shards) * 50


def test_tallies_add_whatever_they_hold():
    a, b = Tally(items=1, digest=2**128 - 1, notes=["x"]), Tally(items=2, digest=2, notes=["x", "y"])
    a.add(b)
    assert (a.items, a.digest, a.notes) == (3, 1, ["x", "y"])


def test_old_counts_without_provenance_still_load(tmp_path):
    old = {k: v for k, v in json.loads(Counts.of(3, 1).to_json()).items() if k not in ("also", "digest")}
    (tmp_path / "old.json").write_text(json.dumps(old))
    assert Counts.load(tmp_path / "old.json") == Counts.of(3, 1)
