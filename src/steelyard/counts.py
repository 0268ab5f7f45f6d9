"""What the data holds: how many of each class, in which unit."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from .files import saved_json, write_text_atomically
from .options import made_by

FORMAT = "steelyard.counts/1"
KINDS = ("exclusive", "multilabel")
_DIGEST = re.compile(r"[0-9a-f]{32}")
MOST = 2**53  # every whole number up to here is a float64


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
    weighted    per_class are sums of row weights, float64 [C], and need not be whole; exclusive classes only

    >>> both = Counts.of(900, 100) + Counts.of(90, 10)
    >>> both.per_class.tolist(), both.items
    ([990, 110], 1100)
    """

    __slots__ = ("also", "classes", "containing", "digest", "items", "kind", "per_class", "source", "unit", "weighted")

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
    ):
        if (by_class := _by_class(per_class)) is not None:
            per_class, classes = _in_order(by_class, classes)
        if weighted and (kind != "exclusive" or containing is not None):
            raise ValueError(
                "Counts: weighted counts are of exclusive classes, without containing=; leave the weights out."
            )
        n = _sums(per_class) if weighted else _whole_numbers("per_class", per_class)
        names = tuple(str(c) for c in (range(len(n)) if classes is None else classes))
        if len(names) != len(n):
            raise ValueError(f"Counts: {len(n)} numbers but {len(names)} class names; give one name per number.")
        if len(set(names)) != len(names):
            twice = next(c for i, c in enumerate(names) if c in names[:i])
            raise ValueError(f"Counts: class {twice!r} is named twice; class names must differ.")
        if kind not in KINDS:
            raise ValueError(f"Counts: kind must be one of {', '.join(KINDS)}, got {kind!r}.")
        if items is None:
            if kind == "multilabel":
                raise ValueError("Counts: multilabel counts need items=, the number of rows or images seen.")
            items = round(float(n.sum())) if weighted else int(n.sum())
        items = int(_whole_numbers("items", [items])[0])
        if kind == "multilabel" and len(n) and int(n.max()) > items:
            worst = int(n.argmax())
            raise ValueError(f"Counts: class {names[worst]!r} counts {n[worst]} of only {items} items.")
        seen = None if containing is None else _whole_numbers("containing", containing)
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
        others = {str(name): _whole_numbers(f"also[{name!r}]", values) for name, values in (also or {}).items()}
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
        """Share of each label value: [C] summing to 1, or [2, K] with columns summing to 1."""
        n = self.table
        total = n.sum(axis=0)
        if not np.all(total > 0):
            raise ValueError("Counts: nothing was counted, so there is no prior.")
        return n / total

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

    def unit_mass(self, raw: np.ndarray) -> np.ndarray:
        """Scale raw weights, shaped like `table`, so that sum_y pi_y w_y = 1 (for every label when multilabel)."""
        return raw / np.sum(self.prior * raw, axis=0)

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
        )

    def by(self, name: str) -> "Counts":
        """The same classes counted by another of the numbers in `also`.

        "images" (how many items contain the class) gives multilabel counts, the others exclusive ones in that unit.

        >>> boxes = Counts([900, 100], ["car", "bus"], unit="boxes", items=80, also={"images": [75, 60]})
        >>> boxes.by("images")
        Counts({'car': 75, 'bus': 60}, unit='images', multilabel in 80 items, source='')
        """
        if name not in self.also:
            known = ", ".join(map(repr, self.also)) or "nothing else"
            raise ValueError(f"Counts: {name!r} was not counted; besides {self.unit} there is {known}.")
        kind = "multilabel" if name == "images" else "exclusive"
        items = self.items if kind == "multilabel" else None
        return Counts(self.also[name], self.classes, name, self.source, kind=kind, items=items, digest=self.digest)

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
        return type(self).from_json, (self.to_json(),)

    def __repr__(self) -> str:
        shown = [
            f"{c!r}: {n:g}" if self.weighted else f"{c!r}: {n}"
            for c, n in zip(self.classes[:12], self.per_class[:12].tolist(), strict=True)
        ]
        more = f", … {len(self) - 12} more" if len(self) > 12 else ""
        kind = f", multilabel in {self.items} items" if self.kind == "multilabel" else ", weighted" * self.weighted
        return f"Counts({{{', '.join(shown)}{more}}}, unit={self.unit!r}{kind}, source={self.source!r})"

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
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        data = saved_json("Counts", text, FORMAT)
        missing = [
            k for k in ("per_class", "classes", "unit", "source", "kind", "items", "containing") if k not in data
        ]
        if missing:
            raise ValueError(f"Counts: this JSON lacks {', '.join(missing)}; save one with counts.save(path).")
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
        )

    def save(self, path: str | PathLike[str]) -> None:
        write_text_atomically(path, self.to_json())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        return cls.from_json(Path(path).read_text(encoding="utf-8"))


