"""How the penalty falls as the probability of the outcome rises.

A Curve has two methods, both elementwise on torch tensors:

    value(logp, q)   g(log p)            >= 0 for p in (0, 1]
    slope(logp, q)   dg / d log p        <= 0

`logp` = log p <= 0 and `q` = 1 - p, which the caller computes without cancellation. Both stay finite for every finite
logp; at logp = -inf the value may be inf. A curve that treats its two outcomes differently (the labelled class and the
others in softmax; "is" and "is not" in sigmoid) says so through `sides`. More that a curve may say of itself:

    sides                      (curve of the one outcome, curve of the other)
    links                      names of the links that may bind it
    log_steepness(logp, logq)  log(-slope), which does not underflow where p or 1 - p does; -inf where there is no slope
    kernel                     its number in native/curves.hpp and ops/triton_curves.py, which take its fields in their order

A dataclass under `register` can be saved in a recipe. A curve of your own needs no line elsewhere:

    @steelyard.curves.register
    @dataclasses.dataclass(frozen=True)
    class Linear:
        slack: float = 0.0
        def value(self, logp, q): ...
        def slope(self, logp, q): ...
"""

import dataclasses
import importlib.metadata
import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol, TypeVar, runtime_checkable

from .options import In, check_fields

if TYPE_CHECKING:
    from torch import Tensor

GROUP = "steelyard.curves"
CURVES: dict[str, type] = {}  # those that a recipe can be saved with, by the name in the file


@runtime_checkable
class Curve(Protocol):
    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor": ...

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor": ...


C = TypeVar("C", bound=type[Curve])


def register(curve: C) -> C:
    """Let recipes with this curve be saved, and loaded where its module has been imported. For a dataclass.

    The file holds the name "module:class" and the fields, and no code. Loading it imports nothing but what an installed package
    announces as an entry point of the group `steelyard.curves`: `Linear = my_losses:Linear`.
    """
    fields = [f.name for f in dataclasses.fields(curve)] if dataclasses.is_dataclass(curve) else None
    if fields is None or "name" in fields or not (hasattr(curve, "value") and hasattr(curve, "slope")):
        raise TypeError(
            f"curves.register: {curve!r} must be a dataclass with value(logp, q) and slope(logp, q), and no field `name`; put"
            " @dataclasses.dataclass(frozen=True) below @steelyard.curves.register."
        )
    CURVES[_name(curve)] = curve
    return curve


def _name(curve: type) -> str:
    return curve.__name__ if curve.__module__ == __name__ else f"{curve.__module__}:{curve.__qualname__}"


def _p_logp(logp: "Tensor") -> "Tensor":
    """p log p, which is 0 at log p = -inf."""
    return (logp * logp.exp()).masked_fill(logp == -math.inf, 0.0)


@register
@dataclasses.dataclass(frozen=True)
class Log:
    """g = -log p: the cross-entropy."""

    kernel: ClassVar[int] = 0

    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return -logp

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return -logp.new_ones(()).expand_as(logp)

    def log_steepness(self, logp: "Tensor", logq: "Tensor") -> "Tensor":
        return logp.new_zeros(()).expand_as(logp)


@register
@dataclasses.dataclass(frozen=True)
class Focal:
    """g = -(1 - p)^gamma log p, gamma >= 0. Source: Lin et al. 2017, arXiv:1708.02002, eq. 4."""

    gamma: Annotated[float, In(0.0, math.inf)] = 2.0
    kernel: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_fields(self)

    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return -(_power(q, self.gamma)) * logp

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        # gamma q^(gamma-1) p log p, written with (log p) / q, which is finite (-> -1) where q^(gamma-1) is not
        if self.gamma == 0:
            return Log().slope(logp, q)
        certain = q <= 0
        ratio = (_p_logp(logp) / q.masked_fill(certain, 1.0)).masked_fill(certain, -1.0)
        return _power(q, self.gamma) * (self.gamma * ratio - 1)

    def log_steepness(self, logp: "Tensor", logq: "Tensor") -> "Tensor":
        # 1 - gamma p (log p) / q, whose ratio goes to -1 as q -> 0
        certain = logq < math.log(_smallest(logq))
        ratio = (logp * (logp - logq.masked_fill(certain, 0.0)).exp()).masked_fill(certain, -1.0)
        return self.gamma * logq + (-self.gamma * ratio).log1p()


