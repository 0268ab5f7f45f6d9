"""What one text is made of: the parts of texts in many scripts, and that every character is in one of them."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from steelyard.tuning.data.tokens import fold, folded, normal, tokens


@pytest.mark.parametrize(
    ("text", "words", "beside"),
    [
        ("Don't go", "don t go", "spelled:Don '"),
        ("it’s", "it s", "'"),
        ("win $1,000.50 !!!!!", "win 1,000.50", "$ shape:0,000.00 !!!"),
        ("100% v1agra", "100 v1agra", "shape:000 % shape:v0agra"),
        ("#Sale @bob", "sale bob", "# #sale spelled:Sale @ @bob"),
        ("snake_case", "snake case", "_"),
        ("a b ?!", "a b", "?! ? !"),
        ("iPhone很好", "iphone 很 好", "spelled:iPhone"),
        ("น้ำดี", "น้ํ า ดี", ""),
        ("हिन्दी में", "हिन्दी में", ""),
        ("👍🏽👨‍👩‍👧❤️", "👍🏽 👨‍👩‍👧 ❤", "👍 👨 👩 👧"),
        ("🇩🇪🇫🇷 1️⃣", "🇩🇪 🇫🇷 1⃣", "1"),
        ("\U0001fae8", "\U0001fae8", ""),  # of a Unicode younger than this Python's
        ("&lt;3 &amp", "3 amp", "< shape:0 &"),
        ("Ｆｕｌｌ ﬁne cafe\u0301", "full fine café", "spelled:Full"),
        ("fr\u200bee", "free", "\u200b"),
        ("İYİ ısı Straße", "iyi isi strasse", "spelled:İYİ spelled:Straße"),
    ],
)
def test_the_parts_of_a_text(text, words, beside):
    assert tokens(text) == (words.split(" "), beside.split(" ") if beside else [])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_every_character_that_is_no_blank_is_in_a_part(text):
    words, beside = tokens(text)
    parts = set("".join([*words, *beside]))
    styles = "\u200d\ufe0e\ufe0f"  # say how the character before is drawn, or joins two
    lost = set(fold(re.sub(rf"[\s{styles}]", "", normal(text)))) - set(fold("".join(parts)))
    assert not {c for c in lost if unicodedata.category(c) != "Cc" or c in parts}, (words, beside)


@given(st.text(st.sampled_from("abcdefgh   "), max_size=60))
def test_plain_words_are_those_of_scikit_learn(text):
    split = CountVectorizer(token_pattern=r"(?u)\b\w+\b").build_analyzer()
    assert tokens(text) == (split(text), [])


@given(st.text(max_size=30))
def test_composed_and_decomposed_text_is_one(text):
    assert tokens(unicodedata.normalize("NFD", text)) == tokens(unicodedata.normalize("NFC", text))
    assert folded(unicodedata.normalize("NFD", text)) == folded(unicodedata.normalize("NFC", text))
