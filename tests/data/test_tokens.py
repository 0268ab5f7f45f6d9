"""Rows of several labels: what Arrow counts is what a loop counts, and parts add up.

Files: data/gather.py.
"""

from collections import Counter

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from steelyard.data import tokens
from steelyard.data.classes import CELLS, Cells
from steelyard.data.gather import Gather
from steelyard.data.tokens import Reader, Tokens

OPTIONS = {
    "plain": {},
    "ignored": {"ignore": ["a", 1]},
    "missing": {"missing": ["b"]},
    "one class": {"classes": {"a": "x", "b": "x", "c": "y", "1": "one", "0": "one"}},
}


def rows_of(kind, seed=0):
    rng = np.random.default_rng(seed)
    values = ["a", "b", "c", None] if kind == "text" else [0, 1, 2, None]
    return [
        None if rng.random() < 0.1 else [values[i] for i in rng.integers(0, 4, rng.integers(0, 6))] for _ in range(200)
    ]


def fields(held):
    return held.times, held.within, held.sequences, held.rows, held.absent, held.ignored, held.unknown


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", ["text", "numbers"])
@pytest.mark.parametrize("dense", [1 << 23, 0])
def test_arrow_and_a_loop_count_the_same_and_parts_add_up(kind, options, dense, monkeypatch):
    monkeypatch.setattr(tokens, "DENSE", dense)
    rows, read = rows_of(kind), Reader(**OPTIONS[options])
    whole, parts, loop = Tokens(), Tokens(), Tokens()
    whole.add_arrow(pa.array(rows), read)
    for part in (rows[:77], rows[77:77], rows[77:]):
        one = Tokens()
        one.add_arrow(pa.array(part, pa.array(rows).type), read)
        parts.add(one)
    for row in rows:
        if row is None:
            loop.unknown += 1
        else:
            loop.add_row(row, read)
    assert fields(whole) == fields(parts) == fields(loop)
    assert min(whole.rows, whole.absent, whole.unknown, whole.recurring) > 0
    assert bool(whole.ignored) == (options == "ignored")


def test_elements_sequences_and_lengths_by_hand():
    held, read = Tokens(), Reader(ignore=["-"])
    for row in (["a", "b", "a", "-"], ["b"], []):
        held.add_row(row, read)
    assert (held.times, held.sequences, held.within) == (
        Counter(a=2, b=2),
        Counter(a=1, b=2),
        Counter(a=3, b=4),
    )
    assert (held.rows, held.recurring, held.ignored) == (3, 1, Counter({"-": 1}))


def test_names_of_a_class_label_stand_for_its_numbers_and_below_0_is_no_label():
    held = Tokens()
    held.add_arrow(pa.array([[0, 1, -100], [1]]), Reader(names=["no", "yes"]))
    assert (held.times, held.absent) == (Counter(no=1, yes=2), 1)


def test_a_cell_that_occurs_often_is_split_once_and_counts_as_often():
    into = Gather(Reader(), " ")
    into.add_cells(Cells(Counter({"O B O": 3, "": 2, None: 1, "NA": 1}), CELLS), "t")
    assert (into.tokens.times, into.tokens.rows, into.tokens.unknown) == (Counter(O=6, B=3), 3, 4)
    assert into.tokens.within == Counter(O=9, B=9)


LAYOUTS = {
    "sliced": lambda rows: pa.array([["z"], *rows, ["z"]]).slice(1, len(rows)),
    "large": lambda rows: pa.array(rows, pa.large_list(pa.large_string())),
    "codes": lambda rows: pa.array(rows, pa.list_(pa.dictionary(pa.int8(), pa.string()))),
    "chunks": lambda rows: pa.chunked_array([rows[:1], rows[1:]]),
    "fixed": lambda rows: pa.array(rows, pa.list_(pa.string(), 2)),
    "polars": lambda rows: pa.chunked_array(pl.Series(rows)),
    "fixed in polars": lambda rows: pa.chunked_array(pl.Series(rows, dtype=pl.Array(pl.String, 2))),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_lists_counts_alike(layout):
    held = Tokens()
    held.add_arrow(LAYOUTS[layout]([["a", None], None, ["b", "a"], ["b", "b"]]), Reader())
    assert fields(held) == (Counter(a=2, b=3), Counter(a=3, b=4), Counter(a=2, b=2), 3, 1, Counter(), 1)
