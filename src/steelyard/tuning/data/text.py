"""Prose: which columns of text hold sentences, and the words in them, weighed by what the training part teaches."""

import dataclasses
from typing import Any

import numpy as np

from ...data.tally import arrow

WORDS = 3  # words per text, on average, that make prose
DISTINCT = 50  # different texts that make prose: more than a category has columns; half of the rows where these are few
LONG = 2**21  # words up to which pairs of words are counted too
TERMS = 20_000  # words and pairs used at most, the most frequent
TWICE = 2  # rows of the training part in which a term must occur
WORD = r"\S*?\pL\pL\S*"  # what stands between blanks and has two letters in a row: ids, numbers and dates have none


@dataclasses.dataclass(frozen=True)
class Text:
    """A column of prose, its words counted once for all rows.

    counts   scipy CSR [rows, terms], float64
    terms    sorted; only those that occur in two rows at least, since others never can in a training part
    missing  bool [rows]
    pairs    whether pairs of neighbours were counted too
    """

    name: str
    counts: Any
    terms: np.ndarray
    missing: np.ndarray
    pairs: bool

    def rows(self, keep: np.ndarray) -> "Text":
        return dataclasses.replace(self, counts=self.counts[keep], missing=self.missing[keep])

    @property
    def what(self) -> str:
        return "words and pairs of words" if self.pairs else "words"

    def frequent(self, most: int) -> np.ndarray:
        """The columns of the terms that occur most often, ascending."""
        total = np.asarray(self.counts.sum(axis=0)).ravel()
        return np.sort(np.argsort(-total, kind="stable")[:most])


@dataclasses.dataclass(frozen=True)
class TfIdf:
    """(1 + log count) * idf of the terms of one training part, each text scaled to length 1, and a 0/1 column that says
    where the text is missing if the training part has gaps.

    The same numbers as scikit-learn's TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=20_000).
    """

    column: Text
    kept: np.ndarray
    weigh: Any  # sklearn TfidfTransformer
    gaps: bool

    def __call__(self, rows: np.ndarray) -> Any:
        """CSR [len(rows), terms]"""
        from scipy import sparse

        if not len(self.kept) or not len(rows):
            weights = sparse.csr_matrix((len(rows), len(self.kept)))
        else:
            weights = self.weigh.transform(self.column.counts[rows][:, self.kept])
        if self.gaps:
            weights = sparse.hstack(
                [weights, sparse.csr_matrix(self.column.missing[rows, None].astype(float))], format="csr"
            )
        return weights

    @property
    def names(self) -> list[str]:
        name = self.column.name
        return [f"{name}: {t}" for t in self.column.terms[self.kept]] + [f"{name} is missing"] * self.gaps


def learn(column: Text, train: np.ndarray) -> TfIdf:
    from sklearn.feature_extraction.text import TfidfTransformer

    part = column.counts[train]
    kept = np.flatnonzero(np.bincount(part.indices, minlength=part.shape[1]) >= TWICE)
    if len(kept) > TERMS:
        total = np.asarray(part.sum(axis=0)).ravel()[kept]
        kept = np.sort(kept[np.argsort(-total, kind="stable")[:TERMS]])
    weigh = TfidfTransformer(sublinear_tf=True)
    if len(kept):
        weigh.fit(part[:, kept])
    return TfIdf(column, kept, weigh, bool(column.missing[train].any()))


def words_per_text(values: Any) -> float:
    """The mean over the texts that are not missing in an Arrow column."""
    _, pc = arrow()
    known = values.drop_null()
    if not len(known):
        return 0.0
    return float(pc.mean(pc.count_substring_regex(known, WORD)).as_py())


def is_prose(values: Any) -> bool:
    """Three words or more per text, and more different texts than a category has columns (or half as many as rows).

    Names of categories are shorter, or few; an identifier is one word.
    """
    _, pc = arrow()
    known = values.drop_null()
    distinct = len(pc.unique(known))
    return distinct > min(DISTINCT, len(known) / 2) and words_per_text(values) >= WORDS


def count(name: str, values: Any) -> Text:
    """Count the words of every row; pairs of neighbours too where there are not too many."""
    from scipy import sparse
    from sklearn.feature_extraction.text import CountVectorizer

    missing = values.is_null().to_numpy()
    texts = values.fill_null("").to_pylist()
    pairs = words_per_text(values) * (len(texts) - int(missing.sum())) <= LONG
    counter = CountVectorizer(min_df=TWICE, ngram_range=(1, 2 if pairs else 1))
    try:
        counts = sparse.csr_matrix(counter.fit_transform(texts), dtype=np.float64)
        terms = counter.get_feature_names_out()
    except ValueError:  # no word at all, or none that occurs twice
        counts, terms = sparse.csr_matrix((len(texts), 0)), np.array([], dtype=object)
    return Text(name, counts, terms, missing, pairs)
