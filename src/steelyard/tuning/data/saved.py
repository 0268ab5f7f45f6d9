"""The columns of a study as plain data, to be read again from another table: how each was read, and what was learned of it."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, Self

import numpy as np

from ...data.alike import names_alike, numbers_alike, places_alike
from ...data.labels import some
from ...data.numbers import quoted, rows_of
from ...data.spelling import FORM as SPELLING
from ...data.spelling import Spelling
from ...data.tables import Table
from ...schema import Flag, Kinds, Many, Maybe, Record, brief
from ...schema import Number as Figure
from ...schema import Text as Words
from .columns import HUGE, Category, Number
from .features import Encoder, Features, OneHot, ScaledNumber
from .text import Text, TfIdf, counted_again
from .trees import Counts, Raw, Single

SHOWN = 3


@dataclasses.dataclass(frozen=True)
class SavedNumber:
    """What `ScaledNumber` learned; trees use nothing but the spelling."""

    name: str
    spelling: Spelling
    median: float = 0.0
    mean: float = 0.0
    deviation: float = 1.0
    gaps: bool = False
    kind: str = "number"

    def read(self, table: Table, marks: Collection[str], notes: list[str]) -> Number:
        values, unread = numbers_alike(self.name, table.columns[self.name], self.spelling, marks)
        huge = np.abs(values) > HUGE
        notes += unread
        if huge.any():
            notes.append(f"column {self.name!r}: {rows_of(int(huge.sum()))} beyond {HUGE:g} read as missing")
        return Number(self.name, np.where(huge, np.nan, values))

    def scaled(self, column: Number) -> ScaledNumber:
        return ScaledNumber(column, self.median, self.mean, self.deviation, self.gaps)

    @property
    def width(self) -> int:
        return 2 if self.gaps else 1


@dataclasses.dataclass(frozen=True)
class SavedCategory:
    """Every level of the study, and the place of each: a column of 0 and 1, or the code that trees read; the last place is that of
    missing, and one beyond all columns is none."""

    name: str
    levels: tuple[str, ...]
    place: tuple[float, ...]
    names: tuple[str, ...] = ()
    kind: str = "category"

    def read(self, table: Table, marks: Collection[str], notes: list[str]) -> Category:
        """With one level more, "", for all that are new."""
        texts = names_alike(table.columns[self.name], marks)
        codes, new, turned = places_alike(texts, {level: i for i, level in enumerate(self.levels)})
        if new:
            rows = f"{quoted(new)} ({rows_of(sum(new.values()))})"
            notes.append(f"column {self.name!r}: {rows} was not in the study and counts as none of its levels")
        if turned:
            notes.append(
                f"column {self.name!r}: {quoted(turned)} ({rows_of(sum(turned.values()))}) was taken for the level of the same number"
            )
        return Category(self.name, np.where(codes == -2, len(self.levels), codes), (*self.levels, ""))

    def scaled(self, column: Category) -> OneHot:
        place = [*self.place[:-1], len(self.names), self.place[-1]]
        return OneHot(column, np.array(place, dtype=np.int64), list(self.names))

    def raw(self, column: Category) -> np.ndarray:
        known = [p for p in self.place if not np.isnan(p)]
        return np.array([*self.place[:-1], max(known, default=-1.0) + 1, self.place[-1]])[column.codes]

    @property
    def width(self) -> int:
        return len(self.names)


@dataclasses.dataclass(frozen=True)
class SavedText:
    """Its words and runs of characters with the weight of each; trees read how often each occurs."""

    name: str
    pairs: bool
    words: tuple[str, ...]
    runs: tuple[str, ...]
    weights: tuple[float, ...] = ()
    gaps: bool = False
    kind: str = "text"

    def read(self, table: Table, marks: Collection[str], notes: list[str]) -> Text:
        text = counted_again(
            self.name, names_alike(table.columns[self.name], marks), self.words, self.runs, pairs=self.pairs
        )
        bare = int(np.sum((text.counts.getnnz(axis=1) == 0) & ~text.missing))
        if bare:
            notes.append(f"column {self.name!r}: {rows_of(bare)} with a text of which the study knows no word")
        return text

    def scaled(self, column: Text) -> TfIdf:
        weights, words = np.array(self.weights), len(self.words)
        return TfIdf(column, column.kinds, (Idf(weights[:words]), Idf(weights[words:])), self.gaps)

    @property
    def width(self) -> int:
        return len(self.words) + len(self.runs) + self.gaps


@dataclasses.dataclass(frozen=True)
class Idf:
    """What scikit-learn's TfidfTransformer(sublinear_tf=True) does once it is fitted."""

    idf_: np.ndarray

    def transform(self, counts: Any) -> Any:
        from sklearn.preprocessing import normalize

        out = counts.copy()
        out.data = (np.log(out.data) + 1) * self.idf_[out.indices]
        return normalize(out, copy=False)