def add_digests(one: str | None, other: str | None) -> str | None:
    """The fingerprint of both: a sum, so the order of the parts does not matter; None if one is not known."""
    if one is None or other is None:
        return None
    return f"{(int(one, 16) + int(other, 16)) % 2**128:032x}"


def _by_class(per_class: Any) -> dict[str, float] | None:
    """{class: number} in the order of the logits, of a dictionary or a Series by class; None where there are only numbers."""
    if isinstance(per_class, Mapping):
        keys, numbers = list(per_class), list(per_class.values())
        ascending = isinstance(per_class, Counter) or all(isinstance(k, int) for k in keys)
    elif hasattr(per_class, "to_numpy") and hasattr(per_class, "index") and not callable(per_class.index):
        keys, numbers, index = list(per_class.index), per_class.to_numpy().tolist(), per_class.index
        keys = [k[0] if isinstance(k, tuple) and len(k) == 1 else k for k in keys]  # of frame[["y"]].value_counts()
        ascending = True
        if getattr(index, "ordered", False):  # ordered categories
            places = index.codes.tolist()
            order = sorted(range(len(places)), key=places.__getitem__)
            keys, numbers, ascending = [keys[i] for i in order], [numbers[i] for i in order], False
    else:
        return None
    if any(k is None or k != k for k in keys):
        raise ValueError("Counts: a class is missing (NaN or None); leave it out, or name it.")
    pairs = list(zip(keys, numbers, strict=True))
    if ascending:
        try:
            pairs.sort(key=lambda pair: pair[0])
        except TypeError:
            raise ValueError("Counts: the classes are of mixed kinds; name them alike, such as all as text.") from None
    named = {_class_name(k): n for k, n in pairs}
    if len(named) < len(pairs):
        raise ValueError("Counts: two classes have the same name; class names must differ.")
    return named


def _in_order(by_class: dict[str, float], classes: Sequence[Any] | None) -> tuple[list[float], list[str]]:
    """Numbers and names; `classes` chooses the order, or names the classes 0, 1, ..."""
    names = list(by_class) if classes is None else [_class_name(c) for c in classes]
    if set(names) == set(by_class):
        return [by_class[name] for name in names], names
    if list(by_class) == [str(i) for i in range(len(names))]:
        return list(by_class.values()), names
    raise ValueError(
        f"Counts: the numbers are those of {', '.join(map(repr, by_class))}, but classes= names"
        f" {', '.join(map(repr, names))}; give the same names, or none."
    )


def _class_name(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _sums(values: Iterable[float]) -> np.ndarray:
    n = np.array(values if isinstance(values, np.ndarray) else list(values))
    if n.ndim != 1 or n.dtype.kind not in "iuf" or not bool(np.all((n >= 0) & (n <= MOST))):
        raise ValueError(
            f"Counts: weighted per_class must be one sum of weights in [0, 2^53] per class, got {n.tolist()}."
        )
    n = n.astype(np.float64)
    n.setflags(write=False)
    return n


def _whole_numbers(name: str, values: Iterable[float]) -> np.ndarray:
    n = np.asarray(values if isinstance(values, np.ndarray) else list(values))
    if n.ndim != 1:
        raise ValueError(f"Counts: {name} must be one number per class, got shape {list(n.shape)}.")
    if n.size and n.dtype.kind not in "iu" and not (n.dtype.kind == "f" and bool(np.all(n == np.floor(n)))):
        raise ValueError(f"Counts: {name} must be whole numbers, got {n.tolist()[:5]}.")
    if n.size and bool(np.any(n < 0)):
        raise ValueError(f"Counts: {name} must be >= 0, got {n.min():g}.")
    if n.size and bool(np.any(n > MOST)):
        raise ValueError(f"Counts: {name} must be at most 2^53, got {n.max():g}.")
    n = n.astype(np.int64)
    n.setflags(write=False)
    return n
