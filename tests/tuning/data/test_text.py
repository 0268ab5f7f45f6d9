"""Text columns: which are prose, and the numbers of scikit-learn's TfidfVectorizer, learned in the training part."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from steelyard.tuning.data import text
from steelyard.tuning.data.features import read
from steelyard.tuning.data.problem import as_table

WORDS = ["offer", "money", "prize", "call", "now", "meet", "lunch", "home", "late", "tonight", "free", "text"]

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def messages(n: int = 200, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.array(
        [" ".join(rng.choice(WORDS, rng.integers(3, 9))) + " w" + LETTERS[i % 26] + LETTERS[i // 26] for i in range(n)],
        dtype=object,
    )


def strangers(n: int) -> np.ndarray:
    """Texts that have not a character in common."""
    return np.array(["".join(chr(0x4E00 + 8 * i + k) for k in range(8)) for i in range(n)], dtype=object)


def features(**columns):
    n = len(next(iter(columns.values())))
    return read(as_table(pd.DataFrame({**columns, "label": np.arange(n) % 2})), "label")


def test_the_numbers_are_those_of_scikit_learn_fitted_on_the_training_part():
    texts, train, test = messages(), np.arange(120), np.arange(120, 200)
    encode = features(message=texts).encode(train)
    options = {"sublinear_tf": True, "min_df": 2}
    words = TfidfVectorizer(token_pattern=r"\b\w+\b", ngram_range=(1, 2), **options).fit(texts[train])
    runs = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), **options).fit(texts[train])
    expected = sparse.hstack([words.transform(texts[test]), runs.transform(texts[test])])
    names = [*words.get_feature_names_out(), *(f"part:{run}" for run in runs.get_feature_names_out())]
    assert encode.names == [f"message: {name}" for name in names]
    assert encode(test).format == "csr"
    np.testing.assert_allclose(encode(test).toarray(), expected.toarray())


def test_the_most_frequent_terms_are_kept_of_words_and_of_runs(monkeypatch):
    monkeypatch.setattr(text, "TERMS", 30)
    texts, train = messages(), np.arange(120)
    names = [name.removeprefix("message: ") for name in features(message=texts).encode(train).names]
    runs = [name for name in names if name.startswith("part:")]
    assert (len(names), len(runs)) == (60, 30)
    counter = CountVectorizer(token_pattern=r"\b\w+\b", ngram_range=(1, 2))
    total = np.asarray(sparse.csr_matrix(counter.fit_transform(texts[train])).sum(axis=0)).ravel()
    at = [counter.vocabulary_[name] for name in names[:30]]
    np.testing.assert_array_equal(np.sort(total[at]), np.sort(total)[-30:])
    note = features(message=texts).notes[0]
    assert "are beyond the 30 most frequent and tell nothing" in note


def test_nothing_is_learned_from_the_rows_held_out():
    texts, train = messages(), np.arange(120)
    changed = texts.copy()
    changed[120:] = "ξυλοφωνο ζεππελιν θαψε " * 5
    before, after = features(message=texts).encode(train), features(message=changed).encode(train)
    assert before.names == after.names
    np.testing.assert_array_equal(before(train).toarray(), after(train).toarray())
    assert after(np.array([150])).nnz == 0  # words that the training part does not know


def test_text_stands_beside_numbers_and_categories_and_comes_last():
    n, rng = 200, np.random.default_rng(0)
    x, kind = rng.normal(size=n), rng.choice(["a", "b"], n).astype(object)
    texts = messages(n)
    texts[[3, 50]] = None
    together = features(message=texts, x=x, kind=kind).encode(np.arange(n))
    alone = features(x=x, kind=kind).encode(np.arange(n))
    X = together(np.arange(n))
    width = len(alone.names)
    assert together.names[:width] == alone.names
    np.testing.assert_allclose(X[:, :width].toarray(), alone(np.arange(n)))
    assert together.names[-1] == "message is missing"
    np.testing.assert_array_equal(np.flatnonzero(X[:, -1].toarray()), [3, 50])
    assert X[3, width:-1].nnz == 0
    assert X.shape == (n, len(together.names))


def test_a_matrix_in_pieces_is_the_matrix(monkeypatch):
    n = 100
    found = features(message=messages(n), x=np.random.default_rng(0).normal(size=n))
    whole = found.encode(np.arange(n))(np.arange(n)).toarray()
    raw = found.raw()(np.arange(n))
    monkeypatch.setattr("steelyard.tuning.data.features.CHUNK", 7)
    monkeypatch.setattr("steelyard.tuning.data.trees.CHUNK", 7)
    np.testing.assert_array_equal(found.encode(np.arange(n))(np.arange(n)).toarray(), whole)
    np.testing.assert_array_equal(found.raw()(np.arange(n)), raw)
    assert found.encode(np.arange(n))(np.arange(0)).shape == (0, whole.shape[1])


def test_some_of_the_rows_have_the_numbers_they_had():
    found, keep = features(message=messages()), np.arange(200) % 3 != 0
    train = np.arange(100)
    where = np.flatnonzero(keep)[train]
    some = found.rows(keep).encode(train)
    assert some.names == found.encode(where).names
    np.testing.assert_array_equal(some(train).toarray(), found.encode(where)(where).toarray())


def test_text_without_a_word_that_comes_again_is_left_out():
    texts = strangers(64)
    found = features(message=texts, x=np.random.default_rng(0).normal(size=len(texts)))
    assert [c.name for c in found.columns] == ["x"]
    assert found.notes == (
        "column 'message' is left out: it is text in which no word, sign or part of a word occurs in two rows",
    )


def test_a_training_part_without_its_words_gives_no_column():
    texts = messages()
    texts[:100] = strangers(100)
    encode = features(message=texts).encode(np.arange(100))
    assert encode.names == []
    assert encode(np.arange(200)).shape == (200, 0)


def test_long_texts_are_read_without_pairs(monkeypatch):
    monkeypatch.setattr(text, "LONG", 100)
    names = features(message=messages()).encode(np.arange(200)).names
    assert names
    assert not any(" " in name.removeprefix("message: ") for name in names if "part:" not in name)


def test_trees_read_counts_of_the_most_frequent_terms(monkeypatch):
    monkeypatch.setattr("steelyard.tuning.data.trees.TERMS", 5)
    monkeypatch.setattr(text, "FEW", 0)
    monkeypatch.setattr(text, "ALONE", 1)
    texts = messages()
    raw = features(message=texts).raw()
    assert len(raw.names) == 5
    assert not raw.categorical.any()
    assert "counts only the 5 most frequent of" in raw.notes[0]
    counter = CountVectorizer(
        vocabulary=[name.removeprefix("message: ") for name in raw.names], token_pattern=r"\b\w+\b", ngram_range=(1, 2)
    )
    np.testing.assert_array_equal(raw(np.arange(200)), counter.transform(texts).toarray())
    every = CountVectorizer(token_pattern=r"\b\w+\b", ngram_range=(1, 2)).fit_transform(texts)
    totals = np.asarray(sparse.csr_matrix(every).sum(axis=0)).ravel()
    assert raw(np.arange(200)).sum(axis=0).min() >= np.sort(totals)[-5]


def auc(texts, y) -> float:
    found, scores = features(message=np.array(texts, dtype=object)), []
    for train, test in StratifiedKFold(4).split(texts, y):
        encode = found.encode(train)
        model = LogisticRegression(C=10, max_iter=300).fit(encode(train), y[train])
        scores.append(roc_auc_score(y[test], model.decision_function(encode(test))))
    return float(np.mean(scores))


Y = np.random.default_rng(1).integers(0, 2, 400)
SIGNALS = {
    "Chinese": ("非常好用", "太差劲了", "", ["这个", "产品", "手机", "昨天到货", "快递", "包装", "颜色", "价格"]),
    "Thai": ("ดีมาก", "แย่มาก", "", ["สินค้า", "นี้", "ราคา", "ส่งเร็ว", "ร้าน", "ของ", "สี"]),
    "Burmese": ("ကောင်းတယ်", "ဆိုးတယ်", "", ["ပစ္စည်း", "ဒီ", "ဈေး", "ဆိုင်", "မနေ့က", "အရောင်"]),
    "pictures": ("😍", "😡", "", list("😀😂🎉🔥🙏💯👀🚗🍕⚽")),
    "joined pictures": ("👩‍⚕️", "👩‍🚒", "", list("😀😂🎉🔥🙏💯👀🚗🍕⚽")),
    "skin": ("👍🏽", "👍🏿", "", list("😀😂🎉🔥🙏💯👀🚗🍕⚽")),
    "flags": ("🇩🇪", "🇪🇩", "", ["🇫🇷", "🇮🇹", "🇪🇸", "🇺🇸", "🇬🇧", "🇯🇵", "🇧🇷"]),
    "hashtag": ("#win", "win", " ", WORDS),
    "mention": ("@bob", "bob", " ", WORDS),
    "amount": ("$100", "100", " ", WORDS),
    "percent": ("100%", "100", " ", WORDS),
    "signs": ("!!!", "!", " ", WORDS),
    "letters": ("x", "y", " ", list("abcdefgh")),
    "apostrophe": ("don't", "dont", " ", WORDS),
    "case": ("FREE", "free", " ", WORDS),
    "hidden": ("fr\u200bee", "free", " ", WORDS),
}


@pytest.mark.parametrize("kind", SIGNALS)
def test_what_tells_the_classes_apart_is_seen(kind):
    yes, no, blank, others = SIGNALS[kind]
    rng = np.random.default_rng(0)
    texts = []
    for label in Y:
        parts = [str(part) for part in rng.choice(others, rng.integers(3, 6))]
        parts.insert(rng.integers(0, len(parts) + 1), yes if label else no)
        texts.append(blank.join(parts))
    assert auc(texts, Y) > 0.995


def test_words_that_never_come_again_are_seen_by_their_parts():
    rng, other = np.random.default_rng(0), {"a": "4", "e": "3", "i": "1", "o": "0", "t": "7"}
    words = ["".join(rng.choice([c, other.get(c, c)]) for c in ("interestingly" if y else "regularpotato")) for y in Y]
    assert (
        auc([f"{a} {w} {b}" for a, w, b in zip(rng.choice(WORDS, 400), words, rng.choice(WORDS, 400), strict=True)], Y)
        > 0.99
    )
    assert auc(["".join(rng.choice(list(LETTERS), 5)) + ("ov" if y else "sen") for y in Y], Y) > 0.99


def test_what_no_term_stands_for_is_told(monkeypatch):
    texts = messages(60)
    texts[7] = "Ωμέγα"
    for few, fate in ((text.FEW, "by their characters alone"), (0, "nothing")):
        monkeypatch.setattr(text, "FEW", few)
        monkeypatch.setattr(text, "ALONE", text.ALONE if few else 1)
        note = features(message=texts).notes[0]
        assert f"are in one row only and tell {fate}" in note
        assert "1 text holds nothing that another holds: 'Ωμέγα'" in note
    assert not features(message=texts).doubts
    texts[20:] = strangers(40)
    assert features(message=texts).doubts[0].startswith("most of message (41 texts hold nothing")
    monkeypatch.setattr(text, "ALONE", 0.1)
    monkeypatch.setattr(text, "CHARACTERS", 100)
    assert "characters are too many to count runs of them" in features(message=messages(60)).notes[0]
