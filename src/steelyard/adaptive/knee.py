"""The positive class's weight from the knee of a probabilistic F_beta, after Ramdhani."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

import torch
from torch import Tensor
from torch.special import erfcx, ndtr

from ..ops.factors import Tables
from ..ops.widest import widened, widest
from ..options import In, OneOf, checked
from ..recipe import Recipe
from ..rule.protocol import Rule

FAMILIES = OneOf("uniform", "gaussian")
BETA_MAXES = (2.0, 5.0, 10.0, 50.0, 100.0)
LATE = 0.9  # of beta_max: a knee beyond is the grid's doing


class FBetaKnee(Rule):
    """Weigh the positive class by the beta at the knee of g(beta) = Pr(F_beta <= F_1), from running soft counts.

        TP = sum y p, FP = sum (1-y) p, FN = sum y (1-p)        a step's, averaged over steps with `momentum`
        F_beta = X / V,   X = (1 + beta^2) TP,   V = X + beta^2 FN + FP
        beta_opt = argmax over a grid in (0, beta_max] of g~(beta) - beta~        (both brought to [0, 1]: Kneedle)
        w = (1, clip(beta_opt)) / mean,   mean 1 under the running share of positives

    Binary: BinaryCrossEntropy with one logit, or CrossEntropy with two classes (row 1 is positive).

    beta_max  > 0, the end of the grid, and most of the answer: see `knee_sensitivity`
    family    "uniform": X and V uniform around their means, with the variance of binomial counts (TP of the positives,
              FP of the negatives); "gaussian": X normal with that mean and variance, V exponential with that mean
    momentum  in [0, 1)
    grid      points of the grid, >= 10
    squared   True: the weight is beta_opt^2, which is what a missed positive costs in F_beta
    widest    > 1; the weight is clipped to [1 / widest, widest]

    Without positives so far, and where the curve has no knee (it is flat, or rises to the end of the grid), the weight
    is 1. It warns of that, of a knee in the last tenth of the grid, and of a weight at the clip. ValueError for numbers
    out of range and for more than two classes.

    Source: after Ramdhani 2022, arXiv:2210.16458, not his algorithm: two families of distributions for F_beta and a
    knee that becomes the weight are his; the parameters of the families, F_1 as what is observed (at each beta's own
    F_beta these families give the same probability for every beta), grid and knee are our reconstruction. Knee: Satopää
    et al. 2011 (Kneedle). For the best F_beta of a model that gives probabilities no weight is needed: say "positive"
    from F*_beta / (1 + beta^2) on (Lipton et al. 2014, arXiv:1402.1892).

    >>> import steelyard as sy
    >>> loss = sy.BinaryCrossEntropy(sy.adaptive.FBetaKnee(beta_max=10.0))
    >>> _ = loss(torch.tensor([-2.0] * 9 + [0.0]), torch.tensor([0] * 9 + [1]))
    >>> round(float(loss.rule.beta), 2)
    2.21
    """

    counts: Tensor
    steps: Tensor
    beta: Tensor
    weight: Tensor

    def __init__(
        self,
        *,
        beta_max: Annotated[float, In(0.0, math.inf, open_low=True)] = 10.0,
        family: Annotated[str, FAMILIES] = "uniform",
        momentum: Annotated[float, In(0.0, 1.0, open_high=True)] = 0.9,
        grid: Annotated[int, In(10, math.inf, whole=True)] = 1000,
        squared: bool = False,
        widest: Annotated[float, In(1.0, math.inf, open_low=True)] = 100.0,
    ):
        super().__init__()
        self.beta_max, self.family, self.momentum = float(beta_max), family, float(momentum)
        self.grid, self.squared, self.widest = grid, bool(squared), float(widest)
        self.register_buffer("counts", torch.zeros(4, dtype=torch.float64))  # TP, FP, FN, TN; sums over all steps decay
        self.register_buffer("pending", torch.zeros(4, dtype=torch.float64))
        self.register_buffer("steps", torch.tensor(0))
        self.register_buffer("beta", torch.ones((), dtype=torch.float64))
        self.register_buffer("weight", torch.ones(2, dtype=torch.float64))
        source = f"F-beta knee ({family}, beta up to {beta_max:g})"
        self._structure = Recipe(weight=self.weight, kind="exclusive", source=(source,))

    def emit(self) -> tuple[Recipe, Tables]:
        return self._structure, {"weight": (self.weight,)}

    def observe(self, logits: Tensor, target: Tensor) -> Tensor:
        seen = self.read(logits, target)
        outputs = 2 if self.link.exclusive else 1
        if seen.z.shape[1] != outputs:
            raise ValueError(
                f"FBetaKnee: needs {'two classes' if outputs == 2 else 'one logit per item'}, got logits"
                f" {list(logits.shape)}; F_beta is about one yes or no. Several labels: one loss for each."
            )
        if not self.link.exclusive:
            z, y, valid = seen.z[:, 0], seen.y[:, 0], seen.valid[:, 0]
        else:
            z, y, valid = seen.z[:, 1] - seen.z[:, 0], seen.y[:, 1] if seen.y.dim() == 2 else seen.y, seen.valid
        p, q, y = z.sigmoid(), (-z).sigmoid(), y.to(z.dtype)
        each = torch.stack([y * p, (1 - y) * p, y * q, (1 - y) * q]) * valid
        return each.to(self.counts.dtype).sum(dim=1)

    def learn(self, sums: Tensor) -> None:
        some = sums.sum() > 0
        self.counts = torch.where(some, self.momentum * self.counts + (1 - self.momentum) * sums, self.counts)
        self.steps = self.steps + some.to(self.steps.dtype)
        self.beta = knee(self._average(), beta_max=self.beta_max, family=self.family, grid=self.grid)
        w = (self.beta**2 if self.squared else self.beta).clamp(1 / self.widest, self.widest)
        share = self._share()
        raw = torch.stack([torch.ones_like(w), w])
        self.weight = raw / (1 - share + share * w)

    def _average(self) -> Tensor:
        """Soft counts of a step: TP, FP, FN, TN."""
        return self.counts / torch.where(self.steps > 0, 1 - self.momentum ** widened(self.steps), 1.0)

    def _share(self) -> Tensor:
        """Running share of positives."""
        total = self.counts.sum()
        return (self.counts[0] + self.counts[2]) / torch.where(total > 0, total, 1.0)

    def rates(self) -> tuple[Tensor, Tensor]:
        """(precision, recall) of the running soft counts; 0 where nothing was seen."""
        tp, fp, fn, _ = self.counts.unbind()
        said, there = tp + fp, tp + fn
        return tp / torch.where(said > 0, said, 1.0), tp / torch.where(there > 0, there, 1.0)

    def watched(self) -> dict[str, Tensor]:
        precision, recall = self.rates()
        return {"weight": self.weight, "beta": self.beta, "precision": precision, "recall": recall}

    def notes(self) -> list[str]:
        if not float(self.counts[0] + self.counts[2]):
            return ["F-beta knee: no positives seen yet, so there is no knee and weights are 1."]
        precision, recall = (float(v) for v in self.rates())
        maxes = sorted({*BETA_MAXES, self.beta_max})
        betas = [float(knee(self._average(), beta_max=m, family=self.family, grid=self.grid)) for m in maxes]
        return [
            f"F-beta knee: at precision {precision:.3g} and recall {recall:.3g} it lies at beta"
            f" {' / '.join(f'{b:.3g}' for b in betas)} for beta_max {' / '.join(f'{m:g}' for m in maxes)}: how far it"
            " moves along is how much of the weight is the choice of beta_max. A threshold of F* / (1 + beta^2) needs no weight."
        ]

    def warnings(self) -> dict[str, str]:
        sentences: dict[str, str] = {}
        if not int(self.steps):
            return sentences
        if not float(self.counts[0] + self.counts[2]):
            sentences["no positives"] = (
                "no positives seen so far, so the weight stays 1; is label 1 the positive class?"
            )
            return sentences
        beta = float(self.beta)
        if beta >= LATE * self.beta_max:
            sentences["end"] = (
                f"the knee is at beta = {beta:.3g} of a grid that ends at beta_max={self.beta_max:g}: the end of the grid"
                " decides. See adaptive.knee_sensitivity, or move the threshold instead."
            )
        if float(_height(self._average(), self.beta_max, self.family, self.grid)[1].amax()) <= 0:
            sentences["no knee"] = (
                f"Pr(F_beta <= F_1) has no knee up to beta_max={self.beta_max:g}, so the weight is 1; precision and recall are"
                f" {' and '.join(f'{float(v):.3g}' for v in self.rates())}."
            )
        w = beta**2 if self.squared else beta
        if w >= self.widest or w <= 1 / self.widest:
            sentences["widest"] = f"the knee asks for a weight of {w:.3g}; it is clipped at widest={self.widest:g}."
        return sentences

    def extra_repr(self) -> str:
        return f"{self.family}, beta up to {self.beta_max:g}{', squared' if self.squared else ''}, momentum {self.momentum:g}"


@checked
def knee_sensitivity(
    precision: Annotated[float, In(0.0, 1.0, open_low=True)],
    recall: Annotated[float, In(0.0, 1.0, open_low=True)],
    beta_maxes: Sequence[float] = BETA_MAXES,
    *,
    family: Annotated[str | None, FAMILIES] = None,
    positives: float = 100.0,
    items: float = 1000.0,
    grid: Annotated[int, In(10, math.inf, whole=True)] = 10_000,
) -> dict[float, float]:
    """{beta_max: beta at the knee}: how much of the knee is where the grid ends.

    family     None: the knee of F_beta itself; "uniform" or "gaussian": of Pr(F_beta <= F_1), for which the spread
               needs to know how many `positives` there are among how many `items`

    For F_beta itself it grows like (2 (R / P) beta_max)^(1/3), without end. ValueError for rates outside (0, 1] and for
    counts that cannot have them.

    >>> {m: round(b, 1) for m, b in knee_sensitivity(0.3, 0.8).items()}
    {2.0: 1.7, 5.0: 2.4, 10.0: 3.3, 50.0: 6.2, 100.0: 7.9}
    """
    tp = recall * positives
    counts = torch.tensor([tp, tp / precision - tp, positives - tp, items - positives - (tp / precision - tp)]).double()
    if family is not None and float(counts.min()) < 0:
        raise ValueError(
            f"knee_sensitivity: {positives:g} positives of {items:g} items cannot have precision {precision:g} at recall {recall:g}."
        )
    for beta_max in beta_maxes:
        if not 0 < beta_max < math.inf:
            raise ValueError(f"knee_sensitivity: beta_max must be in (0, inf), got {beta_max!r}.")
    return {float(m): float(knee(counts, beta_max=m, family=family, grid=grid)) for m in beta_maxes}


def knee(counts: Tensor, *, beta_max: float, family: str | None, grid: int) -> Tensor:
    """beta at the knee of soft counts [TP, FP, FN, TN]; 1 where there is none. No value is looked at."""
    betas, height = _height(counts, beta_max, family, grid)
    best = betas.gather(0, height.argmax(dim=0, keepdim=True)).squeeze(0)
    return torch.where(height.amax() > 0, best, 1.0)


def _height(counts: Tensor, beta_max: float, family: str | None, grid: int) -> tuple[Tensor, Tensor]:
    """The grid, and the difference curve of Kneedle on it; all 0 where the curve is flat."""
    betas = torch.arange(1, grid + 1, dtype=counts.dtype, device=counts.device) * (beta_max / grid)
    curve = _curve(counts, betas, family)
    rise = curve[-1] - curve[0]
    # a falling curve is turned over; rounding is no rise
    some = (rise.abs() > 1e-12) & torch.isfinite(curve).all()
    along = (betas - betas[0]) / (betas[-1] - betas[0])
    return betas, torch.where(some, (curve - curve[0]) / torch.where(some, rise, 1.0) - along, 0.0)


def _curve(counts: Tensor, betas: Tensor, family: str | None) -> Tensor:
    """F_beta, or the probability that it is at most F_1."""
    tp, fp, fn, tn = counts.unbind()
    b = betas**2
    x = (1 + b) * tp
    v = x + b * fn + fp
    some = tp > 0
    safe = torch.where(some, v, 1.0)
    if family is None:
        return torch.where(some, x / safe, 0.0)
    one = 2 * tp / torch.where(some, 2 * tp + fn + fp, 1.0)
    of_tp = tp * fn / torch.where(some, tp + fn, 1.0)  # binomial: n r (1 - r)
    of_fp = fp * tn / torch.where(fp + tn > 0, fp + tn, 1.0)
    x_spread, v_spread = (1 + b) * of_tp.sqrt(), (of_tp + of_fp).sqrt()  # V = b (TP + FN) + TP + FP
    if family == "gaussian":
        return normal_exponential_ratio(one, mean=x, spread=x_spread, rate=torch.where(some, 1 / safe, 1.0))
    half = 3**0.5
    x_ends = (x - half * x_spread).clamp(min=0), x + half * x_spread
    v_ends = (v - half * v_spread).clamp(min=0), v + half * v_spread
    return uniform_ratio(one, x=x_ends, v=v_ends)


SHARP = 1e8  # mean / spread from which a normal X is a point, to the last digit of float64


def uniform_ratio(z: Any, *, x: tuple[Any, Any], v: tuple[Any, Any]) -> Tensor:
    """Pr(X / V <= z) for X ~ U(x[0], x[1]) and V ~ U(v[0], v[1]), independent, V > 0.

        E_V [ clip((z V - a) / (b - a), 0, 1) ],        (a, b) = x

    which is the mean of a clipped line over the interval z V runs through. An interval may have no length.

    >>> round(uniform_ratio(0.5, x=(0.0, 1.0), v=(1.0, 2.0)).item(), 4)
    0.75
    """
    z, a, b, c, d = _wide(z, *x, *v)
    low, high = torch.minimum(z * c, z * d), torch.maximum(z * c, z * d)
    # where z V is a point, and where X is one, the line is asked at a point
    width, length = b - a, high - low
    inside = torch.minimum(torch.maximum(high, a), b) - torch.minimum(torch.maximum(low, a), b)
    middle = (torch.minimum(torch.maximum(high, a), b) + torch.minimum(torch.maximum(low, a), b)) / 2
    height = torch.where(width > 0, (middle - a) / torch.where(width > 0, width, 1.0), 0.0)
    above = (high - torch.maximum(low, b)).clamp(min=0)
    spread = (inside * height + above) / torch.where(length > 0, length, 1.0)
    point = torch.where(width > 0, ((low - a) / torch.where(width > 0, width, 1.0)).clamp(0, 1), (low >= a).to(z.dtype))
    return torch.where(length > 0, spread, point)


def normal_exponential_ratio(z: Any, *, mean: Any, spread: Any, rate: Any) -> Tensor:
    """Pr(X / V <= z) for X ~ N(mean, spread^2) and V ~ Exp(rate), independent.

        Phi(-m) + exp(a^2 / 2 - a m) Phi(m - a),    m = mean / spread, a = rate spread / z        (z > 0)

    The second term is erfcx((a - m) / sqrt 2) exp(-m^2 / 2) / 2 where a > m, so that no exponential overflows. z <= 0
    by symmetry; spread may be 0.

    >>> round(normal_exponential_ratio(1.0, mean=1.0, spread=0.0, rate=1.0).item(), 4)  # Pr(V >= 1)
    0.3679
    """
    z, mean, spread, rate = _wide(z, mean, spread, rate)
    negative = z < 0
    mean, z = torch.where(negative, -mean, mean), z.abs()
    some = spread * SHARP > mean.abs()
    m = mean / torch.where(some, spread, 1.0)
    # at z = 0 no V is large enough
    a = torch.where(z > 0, rate * torch.where(some, spread, 1.0) / z, float("inf"))
    beyond = (a - m).clamp(min=0)
    far = erfcx(beyond / math.sqrt(2)) * torch.exp(-m * m / 2) / 2
    near = torch.where(a < m, a, 0.0)
    below = ndtr(-m) + torch.where(a < m, torch.exp(near * (near / 2 - m)) * ndtr(m - near), far)
    sure = torch.where(z > 0, torch.exp(-rate * (mean.clamp(min=0) / z)), 0.0)
    sure = torch.where(mean > 0, sure, 1.0)
    below = torch.where(some, below, sure).clamp(0, 1)
    return torch.where(negative, 1 - below, below)


def _wide(*values: Any) -> tuple[Tensor, ...]:
    device = next((v.device for v in values if isinstance(v, Tensor)), torch.device("cpu"))
    return tuple(torch.broadcast_tensors(*(torch.as_tensor(v, dtype=widest(device), device=device) for v in values)))
