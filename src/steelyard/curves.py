"""How the penalty falls as the probability of the outcome rises.

A Curve has two methods, both elementwise on torch tensors:

    value(logp, q)   g(log p)            >= 0 for p in (0, 1]
    slope(logp, q)   dg / d log p        <= 0

`logp` = log p <= 0 and `q` = 1 - p, which the caller computes without cancellation. Both stay finite for every finite
logp; at logp = -inf the value may be inf. A curve that treats its two outcomes differently (the labelled class and the
others in softmax; "is" and "is not" in sigmoid) says so through `sides`.
"""

import dataclasses
import math
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class Curve(Protocol):
    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor": ...

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor": ...


def _check(name: str, field: str, value: float, low: float, high: float, *, open_low: bool = False) -> None:
    number = float(value)
    if not ((number > low if open_low else number >= low) and number <= high and math.isfinite(number)):
        interval = f"{'(' if open_low else '['}{low:g}, {high:g}{')' if math.isinf(high) else ']'}"
        raise ValueError(f"{name}: {field} must be in {interval}, got {value!r}.")


def _p_logp(logp: "Tensor") -> "Tensor":
    """p log p, which is 0 at log p = -inf."""
    return (logp * logp.exp()).masked_fill(logp == -math.inf, 0.0)


@dataclasses.dataclass(frozen=True)
class Log:
    """g = -log p: the cross-entropy."""

    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return -logp

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return -logp.new_ones(()).expand_as(logp)


@dataclasses.dataclass(frozen=True)
class Focal:
    """g = -(1 - p)^gamma log p, gamma >= 0. Source: Lin et al. 2017, arXiv:1708.02002, eq. 4."""

    gamma: float = 2.0

    def __post_init__(self) -> None:
        _check("Focal", "gamma", self.gamma, 0.0, math.inf)

    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return -(_power(q, self.gamma)) * logp

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        # gamma q^(gamma-1) p log p, written with (log p) / q, which is finite (-> -1) where q^(gamma-1) is not
        if self.gamma == 0:
            return Log().slope(logp, q)
        certain = q <= 0
        ratio = (_p_logp(logp) / q.masked_fill(certain, 1.0)).masked_fill(certain, -1.0)
        return _power(q, self.gamma) * (self.gamma * ratio - 1)


@dataclasses.dataclass(frozen=True)
class Shifted:
    """g = -m^gamma log(1 - m), m = max(q - clip, 0): the "is not" side of Asymmetric; flat (zero) for q <= clip."""

    gamma: float = 4.0
    clip: float = 0.05

    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        m = (q - self.clip).clamp(min=0)
        p = logp.exp()
        return -_power(m, self.gamma) * (p + self.clip).clamp(max=1.0).log()

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        m = (q - self.clip).clamp(min=0)
        p = logp.exp()
        rest = (p + self.clip).clamp(max=1.0)  # 1 - m
        flat = m <= 0
        ratio = (rest.log() / m.masked_fill(flat, 1.0)).masked_fill(flat, -1.0)
        inside = _power(m, self.gamma) * p * (self.gamma * ratio - 1 / rest)
        return inside.masked_fill(flat, 0.0)


@dataclasses.dataclass(frozen=True)
class Asymmetric:
    """Focal with its own exponent per outcome, and negatives below probability `clip` forgiven altogether.

    Source: Ridnik et al. 2021, arXiv:2009.14119, eq. 4-7. clip > 0 needs the sigmoid link.
    """

    gamma_pos: float = 0.0
    gamma_neg: float = 4.0
    clip: float = 0.05

    def __post_init__(self) -> None:
        _check("Asymmetric", "gamma_pos", self.gamma_pos, 0.0, math.inf)
        _check("Asymmetric", "gamma_neg", self.gamma_neg, 0.0, math.inf)
        _check("Asymmetric", "clip", self.clip, 0.0, 0.999999)

    @property
    def sides(self) -> tuple[Curve, Curve]:
        return Focal(self.gamma_pos), Shifted(self.gamma_neg, self.clip) if self.clip else Focal(self.gamma_neg)

    @property
    def links(self) -> tuple[str, ...]:
        return ("sigmoid",) if self.clip else ("softmax", "sigmoid")

    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return self.sides[0].value(logp, q)

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return self.sides[0].slope(logp, q)


