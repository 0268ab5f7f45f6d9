"""Names as a person can read them: nothing that acts, hides or turns the line is left, and nothing legible is touched."""

import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.shown import characters, clean, clean_json, cut, fit, width

ANY = st.text(st.characters(exclude_categories=()), max_size=30)  # surrogates and unassigned ones, too
LEGIBLE = [
    "no",
    "Größe",
    "naïve",
    "e\u0301",
    "猫",
    "क्\u200dष",
    "می\u200cخواهم",
    "👨\u200d👩\u200d👧",
    "❤\ufe0f",
    "1\ufe0f\u20e3",
    "👍🏽",
    "🇩🇪",
    "<b>&amp;",
    "C:\\x",
    "a\u00a0b",
]
HARMFUL = {
    "yes\x1a": r"yes\x1a",
    "\x1b[2J": r"\x1b[2J",
    "\x1b]8;;http://a\x1b\\b": r"\x1b]8;;http://a\x1b\b",
    "\x9b2J": r"\x9b2J",
    "a\r\nb\tc": r"a\r\nb\tc",
    "\u202eon": r"\u202eon",
    "\u2066on\u2069": r"\u2066on\u2069",
    "no\u200b": r"no\u200b",
    "n\u200do": r"n\u200do",
    "\ufeffno": r"\ufeffno",
    "a\ufe0f": r"a\ufe0f",
    "\u3164": r"\u3164",
    "\ud800": r"\ud800",
    "\ufffe": r"\ufffe",
    "\U000e0041": r"\U000e0041",
    "a\u2028b": r"a\u2028b",
}  # fmt: skip


@pytest.mark.parametrize("name", LEGIBLE)
def test_what_can_be_read_is_left_as_it_is(name):
    assert clean(name) == name
    assert clean_json(json.dumps(name, ensure_ascii=False)) == json.dumps(name, ensure_ascii=False)


@pytest.mark.parametrize(("name", "shown"), HARMFUL.items())
def test_what_acts_or_hides_is_an_escape(name, shown):
    assert clean(name) == shown


@pytest.mark.slow
def test_every_character_of_a_harmful_kind_is_an_escape():
    kinds = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    left = [
        hex(n)
        for n in range(sys.maxunicode + 1)
        if unicodedata.category(c := chr(n)) in kinds and clean(f"a{c}b") != f"a{clean(c)}b"
    ]
    assert left == []
    assert clean("a\nb", keep="\n") == "a\nb"


@given(ANY)
def test_cleaned_text_can_be_written_anywhere_and_cleaning_it_again_changes_nothing(name):
    shown = clean(name)
    assert clean(shown) == shown
    assert shown.encode("utf-8").decode() == shown
    assert all(c >= " " for c in shown)


@given(ANY)
def test_cleaned_json_says_the_same(name):
    text = clean_json(json.dumps({name: [name]}, ensure_ascii=False))
    assert json.loads(text) == {name: [name]}
    text.encode("utf-8")
    assert "\u202e" not in text


@given(ANY, st.integers(1, 12))
def test_a_cut_is_short_and_tears_no_character(name, most):
    name = clean(name)
    whole = list(characters(name))
    assert "".join(whole) == name
    kept = list(characters(cut(name, most)))
    assert len(kept) <= most
    assert cut(name, most) == name or (kept[-1] == "…" and kept[:-1] == whole[: len(kept) - 1])


@given(ANY, st.floats(2, 40))
def test_what_is_fitted_is_no_wider(name, widest):
    assert width(fit(clean(name), widest)) <= max(widest, width("…"))


def test_a_flood_of_marks_stays_on_its_line():
    shown = clean("Z" + "\u0300" * 50 + "a")
    assert shown.count("\u0300") == 4
    assert shown.endswith(r"\u0300a")
