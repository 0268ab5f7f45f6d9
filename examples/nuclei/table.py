"""The results in words: the part of README.md between the two marks, written from results.json and nothing else."""

from collections.abc import Mapping
from pathlib import Path
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
TOLD = {
    "recall 0.5": "Nuclei found",
    "touching": "Touching nuclei found",
}  # in words; the first is the one that decides


def section(results: Mapping[str, Any]) -> str:
    run, facts = results["run"], results["data"]
    lines = [
        f"{facts['images']} images, {facts['nuclei']} nuclei of which {facts['touching']} touch another; {run['seeds']} seeds, each with a "
        f"test set of its own ({facts['tested']} images tested in all); {run['settings']['steps']} steps; "
        f"{run['cpu minutes']:.0f} CPU minutes on {run['machine']}, {run['wall minutes']:.0f} minutes by the clock.",
        "",
        *means(results),
        "",
        *sentences(results),
        "",
        *differences(results),
        "",
        "What the arms weigh, from the training images of the first seed:",
        "",
        *weights(results),
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


def differences(results: Mapping[str, Any]) -> list[str]:
    lines = [
        "| difference | | | 95 % over seeds | 95 % over images |",
        "|---|---|---:|---|---|",
    ]
    for comparison, arms in results["comparison"]["differences"].items():
        for arm, found in arms.items():
            for measure in READ:
                each = found[measure]
                ends = f"{_interval(each['over seeds'])} | {_interval(each['over images'])}"
                lines.append(f"| {arm}, {comparison} | {measure} | {each['mean']:+.3f} | {ends} |")
    return lines


def sentences(results: Mapping[str, Any]) -> list[str]:
    """On the comparison that was fixed beforehand, every arm with its own threshold, and on what moving the threshold does by itself."""
    all_arms = results["comparison"]["differences"]
    lines = []
    for measure, words in TOLD.items():
        parts = [_said(arm, found, measure) for arm, found in all_arms[OWN].items()]
        lines.append(f"* {words}, every arm with its own threshold, against plain with its own: {'; '.join(parts)}.")
    moved = "; ".join(_said(words.lower(), all_arms[MOVED][PLAIN], measure) for measure, words in TOLD.items())
    return [*lines, f"* Plain, its own threshold against 0.5: {moved}."]


def _said(subject: str, found: Mapping[str, Any], measure: str) -> str:
    return f"{subject} {found[measure]['mean']:+.3f}, {verdict(found[measure])}"


def write(folder: Path, results: Mapping[str, Any]) -> None:
    path = folder / "README.md"
    text = path.read_text(encoding="utf-8") if path.exists() else f"{BEGIN}\n{END}\n"
    before, rest = text.split(BEGIN)
    path.write_text(f"{before}{BEGIN}\n{section(results)}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def _interval(ends: list[float] | None) -> str:
    return "one seed" if ends is None else f"{ends[0]:+.3f} to {ends[1]:+.3f}"


def _numbers(value: float | list[float]) -> str:
    return " and ".join(f"{v:.3g}" for v in (value if isinstance(value, list) else [value]))
