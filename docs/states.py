"""Studies in the seven states that an answer can have, small ones, from tables that are made here: what docs/take_pictures.py looks at."""

import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
QUICK = ("--repeats", "3", "--bootstrap", "200")
TRIES = 8


def make(folder: Path) -> dict[str, Path]:
    """{state: folder of its study}; studies that are there are not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    commands: dict[str, tuple[str, ...]] = {
        "two": (str(ROOT / "examples" / "data" / "mammography_adbench.csv"), "--label", "calcification"),
        "seven": (_table(folder / "seven.csv", *_seven(rng)), "--label", "kind", *QUICK),
        "text": (_table(folder / "text.csv", *_text(rng)), "--label", "kind", *QUICK),
        "groups": (_table(folder / "groups.csv", *_groups(rng)), "--label", "ill", "--group", "patient", *QUICK),
        "time": (_table(folder / "time.csv", *_time(rng)), "--label", "failed", "--time", "hour"),
        "none": (_table(folder / "none.csv", *_numbers(rng, 600, 14)), "--label", "ill", *QUICK),
        "stopped": (_table(folder / "stopped.csv", *_numbers(rng, 30_000, 900)), "--label", "ill", "--budget", "15s"),
    }
    made = {}
    for name, arguments in commands.items():
        out = made[name] = folder / name
        if not (out / "report.html").exists():
            print(f"making {name}", flush=True)
            command = [sys.executable, "-m", "steelyard", "tune", *arguments, "--out", str(out)]
            for _ in range(TRIES):  # a budget that a busy machine could do nothing with: the same command goes on
                if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0:
                    break
            if not (out / "report.html").exists():
                raise SystemExit(f"{name} could not be made: {' '.join(command)}")
    return made


def _table(path: Path, head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    path.write_text("\n".join([",".join(head), *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return str(path)


def _numbers(rng: np.random.Generator, rows: int, positives: int) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    y = (np.arange(rows) < positives).astype(int)
    rng.shuffle(y)
    X = (rng.normal(size=(rows, 4)) + 0.8 * y[:, None]).round(3)
    return ("age", "pressure", "marker", "dose", "ill"), [(*x, label) for x, label in zip(X.tolist(), y, strict=True)]


def _seven(rng: np.random.Generator) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    names = ("BARBUNYA", "BOMBAY", "CALI", "DERMASON", "HOROZ", "SEKER", "SIRA")
    y = rng.choice(7, 1500, p=[0.1, 0.04, 0.12, 0.26, 0.14, 0.15, 0.19])
    X = (rng.normal(size=(1500, 5)) + 1.4 * rng.normal(size=(7, 5))[y]).round(3)
    head = ("area", "length", "width", "roundness", "extent", "kind")
    return head, [(*x, names[label]) for x, label in zip(X.tolist(), y, strict=True)]


def _text(rng: np.random.Generator) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    common = [
        "the",
        "meeting",
        "is",
        "at",
        "noon",
        "please",
        "bring",
        "your",
        "notes",
        "and",
        "call",
        "me",
        "when",
        "you",
        "are",
        "home",
        "today",
    ]
    odd = ["free", "prize", "winner", "claim", "cash", "urgent", "offer"]
    rows: list[tuple[object, ...]] = []
    for _ in range(900):
        spam = rng.random() < 0.12
        words = [str(rng.choice(odd if spam and rng.random() < 0.35 else common)) for _ in range(rng.integers(6, 18))]
        rows.append((" ".join(words), "spam" if spam else "ham"))
    return ("message", "kind"), rows


def _groups(rng: np.random.Generator) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    rows: list[tuple[object, ...]] = []
    for patient in range(400):
        base = rng.normal()
        ill = base + rng.normal(scale=0.7) > 1.6
        for _ in range(rng.integers(1, 6)):
            marker, pressure = base + rng.normal(scale=0.5), 120 + 10 * base + rng.normal(scale=12)
            rows.append((round(marker, 3), round(pressure, 1), f"p{patient:03}", int(ill and rng.random() < 0.8)))
    return ("marker", "pressure", "patient", "ill"), rows


def _time(rng: np.random.Generator) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    rows: list[tuple[object, ...]] = []
    failing = 0
    for hour in range(6000):
        failing = rng.integers(3, 9) if not failing and rng.random() < 0.012 else max(0, failing - 1)
        heat = 60 + 8 * np.sin(hour / 24) + 9 * (failing > 0) + rng.normal(scale=6)
        rows.append((hour, round(float(heat), 2), round(float(rng.normal() + (failing > 0)), 3), int(failing > 0)))
    return ("hour", "heat", "noise", "failed"), rows
