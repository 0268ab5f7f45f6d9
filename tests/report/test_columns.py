import re

from hypothesis import given
from hypothesis import strategies as st

from steelyard.report.columns import aligned, folded, wrapped

NUMBERS = st.from_regex(r"[+-]0\.\d{3}|\[-0\.\d{3}, 0\.\d{3}\]|", fullmatch=True)
NAMES = st.from_regex(r"[a-z_]{1,30}(\([a-z]=0\.\d\))?( × [a-z]{1,9})?", fullmatch=True)


@given(st.lists(st.tuples(NAMES, NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=5), st.integers(40, 120))
def test_no_number_is_cut_and_no_line_is_too_long(rows, width):
    table = aligned([("weighting", "average precision", "difference", "95 % interval"), *rows], width)
    assert all(len(line) <= width for line in table.splitlines())
    for row in rows:
        for cell in row[1:]:
            assert cell in table


def test_columns_that_do_not_fit_follow_in_another_table_with_the_names():
    rows = [("name", *(f"metric {i}" for i in range(8))), ("plain", *(f"0.{i}12345678" for i in range(8)))]
    table = aligned(rows, 40)
    assert table.count("plain") == len(table.split("\n\n")) > 1
    assert all(f"0.{i}12345678" in table for i in range(8))


def test_names_fold_at_blanks_and_brackets():
    assert folded("inverse_frequency(beta=0.25)", 20) == ["inverse_frequency", "  (beta=0.25)"]
    assert folded("random undersampling", 14) == ["random", "undersampling"]
    assert "".join(folded("x" * 50, 14)) == "x" * 50


@given(st.integers(20, 100))
def test_a_sentence_is_never_broken_inside_a_number(width):
    sentence = "The best differs by -0.006 [-0.027, -0.001] in 5 x 5 cross-validation, say yes from 26 % on."
    lines = wrapped(sentence, width).splitlines()
    assert " ".join(lines) == sentence
    for whole in ("-0.006", "[-0.027, -0.001]", "5 x 5", "26 %", "cross-validation,"):
        assert any(whole in line for line in lines)
    assert not any(re.search(r"-$", line) for line in lines)
