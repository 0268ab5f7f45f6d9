"""The results in words: the part of README.md between the two marks, written from results.json and nothing else."""

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from .compare import MOVED, OWN, PLAIN, verdict
from .measure import MEASURES
from .train import CHOSEN, EVEN

BEGIN, END = "<!-- written by the program: begin -->", "<!-- written by the program: end -->"
READ = (
    "recall 0.5",
    "recall 0.75",
    "F1 0.5",
    "touching",
    "merged",
)  # with intervals; those of the others are in results.json
# in words; the first is the one that decides
TOLD = {"recall 0.5": "Nuclei found", "touching": "Touching nuclei found", "F1 0.5": "F1"}


def section(results: Mapping[str, Any]) -> str:
    run, facts = results["run"], results["data"]
    lines = [
        f"{facts['images']} images, {facts['nuclei']} nuclei of which {facts['touching']} touch another. {run['seeds']} seeds, each with "
        f"test images of its own, {facts['tested']} in all; {run['settings']['steps']} steps; "
        f"{run['cpu minutes']:.0f} CPU minutes on {run['machine']}, {run['wall minutes']:.0f} minutes by the clock; "
        f"commit {run['commit']}, `python -m examples.nuclei DATA --seeds {run['seeds']}`.",
        "",
        *means(results),
        "",
        *sentences(results),
        "",
        *differences(results),
        "",
        "What the arms weigh (training images of the first seed):",
        "",
        *weights(results),
        "",
        "What was chosen on the validation images:",
        "",
        *choices(results),
    ]
    return "\n".join(lines)


def means(results: Mapping[str, Any]) -> list[str]:
    lines = ["| | " + " | ".join(MEASURES) + " |", "|---|" + "---:|" * len(MEASURES)]
    for mode in (EVEN, CHOSEN):
        for arm, row in results["comparison"]["means"][mode].items():
            lines.append(f"| {arm}, {mode} | " + " | ".join(f"{row[m]:.3f}" for m in MEASURES) + " |")
    return lines


def weights(results: Mapping[str, Any]) -> list[str]:
    lines = []
    for arm, facts in results["seeds"][0]["weights"].items():
        said = ", ".join(f"{k} {_numbers(v)}" for k, v in facts.items())
        lines.append(f"* {arm}: {said}")
    return lines


def choices(results: Mapping[str, Any]) -> list[str]:
    """Own thresholds, and whether training had come to an end: the best recall at every check, a mean over the seeds."""
    lines = []
    for arm in results["seeds"][0]["choices"]:
        each = [seed["choices"][arm] for seed in results["seeds"]]
        thresholds = ", ".join(f"{e['chosen'][CHOSEN]['threshold']:g}" for e in each)
        checks = zip(*(e["curve"] for e in each), strict=True)
        curve = [(c[0]["step"], fmean(max(one["validation recall"].values()) for one in c)) for c in checks]
        said = ", ".join(f"{recall:.3f} at step {step}" for step, recall in curve)
        lines.append(f"* {arm}: thresholds {thresholds}; recall 0.5 {said}")
    return lines


def differences(results: Mapping[str, Any]) -> list[str]:
    lines = ["| difference | " + " | ".join(READ) + " |", "|---|" + "---|" * len(READ)]
    for comparison, arms in results["comparison"]["differences"].items():
        for arm, found in arms.items():
            lines.append(f"| {arm}, {comparison} | " + " | ".join(_cell(found[measure]) for measure in READ) + " |")
    return lines


def sentences(results: Mapping[str, Any]) -> list[str]:
    """On the comparison that was fixed beforehand, every arm with its own threshold, and on what moving the threshold does by itself."""
    all_arms = results["comparison"]["differences"]
    lines = []
    for measure, words in TOLD.items():
        parts = [_said(arm, found, measure) for arm, found in all_arms[OWN].items()]
        lines.append(f"* {words}, every arm with its own threshold, against plain with its own: {'; '.join(parts)}.")
    moved = "; ".join(_said(words, all_arms[MOVED][PLAIN], measure) for measure, words in TOLD.items())
    return [*lines, f"* Plain, its own threshold against 0.5: {moved}."]


def _said(subject: str, found: Mapping[str, Any], measure: str) -> str:
    return f"{subject} {found[measure]['mean']:+z.3f}, {verdict(found[measure])}"


def write(folder: Path, results: Mapping[str, Any]) -> None:
    path = folder / "README.md"
    text = path.read_text(encoding="utf-8") if path.exists() else f"{BEGIN}\n{END}\n"
    before, rest = text.split(BEGIN)
    path.write_text(f"{before}{BEGIN}\n{section(results)}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def _cell(found: Mapping[str, Any]) -> str:
    lines = [f"**{found['mean']:+z.3f}**"]
    for kind in ("over seeds", "over images"):
        if found[kind] is not None:
            low, high = found[kind]
            lines.append(f"{kind.removeprefix('over ')} {low:+z.3f} to {high:+z.3f}")
    return "<br>".join(lines)


def _numbers(value: float | list[float]) -> str:
    return " and ".join(f"{v:.3g}" for v in (value if isinstance(value, list) else [value]))
