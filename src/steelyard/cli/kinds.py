"""From --kind and its options on the command line to a spatial.Map."""

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..spatial import Map

# {what the command calls it: (map, its `kind`, what it does)}
KINDS: dict[str, tuple[str, dict[str, str], str]] = {
    "border": ("border", {}, "U-Net's map: heavy in the gap where two objects nearly touch."),
    "distance": ("distance", {}, "Falls with the distance to the objects, and is 0 beyond --beta."),
    "distance-inverted": ("distance", {"kind": "inverted"}, "Falls with the distance to the edge, inside and outside."),
    "distance-growing": (
        "distance",
        {"kind": "growing"},
        "Grows with the distance to the objects; seldom what is meant.",
    ),
    "contour": ("contour", {}, "A band of --width on both sides of the edges between labels."),
    "contour-local": ("contour", {"kind": "local"}, "Where the neighbourhood within --width differs from the pixel."),
    "dilate": ("dilate", {}, "A ring --outer around the objects, and --inner within them."),
    "lesion": ("lesion", {}, "Every object the same sum of weights, however small."),
}
OF_COMMAND = ("share", "objects", "connectivity", "ignore", "spacing", "kind")  # flags of the command, not of a kind


def build(
    kind: str, options: Mapping[str, str], flags: set[str], *, spacing: str | None = None, **common: Any
) -> "Map":
    """ValueError, with the nearest name, for a kind or an option that does not exist, and for values out of range."""
    from ..spatial import Map

    if kind not in KINDS:
        raise ValueError(f"maps: there is no kind {kind!r}.{_near(kind, KINDS)} The kinds are {', '.join(KINDS)}.")
    takes = own_options(kind)
    for option in options:
        if option not in takes:
            flag, listed = option.replace("_", "-"), ", ".join(f"--{t}" for t in takes)
            hint = _near(flag, [*takes, *(f.removeprefix("--") for f in flags)], "--")
            raise ValueError(f"{kind}: unknown option --{flag}; it takes {listed}.{hint}")
    values: dict[str, Any] = {option: _number(kind, option, text) for option, text in options.items()}
    if spacing is not None:
        if kind == "lesion":
            raise ValueError("lesion: it counts pixels and takes no --spacing; leave it out.")
        values["spacing"] = [_number(kind, "spacing", part) for part in spacing.split(",")]
    name, fixed, _ = KINDS[kind]
    return Map(name, **fixed, **values, **common)


def own_options(kind: str) -> dict[str, Any]:
    """{option: default}"""
    from ..spatial.map import takes

    return {k: default for k, default in takes(KINDS[kind][0]).items() if k not in OF_COMMAND}


def listing() -> str:
    """Two lines for each kind: its options with their defaults, and what it does."""
    return "\n".join(_line(kind) for kind in KINDS)


def _line(kind: str) -> str:
    told = ", ".join(f"--{k} {default:g}" for k, default in own_options(kind).items())
    return f"{kind}: {told}\n    {KINDS[kind][2]}"


def _number(kind: str, option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{kind}: --{option} must be a number, got {text!r}.") from None


def _near(wanted: str, known: Any, dashes: str = "") -> str:
    near = difflib.get_close_matches(wanted, list(known), n=1, cutoff=0.6)
    return f" Did you mean {dashes}{near[0]}?" if near else ""
