"""Where the weight of a map lies: a panel of shares on objects, near one and far from all."""

from collections.abc import Mapping

from .panel import Axis, Bars, Panel, percent


def regions(shares: Mapping[str, tuple[float, float]], near: float, title: str = "", beside: str = "") -> Panel:
    """shares  {region: (of the weight, of the pixels)}"""
    called = {"objects": "on objects", "near": f"near (within {near:g})", "far": "far from all"}
    names = [called.get(name, name) for name in shares]
    places = list(range(len(names)))
    bars = []
    for which, name, style, shift in (
        (1, "share of the pixels", "guide", -0.2),
        (0, "share of the weight", "best", 0.2),
    ):
        values = [pair[which] for pair in shares.values()]
        said = [f"{region}: {name} {percent(v)}" for region, v in zip(names, values, strict=True)]
        bars.append(Bars(name, style, values, places, said, share=0.36, shift=shift))
    return Panel(
        Axis("share of all", ends=(0.0, 1.0), percent=True),
        Axis(names=tuple(names)),
        tuple(bars),
        title,
        beside,
        width=220,
        height=130,
    )
