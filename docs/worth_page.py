"""docs/evidence/rules.md: what rules were worth, read off benchmarks/results. Loaded by build_tables.py."""

import json
from typing import Any

from speed_page import RESULTS, folded

Row = dict[str, Any]

HEAD = """
# What rules are worth

[Rules](../reference/rules.md) change the weights while training goes on. On one small problem no rule beats a fixed `logit_adjustment`, which
costs nothing but the counts, and moving the threshold of the plain net gains about as much ([choosing](../choosing.md)). They earn
their place where counts are not known, drift, or do not say what matters.

## Long-tailed digits

`python3 run.py bench rules`, [results](../../benchmarks/results/rules.json): ten classes, 100 images down to 2, [the
data](../../examples/digits_long_tail.py), 400 steps. *Gain* is in balanced accuracy over plain training, 25 seeds, paired, ± standard error.
Plain has {softmax} with a softmax and {sigmoid} with ten yes-or-no outputs. Nothing was tuned; where several settings of a rule stand
here, the best of them is the best of several.

"""
LIMITS = """
The nets of all seeds are trained at once, so rules with statistics (BatchStatistics, Seesaw, Equalized, Harmonized, hardest) share them
between seeds, and their errors are somewhat small. A net that fits its training data, as here, has little use for weights of any kind; an
offset does more.
"""
KNEE = """
## The F-beta knee

Logistic regression (150 full-batch steps of Adam), 8 splits, decision at 0.5 unless said. Plain has the score, the others the difference
from it (paired, ± standard error).

"""
KNEE_SAYS = """
The knee does not know which beta you want: for F1 and F2 it trains the same net. For F1 it is as good as the moved threshold,
within the error; for F2 only the settings that weigh most are. We would move the threshold.
"""
COST = """
## What a step costs

`python3 run.py bench rules --cost`, 100 classes, one thread: loss, gradient and all that the rule does in a training step, over a loss without a
rule (CPU time, in turn, on a machine that others load, so that a ratio of small batches moves by a fifth from run to run). What a rule looks at,
weighs or moves is done in the pass of the loss, and learned tables get their gradients from it.

"""
COST_SAYS = """
We want 1.5 for rules that look at logits and 2 for learned tables. With a softmax the large batch has both, but for Seesaw: its
compensation is a softmax before the softmax, and half of a pass. At 4096 items the pass itself grows by 2 to 5 % (Seesaw: half), and the
rest is Python: new numbers, their tables laid out for the kernel, the history, some 0.2 to 0.7 ms of every step whatever its
size, as what the pass leaves of the caches makes all of it slow. The lines of yes-or-no outputs are of a later and busier hour, after their pass
began to look at the outcome that is there alone, as it does without a rule, and their sums to stay in registers; the large batch took 3.1 to 3.7
times before. With them no rule has 1.5: in the caches the pass grows by a quarter and adding up by class takes another quarter, but a number
is told of every logit and read again, which is as much memory as the pass itself.
hardest sorts every loss, and is asked by its methods in passes of its own, as is every rule inside `Mixed`, on a GPU, under
`torch.compile` and with targets that are probabilities of exclusive classes.
"""
FAMILY = """
## One net for every weighting

`python3 run.py bench family`, [results](../../benchmarks/results/family.json): {seeds} seeds, the same net and {steps} steps for all, tau =
{taus}. *Spread* is the standard deviation over tau within a seed, AUC that of each class against the rest.

"""
FAMILY_SAYS = """
So one run gives what five give, in a quarter to a bit more than a third of their time even for this small net, where FiLM and
drawing cost two to three times a step of the plain one; and its ranking depends far less on tau. With three rare items to learn
from it is much better than a net each, probably because the other values of tau teach it too. At the best tau alone a net of its own is
as good or a little better. On "8 or not" the plain net ranks best of all, and moving its logits by tau log pi costs nothing and keeps that.
And balanced accuracy spreads less partly because the one net follows tau less than it was told. Two of three cases are small, and nothing
was tuned.
"""
DIGITS, CANCER = "digits (8 or not, 4×4 pixels)", "breast cancer (60 of 417 ill, 5 columns)"


def page(note: str) -> str:
    rows = json.loads((RESULTS / "rules.json").read_text("utf-8"))["rows"]
    tail = [r for r in rows if r["data"] == "long tail"]
    plain = {link: number(next(r["plain"] for r in tail if r["link"] == link)) for link in ("softmax", "sigmoid")}
    text = note + "\n" + HEAD.format(**plain) + _tail(tail) + LIMITS
    text += KNEE + _knee([r for r in rows if r.get("beta")]) + KNEE_SAYS
    text += COST + _cost([r for r in rows if r["data"] == "cost"]) + COST_SAYS
    return text + _family(json.loads((RESULTS / "family.json").read_text("utf-8"))) + FAMILY_SAYS


def number(value: float, *, signed: bool = False, digits: int = 3) -> str:
    """.833; signed: +.029, with a minus of its own."""
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    return text.replace("-", "−").replace("0.", ".", 1) if abs(value) < 1 else text.replace("-", "−")


def gain(row: Row) -> str:
    return f"{number(row['gain'], signed=True)}\u00a0±\u00a0{number(row['error'])}"


def _tail(rows: list[Row]) -> str:
    text = "| rule | link | gain |\n|---|---|---|\n"
    return text + "".join(f"| {r['rule']} | {r['link']} | {gain(r)} |\n" for r in rows)


def _knee(rows: list[Row]) -> str:
    columns = [(data, beta) for data in ("digits", "cancer") for beta in (1, 2)]
    text = f"| | {DIGITS}: F1 | F2 | {CANCER}: F1 | F2 |\n|---|---|---|---|---|\n"
    for rule in dict.fromkeys(r["rule"] for r in rows):
        found = {(r["data"], r["beta"]): r for r in rows if r["rule"] == rule}
        cells = [number(found[c]["score"]) if rule == "plain" else gain(found[c]) for c in columns]
        text += f"| {rule.replace('*', chr(92) + '*').replace('beta^2', 'β²')} | {' | '.join(cells)} |\n"
    return text


def _cost(rows: list[Row]) -> str:
    sizes = list(dict.fromkeys(r["items"] for r in rows))
    text = f"| rule | link | {' | '.join(f'{items} items' for items in sizes)} |\n|---|---|{'---|' * len(sizes)}\n"
    for link, rule in dict.fromkeys((r["link"], r["rule"]) for r in rows):
        found = {r["items"]: r for r in rows if (r["link"], r["rule"]) == (link, rule)}
        cells = [
            f"{r['median_ms']:.2f} ms" if rule == "plain" else f"{r['over_plain']:.2f}"
            for r in map(found.get, sizes)
            if r
        ]
        text += f"| {rule} | {link} | {' | '.join(cells)} |\n"
    return text


def _family(record: Row) -> str:
    text = FAMILY.format(seeds=record["seeds"], steps=record["steps"], taus=", ".join(f"{t:g}" for t in record["taus"]))
    table = "| data | way | training, CPU s | balanced accuracy: mean, spread | AUC: mean, spread, worst tau |\n|---|---|---|---|---|\n"
    for r in record["rows"]:
        accuracy, auc = r["balanced_accuracy"], r["auc"]
        table += f"| {r['case']} | {r['variant']} | {r['train_seconds']:.1f} | {number(accuracy['mean'][0])}, {number(accuracy['spread'][0])} |"
        table += f" {number(auc['mean'][0])}, {number(auc['spread'][0], digits=4)}, {number(auc['worst'][0])} |\n"
    return text + folded(f"{len(record['rows'])} rows", table).rstrip() + "\n"