Saved = SavedNumber | SavedCategory | SavedText
KINDS: dict[str, type[Any]] = {"number": SavedNumber, "category": SavedCategory, "text": SavedText}


TEXTS = Many(Words())
PARTS = Kinds(
    "kind",
    {
        "number": Record(
            {
                "name": Words(),
                "spelling": SPELLING,
                **dict.fromkeys(("median", "mean", "deviation"), Figure()),
                "gaps": Flag(),
            }
        ),
        "category": Record(
            {"name": Words(), "levels": TEXTS, "names": TEXTS, "place": Many(Maybe(Figure(0, 2**53, whole=True)))}
        ),
        "text": Record(
            {
                "name": Words(),
                "pairs": Flag(),
                "gaps": Flag(),
                "words": TEXTS,
                "runs": TEXTS,
                "weights": Many(Figure(0, 1e6)),
            }
        ),
    },
)
COLUMNS = Record({"encoding": Words(("scaled", "raw")), "names": TEXTS, "marks": TEXTS, "parts": Many(PARTS)})


@dataclasses.dataclass(frozen=True)
class SavedColumns:
    """
    encoding  "scaled" or "raw", as `Model.encoding`
    names     of the columns that were learned from, in the order of the study's table
    parts     in the order of the design matrix
    marks     texts that are missing beside the usual ones
    """

    encoding: str
    names: tuple[str, ...]
    parts: tuple[Saved, ...]
    marks: tuple[str, ...] = ()

    @classmethod
    def of(cls, features: Features, encoder: Encoder | Raw) -> Self:
        """Of what a training part taught; for trees, of all rows."""
        how = {c.name: features.spellings.get(c.name, Spelling()) for c in features.columns}
        names, marks = tuple(how), features.marks
        if isinstance(encoder, Raw):
            parts = [_raw(column, part, how) for column, part in zip(features.columns, encoder.parts, strict=True)]
            return cls("raw", names, tuple(parts), marks)
        return cls("scaled", names, tuple(_scaled(part, how) for part in (*encoder.parts, *encoder.texts)), marks)

    def read(self, table: Table) -> tuple[Encoder | Raw, list[str]]:
        """(what encodes the rows of the table, notes). ValueError where a column is not there."""
        absent = [name for name in self.names if name not in table.columns]
        if absent:
            known = some([name for name in table.names], 8)
            raise ValueError(
                f"{table.path}: {'a column that' if len(absent) == 1 else f'{len(absent)} columns that'} the model reads"
                f" {'is' if len(absent) == 1 else 'are'} not there: {some(absent, 8)}. The table has {known}. Name it as in the study, or add"
                " it without values: then it counts as missing in every row."
            )
        notes: list[str] = []
        columns = [part.read(table, self.marks, notes) for part in self.parts]
        pairs = list(zip(self.parts, columns, strict=True))
        if self.encoding == "scaled":
            learned = [part.scaled(column) for part, column in pairs]  # type: ignore[arg-type]
            dense = tuple(one for one in learned if not isinstance(one, TfIdf))
            return Encoder(dense, tuple(one for one in learned if isinstance(one, TfIdf))), notes
        return Raw(tuple(_single(part, column) for part, column in pairs), ()), notes

    @property
    def width(self) -> int:
        """Columns of the design matrix."""
        if self.encoding == "scaled":
            return sum(part.width for part in self.parts)
        return sum(part.width - part.gaps if isinstance(part, SavedText) else 1 for part in self.parts)

    def to_dict(self) -> dict[str, Any]:
        return {
            "encoding": self.encoding,
            "names": list(self.names),
            "marks": list(self.marks),
            "parts": [_plain(part) for part in self.parts],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """From data of the form COLUMNS. ValueError where its parts do not fit each other."""
        names, parts = tuple(data["names"]), tuple(map(_part, data["parts"]))
        if sorted(names) != sorted(part.name for part in parts):
            raise ValueError("its columns are not those of its parts")
        return cls(data["encoding"], names, parts, tuple(data["marks"]))


def _scaled(part: Any, how: Mapping[str, Spelling]) -> Saved:
    name = part.column.name
    if isinstance(part, ScaledNumber):
        return SavedNumber(name, how[name], part.median, part.mean, part.deviation, part.gaps)
    if isinstance(part, OneHot):
        return SavedCategory(name, part.column.levels, tuple(map(float, part.place)), tuple(part.names))
    words, runs = (tuple(part.column.terms[kept].tolist()) for kept in part.kept)
    weights = [w for kept, weigh in zip(part.kept, part.weigh, strict=True) if len(kept) for w in weigh.idf_.tolist()]
    return SavedText(name, part.column.pairs, words, runs, tuple(weights), part.gaps)


def _raw(column: Any, part: Single | Counts, how: Mapping[str, Spelling]) -> Saved:
    if isinstance(column, Number):
        return SavedNumber(column.name, how[column.name])
    if isinstance(column, Category):
        place = np.full(len(column.levels) + 1, np.nan)
        assert isinstance(part, Single)
        place[column.codes] = part.values
        return SavedCategory(column.name, column.levels, tuple(place.tolist()))
    assert isinstance(part, Counts)
    known = set(column.terms[: column.words].tolist())
    words = [t for t in part.terms if t in known]
    return SavedText(column.name, column.pairs, tuple(words), tuple(part.terms[len(words) :]))


def _single(part: Saved, column: Any) -> Single | Counts:
    if isinstance(part, SavedNumber):
        return Single(part.name, column.values, False)
    if isinstance(part, SavedCategory):
        return Single(part.name, part.raw(column), True)
    return Counts(part.name, column.counts, tuple(column.terms))


def _plain(part: Saved) -> dict[str, Any]:
    data = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
    if isinstance(part, SavedNumber):
        data["spelling"] = part.spelling.to_dict()
    if isinstance(part, SavedCategory):
        data["place"] = [None if np.isnan(p) else p for p in part.place]
    return data


def _part(data: Mapping[str, Any]) -> Saved:
    kind = KINDS[data["kind"]]
    given = {field.name: data[field.name] for field in dataclasses.fields(kind)}
    given |= {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    if kind is SavedNumber:
        given["spelling"] = Spelling.from_dict(given["spelling"])
        if given["deviation"] <= 0:
            raise ValueError(f"the deviation of {brief(given['name'])} is not above 0")
    if kind is SavedCategory:
        given["place"] = tuple(float("nan") if p is None else float(p) for p in given["place"])
        known = [p for p in given["place"] if p == p]
        if len(given["place"]) != len(given["levels"]) + 1:
            raise ValueError(f"the places of {brief(given['name'])} do not fit its levels")
        if given["names"] and max(known, default=0) > len(given["names"]):
            raise ValueError(f"the places of {brief(given['name'])} are beyond its columns")
    if kind is SavedText and len(given["weights"]) not in (0, len(given["words"]) + len(given["runs"])):
        raise ValueError(f"the weights of {brief(given['name'])} do not fit its words")
    return kind(**given)
