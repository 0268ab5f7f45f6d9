"""What the data holds: how many of each class, in which unit."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from . import checkpoints, marks, notebook
from .files import loaded, saved_json, write_text_atomically
from .given import MOST, by_class, in_order, sums, whole_numbers
from .options import made_by
from .schema import ByName, Flag, Many, Maybe, Number, Record, Text

SHOWN = 40  # classes in a notebook

FORMAT = "steelyard.counts/1"
KINDS = ("exclusive", "multilabel")
_MANY = Many(Number(low=0, high=MOST))
SCHEMA = Record(
    {
        "per_class": _MANY,
        "classes": Many(Text()),
        "unit": Text(),
        "source": Text(),
        "kind": Text(KINDS),
        "items": Number(low=0, high=MOST, whole=True),
        "containing": Maybe(_MANY),
        "also": Maybe(ByName(_MANY)),
        "digest": Maybe(Text()),
        "weighted": Flag(),
        "notes": Many(Text()),
    },
    optional=("also", "digest", "weighted", "notes"),
)
_DIGEST = re.compile(r"[0-9a-f]{32}")


@made_by("make one with sy.count(data) or Counts.of(900, 100)")
class Counts:
    """How many of each class the data holds. Frozen; two of them add.

    per_class   [C] whole numbers >= 0; or {class: number}, or a Series by class, such as y.value_counts() of pandas. Whole numbers
                as classes, a Counter and a Series stand ascending (ordered categories in their order), other dictionaries as written
    classes     the C names, in the order of the logits; default "0", "1", ...
    unit        what was counted: "rows", "pixels", "boxes", ...
    source      where: a path, a name; free text
    kind        "exclusive": one class per item; "multilabel": yes or no per class, so n_neg = items - per_class
    items       rows or images seen; default sum of per_class (exclusive), required for multilabel
    containing  [C], units in the items that contain the class (median frequency needs it), or None
    also        other whole numbers [C] by name, such as {"images": how many images contain the class}; "unknown" of multilabel
                counts: items that say neither yes nor no, so n_neg = items - unknown - per_class
    digest      fingerprint of the bytes that were counted, 32 hexadecimal digits, or None; `==` does not look at it
    weighted    per_class are sums of row weights, float64 [C], such as frame.groupby("y")["w"].sum(), and need not be whole; exclusive
                classes only. Weights of mean 1 keep the number of rows, which `effective_number` looks at
    notes       what the reader said beside them: rows left out, what was ignored, what was repaired; `==` does not look at it

    >>> both = Counts.of(900, 100) + Counts.of(90, 10)
    >>> both.per_class.tolist(), both.items
    ([990, 110], 1100)
    """

    __slots__ = ("also", "classes", "containing", "digest", "items", "kind", "notes", "per_class", "source", "unit", "weighted")  # fmt: skip

    per_class: np.ndarray
    classes: tuple[str, ...]
    unit: str
    source: str
    kind: str
    items: int
    containing: np.ndarray | None
    also: Mapping[str, np.ndarray]
    digest: str | None
    weighted: bool
    notes: tuple[str, ...]

    def __init__(
        self,
        per_class: Iterable[float] | Mapping[Any, float],
        classes: Sequence[Any] | None = None,
        unit: str = "rows",
        source: str = "",
        *,
        kind: str = "exclusive",
        items: int | None = None,
        containing: Iterable[int] | None = None,
        also: Mapping[str, Iterable[int]] | None = None,
        digest: str | None = None,
        weighted: bool = False,
        notes: Iterable[str] = (),
    ):
        if (named := by_class(per_class)) is not None:
            per_class, classes = in_order(named, classes)
        if weighted and (kind != "exclusive" or containing is not None):
            raise ValueError(
                "Counts: weighted counts are of exclusive classes, without containing=; leave the weights out."
            )
        n = sums(per_class) if weighted else whole_numbers("per_class", per_class)
        names = tuple(str(c) for c in (range(len(n)) if classes is None else classes))
        if len(names) != len(n):
            raise ValueError(f"Counts: {len(n)} numbers but {len(names)} class names; give one name per number.")
        if len(set(names)) != len(names):
            twice = Counter(names).most_common(1)[0][0]
            raise ValueError(f"Counts: class {twice!r} is named twice; class names must differ.")
        if kind not in KINDS:
            raise ValueError(f"Counts: kind must be one of {', '.join(KINDS)}, got {kind!r}.")
        if items is None:
            if kind == "multilabel":
                raise ValueError("Counts: multilabel counts need items=, the number of rows or images seen.")
            items = round(float(n.sum())) if weighted else int(n.sum())
        items = int(whole_numbers("items", [items])[0])
        if kind == "multilabel" and len(n) and int(n.max()) > items:
            worst = int(n.argmax())
            raise ValueError(f"Counts: class {names[worst]!r} counts {n[worst]} of only {items} items.")
        seen = None if containing is None else whole_numbers("containing", containing)
        if seen is not None and len(seen) != len(n):
            raise ValueError(f"Counts: containing has {len(seen)} numbers for {len(n)} classes; give one per class.")
        if seen is not None and bool(np.any(seen < n)):
            c = int(np.argmax(n - seen))
            raise ValueError(
                f"Counts: class {names[c]!r} counts {n[c]} but the items that contain it hold only {seen[c]};"
                " containing counts the same unit as per_class (pixels, not images)."
            )
        if not isinstance(also or {}, Mapping):
            raise ValueError(f"Counts: also is numbers by name, such as {{'images': [3, 1]}}, got {also!r}.")
        others = {str(name): whole_numbers(f"also[{name!r}]", values) for name, values in (also or {}).items()}
        for name, values in others.items():
            if len(values) != len(n):
                raise ValueError(
                    f"Counts: also[{name!r}] has {len(values)} numbers for {len(n)} classes; give one per class."
                )
        if kind == "multilabel" and "unknown" in others and bool(np.any(n + others["unknown"] > items)):
            c = int(np.argmax(n + others["unknown"]))
            raise ValueError(
                f"Counts: class {names[c]!r} counts {n[c]} and is unknown in {others['unknown'][c]} of only {items} items."
            )
        if digest is not None and not _DIGEST.fullmatch(str(digest)):
            raise ValueError(f"Counts: digest must be 32 hexadecimal digits, got {digest!r}.")
        for name, value in (
            ("per_class", n),
            ("classes", names),
            ("unit", str(unit)),
            ("source", str(source)),
            ("kind", kind),
            ("items", items),
            ("containing", seen),
            ("also", MappingProxyType(others)),
            ("digest", None if digest is None else str(digest)),
            ("weighted", bool(weighted)),
            ("notes", tuple(notes)),
        ):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"Counts is frozen: {name} cannot be set.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"Counts is frozen: {name} cannot be deleted.")

    @classmethod
    def of(cls, *per_class: int, classes: Sequence[Any] | None = None) -> Self:
        """Exclusive counts written out: `Counts.of(900, 100)`."""
        return cls(per_class, classes)

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def table(self) -> np.ndarray:
        """float64 counts per label value: [C] for exclusive classes, [2, K] for multilabel (row 1 = "is")."""
        n = self.per_class.astype(np.float64)
        return n if self.kind == "exclusive" else np.stack([self.known - n, n])

    @property
    def known(self) -> np.ndarray:
        """[K], of multilabel counts: the items that say yes or no; the others, `also["unknown"]`, say nothing of this label."""
        return self.items - self.also.get("unknown", np.zeros(len(self), dtype=np.int64))

    @property
    def prior(self) -> np.ndarray:
        """Share of each label value: [C] summing to 1, or [2, K] with columns summing to 1 (1/2 where no item knows the label)."""
        n = self.table
        total = n.sum(axis=0)
        if total.size and not np.any(total > 0):
            raise ValueError("Counts: nothing was counted, so there is no prior.")
        return np.where(total > 0, n, 0.5) / np.where(total > 0, total, 1.0)

    def occurring(self, name: str) -> np.ndarray:
        """`table` with the numbers > 0: what counts 0 stands like the rarest of its column that occurs, so that formulas stay finite.

        ValueError in the name of the caller where nothing was counted at all.
        """
        n = self.table
        if not n.size:
            raise ValueError(f"{name}: there is no class to weigh.")
        if not np.any(n > 0):
            where = f" in {self.source}" if self.source else ""
            raise ValueError(
                f"{name}: every class counts 0{where}, so there is nothing to weigh; count data that hold some."
            )
        return without_zeros(n)

    def nonempty(self, name: str) -> np.ndarray:
        """`table`, or a ValueError in the name of the caller that names the classes counting 0."""
        n = self.table
        if n.size and bool(np.all(n > 0)):
            return n
        if not n.size:
            raise ValueError(f"{name}: there is no class to weigh.")
        positives = n if self.kind == "exclusive" else n[1]
        absent = bool(np.any(positives == 0))
        empty = positives == 0 if absent else n[0] == 0
        names = [repr(c) for c, e in zip(self.classes, empty, strict=True) if e]
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        one, many = ("class {} counts 0", "classes {} count 0") if absent else ("class {} has", "classes {} have")
        what = (one if len(names) == 1 else many).format(shown) + ("" if absent else " no negative")
        where = f" in {self.source}" if self.source else ""
        raise ValueError(
            f"{name}: {what}{where}, so no finite weight exists. Leave them out (classes=), merge them, or count more data."
        )

    def unit_mass(self, raw: np.ndarray, absent: float | None = None) -> np.ndarray:
        """Scale raw weights, shaped like `table`, so that sum_y pi_y w_y = 1 (for every label when multilabel).

        What counts 0 has no part in that sum; its weight becomes `absent` (None: what the formula gives it), so that every class keeps
        its place.
        """
        weights = raw / np.sum(self.prior * raw, axis=0)
        return weights if absent is None else np.where(self.table > 0, weights, absent)

    def __add__(self, other: object) -> "Counts":
        """Counting together: classes are matched by name, new ones are appended."""
        if not isinstance(other, Counts):
            return NotImplemented
        for field in ("unit", "kind", "weighted"):
            if getattr(self, field) != getattr(other, field):
                ours, theirs = getattr(self, field), getattr(other, field)
                raise ValueError(f"Counts: cannot add {field} {ours!r} and {theirs!r}; count both the same way.")
        classes = self.classes + tuple(c for c in other.classes if c not in set(self.classes))
        both = self.containing is not None and other.containing is not None
        sources = dict.fromkeys(s for c in (self, other) for s in c.source.split(" + ") if s)
        shared = [name for name in self.also if name in other.also]
        if self.kind == "multilabel" and ("unknown" in self.also or "unknown" in other.also):
            shared = list(dict.fromkeys([*shared, "unknown"]))
        return Counts(
            self._spread(self.per_class, classes) + other._spread(other.per_class, classes),
            classes,
            self.unit,
            " + ".join(sources),
            kind=self.kind,
            items=self.items + other.items,
            containing=self._spread(self.containing, classes) + other._spread(other.containing, classes)
            if both and self.containing is not None and other.containing is not None
            else None,
            also={
                name: self._spread(self._also(name), classes) + other._spread(other._also(name), classes)
                for name in shared
            },
            digest=add_digests(self.digest, other.digest),
            weighted=self.weighted,
            notes=dict.fromkeys((*self.notes, *other.notes)),
        )

    def by(self, name: str) -> "Counts":
        """The same classes counted by another of the numbers in `also`.

        "images" or "sequences" (how many items contain the class) gives multilabel counts, the others exclusive ones in that unit.

        >>> boxes = Counts([900, 100], ["car", "bus"], unit="boxes", items=80, also={"images": [75, 60]})
        >>> boxes.by("images")
        Counts({'car': 75, 'bus': 60}, unit='images', multilabel in 80 items, source='')
        """
        if name not in self.also:
            known = ", ".join(map(repr, self.also)) or "nothing else"
            raise ValueError(f"Counts: {name!r} was not counted; besides {self.unit} there is {known}.")
        kind = "multilabel" if name in ("images", "sequences") else "exclusive"
        items = self.items if kind == "multilabel" else None
        return Counts(
            self.also[name],
            self.classes,
            name,
            self.source,
            kind=kind,
            items=items,
            digest=self.digest,
            notes=self.notes,
        )

    def noted(self, notes: Iterable[str]) -> "Counts":
        """The same counts with more notes."""
        if not (notes := tuple(notes)):
            return self
        again = object.__new__(Counts)
        for name in self.__slots__:
            object.__setattr__(again, name, getattr(self, name))
        object.__setattr__(again, "notes", tuple(dict.fromkeys((*self.notes, *notes))))
        return again

    def _also(self, name: str) -> np.ndarray:
        return self.also.get(name, np.zeros(len(self), dtype=np.int64))

    def _spread(self, numbers: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
        at = {c: i for i, c in enumerate(classes)}
        out = np.zeros(len(classes), dtype=numbers.dtype)
        out[[at[c] for c in self.classes]] = numbers
        return out

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counts) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple:
        seen = None if self.containing is None else tuple(self.containing.tolist())
        others = tuple(sorted((name, tuple(values.tolist())) for name, values in self.also.items()))
        facts = self.classes, self.unit, self.source, self.kind, self.items, self.weighted
        return tuple(self.per_class.tolist()), *facts, seen, others

    def __reduce__(self) -> tuple:  # the frozen __setattr__ stops the default copy
        return checkpoints.read, ("counts", self.to_json())

    def __repr__(self) -> str:
        shown = [
            f"{c!r}: {n:g}" if self.weighted else f"{c!r}: {n}"
            for c, n in zip(self.classes[:12], self.per_class[:12].tolist(), strict=True)
        ]
        more = f", … {len(self) - 12} more" if len(self) > 12 else ""
        kind = f", multilabel in {self.items} items" if self.kind == "multilabel" else ", weighted" * self.weighted
        notes = f", notes={list(map(str, self.notes))}" if self.notes else ""
        return f"Counts({{{', '.join(shown)}{more}}}, unit={self.unit!r}{kind}, source={self.source!r}{notes})"

    def _repr_html_(self) -> str:
        total = float(self.per_class.sum()) if self.kind != "multilabel" else float(self.items)
        rows = [
            (str(name), f"{n:,g}" if self.weighted else f"{n:,}", f"{n / total:.2%}" if total else "")
            for name, n in zip(self.classes[:SHOWN], self.per_class[:SHOWN].tolist(), strict=True)
        ]
        more = [notebook.words(f"… {len(self) - SHOWN:,} more")] if len(self) > SHOWN else []
        where = [notebook.words(f"{self.unit} of {self.source}")] if self.source else []
        return "".join([*where, notebook.table(("class", self.unit, "share"), rows), *more])

    def to_json(self) -> str:
        return json.dumps(
            {
                "format": FORMAT,
                "kind": self.kind,
                "unit": self.unit,
                "source": self.source,
                "items": self.items,
                "classes": list(self.classes),
                "per_class": self.per_class.tolist(),
                "containing": None if self.containing is None else self.containing.tolist(),
                "also": {name: values.tolist() for name, values in self.also.items()},
                "digest": self.digest,
                **({"weighted": True} if self.weighted else {}),
                **({"notes": list(self.notes)} if self.notes else {}),
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        data = saved_json("Counts", text, FORMAT, SCHEMA)
        return cls(
            data["per_class"],
            data["classes"],
            data["unit"],
            data["source"],
            kind=data["kind"],
            items=data["items"],
            containing=data["containing"],
            also=data.get("also"),
            digest=data.get("digest"),
            weighted=bool(data.get("weighted", False)),
            notes=data.get("notes", ()),
        )

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write JSON that `load` reads. It takes the place of saved counts; of any other file only with `overwrite`, and of a link never:
        OSError says so."""
        write_text_atomically(path, self.to_json(), marks.COUNTS, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """ValueError, naming what does not fit, if it is not what `save` wrote."""
        return loaded(path, cls.from_json)


def without_zeros(n: np.ndarray) -> np.ndarray:
    """[C] or [2, K], with the smallest number > 0 of its column in the place of each 0; 1 in columns of zeros."""
    rarest = np.where(n > 0, n, np.inf).min(axis=0)
    return np.where(n > 0, n, np.where(np.isfinite(rarest), rarest, 1.0))


def add_digests(one: str | None, other: str | None) -> str | None:
    """The fingerprint of both: a sum, so the order of the parts does not matter; None if one is not known."""
    if one is None or other is None:
        return None
    return f"{(int(one, 16) + int(other, 16)) % 2**128:032x}"
