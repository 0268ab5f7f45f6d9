"""Numbers in clothes are numbers, in every format; what was taken off is said, and odd cells are quoted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples_of import examples

from steelyard.data.tables import read_table
from steelyard.tuning.data.problem import as_table

NAN = float("nan")
DELIMITERS = {",": "csv", ";": "csv", "\t": "tsv", "|": "csv"}

# cells -> numbers, and words of the note
CLOTHES = {
    "thousands, comma": (["1,219", "12,000", "7", "1,234,567"], [1219, 12000, 7, 1234567], "separator of thousands"),
    "thousands, comma and point": (["1,219.50", "3.25"], [1219.5, 3.25], "',' was read as the separator"),
    "thousands, point and comma": (["1.219,50", "3,25"], [1219.5, 3.25], "'.' was read as the separator"),
    "thousands, two points": (["1.219.000", "3.250"], [1219000, 3250], "'.' was read as the separator"),
    "thousands, apostrophe": (["1'219.5", "3.5"], [1219.5, 3.5], "separator of thousands"),
    "thousands, curly apostrophe": (["1’219.5", "3.5"], [1219.5, 3.5], "separator of thousands"),
    "thousands, blank": (["1 219,5", "3,5"], [1219.5, 3.5], "separator of thousands"),
    "thousands, narrow blank": (["1\u202f219,5", "1\u00a0000,5"], [1219.5, 1000.5], "separator of thousands"),
    "dollars": (["$1,219.50", "$3", "-$2.50", "$-2"], [1219.5, 3, -2.5, -2], "'$' was taken off"),
    "euros": (["1.219,50 €", "3 €"], [1219.5, 3], "'€' was taken off"),
    "currency code": (["USD 12.5", "USD 3"], [12.5, 3], "'USD' was taken off"),
    "percent": (["12 %", "7.5%", "0 %"], [12, 7.5, 0], "'%' was taken off"),
    "unit": (["35 kg", "36.5 kg", "40kg"], [35, 36.5, 40], "'kg' was taken off"),
    "compound unit": (["35 mg/dL", "36.5 mg/dL"], [35, 36.5], "'mg/dL' was taken off"),
    "some without unit": (["35 kg", "36"], [35, 36], "'kg' was taken off the numbers, and 10 rows had none"),
    "brackets": (["(12.5)", "3", "($4)"], [-12.5, 3, -4], "brackets were read as negative"),
    "unicode minus": (["−12.5", "3", "–4"], [-12.5, 3, -4], ""),
    "hours": (["01:30:00", "00:00:05.5", "100:00"], [5400, 5.5, 360000], "read as seconds"),
    "bounds": (["<500", "620", ">5000", "700"], [500, 620, 5000, 700], "was read as the bound itself"),
    "detection limit": (["<0.5", "<0.5", "0.7"], [0.5, 0.5, 0.7], "'<0.5' (20 rows) was read as the bound itself"),
    "more than": (["1", "2", "3+"], [1, 2, 3], "'3+' (10 rows) was read as the bound"),
    "exponents": (["1,2e3", "2,5"], [1200, 2.5], "decimal comma"),
    "decimal comma": (["1,5", "22,75", "0,125"], [1.5, 22.75, 0.125], "decimal comma"),
    "lakhs": (["12,34,567", "5,000"], [1234567, 5000], "separator of thousands"),
    "minus behind": (["1,219.50-", "3"], [-1219.5, 3], "with a minus behind them were read as negative"),
    "no cents": (["CHF 1'219.-", "CHF 500.-"], [1219, 500], "'CHF' was taken off"),
    "rupees": (["Rs. 500", "Rs. 1,219"], [500, 1219], "'Rs.' was taken off"),
    "thousand and million": (
        ["1.2k", "3M", "900k"],
        [1200, 3e6, 9e5],
        "'k' was read as times 1,000 and 'M' was read as times 1,000,000",
    ),
    "money in millions": (["€110.5M", "€900K", "€0"], [110.5e6, 9e5, 0], "'€' was taken off"),
    "bytes": (["10 KB", "3 MB", "512 B"], [1e4, 3e6, 512], "'MB' was read as times 1,000,000"),
    "full width": (["１２", "３.５"], [12, 3.5], ""),
    "Arabic digits": (["١٢", "٣٫٥"], [12, 3.5], ""),
    "AM and PM": (["2:30 PM", "12:00 AM"], [52200, 0], "read as seconds"),
    "minutes": (["1:05.3", "2:10", "0:59,25"], [65.3, 130, 59.25], "read as seconds"),
    "durations": (["1h 30m", "45m"], [5400, 2700], "durations such as '1h 30m' were read as seconds"),
    "both decimals": (["1,5", "2.5"], [1.5, 2.5], "decimal comma"),
}


def write(folder, delimiter, cells):
    rows = [f'{i % 5}.5{delimiter}"{c}"{delimiter}{"ab"[i % 3 == 0]}\n' for i, c in enumerate(cells)]
    path = folder / f"t.{DELIMITERS[delimiter]}"
    path.write_text(f"x{delimiter}amount{delimiter}y\n" + "".join(rows), encoding="utf-8")
    return read_table(path)


@pytest.mark.parametrize("store", [*DELIMITERS, "pandas"])
@pytest.mark.parametrize("kind", CLOTHES)
def test_numbers_in_clothes_are_numbers(tmp_path, kind, store):
    cells, expected, says = CLOTHES[kind]
    if store == "pandas":
        table = as_table(pd.DataFrame({"x": np.arange(10 * len(cells)), "amount": cells * 10}))
    else:
        table = write(tmp_path, store, cells * 10)
    assert table.kind("amount") == "number"
    np.testing.assert_allclose(table.column("amount"), expected * 10)
    assert any(says in note and "amount" in note for note in table.notes) or not says


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_a_few_odd_cells_are_missing_and_quoted(tmp_path, delimiter):
    for odd in ("None", "-", ".", "\\N", "12O", "unknown", "n.a.", "#REF!", "--"):
        cells = [str(i) for i in range(399)] + [odd]
        table = write(tmp_path, delimiter, cells)
        assert table.kind("amount") == "number"
        np.testing.assert_array_equal(table.column("amount"), [*range(399), NAN])
        assert any(
            f"{odd!r} (1 row) is no number among numbers and was read as missing: amount" in n for n in table.notes
        )


def test_numbers_in_clothes_beyond_all_bounds_are_missing_and_said(tmp_path):
    table = write(tmp_path, ",", ["1e400 kg", "5 kg", "9" * 400 + " kg"] * 10)
    np.testing.assert_array_equal(table.column("amount"), [NAN, 5, NAN] * 10)
    assert any("20 infinite rows" in n for n in table.notes)


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("mark", ["None", "-", ".", "\\N", "unknown", "N/D", "#DIV/0!", "not available"])
def test_what_says_that_there_is_no_number_is_missing_however_often(tmp_path, delimiter, mark):
    table = write(tmp_path, delimiter, ["1,5" if delimiter == ";" else "$1.5", mark, mark] * 10)
    np.testing.assert_array_equal(table.column("amount"), [1.5, NAN, NAN] * 10)
    assert any(f"{mark!r} (20 rows) is no number among numbers and was read as missing" in n for n in table.notes)


@pytest.mark.parametrize(
    "cells",
    [
        ["<=50K", ">50K"],
        ["1st", "2nd", "3rd"],
        ["1", ">1"],
        ["5 kg", "6 lb"],
        ["0 2 4", "1 3"],
        ["1.2.3", "1.2.4"],
        ["A12", "B13"],
        ["18-25", "26-40"],
        ["12 years old", "13 years old"],
        ["1", "2", "other"],
        ["5 Mar", "6 Mar"],
        ["65-", "18-"],
        ["192.168.1.1", "10.0.0.1"],
        ["555-1234", "555-1235"],
    ],
)
@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_what_only_resembles_numbers_stays_a_category(tmp_path, delimiter, cells):
    table = write(tmp_path, delimiter, cells * 20)
    assert table.kind("amount") == "category"
    assert table.column("amount").tolist() == cells * 20


STYLES = {
    "us": lambda v: f"{v:,.2f}",
    "german": lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,")),
    "swiss": lambda v: f"{v:,.2f}".replace(",", "'"),
    "french": lambda v: f"{v:,.2f}".replace(",", "\u202f").replace(".", ","),
    "dollars": lambda v: f"${v:,.2f}" if v >= 0 else f"(${-v:,.2f})",
    "percent": lambda v: f"{v:.2f} %",
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("delimiter", DELIMITERS)
@settings(max_examples=examples(30))  # of 24 pairs
@given(values=st.lists(st.integers(-(10**8), 10**8), min_size=3, max_size=20))
def test_what_was_written_is_read_back(tmp_path_factory, style, delimiter, values):
    numbers = [v / 100 for v in values]
    table = write(tmp_path_factory.mktemp("t"), delimiter, [STYLES[style](v) for v in numbers])
    np.testing.assert_allclose(table.column("amount"), numbers, rtol=1e-12)
