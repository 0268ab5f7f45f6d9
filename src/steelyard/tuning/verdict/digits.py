"""Numbers of a verdict as text: three decimals, and more where three would say nothing."""

PLACES, MOST = 3, 6
LEGIBLE = 3.0  # units of the last place that a difference and its interval must span


def places(*values: float | None) -> int:
    """Decimals that tell these numbers apart: three, or as many as show what lies between the outermost and 0.

    >>> places(-0.005, -0.011, 0.002), places(0.00012, 0.00003, 0.00021), places(0.0, 0.0)
    (3, 5, 3)
    """
    span = max((abs(v) for v in values if v is not None), default=0.0)
    found = PLACES
    while 0 < span < LEGIBLE * 10.0**-found and found < MOST:
        found += 1
    return found


def number(value: float, decimals: int = PLACES) -> str:
    """Never a negative zero."""
    text = f"{value:.{decimals}f}"
    return text if float(text) else text.removeprefix("-")


def signed(value: float, decimals: int = PLACES) -> str:
    """With its sign, and "0" for what is nothing.

    >>> signed(-0.005), signed(0.0), signed(0.00012, 5)
    ('-0.005', '0', '+0.00012')
    """
    text = f"{value:+.{decimals}f}"
    return text if float(text) else "0"


def interval(low: float, high: float, decimals: int = PLACES, label: str = "") -> str:
    """
    >>> interval(-0.011, 0.002), interval(0.0, 0.0)
    ('[-0.011, 0.002]', '[0, 0]')
    """
    if low == high == 0:
        return f"[{label}0, 0]"
    return f"[{label}{number(low, decimals)}, {number(high, decimals)}]"


def limit(value: float, decimals: int = PLACES) -> str:
    """As `number`, but a limit above 0 is not rounded to it: "a gain above 0.000" says nothing."""
    if value <= 0 or value >= 0.5 * 10.0**-PLACES:
        return number(value)
    return number(value, decimals).rstrip("0") if value >= 0.5 * 10.0**-decimals else f"{value:.1g}"


def threshold(value: float) -> str:
    """Three decimals, or three digits where that would say nothing."""
    return f"{value:.3f}" if value >= 0.01 or value == 0 else f"{value:.3g}"
