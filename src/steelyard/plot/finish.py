"""Who draws: Altair, or matplotlib where its axes are given."""

from typing import Any

from .altair import chart
from .axes import draw
from .panel import Drawing


def finish(drawing: Drawing, ax: Any) -> Any:
    return chart(drawing) if ax is None else draw(drawing, ax)
