"""What weights did to the probabilities of a trained model, and how it is undone."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

import steelyard as sy

from .claim import Claim, Conclusion, Record, Table, exact, paired

RATIOS = (0.5, 5.0, 19.0)  # of the weight of "yes" to that of "no"
DRAWS, ROWS = 20, 5000
COUNTS = sy.Counts.of(700, 250, 50)
BALANCED = sy.inverse_frequency(COUNTS)
RECIPES = {
    "inverse_frequency": BALANCED,
    "effective_number": sy.effective_number(COUNTS, beta=0.99),
    "logit_adjustment": sy.logit_adjustment(COUNTS),
    "class_temperature": sy.class_temperature(COUNTS, gamma=0.2),
    "class_temperature + logit_adjustment": sy.mix(
        sy.class_temperature(COUNTS, gamma=0.2), sy.logit_adjustment(COUNTS)
    ),
    "label_temperature": sy.label_temperature(COUNTS, gamma=0.5),
    "margin, scale 1": sy.margin(COUNTS, scale=1.0),
    "inverse_frequency + focal": sy.mix(BALANCED, sy.focal(gamma=2.0)),
    "inverse_frequency + smooth": sy.mix(BALANCED, sy.smooth(0.1)),
    "poly": sy.poly(epsilon=1.0),
    "costs": sy.costs([[0, 1, 1], [5, 0, 1], [20, 5, 0]]),
}


def units(small: bool) -> list[str]:
    return ["well specified", "misspecified", "on draws", "every ingredient"]


def run(unit: str, small: bool) -> Record:
    if unit == "every ingredient":
        return {name: undone(recipe, 3 if small else 40) for name, recipe in RECIPES.items()}
    if unit == "on draws":
        return {"gains": [recalibrated(seed, 500 if small else ROWS) for seed in range(3 if small else DRAWS)]}
    x = torch.linspace(-9, 12, 4001, dtype=torch.float64)
    density, yes = (logistic if unit == "well specified" else unequal)(x)
    plain = population(x, density, yes, sy.Recipe())
    return {
        "plain": plain.tolist(),
        "weighted": {str(r): population(x, density, yes, sy.fixed(weight=[1.0, r])).tolist() for r in RATIOS},
    }


def logistic(x: Tensor) -> tuple[Tensor, Tensor]:
    """N(0, 1) features, log-odds -3 + x: the model holds the truth. (density, P(yes | x))"""
    return torch.exp(-(x**2) / 2), torch.sigmoid(x - 3)


def unequal(x: Tensor) -> tuple[Tensor, Tensor]:
    """5 % yes ~ N(1.5, 2), no ~ N(0, 1): the log-odds are a parabola, which no line holds."""
    yes, no = 0.05 * torch.exp(-((x - 1.5) ** 2) / 8) / 2, 0.95 * torch.exp(-(x**2) / 2)
    return yes + no, yes / (yes + no)


def population(x: Tensor, density: Tensor, yes: Tensor, recipe: sy.Recipe) -> Tensor:
    """(intercept, slope) that minimise the expected loss: rows of both labels, each with its probability as its weight."""
    mass = torch.cat([density * (1 - yes), density * yes])
    label = torch.cat([torch.zeros(len(x)), torch.ones(len(x))]).long()
    loss, rows = sy.BinaryCrossEntropy(recipe), x.repeat(2)
    return minimised(lambda theta: loss(theta[0] + theta[1] * rows, label, weight=mass / mass.mean()), 2)


def minimised(value: Callable[[Tensor], Tensor], size: int) -> Tensor:
    theta = torch.zeros(size, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [theta], max_iter=2000, tolerance_grad=1e-13, tolerance_change=0, history_size=20, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        search.zero_grad()
        found = value(theta)
        found.backward()
        return found

    search.step(closure)  # type: ignore[arg-type]
    return theta.detach()


def undone(recipe: sy.Recipe, points: int) -> float:
    """Largest error of `sy.posterior` at the minimiser of the expected loss, over random class probabilities."""
    rng = np.random.default_rng(0)
    loss, worst = sy.CrossEntropy(recipe, reduction="none"), 0.0
    label = torch.arange(3)
    for _ in range(points):
        eta = torch.tensor(rng.dirichlet([2.0, 2.0, 2.0]))
        z = minimised(lambda theta, eta=eta: (eta * loss(theta.expand(3, 3), label)).sum(), 3)
        worst = max(worst, float((sy.posterior(z[None], loss)[0] - eta).abs().max()))
    return worst


def recalibrated(seed: int, rows: int) -> dict[str, float]:
    """Log loss on test rows of a balanced model of the unequal clouds: as it says, undone, and then scaled on held-out rows."""
    rng = np.random.default_rng(seed)

    def draw(rows: int) -> tuple[Tensor, Tensor]:
        y = rng.random(rows) < 0.05
        return torch.tensor(np.where(y, rng.normal(1.5, 2.0, rows), rng.normal(size=rows))), torch.tensor(y).long()

    (x, y), (x_held, y_held), (x_test, y_test) = draw(rows), draw(rows), draw(10 * rows)
    loss = sy.BinaryCrossEntropy(sy.inverse_frequency(sy.count(y.numpy())))
    a, b = minimised(lambda theta: loss(theta[0] + theta[1] * x, y), 2)

    def log_odds(x: Tensor) -> Tensor:
        return torch.logit(sy.posterior(a + b * x, loss))

    second = sy.calibrate.scaling(log_odds(x_held).numpy(), y_held.numpy())
    said = {
        "as it says": a + b * x_test,
        "undone": log_odds(x_test),
        "undone, then scaled": torch.tensor(second.apply(log_odds(x_test).numpy())),
    }
    return {
        name: float(torch.nn.functional.binary_cross_entropy_with_logits(z, y_test.double()))
        for name, z in said.items()
    }


def shifts(found: Record) -> dict[str, tuple[float, float]]:
    """{ratio: (shift of the intercept minus log ratio, slope minus the plain one)}"""
    a, b = found["plain"]
    return {r: (wa - a - math.log(float(r)), wb - b) for r, (wa, wb) in found["weighted"].items()}


def conclude(records: Mapping[str, Record]) -> Conclusion:
    well, wrong = shifts(records["well specified"]), shifts(records["misspecified"])
    draws, errors = records["on draws"]["gains"], records["every ingredient"]
    gain = [d["undone"] - d["undone, then scaled"] for d in draws]
    findings = [
        exact(
            "shift of the log-odds minus log(w_yes / w_no), a model that holds the truth",
            (None, 1e-6),
            max(abs(s) for s, _ in well.values()),
            "worst of three ratios",
        ),
        exact("change of its slope", (None, 1e-6), max(abs(b) for _, b in well.values()), "worst of three ratios"),
        exact(
            "the same shift, a line for a parabola, weights 1 : 19",
            (0.05, None),
            abs(wrong["19.0"][0]),
            "expected loss",
        ),
        exact(
            "error of probabilities that `sy.posterior` gives back",
            (None, 1e-5),
            max(errors.values()),
            f"worst of {len(errors)} recipes",
        ),
        paired(
            "there, log loss undone minus undone and then scaled on held-out rows",
            (0, None),
            gain,
            f"{len(gain)} draws",
        ),
    ]
    rows = [
        [
            kind,
            r,
            f"{math.log(float(r)):+.4f}",
            f"{s + math.log(float(r)):+.4f}",
            f"{found['plain'][1]:.4f}",
            f"{found['plain'][1] + b:.4f}",
        ]
        for kind, found, each in (
            ("holds the truth", records["well specified"], well),
            ("a line for a parabola", records["misspecified"], wrong),
        )
        for r, (s, b) in each.items()
    ]
    return Conclusion(
        findings,
        [
            Table(
                "Expected loss minimised exactly",
                ("model", "w_yes / w_no", "its logarithm", "shift of the log-odds", "slope, plain", "slope, weighted"),
                rows,
            ),
            Table(
                "A line for a parabola, balanced weights: log loss on test rows, mean of the draws",
                ("probabilities", "log loss"),
                [[name, f"{np.mean([d[name] for d in draws]):.4f}"] for name in draws[0]],
            ),
            Table(
                "Error of the probabilities after `sy.posterior`, three classes, worst of random truths",
                ("recipe", "error"),
                [[f"`{name}`", f"{e:.0e}"] for name, e in errors.items()],
            ),
        ],
    )


CLAIM = Claim(
    name="shift",
    title="Weights are a shift of the log-odds, and can be undone",
    says="Class weights add log(w_yes / w_no) to the log-odds and change nothing else where the model can hold the truth, and `sy.posterior` gives "
    "the honest probabilities back for every recipe; where the model cannot hold it, the shift is another one and held-out rows repair it.",
    source="Elkan 2001 (IJCAI) for the shift; first-order optimality of the expected loss for the undo ([the algebra](../reference/algebra.md)).",
    done="A logistic line is fitted to whole populations, by a grid of 4,001 points and no draw: once the truth is such a line, once a parabola "
    "(classes of unequal spread). Then 20 draws of the second kind, balanced weights, 5,000 rows to train, as many held out, 50,000 to test. "
    "Then eleven recipes on three classes: the logits that minimise the expected loss, and what `sy.posterior` makes of them.",
    seeds="20 draws of the second population; 40 random truths for each recipe",
    units=units,
    run=run,
    conclude=conclude,
)
