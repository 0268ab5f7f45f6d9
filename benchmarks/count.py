"""Counting labels: in memory, in a Parquet file, in masks; against what people use for it.

CPU time on one core, so that cores compare; the Parquet file is read by all cores too, as wall time with the memory it needs.
Every answer is compared with the first variant's. Others are run where they are installed: pandas, polars, duckdb, OpenCV.
"""

import argparse
import functools
import importlib.util
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.utils.class_weight import compute_class_weight

import steelyard as sy
from steelyard.cluster import cores

from .measure import in_turn, peak, together, write

LABELS = 10_000_000
ROWS = 100_000_000
MASKS, SIZE, CLASSES = 1_000, 512, 19
PRIOR = np.array([0.9, 0.06, 0.03, 0.007, 0.002, 0.0005, 0.0003, 0.0001, 0.00006, 0.00004])
READING = "reading alone: numpy's sum of the same bytes"
Variants = dict[str, Callable[[], Any]]


def count(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks count", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=ROWS, help="of the Parquet file")
    parser.add_argument("--only", choices=("memory", "masks", "parquet"), help="the rest of the results stays as it is")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    everything = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everything)})
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        if options.only in (None, "memory"):
            for kind in ("int64", "uint8", "text", "text, an object each"):
                rows += in_memory(kind, options.rounds)
        if options.only in (None, "masks"):
            rows += of_masks(Path(folder), options.rounds)
        os.sched_setaffinity(0, everything)
        if options.only in (None, "parquet"):
            for kind in ("text", "int64"):
                rows += of_parquet(Path(folder) / f"{kind}.parquet", kind, options.rows, options.rounds)
    rows = together("count", rows, "case")
    print(write("count", rows, packages=_versions(), cores=cores()))
    for row in rows:
        memory = f"{row['peak_mib']:7.0f} MiB" if row.get("peak_mib") is not None else ""
        print(f"{row['case']:34} {row['variant']:34} {row['median_ms']:10.1f} ms  x{row['ratio']:<7.3g}{memory}")


