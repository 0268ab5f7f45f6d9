"""The arms side by side: means over seeds, differences to plain with 95 % intervals, and the table in README.md.

An interval is that of a paired bootstrap over seeds and test images: seeds are drawn with repetition, and for each drawn seed the test images are, the
same for both arms. With three seeds it is coarse: what another training would give is in it as far as three trainings show it.

python -m examples.detection.table writes the table of results.json into README.md
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from .arms import PLAIN
from .cells import NAMES
from .measure import Matched, measures

DRAWS = 400
UNSEEN = 0.01  # average precision, below which a class was not learned
HERE = Path(__file__).parent
BEGIN, END = "<!-- written by the program: begin -->", "<!-- written by the program: end -->"
SHOWN = [*(f"AP {n}" for n in NAMES), "AP mean", *(f"recall {n}" for n in NAMES)]


def compare(matched: dict[tuple[str, str, int], Matched]) -> dict[str, Any]:
    """{net: {"seeds": number, "means": {arm: {measure: number}}, "minus plain": {arm: {measure: [difference, low, high]}}, "says nothing of": [...]}} of the
    seeds for which every arm of that net is there."""
    out: dict[str, Any] = {}
    for net in dict.fromkeys(key[0] for key in matched):
        names = list(dict.fromkeys(arm for n, arm, _ in matched if n == net))
        seeds = [
            s for s in sorted({s for n, _, s in matched if n == net}) if all((net, a, s) in matched for a in names)
        ]
        by_arm = {arm: [measures(matched[net, arm, s]) for s in seeds] for arm in names}
        means = {arm: {k: float(np.mean([m[k] for m in each])) for k in SHOWN} for arm, each in by_arm.items() if each}
        found: dict[str, Any] = {"seeds": len(seeds), "means": means, "minus plain": {}}
        if len(seeds) > 1 and PLAIN in names:
            drawn = draws({arm: [matched[net, arm, s] for s in seeds] for arm in names})
            for arm in names:
                if arm != PLAIN:
                    apart = {k: np.array([d[arm][k] - d[PLAIN][k] for d in drawn]) for k in SHOWN}
                    found["minus plain"][arm] = {
                        k: [means[arm][k] - means[PLAIN][k], *map(float, np.percentile(apart[k], [2.5, 97.5]))]
                        for k in SHOWN
                    }
        found["says nothing of"] = silent(found)
        out[net] = found
    return out


def silent(found: dict[str, Any]) -> list[str]:
    """Why arms of a net cannot be compared on what it learned: one seed, and classes that no arm finds."""
    why = [] if found["seeds"] > 1 else ["any difference: one seed has no interval"]
    unseen = [n for n in NAMES if all(means[f"AP {n}"] < UNSEEN for means in found["means"].values())]
    return why + [f"{n}: no arm finds any, so the training was too short for that class" for n in unseen]


def draws(by_arm: dict[str, list[Matched]]) -> list[dict[str, dict[str, float]]]:
    random = np.random.default_rng(0)
    seeds = len(next(iter(by_arm.values())))
    images = len(next(iter(by_arm.values()))[0].true)
    out = []
    for _ in range(DRAWS):
        chosen = random.integers(0, seeds, seeds)
        times = [np.bincount(random.integers(0, images, images), minlength=images).astype(float) for _ in chosen]
        each = {arm: [measures(runs[s], t) for s, t in zip(chosen, times, strict=True)] for arm, runs in by_arm.items()}
        out.append({arm: {k: float(np.mean([m[k] for m in ms])) for k in SHOWN} for arm, ms in each.items()})
    return out


def text(results: dict[str, Any]) -> str:
    lines = []
    for net, found in results["compared"].items():
        lines += [
            f"**{net}**, {found['seeds']} seed{'s' * (found['seeds'] > 1)}, {results['about']['steps'][net]} steps of 16 images",
            "",
        ]
        lines += ["| | " + " | ".join(SHOWN) + " |", "|---|" + "---:|" * len(SHOWN)]
        for arm, means in found["means"].items():
            lines.append(f"| {arm} | " + " | ".join(f"{means[k]:.3f}" for k in SHOWN) + " |")
        for arm, apart in found["minus plain"].items():
            cells = [f"{d:+.3f}<br>{low:+.3f} to {high:+.3f}" for d, low, high in (apart[k] for k in SHOWN)]
            lines.append(f"| {arm} minus plain | " + " | ".join(cells) + " |")
        lines += [""]
        lines += (
            [f"Says nothing of {'; nor of '.join(found['says nothing of'])}.", ""] if found["says nothing of"] else []
        )
    return "\n".join(lines)


def main() -> None:
    results, readme = json.loads((HERE / "results.json").read_text("utf-8")), HERE / "README.md"
    before, rest = readme.read_text("utf-8").split(BEGIN)
    readme.write_text(f"{before}{BEGIN}\n{text(results)}{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