@dataclasses.dataclass(frozen=True)
class Poly:
    """g = -log p + epsilon (1 - p), epsilon >= -1 (below that the loss rewards mistakes near p = 1).

    Source: Leng et al. 2022, arXiv:2204.12511, eq. 6.
    """

    epsilon: float = 1.0

    def __post_init__(self) -> None:
        _check("Poly", "epsilon", self.epsilon, -1.0, math.inf)

    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return self.epsilon * q - logp

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        # -1 - eps p; at eps = -1 this is -q, which must not cancel
        return -(1 + self.epsilon) + self.epsilon * q


@dataclasses.dataclass(frozen=True)
class GCE:
    """g = (1 - p^q) / q, 0 < q <= 1: from cross-entropy (q -> 0) to the mean absolute error (q = 1).

    Source: Zhang & Sabuncu 2018, arXiv:1805.07836, eq. 6.
    """

    q: float = 0.7

    def __post_init__(self) -> None:
        _check("GCE", "q", self.q, 0.0, 1.0, open_low=True)

    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return -(self.q * logp).expm1() / self.q

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return -(self.q * logp).exp()


@dataclasses.dataclass(frozen=True)
class Symmetric:
    """g = -alpha log p + beta |floor| (1 - p): cross-entropy plus its reverse, whose log 0 is set to `floor`.

    Source: Wang et al. 2019, arXiv:1908.06112, eq. 6 and 7.
    """

    alpha: float = 0.1
    beta: float = 1.0
    floor: float = -4.0

    def __post_init__(self) -> None:
        _check("Symmetric", "alpha", self.alpha, 0.0, math.inf, open_low=True)
        _check("Symmetric", "beta", self.beta, 0.0, math.inf)
        if not -math.inf < self.floor < 0:
            raise ValueError(f"Symmetric: floor must be a finite number below 0, got {self.floor!r}.")

    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return -self.beta * self.floor * q - self.alpha * logp

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return self.beta * self.floor * logp.exp() - self.alpha


@dataclasses.dataclass(frozen=True)
class Square:
    """g = (1 - p)^2: the Brier score of one yes-or-no outcome. Sigmoid only. Source: Brier 1950."""

    links: ClassVar[tuple[str, ...]] = ("sigmoid",)

    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return q.square()

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return -2 * q * logp.exp()


CURVES: dict[str, type] = {c.__name__: c for c in (Log, Focal, Asymmetric, Poly, GCE, Symmetric, Square)}


def sides(curve: Curve | None) -> tuple[Curve, Curve]:
    """(labelled class or "is", other classes or "is not"); None acts as Log."""
    curve = Log() if curve is None else curve
    return getattr(curve, "sides", (curve, curve))


def links(curve: Curve | None) -> tuple[str, ...]:
    """The links that may bind this curve."""
    return getattr(curve, "links", ("softmax", "sigmoid"))


def to_data(curve: Curve) -> dict[str, Any]:
    """{"name": ..., parameters}, for JSON; only the curves of this file can be written."""
    name = type(curve).__name__
    if CURVES.get(name) is not type(curve):
        raise ValueError(f"Recipe: the curve {curve!r} is not one of {', '.join(CURVES)} and cannot be saved as JSON.")
    return {"name": name, **dataclasses.asdict(curve)}  # type: ignore[call-overload]


def from_data(data: dict[str, Any]) -> Curve:
    parameters = {k: v for k, v in data.items() if k != "name"}
    if data.get("name") not in CURVES:
        raise ValueError(f"Recipe: unknown curve {data.get('name')!r}; known are {', '.join(CURVES)}.")
    return CURVES[data["name"]](**parameters)


def _power(q: "Tensor", gamma: float) -> "Tensor":
    """q^gamma for q >= 0, with a finite gradient at q = 0 for every gamma."""
    if gamma == int(gamma):
        return q ** int(gamma)
    zero = q <= 0
    return (q.masked_fill(zero, 1.0) ** gamma).masked_fill(zero, 0.0)
