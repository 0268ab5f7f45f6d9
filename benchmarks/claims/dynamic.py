"""Weights that move while training goes on: by uncertainty, from held-out rows, by the F-beta score, and one net for a family of them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from examples.learned_weights import COUNTS, Problem
from torch import nn

import steelyard as sy

from .claim import Claim, Conclusion, Finding, Record, Table, exact, paired

SEEDS = 10
RESULTS = Path(__file__).parents[1] / "results"
ENDS = (2.0, 5.0, 10.0, 50.0, 100.0)
CASES = ("8 or not, 1000 to 10", "breast cancer, 300 to 3")


def units(small: bool) -> list[str]:
    read = [
        f"{name} {hashlib.sha256((RESULTS / f'{name}.json').read_bytes()).hexdigest()[:12]}"
        for name in ("bilevel", "family")
    ]
    return ["knee", *(f"uncertainty {s}" for s in range(2 if small else SEEDS)), *read]


def run(unit: str, small: bool) -> Record:
    kind, _, which = unit.partition(" ")
    if kind == "knee":
        return knee(20_000 if small else 1_000_000)
    return (
        uncertainty(int(which), 100 if small else 800)
        if kind == "uncertainty"
        else {"bilevel": bilevel, "family": family}[kind]()
    )


def knee(draws: int) -> Record:
    """beta at the knee by the end of its grid, precision 0.3 and recall 0.8; and the largest error of the two distributions, against draws."""
    rng = np.random.default_rng(0)
    errors = {"uniform": 0.0, "gaussian": 0.0}
    for z in (0.25, 0.5, 0.75, 1.0):
        x, v = rng.uniform(0.3, 1.1, draws), rng.uniform(0.8, 2.0, draws)
        made = float(sy.adaptive.uniform_ratio(z, x=(0.3, 1.1), v=(0.8, 2.0)))
        errors["uniform"] = max(errors["uniform"], abs(made - float((x / v <= z).mean())))
        x, v = rng.normal(1.0, 0.4, draws), rng.exponential(1 / 0.6, draws)
        made = float(sy.adaptive.normal_exponential_ratio(z, mean=1.0, spread=0.4, rate=0.6))
        errors["gaussian"] = max(errors["gaussian"], abs(made - float((x / v <= z).mean())))
    return {
        "knees": {f"{end:g}": b for end, b in sy.adaptive.knee_sensitivity(0.3, 0.8, ENDS).items()},
        "errors": errors,
    }


def uncertainty(seed: int, steps: int) -> Record:
    """Two clouds in the plane, 900 and 100, a linear classifier: weights w and mean losses L of (no, yes) at the end, balanced accuracy."""
    problem = Problem.of(seed)
    found: Record = {}
    for name in ("plain", "uncertainty", "inverse_frequency"):
        rule = {
            "plain": sy.Recipe(),
            "uncertainty": sy.adaptive.Uncertainty(2),
            "inverse_frequency": sy.inverse_frequency(COUNTS),
        }[name]
        loss = sy.BinaryCrossEntropy(rule)
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
        optimizer = torch.optim.SGD([*model.parameters(), *loss.parameters()], lr=0.5)
        for _ in range(steps):
            optimizer.zero_grad()
            loss(model(problem.x), problem.y).backward()
            optimizer.step()
        with torch.no_grad():
            each = nn.functional.binary_cross_entropy_with_logits(model(problem.x), problem.y.float(), reduction="none")
            right = (model(problem.x_test) > 0) == (problem.y_test == 1)
        found[name] = {
            "losses": [float(each[problem.y == c].mean()) for c in (0, 1)],
            "weights": [1.0, 1.0] if name == "plain" else loss.recipe.class_weight.tolist(),
            "balanced accuracy": float(np.mean([float(right[problem.y_test == c].double().mean()) for c in (0, 1)])),
        }
    return found


def bilevel() -> Record:
    rows = {r["name"]: r for r in json.loads((RESULTS / "bilevel.json").read_text("utf-8"))["rows"]}
    return {name: {k: r[k] for k in ("each", "gradients", "balanced_accuracy")} for name, r in rows.items()}


def family() -> Record:
    found = json.loads((RESULTS / "family.json").read_text("utf-8"))
    rows = [{"case": r["case"], "variant": r["variant"], **r["auc"]} for r in found["rows"]]
    return {"seeds": found["seeds"], "rows": rows}


def conclude(records: Mapping[str, Record]) -> Conclusion:
    by = {unit.partition(" ")[0]: found for unit, found in records.items()}
    runs = [found for unit, found in records.items() if unit.startswith("uncertainty")]
    of = f"{len(runs)} seeds"
    knees, errors = by["knee"]["knees"], by["knee"]["errors"]
    outer, grid = by["bilevel"]["bilevel from logit adjustment"], by["bilevel"]["grid"]
    share = [weighted_part(r["uncertainty"]) for r in runs]
    ratio = [r["uncertainty"]["weights"][1] / r["uncertainty"]["weights"][0] for r in runs]
    findings = [
        paired("learned uncertainty: weighted loss of yes over that of no (1: equalised)", (0.9, 1.1), share, of),
        paired("its weight of yes, 10 % of the rows, over that of no", (None, 1.0), ratio, of),
        paired(
            "balanced accuracy, uncertainty minus inverse_frequency",
            (None, 0.0),
            [r["uncertainty"]["balanced accuracy"] - r["inverse_frequency"]["balanced accuracy"] for r in runs],
            of,
        ),
        paired(
            "balanced accuracy, weights learned on held-out rows minus the best of a grid of 20",
            (-0.01, None),
            (np.array(outer["each"]) - np.array(grid["each"])).tolist(),
            f"{len(grid['each'])} seeds",
        ),
        exact("gradients they need, over the grid's", (None, 0.1), outer["gradients"] / grid["gradients"], "count"),
        exact("beta at the knee of F-beta, grid to 100 over grid to 2", (2.0, None), knees["100"] / knees["2"]),
        exact(
            "largest error of the two distributions of F-beta", (None, 0.003), max(errors.values()), "a million draws"
        ),
    ]
    for case in CASES:
        row = next(r for r in by["family"]["rows"] if (r["case"], r["variant"]) == (case, "one net"))
        findings += [
            of_error(
                f"{case}: spread of ROC AUC over tau, one conditioned net minus a net each",
                (None, 0.0),
                row["gain_in_spread"],
                by["family"]["seeds"],
            ),
            of_error(f"{case}: mean ROC AUC, the same", (-0.005, None), row["gain_in_mean"], by["family"]["seeds"]),
        ]
    rows = [
        [
            name,
            *(f"{np.mean([r[name]['weights'][c] for r in runs]):.2f}" for c in (0, 1)),
            *(f"{np.mean([r[name]['losses'][c] for r in runs]):.3f}" for c in (0, 1)),
            f"{np.mean([r[name]['balanced accuracy'] for r in runs]):.3f}",
        ]
        for name in runs[0]
    ]
    return Conclusion(
        findings,
        [
            Table(
                f"Two clouds, 900 and 100 rows, means over {of}",
                ("weights", "w_no", "w_yes", "loss of no", "loss of yes", "balanced accuracy at 1/2"),
                rows,
            ),
            Table(
                "beta at the knee of F-beta, precision 0.3 and recall 0.8",
                ("end of the grid", "beta"),
                [[e, f"{b:.2f}"] for e, b in knees.items()],
            ),
            Table(
                "Long-tailed digits, weights from held-out images",
                ("way", "balanced accuracy", "gradients"),
                [[n, f"{r['balanced_accuracy']:.3f}", f"{r['gradients']:.0f}"] for n, r in by["bilevel"].items()],
            ),
        ],
    )


def weighted_part(found: Record) -> float:
    """w_yes (L_yes + 1/10) over w_no (L_no + 1/10): the rule's own bound keeps weights below 10."""
    no, yes = (w * (loss + 0.1) for w, loss in zip(found["weights"], found["losses"], strict=True))
    return yes / no


