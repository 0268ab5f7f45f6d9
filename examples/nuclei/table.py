"""The results in words: the part of README.md between the two marks, written from results.json and nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .compare import PLAIN, verdict
from .measure import MEASURES
from .train import CHOSEN, EVEN

BEGIN, END = "<!-- written by the program: begin -->", "<!-- written by the program: end -->"
PRIMARY = "recall 0.5"
READ = (
    PRIMARY,
    "recall 0.75",
    "touching",
    "F1 0.5",
)  # the differences in words and with intervals; all are in results.json
LESS_IS_BETTER = {"merged"}


def section(results: Mapping[str, Any]) -> str:
    run, facts = results["run"], results["data"]
    lines = [
        f"{facts['images']} images, {facts['nuclei']} nuclei of which {facts['touching']} touch another; {run['seeds']} seeds, each with a "
        f"test set of its own ({facts['tested']} images tested in all); {run['settings']['steps']} steps; "
        f"{run['cpu minutes']:.0f} CPU minutes on {run['machine']}, {run['wall minutes']:.0f} minutes by the clock.",
        "",
        *means(results),
        "",
        *weights(results),
        "",
        *sentences(results),
    ]
    return "\n".join(lines)


def means(results: Mapping[str, Any]) -> list[str]:
    lines = ["| | " + " | ".join(MEASURES) + " |", "|---|" + "---:|" * len(MEASURES)]
    for mode in (EVEN, CHOSEN):
        for arm, row in results["comparison"]["means"][mode].items():
            lines.append(f"| {arm}, {mode} | " + " | ".join(f"{row[m]:.3f}" for m in MEASURES) + " |")
    return lines


def weights(results: Mapping[str, Any]) -> list[str]:
    """What the arms weigh, from the first seed's training images."""
    lines = []
    for arm, facts in results["weights"].items():
        said = ", ".join(f"{k} {_numbers(v)}" for k, v in facts.items())
        lines.append(f"* {arm}: {said}")
    return lines


def sentences(results: Mapping[str, Any]) -> list[str]:
    lines = []
    for comparison, arms in results["comparison"]["differences"].items():
        lines += [f"**{comparison[0].upper()}{comparison[1:]}**", ""]
        lines += ["| | | difference | 95 % over seeds | 95 % over images | |", "|---|---|---:|---|---|---|"]
        for arm, found in arms.items():
            for measure in READ:
                each = found[measure]
                better = -1 if measure in LESS_IS_BETTER else 1
                lines.append(
                    f"| {arm} | {measure} | {each['mean']:+.3f} | {_interval(each['over seeds'])} | "
                    f"{_interval(each['over images'])} | {verdict(each, better=better)} |"
                )
        lines.append("")
    lines.append(conclusion(results))
    return lines


def conclusion(results: Mapping[str, Any]) -> str:
    """On the measure and the comparison that were fixed beforehand: nuclei found at IoU 0.5, every arm with its own threshold."""
    arms = results["comparison"]["differences"][f"{CHOSEN}, minus {PLAIN}"]
    parts = []
    for arm, found in arms.items():
        each = found[PRIMARY]
        parts.append(f"{arm} {each['mean']:+.3f}, {verdict(each)}")
    return (
        "In short, nuclei found at IoU 0.5, every arm with its own threshold, against plain: " + "; ".join(parts) + "."
    )


def write(folder: Path, results: Mapping[str, Any]) -> None:
    path = folder / "README.md"
    text = path.read_text(encoding="utf-8") if path.exists() else f"{BEGIN}\n{END}\n"
    before, rest = text.split(BEGIN)
    path.write_text(f"{before}{BEGIN}\n{section(results)}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def _interval(ends: list[float] | None) -> str:
    return "one seed" if ends is None else f"{ends[0]:+.3f} to {ends[1]:+.3f}"


def _numbers(value: float | list[float]) -> str:
    return " and ".join(f"{v:.3g}" for v in (value if isinstance(value, list) else [value]))
