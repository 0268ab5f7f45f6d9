"""What weights, offsets and temperatures leave of themselves once a model fits its rows: margins of a linear one, angles of a free one."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

import steelyard as sy

from .claim import Claim, Conclusion, Record, Table, exact, paired

SEEDS, ROWS, RARE, FEATURES, STEPS = 6, 100, 10, 300, 1000
LOOKS = (10, 100, 1000)
COUNTS = sy.Counts.of(ROWS - RARE, RARE)
TEMPERATURE = 3.0
BINARY = {
    "plain": sy.Recipe(),
    "weights 1 : 10": sy.fixed(weight=[1.0, 10.0]),
    "logit_adjustment": sy.logit_adjustment(COUNTS),
    "temperature 3 on the rare class": sy.fixed(scale=[[1.0], [1 / TEMPERATURE]]),
}
CLASSES, MANY, FEW = 4, 20, 2  # classes 0 and 1 have MANY rows
UNEVEN = sy.Counts.of(MANY, MANY, FEW, FEW)
FREE = {
    "plain": sy.Recipe(),
    "inverse_frequency": sy.inverse_frequency(UNEVEN),
    "logit_adjustment": sy.logit_adjustment(UNEVEN),
    "class_temperature(gamma=0.5)": sy.class_temperature(UNEVEN, gamma=0.5),
    "label_temperature(gamma=0.5)": sy.label_temperature(UNEVEN, gamma=0.5),
}
ETF = -1 / (CLASSES - 1)


def units(small: bool) -> list[str]:
    return [*(f"margins {s}" for s in range(2 if small else SEEDS)), *(f"features: {name}" for name in FREE)]


def run(unit: str, small: bool) -> Record:
    if unit.startswith("margins"):
        return margins(int(unit.split()[1]), 100 if small else STEPS)
    recipe = FREE[unit.removeprefix("features: ")]
    return {"trained": shape(features(recipe, 100 if small else 1500)), "closed form": shape(closed_form(recipe))}


def margins(seed: int, steps: int) -> Record:
    """{recipe: {step: worst margin of the rare class / that of the other}}: separable clouds, one linear score, gradient steps of equal length."""
    rng = np.random.default_rng(seed)
    y = torch.tensor([0] * (ROWS - RARE) + [1] * RARE)
    sign = (2 * y - 1).double()
    way = rng.normal(size=FEATURES)
    x = torch.tensor(rng.normal(size=(ROWS, FEATURES))) + sign[:, None] * torch.tensor(2.5 * way / np.linalg.norm(way))
    x = torch.cat([x, torch.ones(ROWS, 1, dtype=torch.float64)], dim=1)
    found: Record = {}
    for name, recipe in BINARY.items():
        loss = sy.BinaryCrossEntropy(recipe)
        w = torch.zeros(FEATURES + 1, dtype=torch.float64, requires_grad=True)
        found[name] = {}
        for step in range(1, steps + 1):
            (gradient,) = torch.autograd.grad(loss(x @ w, y), w)
            with torch.no_grad():
                w -= 0.1 * gradient / gradient.norm()
                if step in LOOKS or step == steps:
                    margin = sign * (x @ w)
                    found[name][str(step)] = float(margin[y == 1].min() / margin[y == 0].min())
    return found


def features(recipe: sy.Recipe, steps: int) -> Tensor:
    """W W^T of the classifier W [C, d] when the rows' features are free, too: a ridge of 1e-7 on both, L-BFGS."""
    y = torch.repeat_interleave(torch.arange(CLASSES), torch.tensor(UNEVEN.per_class))
    loss = sy.CrossEntropy(recipe, reduction="sum")
    torch.manual_seed(0)
    w = torch.randn(CLASSES, CLASSES, dtype=torch.float64).mul_(0.5).requires_grad_()
    h = torch.randn(len(y), CLASSES, dtype=torch.float64).mul_(0.5).requires_grad_()
    search = torch.optim.LBFGS(
        [w, h],
        max_iter=steps,
        max_eval=2 * steps,
        tolerance_grad=1e-13,
        tolerance_change=0,
        history_size=30,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        search.zero_grad()
        value = loss(h @ w.T, y) + 0.5e-7 * (w.square().sum() + h.square().sum())
        value.backward()
        return value

    search.step(closure)  # type: ignore[arg-type]
    return (w @ w.T).detach()


def closed_form(recipe: sy.Recipe) -> Tensor:
    """The same in the limit of a ridge of 0: the smallest logits that meet all margins, Z, and W W^T = (Z Z^T)^(1/2). With temperatures on the
    classes (columns) it is that of diag(scale) W, with ones on the labels (rows) the margins are 1 / scale; weights and offsets drop out."""
    n = torch.tensor(UNEVEN.per_class, dtype=torch.float64)
    scale = torch.ones(CLASSES, CLASSES, dtype=torch.float64)
    if recipe.scale is not None:
        scale = torch.as_tensor(np.broadcast_to(np.asarray(recipe.scale, float), (CLASSES, CLASSES)).copy())
    column, row = scale[0], scale[:, 0]
    by_column = bool((scale == column).all()) and not bool((column == column[0]).all())
    u = 1 / column if by_column else torch.ones(CLASSES, dtype=torch.float64)
    u = u / u.norm()
    project = torch.eye(CLASSES, dtype=torch.float64) - torch.outer(u, u)
    square = project @ torch.diag(n / (column if by_column else row) ** 2) @ project
    values, vectors = torch.linalg.eigh(square)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T


def shape(gram: Tensor) -> dict[str, float]:
    """Norm of a frequent class's vector over a rare one's, and the cosines frequent-frequent, frequent-rare, rare-rare."""
    norms = gram.diagonal().sqrt()
    cos = gram / torch.outer(norms, norms)
    return {
        "norms": float(norms[:2].mean() / norms[2:].mean()),
        "frequent-frequent": float(cos[0, 1]),
        "frequent-rare": float(cos[:2, 2:].mean()),
        "rare-rare": float(cos[2, 3]),
    }


def conclude(records: Mapping[str, Record]) -> Conclusion:
    runs = [found for unit, found in records.items() if unit.startswith("margins")]
    free = {unit.removeprefix("features: "): found for unit, found in records.items() if unit.startswith("features")}
    of = f"{len(runs)} seeds"
    last = list(runs[0]["plain"])[-1]
    end = {name: [run[name][last] for run in runs] for name in BINARY}
    plain, balanced, even = (free[n]["trained"] for n in ("plain", "inverse_frequency", "label_temperature(gamma=0.5)"))
    angles = ("frequent-frequent", "frequent-rare", "rare-rare")
    findings = [
        paired(f"margin of the rare class over the other's after {last} steps, plain", (0.8, 1.2), end["plain"], of),
        paired("the same, weights 1 : 10", (0.8, 1.2), end["weights 1 : 10"], of),
        paired("the same, logit_adjustment", (0.8, 1.2), end["logit_adjustment"], of),
        paired("the same, temperature 3 on the rare class", (2.4, 3.6), end["temperature 3 on the rare class"], of),
        exact(
            "largest change of a cosine between classes by inverse_frequency",
            (None, 0.1),
            max(abs(balanced[a] - plain[a]) for a in angles),
            "one optimum each",
        ),
        exact(
            "largest distance of a cosine from -1/3 with label_temperature(gamma=0.5)",
            (None, 0.05),
            max(abs(even[a] - ETF) for a in angles),
            "one optimum",
        ),
        exact("there, norm of frequent classes over rare ones", (0.94, 1.06), even["norms"], "one optimum"),
        exact(
            "largest distance of a cosine from -1/3, plain",
            (0.1, None),
            max(abs(plain[a] - ETF) for a in angles),
            "one optimum",
        ),
    ]
    rows = [
        [name, *(f"{np.mean([run[name][step] for run in runs]):.2f}" for step in runs[0]["plain"])] for name in BINARY
    ]
    columns = ("norms", *angles)
    shapes = [
        [f"`{name}`", kind, *(f"{found[kind][c]:.3f}" for c in columns)]
        for name, found in free.items()
        for kind in found
    ]
    return Conclusion(
        findings,
        [
            Table(
                f"Worst margin of the rare class over that of the other, means over {of}",
                ("recipe", *(f"step {s}" for s in runs[0]["plain"])),
                rows,
            ),
            Table(
                "Classifier vectors, four classes of 20, 20, 2 and 2 rows: ratio of norms, and cosines. Symmetric is 1 and -1/3",
                ("recipe", "", *columns),
                shapes,
            ),
        ],
    )


CLAIM = Claim(
    name="geometry",
    title="Once a model fits its rows, temperatures stay and weights fade",
    says="In a model that separates its training rows, margins and angles end where plain training ends them whatever the class weights and offsets, while "
    "temperatures set them: the margin ratio of two classes is the ratio of their temperatures, and temperatures by label with gamma = 1/2 make the "
    "classifier symmetric under imbalance.",
    source="Byrd and Lipton 2019, arXiv:1812.03372, for weights; Kini et al. 2021, arXiv:2103.01550, for margins; Thrampoulidis et al. 2022, "
    "arXiv:2208.05512, and Behnia et al. 2023, arXiv:2303.07608, for angles. A widely copied article says of the angles that they are tunable by “weights "
    "or temperature multipliers”.",
    done=f"*Margins*: {ROWS} rows, {RARE} of them rare, in {FEATURES} dimensions, where a line always separates them; a linear score, {STEPS:,} gradient steps "
    "of equal length. *Angles*: a classifier whose features are free, too (a ridge of 1e-7), four classes of 20, 20, 2 and 2 rows, to the optimum by L-BFGS, "
    "beside the closed form for a ridge of 0. Limits are reached with the logarithm of the steps, so ranges around them are a fifth wide.",
    seeds=f"{SEEDS} draws of the clouds; the optima need none",
    units=units,
    run=run,
    conclude=conclude,
)