def of_error(what: str, claimed: tuple[float | None, float | None], mean_and_error: list[float], seeds: int) -> Finding:
    from scipy.stats import t

    mean, error = mean_and_error
    reach = float(t.ppf(0.975, seeds - 1)) * error
    return Finding(what, claimed, mean, (mean - reach, mean + reach), f"{seeds} seeds")


CLAIM = Claim(
    name="dynamic",
    title="Weights that move do what they say, which is not always what is wanted",
    says="Weights by learned uncertainty equalise the losses of the classes, and so may give a rare class less; weights learned on held-out rows reach a "
    "grid search for a tenth of its gradients; the knee of F-beta is mostly the end of its grid; one conditioned net depends less on the strength "
    "of an adjustment than a net for each, and is as good.",
    source="Kendall et al. 2018, arXiv:1705.07115; Li et al. 2021, arXiv:2201.01212 (AutoBalance); after Ramdhani 2022, arXiv:2210.16458; Lieberman et al. 2024, "
    "arXiv:2402.05400. A widely copied article names all kinds as “dynamic weight adjustment”.",
    done="*Uncertainty*: a linear classifier of two clouds in the plane ([examples/learned_weights.py](../../examples/learned_weights.py)); weighted losses count "
    "with the rule's bound, w (L + 1/10). *Held-out rows* and *conditioned nets*: read from [bilevel.json](../../benchmarks/results/bilevel.json) and "
    "[family.json](../../benchmarks/results/family.json), whose programs are `bench bilevel` and `bench family`. *Knee*: `sy.adaptive.knee_sensitivity`, and the "
    "distributions behind it against draws.",
    seeds=f"{SEEDS} clouds; 15 and 10 seeds in the files that are read",
    units=units,
    run=run,
    conclude=conclude,
)