@dataclasses.dataclass(frozen=True)
class Shifted:
    """g = -m^gamma log(1 - m), m = max(q - clip, 0): the "is not" side of Asymmetric; flat (zero) for q <= clip."""

    gamma: Annotated[float, In(0.0, math.inf)] = 4.0
    clip: Annotated[float, In(0.0, 1.0, open_high=True)] = 0.05
    kernel: ClassVar[int] = 2
    links: ClassVar[tuple[str, ...]] = ("sigmoid",)

    def __post_init__(self) -> None:
        check_fields(self)

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

    def log_steepness(self, logp: "Tensor", logq: "Tensor") -> "Tensor":
        m = (logq.exp() - self.clip).clamp(min=0)
        rest = (logp.exp() + self.clip).clamp(max=1.0)  # 1 - m
        flat = m <= 0
        safe = m.masked_fill(flat, 1.0)
        inside = logp + self.gamma * safe.log() + (1 / rest - self.gamma * rest.log() / safe).log()
        return inside.masked_fill(flat, -math.inf)


@register
@dataclasses.dataclass(frozen=True)
class Asymmetric:
    """Focal with its own exponent per outcome, and negatives below probability `clip` forgiven altogether.

    Source: Ridnik et al. 2021, arXiv:2009.14119, eq. 4-7. clip > 0 needs the sigmoid link.
    """

    gamma_pos: Annotated[float, In(0.0, math.inf)] = 0.0
    gamma_neg: Annotated[float, In(0.0, math.inf)] = 4.0
    clip: Annotated[float, In(0.0, 1.0, open_high=True)] = 0.05

    def __post_init__(self) -> None:
        check_fields(self)

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


@register
@dataclasses.dataclass(frozen=True)
class Poly:
    """g = -log p + epsilon (1 - p), epsilon >= -1 (below that the loss rewards mistakes near p = 1).

    Source: Leng et al. 2022, arXiv:2204.12511, eq. 6.
    """

    epsilon: Annotated[float, In(-1.0, math.inf)] = 1.0
    kernel: ClassVar[int] = 3

    def __post_init__(self) -> None:
        check_fields(self)

    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return self.epsilon * q - logp

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        # -1 - eps p; at eps = -1 this is -q, which must not cancel
        return -(1 + self.epsilon) + self.epsilon * q

    def log_steepness(self, logp: "Tensor", logq: "Tensor") -> "Tensor":
        if self.epsilon >= 0:
            return (self.epsilon * logp.exp()).log1p()
        # (1 + eps) + |eps| q: at eps = -1 only q is left, which must not cancel
        left = math.log1p(self.epsilon) if self.epsilon > -1 else -math.inf
        return logq.new_tensor(left).logaddexp(math.log(-self.epsilon) + logq)


@register
@dataclasses.dataclass(frozen=True)
class GCE:
    """g = (1 - p^q) / q, 0 < q <= 1: from cross-entropy (q -> 0) to the mean absolute error (q = 1).

    Source: Zhang & Sabuncu 2018, arXiv:1805.07836, eq. 6.
    """

    q: Annotated[float, In(0.0, 1.0, open_low=True)] = 0.7
    kernel: ClassVar[int] = 4

    def __post_init__(self) -> None:
        check_fields(self)

    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return -(self.q * logp).expm1() / self.q

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return -(self.q * logp).exp()

    def log_steepness(self, logp: "Tensor", logq: "Tensor") -> "Tensor":
        return self.q * logp


@register
@dataclasses.dataclass(frozen=True)
class Symmetric:
    """g = -alpha log p + beta |floor| (1 - p): cross-entropy plus its reverse, whose log 0 is set to `floor`.

    Source: Wang et al. 2019, arXiv:1908.06112, eq. 6 and 7.
    """

    alpha: Annotated[float, In(0.0, math.inf, open_low=True)] = 0.1
    beta: Annotated[float, In(0.0, math.inf)] = 1.0
    floor: Annotated[float, In(-math.inf, 0.0, open_high=True)] = -4.0
    kernel: ClassVar[int] = 5

    def __post_init__(self) -> None:
        check_fields(self)

    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return -self.beta * self.floor * q - self.alpha * logp

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return self.beta * self.floor * logp.exp() - self.alpha

    def log_steepness(self, logp: "Tensor", logq: "Tensor") -> "Tensor":
        return (self.alpha - self.beta * self.floor * logp.exp()).log()


