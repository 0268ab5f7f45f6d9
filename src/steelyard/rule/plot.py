"""A line chart of numbers over time, as a file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..files import write_bytes_atomically, write_text_atomically

FORMATS = (".svg", ".png", ".html")


def lines(path: Path, series: Mapping[str, Sequence[float]], axis: str, when: Sequence[float]) -> None:
    """One line per series over `when`. ValueError for another ending than FORMATS, ImportError without Altair."""
    if path.suffix not in FORMATS:
        raise ValueError(f"plot: {path.name} must end in {', '.join(FORMATS)}.")
    try:
        import altair as alt
        import vl_convert
    except ImportError as error:
        raise ImportError(f"plot: a picture needs Altair ({error.name} is missing); install steelyard[tune].") from None
    rows = [
        {"when": float(t), "value": float(v), "name": name}
        for name, values in series.items()
        for t, v in zip(when, values, strict=True)
        if v == v and abs(v) != float("inf")
    ]
    chart = alt.Chart(alt.InlineData(values=rows)).mark_line(point=len(when) < 40)
    drawn = chart.encode(
        x=alt.X("when:Q", title=axis),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
        color=alt.Color("name:N", sort=list(series), title=None),
    ).properties(width=640, height=320)
    spec = drawn.to_dict()
    version = alt.SCHEMA_VERSION.removeprefix("v").rsplit(".", 1)[0]
    text = json.dumps(spec)
    if path.suffix == ".svg":
        write_text_atomically(path, vl_convert.vegalite_to_svg(text, vl_version=version))
    elif path.suffix == ".png":
        write_bytes_atomically(path, vl_convert.vegalite_to_png(text, vl_version=version, scale=2))
    else:
        write_text_atomically(path, vl_convert.vegalite_to_html(text, vl_version=version, bundle=True))
