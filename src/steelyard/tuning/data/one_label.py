"""The one label column that is tuned for. Several, and cells that hold several labels, are refused with the way out."""

import shlex
from typing import Any

from ...data.column_names import label_columns
from ...data.labels import some
from ...data.tables import Table

WHY = "tune compares weightings for one label, of which each row holds one class"


def label_column(table: Table, label: Any) -> str:
    """Its name. ValueError where `label` stands for several columns or for one of lists, or where there is none."""
    if isinstance(label, (list, tuple)) and len(label) == 1:
        label = label[0]
    if not isinstance(label, int):
        columns, _ = label_columns((*table.names, *table.nested), label, table.path)
        if isinstance(columns, tuple):
            raise ValueError(
                f"tune: {label!r} stands for {len(columns)} label columns of {table.path} ({some(columns, 4)}), and {WHY}. Name one, with"
                f" --drop for the others; to tune each, run once per column: for c in {shlex.join(columns[:3])}{' ...' * (len(columns) > 3)};"
                ' do steelyard tune DATA --label "$c" --out "report-$c"; done.'
            )
        label = columns
    if label in table.nested:
        raise ValueError(
            f"tune: column {label!r} of {table.path} holds lists, structures or bytes, and {WHY}. Write a column of yes and no for each label"
            " and tune them one by one; steelyard count and weigh read columns of lists (--kind exclusive counts every element)."
        )
    return table.resolve(label)