def in_memory(dtype: str, rounds: int) -> list[dict[str, Any]]:
    """10^7 labels of ten classes, the rarest 4 in 100,000; as text 10^6, in a list of ten objects or of as many as labels."""
    rng = np.random.default_rng(0)
    y = rng.choice(len(PRIOR), LABELS, p=PRIOR)
    if dtype.startswith("text"):
        names = np.array([f"class {i}" for i in range(len(PRIOR))], dtype=object)[y[: LABELS // 10]]
        if dtype != "text":
            names = np.array(["".join(list(name)) for name in names], dtype=object)
        listed = names.tolist()
        variants: Variants = {
            "scikit-learn compute_class_weight": lambda: sklearn_counts(names),
            "Counter": lambda: _sorted(Counter(listed)),
        }
        if _there("pandas"):
            variants["pandas value_counts"] = lambda: _pandas(names)
        return compare(f"10^6 labels in memory, {dtype}", variants | {"steelyard": lambda: ours(listed)}, rounds)
    x = y.astype(dtype)
    variants = {
        "scikit-learn compute_class_weight": lambda: sklearn_counts(x),
        "numpy unique": lambda: np.unique(x, return_counts=True)[1].tolist(),
        "numpy bincount": lambda: np.bincount(x).tolist(),
    }
    if _there("pandas"):
        variants["pandas value_counts"] = lambda: _pandas(x)
    if _there("polars"):
        import polars

        variants["polars value_counts"] = lambda: _polars(polars.Series("y", x).value_counts())
    variants["steelyard"] = lambda: ours(x)
    variants[READING] = lambda: x.view(np.int64).sum()
    return compare(f"10^7 labels in memory, {dtype}", variants, rounds, unlike=(READING,))


def of_parquet(file: Path, kind: str, rows: int, rounds: int) -> list[dict[str, Any]]:
    """One column of ten classes, in row groups of 2^20. Memory is that of a process that does nothing else."""
    _write_parquet(file, kind, rows)
    wanted = [
        ("duckdb", "duckdb"),
        ("polars", "polars, streaming"),
        ("pandas", "pandas value_counts"),
        ("", "steelyard"),
    ]
    names = [name for module, name in wanted if (not module or _there(module)) and (module, kind) != ("pandas", "text")]
    variants: Variants = {name: functools.partial(by_parquet, name, file) for name in names}
    found = compare(
        f"{rows:.0e} labels of Parquet, {kind}".replace("e+0", "e"), variants, rounds, clock=time.perf_counter
    )
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as fresh:
        for row in found:
            row["peak_mib"] = fresh.submit(needed, row["variant"], file).result()
    return found


def by_parquet(name: str, file: Path) -> list[int]:
    if name == "duckdb":
        import duckdb

        query = f"select y, count(*) from read_parquet('{file}') group by y order by y"
        return [n for _, n in duckdb.connect().execute(query).fetchall()]
    if name == "polars, streaming":
        import polars

        lazy = polars.scan_parquet(file).group_by("y").agg(polars.len().alias("count"))
        return _polars(lazy.collect(engine="streaming"))
    if name == "pandas value_counts":
        import pandas

        return pandas.read_parquet(file)["y"].value_counts().sort_index().tolist()
    return sy.count(file, label="y").per_class.tolist()


def needed(name: str, file: Path) -> float | None:
    """MiB at the peak of one call, beyond a process that has imported everything and counted a short file."""
    short = file.with_name("short.parquet")
    _write_parquet(short, "int64", 1000)
    by_parquet(name, short)
    return peak(lambda: by_parquet(name, file), lambda: None, warm=False)


def of_masks(folder: Path, rounds: int) -> list[dict[str, Any]]:
    """PNG masks of a street scene's size of file: smooth regions of 19 classes."""
    from PIL import Image

    (folder / "masks").mkdir()
    for i in range(MASKS):
        Image.fromarray(_scene(i)).save(folder / "masks" / f"{i:04}.png")
    files = sorted((folder / "masks").iterdir())

    def by(read: Callable[[Path], np.ndarray], tally: Callable[[np.ndarray], np.ndarray]) -> Callable[[], Any]:
        def run() -> list[int]:
            total = np.zeros(256, dtype=np.int64)
            for file in files:
                total += tally(read(file))
            return total[total > 0].tolist()

        return run

    def unique(mask: np.ndarray) -> np.ndarray:
        values, times = np.unique(mask, return_counts=True)
        total = np.zeros(256, dtype=np.int64)
        total[values] = times
        return total

    def bincount(mask: np.ndarray) -> np.ndarray:
        return np.bincount(mask.ravel(), minlength=256)

    def pil(file: Path) -> np.ndarray:
        with Image.open(file) as image:
            return np.asarray(image)

    variants = {"Pillow + numpy unique": by(pil, unique), "Pillow + numpy bincount": by(pil, bincount)}
    if _there("cv2"):
        import cv2

        cv2.setNumThreads(1)
        variants["OpenCV + numpy bincount"] = by(lambda f: cv2.imread(str(f), cv2.IMREAD_UNCHANGED), bincount)
    variants["Pillow, decoding alone"] = by(pil, lambda mask: np.zeros(256, dtype=np.int64))
    variants["steelyard"] = lambda: sy.count(folder / "masks").per_class.tolist()
    return compare(f"{MASKS} masks of {SIZE}^2", variants, rounds, unlike=("Pillow, decoding alone",))


def compare(
    case: str,
    variants: Variants,
    rounds: int,
    *,
    clock: Callable[[], float] = time.process_time,
    unlike: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Times in turn. ValueError where a variant counts otherwise than the first."""
    expected = next(iter(variants.values()))()
    for name, variant in variants.items():
        if name not in unlike and variant() != expected:
            raise ValueError(f"{case}: {name} counts otherwise.")
    times = in_turn(variants, rounds, clock=clock)
    return [{"case": case, "variant": name} | times[name] for name in variants]


def ours(x: Any) -> list[int]:
    return sy.count(x).per_class.tolist()


def sklearn_counts(x: np.ndarray) -> list[int]:
    """compute_class_weight wants the classes; most programs take them from numpy unique, which is left out here."""
    classes = (
        np.array(sorted({str(v) for v in x[:1000]} | {f"class {i}" for i in range(10)}))
        if x.dtype == object
        else np.arange(10)
    )
    weights = compute_class_weight("balanced", classes=classes, y=x)
    return np.rint(len(x) / (len(weights) * weights)).astype(int).tolist()


def _pandas(x: np.ndarray) -> list[int]:
    import pandas

    return pandas.Series(x).value_counts().sort_index().tolist()


def _polars(table: Any) -> list[int]:
    return table.sort("y")["count"].to_list()


def _sorted(found: Counter[Any]) -> list[int]:
    return [found[name] for name in sorted(found)]


def _write_parquet(file: Path, kind: str, rows: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(1)
    schema = pa.schema([("y", pa.string() if kind == "text" else pa.int64())])
    with pq.ParquetWriter(file, schema) as writer:
        for start in range(0, rows, 1 << 20):
            codes = rng.choice(len(PRIOR), min(1 << 20, rows - start), p=PRIOR)
            if kind == "text":
                names = pa.array([f"class {i}" for i in range(len(PRIOR))])
                column = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), names).cast(pa.string())
            else:
                column = pa.array(codes)
            writer.write_table(pa.table([column], schema=schema))


def _scene(seed: int) -> np.ndarray:
    """Which of 60 points is nearest, each of one of 19 classes, all of them there."""
    rng = np.random.default_rng(seed)
    points, classes = rng.uniform(0, SIZE, (60, 2)), np.r_[np.arange(CLASSES), rng.integers(0, CLASSES, 60 - CLASSES)]
    grid = np.arange(0, SIZE, 4)
    away = (grid[:, None, None] - points[:, 0]) ** 2 + (grid[None, :, None] - points[:, 1]) ** 2
    small = classes[away.argmin(axis=2)].astype(np.uint8)
    mask = small.repeat(4, axis=0).repeat(4, axis=1)
    return np.where(rng.random(mask.shape) < 0.002, 0, mask).astype(np.uint8)  # a few specks, as hand-drawn edges have


def _there(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _versions() -> dict[str, str]:
    found = {}
    for name in ("numpy", "scikit-learn", "pandas", "polars", "duckdb", "pyarrow", "pillow", "opencv-python-headless"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
