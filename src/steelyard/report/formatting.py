"""Numbers and names as a reader sees them. The verdict's sentence rounds the same way."""

from typing import Any

from ..tuning.metric import METRICS, PROBABILITY
from ..tuning.verdict import digits
from ..tuning.verdict.digits import number, places, signed, threshold

__all__ = [
    "amount",
    "best",
    "count",
    "fine",
    "higher",
    "interval",
    "metric",
    "number",
    "percent",
    "places",
    "plural",
    "quote",
    "seconds",
    "signed",
    "threshold",
]


def metric(name: str) -> str:
    """The title of a metric; of one that this version does not know, its name in words."""
    return METRICS[name].title if name in METRICS else name.replace("_", " ")


def higher(name: str) -> bool:
    """Whether larger values of a metric are better."""
    return name not in METRICS or METRICS[name].higher


def best(name: str) -> str:
    """What a threshold was set for.

    >>> best("f1"), best("expected_cost")
    ('best F1', 'lowest expected cost per 1000 rows')
    """
    return f"{'best' if higher(name) else 'lowest'} {metric(name)}"


def interval(low: float | None, high: float | None, decimals: int = digits.PLACES) -> str:
    """Both ends, or nothing where either was not computed."""
    return "" if low is None or high is None else digits.interval(low, high, decimals)


def fine(name: str, value: float) -> str:
    """Losses of rare classes live in the fourth decimal."""
    return f"{value:.4f}" if name in METRICS and METRICS[name].kind == PROBABILITY else number(value)


def count(value: float) -> str:
    return f"{value:,.0f}"


def amount(value: float) -> str:
    """Three digits, written out: 0.0316, 10,000."""
    return f"{float(f'{value:.3g}'):,.12g}"


def percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 or share == 0 else f"{100 * share:.2g} %"


def plural(value: float, one: str, many: str | None = None) -> str:
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def quote(name: Any) -> str:
    return f'"{name}"'


def seconds(value: float) -> str:
    if value < 100:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
