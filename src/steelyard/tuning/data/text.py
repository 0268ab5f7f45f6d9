"""Columns of text: words, and runs of characters where words are not enough, weighed by what the training part teaches."""

import dataclasses
import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...data.labels import some
from ...data.tally import arrow
from .tokens import UNSPACED, folded, tokens

LONG = (
    2**21
)  # words up to which pairs of words are counted too; four times as many where each is a sign of a script without blanks
TERMS = 20_000  # words and pairs used at most, and as many runs of characters: the most frequent
TWICE = 2  # rows of the training part in which a term must occur
RUNS = (2, 4)  # characters in a run
CHARACTERS = 2**22  # up to which runs are counted
FEW = 2**18  # up to which runs are counted whatever the words: they add a little at once and cost nothing yet
ALONE = 0.1  # of all words in one row only, above which runs are counted
SIGNS = 0.1  # of all words that are signs of a script without blanks, above which runs are counted
LOST = 0.5  # of all words that no term stands for, above which the owner has to know before reading an answer
SAMPLE = 2000  # texts from which the number of words is estimated
SHOWN = 3  # examples
MARKED = ("spelled:", "shape:")  # what `tokens` puts before what is not a word of its own
RUNS_OF_CHARACTERS: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": RUNS, "preprocessor": folded}
SYLLABLE = re.compile(f"[{UNSPACED}]")


