"""docs/evidence/claims.md, read off benchmarks/results/claims: build_tables.py writes it. Every outcome follows from the numbers by the rule of
benchmarks/claims/claim.py; none is written here."""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))
from benchmarks.claims import CLAIMS, claim  # noqa: E402
from benchmarks.claims.claim import AS_CLAIMED, OTHERWISE, Finding, overall  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "claims"

HEAD = """
# Ten claims, and what came of them

{many} claims about loss weights, each with a program that can come out either way: `python3 run.py bench claims` runs them all, `bench claims 3`
one. The numbers below are those of [the results files](../../benchmarks/results/claims), and this page is made from them.

**The rule.** What is claimed of a number is a range, written in the program before it ran. A number that was drawn at random has a 95 % interval,
paired where two ways are compared: over seeds, draws or splits, not over single runs. It came out *as claimed* if the whole interval
lies in the range, *otherwise* if none of it does, and is *undecided* in all other cases, and where one run has no interval. A number that nothing random
made is its own interval. A claim came out as claimed if all of its numbers did, otherwise if one of them did not, and is undecided
in between. Intervals are not corrected for there being many of them: of a hundred, five may miss the truth.

| | claim | outcome | as claimed | otherwise | undecided |
|---|---|---|---|---|---|
"""


def page(note: str, results: Path = RESULTS) -> str:
    found = {name: _read(results / f"{name}.json") for name in CLAIMS}
    text = note + "\n" + HEAD.format(many=_word(len(CLAIMS)))
    for number, (name, made) in enumerate(found.items(), start=1):
        text += summary(number, name, made)
    for number, (name, made) in enumerate(found.items(), start=1):
        text += section(number, name, made)
    return text


def summary(number: int, name: str, made: dict[str, Any] | None) -> str:
    title = claim(name).title
    anchor = "".join(c for c in f"{number} {title}".lower() if c.isalnum() or c in " -").replace(" ", "-")
    if not made or not made["findings"]:
        return f"| {number} | [{title}](#{anchor}) | not run | | | |\n"
    findings = read(made)
    outcomes = [f.outcome for f in findings]
    counted = " | ".join(str(outcomes.count(o)) for o in (AS_CLAIMED, OTHERWISE, "undecided"))
    return f"| {number} | [{title}](#{anchor}) | **{overall(findings)}** | {counted} |\n"


def section(number: int, name: str, made: dict[str, Any] | None) -> str:
    one = claim(name)
    text = f"\n## {number}. {one.title}\n\n**Claim.** {one.says}\n\n**Source.** {one.source}\n\n**What was done.** {one.done}\n\n"
    if not made or not made["findings"]:
        return text + f"Not run yet: `python3 run.py bench claims {number}`.\n"
    findings = read(made)
    text += f"**{verdict(findings)}**\n\n| number | claimed | found | 95 % interval | over | outcome |\n|---|---|---|---|---|---|\n"
    text += "".join(row(f) for f in findings)
    for table in made["tables"]:
        text += f"\n{table['title']}:\n\n| {' | '.join(table['columns'])} |\n|{'---|' * len(table['columns'])}\n"
        text += "".join(f"| {' | '.join(cells)} |\n" for cells in table["rows"])
    about = made["about"]
    versions = ", ".join(f"{k} {v}" for k, v in about["versions"].items())
    text += f"\n{made['seeds'][:1].upper()}{made['seeds'][1:]}. {_seconds(made['seconds'])} on {about['device']}; {versions}; commit {about['commit'][:8]};"
    text += f" [results](../../benchmarks/results/claims/{name}.json), [program](../../benchmarks/claims/{name}.py).\n"
    return text + "".join(f"\nLeft out: {reason}\n" for reason in made["skipped"])


def read(made: dict[str, Any]) -> list[Finding]:
    return [
        Finding(**f | {"claimed": tuple(f["claimed"]), "interval": f["interval"] and tuple(f["interval"])})
        for f in made["findings"]
    ]


def verdict(findings: list[Finding]) -> str:
    """One sentence, made from the outcomes alone."""
    outcome, many = overall(findings), len(findings)
    by = {o: sum(f.outcome == o for f in findings) for o in (AS_CLAIMED, OTHERWISE, "undecided")}
    if outcome == AS_CLAIMED:
        return f"It came out as claimed: {_all(many)} of its numbers."
    if outcome == OTHERWISE:
        rest = f"; {by['undecided']} undecided" if by["undecided"] else ""
        return f"It came out otherwise: {by[OTHERWISE]} of {many} numbers contradict it, {by[AS_CLAIMED]} came out as claimed{rest}."
    return f"It is undecided: {by['undecided']} of {many} numbers could be either, {by[AS_CLAIMED]} came out as claimed, none contradicts it."


def row(f: Finding) -> str:
    apart = f.interval is not None and f.interval[0] != f.interval[1]
    interval = "none" if f.interval is None else f"{number(f.interval[0])} to {number(f.interval[1])}" if apart else ""
    shown = f.outcome if f.outcome == AS_CLAIMED else f"**{f.outcome}**"
    return f"| {f.what} | {span(f.claimed)} | {number(f.estimate)} | {interval} | {f.of} | {shown} |\n"


def span(claimed: tuple[float | None, float | None]) -> str:
    low, high = claimed
    if low == high and low is not None:
        return f"{low:g}"
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def number(x: float) -> str:
    if x == 0 or (x == int(x) and abs(x) < 1e6):
        return f"{x:.0f}"
    return f"{x:.1e}" if abs(x) < 1e-4 else f"{x:.4f}" if abs(x) < 10 else f"{x:.4g}"


def _all(many: int) -> str:
    return "all " + (_word(many).lower() if many <= 10 else str(many))


def _word(n: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    return words[n] if n < len(words) else str(n)


def _seconds(s: float) -> str:
    return f"{s:.0f} CPU seconds" if s < 120 else f"{s / 60:.1f} CPU minutes"


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text("utf-8")) if path.exists() else None
