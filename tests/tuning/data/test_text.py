"""Text columns: which are prose, and the numbers of scikit-learn's TfidfVectorizer, learned in the training part."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from steelyard.data.tables import read_table
from steelyard.tuning.data import text
from steelyard.tuning.data.columns import Text
from steelyard.tuning.data.features import read
from steelyard.tuning.data.problem import as_table

WORDS = ["offer", "money", "prize", "call", "now", "meet", "lunch", "home", "late", "tonight", "free", "text"]


def messages(n: int = 200, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.array([" ".join(rng.choice(WORDS, rng.integers(3, 9))) + f" w{i}" for i in range(n)], dtype=object)


def features(**columns):
    n = len(next(iter(columns.values())))
    return read(as_table(pd.DataFrame({**columns, "label": np.arange(n) % 2})), "label")


@pytest.mark.parametrize("most", [20_000, 30])
def test_the_numbers_are_those_of_scikit_learn_fitted_on_the_training_part(most, monkeypatch):
    monkeypatch.setattr(text, "TERMS", most)
    texts = messages()
    train, test = np.arange(120), np.arange(120, 200)
    encode = features(message=texts).encode(train)
    limit = None if most == 20_000 else most
    oracle = TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2), max_features=limit).fit(texts[train])
    found, expected = encode(test), oracle.transform(texts[test])
    assert sparse.issparse(found)
    assert found.format == "csr"
    if limit is None:
        assert encode.names == [f"message: {t}" for t in oracle.get_feature_names_out()]
        np.testing.assert_allclose(found.toarray(), expected.toarray())
    else:  # among terms that are equally frequent the library's choice is arbitrary
        total = np.asarray(CountVectorizer(ngram_range=(1, 2)).fit(texts[train]).transform(texts[train]).sum(axis=0))
        assert len(encode.names) == most
        chosen = CountVectorizer(vocabulary=[n.removeprefix("message: ") for n in encode.names], ngram_range=(1, 2))
        frequent = np.asarray(chosen.transform(texts[train]).sum(axis=0)).ravel()
        np.testing.assert_array_equal(np.sort(frequent), np.sort(total.ravel())[-most:])


def test_nothing_is_learned_from_the_rows_held_out():
    texts, train = messages(), np.arange(120)
    changed = texts.copy()
    changed[120:] = "xylophone zeppelin quixotic " * 5
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


@pytest.mark.parametrize(
    ("texts", "prose"),
    [
        (messages(), True),
        (messages(40), True),  # fewer rows than a category has columns, but all different
        (np.array([f"Braund, Mr. Owen {c}" for c in messages()]), True),
        (np.array([f"id-{i}" for i in range(200)]), False),
        (np.array([f"550e8400-e29b-41d4-a716-4466554{i:05}" for i in range(200)]), False),
        (np.array([f"{i % 12 + 1:02}/03/2014 {i % 24:02}:{i % 60:02}:00 +0100" for i in range(200)]), False),
        (np.array([f"0.{i} 1.{i} 2.{i}" for i in range(200)]), False),
        (np.array(["never been married", "married and separated now", "has been widowed"] * 60), False),
        (np.array([f"engine {i}" for i in range(200)]), False),
    ],
)
def test_prose_is_three_words_or_more_and_not_a_few_levels(texts, prose):
    assert text.is_prose(pa.chunked_array([texts.tolist()])) is prose


def test_no_column_of_the_real_tables_is_taken_for_prose_but_the_messages(shared_data):
    for path in [*sorted((shared_data / "tabular").glob("*.csv")), *(shared_data / "timeseries" / "nab").glob("*.csv")]:
        table = read_table(path)
        assert not any(text.is_prose(table.arrow(n)) for n in table.names if table.kind(n) == "category"), path
    sms = read_table(shared_data / "text" / "sms_spam.tsv")
    found = read(sms, sms.names[0])
    assert [type(c) for c in found.columns] == [Text]
    assert "read as words and pairs of words (TF-IDF)" in found.notes[0]


def test_text_without_a_word_that_comes_again_is_left_out():
    letters = [chr(ord("a") + i) for i in range(26)]
    texts = np.array([f"{a}{b} {b}{a}q {a}{a}{b}x" for a in letters[:8] for b in letters[8:16]], dtype=object)
    found = features(message=texts, x=np.random.default_rng(0).normal(size=len(texts)))
    assert [c.name for c in found.columns] == ["x"]
    assert found.notes == ("column 'message' is left out: it is text in which no word occurs in two rows",)


def test_a_training_part_without_its_words_gives_no_column():
    texts = messages()
    texts[:100] = [f"uu{i}a vv{i}b xx{i}c" for i in range(100)]
    encode = features(message=texts).encode(np.arange(100))
    assert encode.names == []
    assert encode(np.arange(200)).shape == (200, 0)


def test_long_texts_are_read_without_pairs(monkeypatch):
    monkeypatch.setattr(text, "LONG", 100)
    names = features(message=messages()).encode(np.arange(200)).names
    assert names
    assert not any(" " in name.removeprefix("message: ") for name in names)


def test_trees_read_counts_of_the_most_frequent_terms(monkeypatch):
    monkeypatch.setattr("steelyard.tuning.data.trees.TERMS", 5)
    texts = messages()
    raw = features(message=texts).raw()
    assert len(raw.names) == 5
    assert not raw.categorical.any()
    assert "counts only the 5 most frequent of" in raw.notes[0]
    counter = CountVectorizer(vocabulary=[name.removeprefix("message: ") for name in raw.names], ngram_range=(1, 2))
    np.testing.assert_array_equal(raw(np.arange(200)), counter.transform(texts).toarray())
    totals = np.asarray(CountVectorizer(ngram_range=(1, 2)).fit_transform(texts).sum(axis=0)).ravel()
    assert raw(np.arange(200)).sum(axis=0).min() >= np.sort(totals)[-5]