@dataclasses.dataclass(frozen=True)
class Text:
    """A column of prose, its terms counted once for all rows.

    counts   scipy CSR [rows, terms], float64
    terms    only those that occur in two rows at least, since others never can in a training part; sorted words and pairs,
             then sorted runs of characters, "part:" before each
    words    how many of the terms are no runs
    missing  bool [rows]
    pairs    whether pairs of neighbours were counted too
    unread   what no term stands for, in sentences without a stop
    doubt    why most of the column is not read, or ""
    """

    name: str
    counts: Any
    terms: np.ndarray
    words: int
    missing: np.ndarray
    pairs: bool
    unread: tuple[str, ...] = ()
    doubt: str = ""

    def rows(self, keep: np.ndarray) -> "Text":
        return dataclasses.replace(self, counts=self.counts[keep], missing=self.missing[keep])

    @property
    def what(self) -> str:
        words = "words and pairs of words" if self.pairs else "words"
        runs = f" and runs of {RUNS[0]} to {RUNS[1]} characters"
        return words + runs * (self.words < len(self.terms))

    @property
    def kinds(self) -> tuple[np.ndarray, np.ndarray]:
        """The columns of words and pairs, and those of runs."""
        return np.arange(self.words), np.arange(self.words, len(self.terms))

    def frequent(self, most: int) -> np.ndarray:
        """The columns of the terms that occur most often, ascending; no more than half of them runs if there are words enough."""
        total = np.asarray(self.counts.sum(axis=0)).ravel()
        words, runs = (kind[np.argsort(-total[kind], kind="stable")] for kind in self.kinds)
        half = min(len(runs), max(most // 2, most - len(words)))
        return np.sort(np.concatenate([words[: most - half], runs[:half]]))


@dataclasses.dataclass(frozen=True)
class TfIdf:
    """(1 + log count) * idf of the terms of one training part, each text's words scaled to length 1, and so its runs of
    characters; and a 0/1 column that says where the text is missing if the training part has gaps.

    The same numbers as scikit-learn's TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=20_000), one for the
    tokens of `tokens` and one with analyzer="char_wb" beside it.
    """

    column: Text
    kept: tuple[np.ndarray, ...]  # of words, and of runs
    weigh: tuple[Any, ...]  # sklearn TfidfTransformer of each
    gaps: bool

    def __call__(self, rows: np.ndarray) -> Any:
        """CSR [len(rows), terms]"""
        from scipy import sparse

        blocks = [sparse.csr_matrix((len(rows), 0))]
        for kept, weigh in zip(self.kept, self.weigh, strict=True):
            if len(kept) and len(rows):
                blocks.append(weigh.transform(self.column.counts[rows][:, kept]))
            else:
                blocks.append(sparse.csr_matrix((len(rows), len(kept))))
        if self.gaps:
            blocks.append(sparse.csr_matrix(self.column.missing[rows, None].astype(float)))
        return sparse.hstack(blocks, format="csr")

    @property
    def names(self) -> list[str]:
        name, kept = self.column.name, np.concatenate(self.kept)
        return [f"{name}: {t}" for t in self.column.terms[kept]] + [f"{name} is missing"] * self.gaps


def learn(column: Text, train: np.ndarray) -> TfIdf:
    from sklearn.feature_extraction.text import TfidfTransformer

    part = column.counts[train]
    often = np.bincount(part.indices, minlength=part.shape[1]) >= TWICE
    total = np.asarray(part.sum(axis=0)).ravel()
    every, weighs = [], []
    for kind in column.kinds:
        kept = kind[often[kind]]
        if len(kept) > TERMS:
            kept = np.sort(kept[np.argsort(-total[kept], kind="stable")[:TERMS]])
        weigh = TfidfTransformer(sublinear_tf=True)
        every.append(kept)
        weighs.append(weigh.fit(part[:, kept]) if len(kept) else weigh)
    return TfIdf(column, tuple(every), tuple(weighs), bool(column.missing[train].any()))


def count(name: str, values: Any) -> Text:
    """Count the words of every row and what stands beside them; pairs of neighbours too where there are not too many, and runs
    of characters where words are not enough: a script has no blanks, many words are in one row only, or texts are few."""
    from scipy import sparse

    _, pc = arrow()
    missing = values.is_null().to_numpy()
    texts = values.fill_null("").to_pylist()
    length, unspaced = _survey(texts)
    paired = length <= (4 * LONG if unspaced else LONG)
    counts, terms, alone = _counted(texts, _terms if paired else _singles)
    own = np.array([_stands_alone(term) for term in terms], dtype=bool)
    times = _total(counts) * own
    lone = float(times[alone].sum() / max(1, times.sum()))
    characters = pc.sum(pc.utf8_length(values)).as_py() or 0
    wanted = unspaced or lone > ALONE or characters <= FEW
    blocks, kept = [counts[:, ~alone]], [terms[~alone]]
    if runs := wanted and characters <= CHARACTERS:
        every, names, rare = _counted(texts, None)
        blocks.append(every[:, ~rare])
        kept.append(np.array([f"part:{run}" for run in names[~rare]], dtype=object))
    both = sparse.csr_matrix(sparse.hstack(blocks, format="csr"))

    unread: list[str] = []
    shares: list[float] = []  # how much of the words or texts each sentence concerns
    if n := int(np.sum(own & alone)):
        fate = "tell by their characters alone" if runs else "tell nothing"
        example = some(terms[own & alone].tolist(), SHOWN)
        unread.append(f"{n:,} of {int(own.sum()):,} words and signs are in one row only and {fate}: {example}")
        shares.append(0.0 if runs else lone)
    beyond = np.sort(np.argsort(-_total(blocks[0]), kind="stable")[TERMS:])
    if len(beyond):
        example = some(kept[0][beyond].tolist(), SHOWN)
        fate = f"are beyond the {TERMS:,} most frequent and tell nothing: {example}"
        unread.append(f"{len(beyond):,} of {len(kept[0]):,} words and pairs {fate}")
        shares.append(float(times[~alone][beyond].sum() / max(1, times.sum())))
    bare = np.flatnonzero((both.getnnz(axis=1) == 0) & ~missing)
    if len(bare):
        hold = "text holds" if len(bare) == 1 else "texts hold"
        example = some([_short(texts[i]) for i in bare], SHOWN)
        unread.append(f"{len(bare):,} {hold} nothing that another holds: {example}")
        shares.append(len(bare) / int(np.sum(~missing)))
    if wanted and not runs:
        unread.append(f"{characters:,} characters are too many to count runs of them")
    terms = np.concatenate(kept)
    worst = max(shares, default=0.0)
    doubt = unread[shares.index(worst)] if len(terms) and worst > LOST else ""
    return Text(name, both, terms, len(kept[0]), missing, paired, tuple(unread), doubt)


def counted_again(name: str, values: Any, words: Sequence[str], runs: Sequence[str], *, pairs: bool) -> Text:
    """The same of other rows, of terms that are known: `words` and pairs, and `runs` with "part:" before each."""
    from scipy import sparse
    from sklearn.feature_extraction.text import CountVectorizer

    texts = values.fill_null("").to_pylist()
    blocks = []
    settings: tuple[tuple[Sequence[str], dict[str, Any]], ...] = (
        (words, {"analyzer": _terms if pairs else _singles}),
        ([run.removeprefix("part:") for run in runs], RUNS_OF_CHARACTERS),
    )
    for terms, options in settings:
        if terms and texts:
            counter = CountVectorizer(vocabulary={term: i for i, term in enumerate(terms)}, **options)
            blocks.append(sparse.csr_matrix(counter.transform(texts), dtype=np.float64))
        else:
            blocks.append(sparse.csr_matrix((len(texts), len(terms))))
    counts = sparse.csr_matrix(sparse.hstack(blocks, format="csr"))
    names = np.array([*words, *runs], dtype=object)
    return Text(name, counts, names, len(words), values.is_null().to_numpy(), pairs)


def _survey(texts: Sequence[str]) -> tuple[float, bool]:
    """About how many words there are, and whether they are signs of a script without blanks."""
    sample = texts[:: max(1, len(texts) // SAMPLE)]
    words = [word for text in sample for word in tokens(text)[0]]
    signs = sum(1 for word in words if SYLLABLE.match(word))
    return len(words) * len(texts) / max(1, len(sample)), signs > SIGNS * len(words)


def _terms(text: str) -> Iterable[str]:
    words, beside = tokens(text)
    return [*words, *(f"{a} {b}" for a, b in itertools.pairwise(words)), *beside]


def _singles(text: str) -> Iterable[str]:
    words, beside = tokens(text)
    return words + beside


def _counted(texts: Sequence[str], analyzer: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    """CSR [rows, terms], the terms, and which of them are in one row only. Runs of characters where no analyzer is given."""
    from scipy import sparse
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(**(RUNS_OF_CHARACTERS if analyzer is None else {"analyzer": analyzer}))
    try:
        counts = sparse.csr_matrix(counter.fit_transform(texts), dtype=np.float64)
    except ValueError:  # nothing but blanks
        return sparse.csr_matrix((len(texts), 0)), np.array([], dtype=object), np.zeros(0, dtype=bool)
    terms = np.asarray(counter.get_feature_names_out(), dtype=object)
    return counts, terms, np.bincount(counts.indices, minlength=len(terms)) < TWICE


def _stands_alone(term: str) -> bool:
    """Whether no other term holds a part of it."""
    return " " not in term and not term.startswith(MARKED) and (term[0].isalnum() or len(set(term)) == 1)


def _total(counts: Any) -> np.ndarray:
    return np.asarray(counts.sum(axis=0)).ravel()


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
