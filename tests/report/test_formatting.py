import ast
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from steelyard.report import formatting
from steelyard.tuning.metric import METRICS
from steelyard.tuning.verdict import digits, sentences


@given(st.floats(-3, 3))
def test_numbers_are_rounded_as_the_sentence_rounds_them(value):
    assert formatting.number(value) == sentences.number(value)
    assert formatting.signed(value) == digits.signed(value)
    assert formatting.threshold(abs(value)) == sentences.threshold(abs(value))


def test_a_metric_has_the_title_that_the_tuner_gives_it():
    assert {name: formatting.metric(name) for name in METRICS} == {name: m.title for name, m in METRICS.items()}
    assert formatting.metric("top_3_accuracy") == "top 3 accuracy"
    assert formatting.best("expected_cost") == "lowest expected cost per 1000 rows"


def test_no_title_of_a_metric_stands_in_another_file():
    """As a string of its own; a sentence may hold one."""
    titles = {metric.title for metric in METRICS.values() if " " in metric.title}
    for room in ("report", "tuning", "cli"):
        for file in (Path(formatting.__file__).parents[1] / room).rglob("*.py"):
            if file.name != "metric.py":
                strings = {
                    n.value
                    for n in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
                    if isinstance(n, ast.Constant)
                }
                assert not strings & titles, file
