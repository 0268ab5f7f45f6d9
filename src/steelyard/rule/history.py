"""How a rule's numbers moved while training went on: a table, a CSV file, a picture."""

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from torch import Tensor

from .. import marks, notebook
from ..files import write_bytes_atomically, write_text_atomically
from ..shown import clean

KEPT = 512  # rows; beyond, every second one of the observed steps is dropped
SHOWN = 8  # columns and rows of the printed table
FORMATS = (".svg", ".png", ".html")
PLACES = ("observed", "epoch", "step", "metric")


@dataclasses.dataclass(frozen=True, repr=False)
class History:
    """Rows {column: number}; the first columns say when: `observed` (training calls so far), epoch, step, metric."""

    rows: tuple[dict[str, float], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        names = dict.fromkeys(name for row in self.rows for name in row)
        return tuple(n for n in PLACES if n in names) + tuple(n for n in names if n not in PLACES)

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[float]:
        """NaN where a row has no such number. KeyError names the columns there are."""
        if name not in self.columns:
            raise KeyError(f"history: no column {name!r}; there are {', '.join(self.columns)}.")
        return [row.get(name, float("nan")) for row in self.rows]

    def to_csv(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """It takes the place of a table with the same columns; of any other file only with `overwrite`: OSError says so."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        same = marks.first_line("a table with these columns", text.getvalue().partition("\n")[0])
        write_text_atomically(path, text.getvalue(), same, overwrite=overwrite)

    def plot(
        self, path: str | PathLike[str], *, columns: "tuple[str, ...] | None" = None, overwrite: bool = False
    ) -> None:
        """One line per number over time, as .svg, .png or .html. It takes the place of such a drawing; of any other file only with
        `overwrite`: OSError says so. ImportError names the extra it needs."""
        shown = columns or tuple(n for n in self.columns if n not in PLACES)
        drawing, mark = _lines(Path(path), {name: self.column(name) for name in shown}, *self._when())
        write_bytes_atomically(path, drawing, mark, overwrite=overwrite)

    def _when(self) -> tuple[str, list[float]]:
        for name in ("step", "epoch", "observed"):
            if name in self.columns and all(name in row for row in self.rows):
                return name, self.column(name)
        return "row", [float(i) for i in range(len(self))]

    def __repr__(self) -> str:
        return f"History of {len(self)} rows\n{self}"

    def __str__(self) -> str:
        if not self.rows:
            return "nothing recorded yet"
        cells, more = self._said()
        widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
        return "\n".join(["  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in cells] + more)

    def _repr_html_(self) -> str:
        if not self.rows:
            return notebook.words("nothing recorded yet")
        cells, more = self._said()
        return notebook.table(cells[0], cells[1:]) + "".join(map(notebook.words, more))

    def _said(self) -> tuple[list[list[str]], list[str]]:
        """Some of the rows under their head, and what was left out."""
        shown = self.columns[: SHOWN + len([n for n in self.columns if n in PLACES])]
        picked = (
            self.rows if len(self) <= SHOWN else [self.rows[i * (len(self) - 1) // (SHOWN - 1)] for i in range(SHOWN)]
        )
        return [list(map(clean, shown)), *([_number(row.get(n)) for n in shown] for row in picked)], (
            [f"... and {len(self.columns) - len(shown)} more columns"] if len(self.columns) > len(shown) else []
        )


class Trace:
    """What a rule remembers of its numbers: at most KEPT rows of observed steps, evenly apart, and one per advance."""

    def __init__(self) -> None:
        self.steps, self._stride = 0, 1
        self._rows: list[tuple[bool, dict[str, float], dict[str, Any]]] = []

    def add(self, numbers: Mapping[str, Tensor], when: Mapping[str, float]) -> None:
        """A row that stays: after an advance."""
        self._keep(False, {"observed": self.steps, **when}, numbers)

    def observed(self, numbers: Callable[[], Mapping[str, Tensor]]) -> None:
        """One observed step; its numbers are asked for only where they are kept."""
        self.steps += 1
        if self.steps % self._stride == 0 and (now := numbers()):
            self._keep(True, {"observed": self.steps}, now)

    def _keep(self, thinned: bool, when: dict[str, float], numbers: Mapping[str, Tensor]) -> None:
        # copies on the device: reading them now would make a GPU wait
        self._rows.append((thinned, when, {name: t.detach().clone() for name, t in numbers.items()}))
        if len(self._rows) > KEPT:
            self._stride *= 2
            old = self._rows
            self._rows = [row for i, row in enumerate(old) if not row[0] or row[1]["observed"] % self._stride == 0]
            if len(self._rows) > KEPT:  # all are advances
                self._rows = self._rows[::2]

    def history(self, classes: Sequence[str] | None = None) -> History:
        """The rows so far; numbers of a tensor with one entry per class carry the names of the classes."""
        rows = []
        for _, when, numbers in self._rows:
            row = {name: v for name, v in when.items() if name != "observed" or self.steps}
            for name, tensor in numbers.items():
                values = tensor.cpu().double().reshape(-1).tolist()
                keys = classes if classes is not None and len(classes) == len(values) else range(len(values))
                named = {f"{name}[{k}]": v for k, v in zip(keys, values, strict=True)}
                row.update({name: values[0]} if tensor.dim() == 0 else named)
            rows.append(row)
        return History(tuple(rows))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _lines(
    path: Path, series: Mapping[str, Sequence[float]], axis: str, when: Sequence[float]
) -> tuple[bytes, marks.Mark]:
    """One line per series over `when`, and the mark it carries. ValueError for another ending than FORMATS, ImportError without Altair."""
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
        return f"{marks.DRAWN}\n{vl_convert.vegalite_to_svg(text, vl_version=version)}".encode(), marks.DRAWING
    if path.suffix == ".png":
        return marks.marked_png(vl_convert.vegalite_to_png(text, vl_version=version, scale=2)), marks.PICTURE
    page = vl_convert.vegalite_to_html(text, vl_version=version, bundle=True)
    return page.replace("<head>", f"<head>\n{marks.GENERATOR}", 1).encode(), marks.PAGE
