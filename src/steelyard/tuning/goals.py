"""What decides, what is printed beside it, and what the threshold is for."""

import dataclasses
import os
from typing import Any

from .costs import parse_matrix
from .data.problem import Problem
from .metric import Metric, others
from .metric import metric as metric_named


@dataclasses.dataclass(frozen=True)
class Goals:
    """metric decides; cost and capacity, where they were given, are judged too. `capacity_said` is (rows, per)."""

    metric: Metric
    cost: Metric | None
    capacity: Metric | None
    capacity_said: tuple[float, float] | None

    def every(self, classes: int) -> list[Metric]:
        return [self.metric, *others(classes, self.metric, self.cost, self.capacity)]


def goals(
    task: Problem,
    name: str | None,
    cost_fn: float | None = None,
    cost_fp: float | None = None,
    cost_matrix: Any = None,
    exchange: float | None = None,
    capacity: float | str | None = None,
) -> Goals:
    """Read what the user said (see study.tune). ValueError where it makes no sense for these classes."""
    names = task.counts.classes
    if isinstance(cost_matrix, (str, os.PathLike)):
        cost_matrix = parse_matrix(_text(cost_matrix), names)
    share, said = _share(capacity)

    def named(which: str | None) -> Metric:
        return metric_named(
            which,
            task.classes,
            cost_fn,
            cost_fp,
            cost_matrix=cost_matrix,
            exchange=exchange,
            capacity=share,
            names=names,
        )

    priced = any(given is not None for given in (cost_fn, cost_fp, cost_matrix, exchange))
    return Goals(
        named(name),
        named("expected_cost") if priced else None,
        named("recall_at_capacity") if share is not None else None,
        said,
    )


def _text(matrix: str | os.PathLike[str]) -> str:
    """The matrix itself, or the text of the file that is named."""
    if isinstance(matrix, str) and not os.path.exists(matrix):
        if matrix.lower().endswith((".csv", ".txt", ".tsv")):
            raise ValueError(f"tune: the cost matrix: there is no file {matrix!r}.")
        return matrix
    try:
        with open(matrix, encoding="utf-8-sig") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"tune: the cost matrix: {str(matrix)!r} cannot be read ({error}).") from None


def _share(capacity: float | str | None) -> tuple[float | None, tuple[float, float] | None]:
    """The share of rows that can be acted upon, and how it was said: "200/10000" or 0.02."""
    if capacity is None:
        return None, None
    try:
        rows, _, per = str(capacity).partition("/")
        said = float(rows), float(per) if per else 1.0
        return said[0] / said[1], said
    except (ValueError, ZeroDivisionError):
        raise ValueError(
            f"tune: capacity must be rows of rows, such as 200/10000, or a share, got {capacity!r}."
        ) from None