@register
@dataclasses.dataclass(frozen=True)
class Square:
    """g = (1 - p)^2: the Brier score of one yes-or-no outcome. Sigmoid only. Source: Brier 1950."""

    kernel: ClassVar[int] = 6
    links: ClassVar[tuple[str, ...]] = ("sigmoid",)

    def value(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return q.square()

    def slope(self, logp: "Tensor", q: "Tensor") -> "Tensor":
        return -2 * q * logp.exp()

    def log_steepness(self, logp: "Tensor", logq: "Tensor") -> "Tensor":
        return math.log(2.0) + logp + logq


KERNELS: dict[int, type] = {c.kernel: c for c in (*CURVES.values(), Shifted) if hasattr(c, "kernel")}


def sides(curve: Curve | None) -> tuple[Curve, Curve]:
    """(labelled class or "is", other classes or "is not"); None acts as Log."""
    curve = Log() if curve is None else curve
    return getattr(curve, "sides", (curve, curve))


def links(curve: Curve | None) -> tuple[str, ...]:
    """The links that may bind this curve."""
    return getattr(curve, "links", ("softmax", "sigmoid"))


def kernel(curve: Curve) -> tuple[int, float, float, float] | None:
    """(number, three parameters) by which fused kernels know a curve, or None: of a subclass they do not know the formula."""
    number = getattr(curve, "kernel", -1)
    if KERNELS.get(number) is not type(curve):
        return None
    a, b, c, *_ = *(getattr(curve, f.name) for f in dataclasses.fields(curve)), 0.0, 0.0, 0.0  # type: ignore[arg-type]
    return number, a, b, c


def of_kernel(number: float, *parameters: float) -> Curve:
    """The curve that `kernel` has told apart."""
    curve = KERNELS[int(number)]
    return curve(*parameters[: len(dataclasses.fields(curve))])


def log_steepness(curve: Curve, logp: "Tensor", logq: "Tensor") -> "Tensor":
    """log(-slope) at logp = log p and logq = log(1 - p), both finite; -inf in a flat zone.

    The undo divides by the slope, which underflows where p or 1 - p does. Of a curve that does not know better it is the
    logarithm of what its `slope` says.
    """
    own = getattr(curve, "log_steepness", None)
    if own is not None:
        return own(logp, logq)
    steepness = -curve.slope(logp, logq.exp())
    return steepness.clamp(min=_smallest(steepness)).log()  # what underflows is next to certain


def to_data(curve: Curve) -> dict[str, Any]:
    """{"name": ..., fields}, for JSON. ValueError for a class that is not under `register`."""
    name = _name(type(curve))
    if CURVES.get(name) is not type(curve):
        raise ValueError(
            f"Recipe: the curve {curve!r} cannot be saved as JSON; put @steelyard.curves.register over its class, a frozen"
            " dataclass."
        )
    return {"name": name, **dataclasses.asdict(curve)}  # type: ignore[call-overload]


def from_data(data: dict[str, Any]) -> Curve:
    """The curve that `to_data` wrote. ValueError for a class that nobody here has registered: a file runs no code."""
    name, fields = data.get("name"), {k: v for k, v in data.items() if k != "name"}
    for entry in importlib.metadata.entry_points(group=GROUP) if name not in CURVES else ():
        if entry.value == name:
            entry.load()  # a package that is installed here, and that registers its curves
    if name not in CURVES:
        module = str(name).partition(":")[0] if ":" in str(name) else ""
        first = f" Import {module} first, which has its class under steelyard.curves.register." if module else ""
        raise ValueError(f"Recipe: unknown curve {name!r}; known are {', '.join(CURVES)}.{first}")
    known = {f.name for f in dataclasses.fields(CURVES[name]) if f.init}
    wrong = sorted(set(fields) - known)
    if wrong:
        raise ValueError(
            f"Recipe: the curve {name} has no {', '.join(wrong)}; it takes {', '.join(sorted(known)) or 'nothing'}."
        )
    try:
        return CURVES[name](**fields)
    except TypeError as error:
        raise ValueError(
            f"Recipe: the curve {name} cannot be made of {', '.join(fields) or 'nothing'} ({error})."
        ) from None


def _smallest(like: "Tensor") -> float:
    import torch  # the menu must not wait for it

    return torch.finfo(like.dtype).tiny


def _power(q: "Tensor", gamma: float) -> "Tensor":
    """q^gamma for q >= 0, with a finite gradient at q = 0 for every gamma."""
    if gamma == int(gamma):
        return q ** int(gamma)
    zero = q <= 0
    return (q.masked_fill(zero, 1.0) ** gamma).masked_fill(zero, 0.0)
