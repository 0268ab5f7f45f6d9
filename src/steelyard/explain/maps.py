"""Where a map puts its weight, over one mask or a data set, and whether that can be meant: what `sy.explain(map, masks)` says."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import notebook
from ..progress import counted
from ..spatial.map import Map
from ..spatial.regions import NEAR, REGIONS, Sums, sums
from .aligned import aligned

MOST = 0.5
OFF = 0.01  # a mean weight further from 1 is said


@dataclasses.dataclass(frozen=True)
class Region:
    """On objects, near one, or far from all. `pixels` and `weight` are shares of the whole, `mean` the mean weight (0 without pixels)."""

    name: str
    pixels: float
    weight: float
    mean: float


@dataclasses.dataclass(frozen=True, repr=False)
class MapExplanation:
    """Plain data; `str()` is a table, `to_dict()` is for JSON.

    share        the part of the weight that the shape of the map carries, the rest is its floor
    w0           (smallest, largest) over the masks
    mean_weight  over all pixels that are not ignored
    masks, bare  how many there were, and how many of them nothing was added to
    """

    source: str
    regions: tuple[Region, ...]
    near: float
    share: float
    w0: tuple[float, float]
    mean_weight: float
    masks: int
    bare: int
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        table, words = self._said()
        return "".join([notebook.words(self.source), notebook.table(table[0], table[1:]), *map(notebook.words, words)])

    def __str__(self) -> str:
        table, words = self._said()
        return "\n".join([self.source, *aligned(table), *words])

    def _said(self) -> tuple[list[list[str]], list[str]]:
        """A table with its head, and the lines under it."""
        title = {"near": f"near (within {self.near:g})"}
        lines = [["region", "of the pixels", "of the weight", "mean weight"]]
        lines += [
            [title.get(r.name, r.name), f"{r.pixels:.1%}", f"{r.weight:.1%}", f"{r.mean:.4g}"] for r in self.regions
        ]
        low, high = self.w0
        w0 = f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
        carried = f"w0 {w0}: the shape carries {self.share:.1%} of the weight; mean weight {self.mean_weight:.4g}"
        last = [f"warning: {w}" for w in self.warnings] + [f"note: {n}" for n in self.notes]
        return lines, [carried, *last]


def read_map(map: Map, masks: Any, *, near: float = NEAR, progress: bool = False) -> MapExplanation:
    """The shares of one mask [H, W], or of an iterable of them (a batch [N, H, W] is a volume: pass `list(batch)`)."""
    one = isinstance(masks, np.ndarray) or hasattr(masks, "detach")
    told = counted([masks] if one else masks, "explaining", "masks", shown=progress)
    return explained(map, (sums(map.parts(mask), near) for mask in told), near)


def explained(map: Map, of_masks: Iterable[Sums], near: float) -> MapExplanation:
    """From the sums of the masks, one after another."""
    floor, shape, pixels = np.zeros(3), np.zeros(3), np.zeros(3)
    factors, bare, many, touching = [], 0, 0, 0
    for one in of_masks:
        w0 = map.w0(one.mass)
        floor, shape, pixels = floor + one.floor, shape + w0 * one.shape, pixels + one.pixels
        bare, many, touching = bare + (one.mass.shape == 0), many + 1, touching + one.touching
        if one.mass.shape:
            factors.append(w0)
    if not many:
        raise ValueError("explain: there are no masks; was a generator used up before?")
    weight, area = floor + shape, max(float(pixels.sum()), 1.0)
    total = float(weight.sum())
    regions = tuple(
        Region(name, float(p / area), float(w / (total or 1.0)), float(w / (p or 1.0)))
        for name, p, w in zip(REGIONS, pixels, weight, strict=True)
    )
    share, mean = float(shape.sum()) / (total or 1.0), total / area
    spread = (min(factors), max(factors)) if factors else (0.0, 0.0)
    source = f"{map} on {many:,} {'mask' if many == 1 else 'masks'}"
    warnings, notes = _far(regions, near), _notes(map, regions, bare, many, mean)
    if touching:
        warnings.append(
            f"objects touch in {touching:,} of {many:,} {'mask' if many == 1 else 'masks'}, without a pixel of background between them that"
            " could weigh more; spatial.separate(instances) cuts a gap."
        )
    return MapExplanation(source, regions, float(near), share, spread, mean, many, bare, tuple(warnings), tuple(notes))


def _far(regions: tuple[Region, ...], near: float) -> list[str]:
    far = regions[2]
    if far.weight <= MOST or far.weight <= far.pixels * (1 + 1e-9) or far.pixels == 1:
        return []
    return [
        f"{far.weight:.1%} of the weight lies more than {near:g} from every object, on {far.pixels:.1%} of the pixels: the map"
        " draws the loss away from the objects. If their edges are what matters, take border, contour, or distance as it is by"
        " default (truncated)."
    ]


def _notes(map: Map, regions: tuple[Region, ...], bare: int, many: int, mean: float) -> list[str]:
    notes = []
    if bare:
        why = {"border": "it needs two objects in a mask", "lesion": "it needs an object"}
        hint = " A semantic mask has its objects found by objects=True." if not map.options["objects"] else ""
        needs = why.get(map.name, "it needs an object and background")
        notes.append(f"nothing is added in {bare:,} of {many:,} {'mask' if many == 1 else 'masks'}: {needs}.{hint}")
    if abs(mean - 1) > OFF:
        notes.append(
            f"the mean weight is {mean:.4g}, and so much larger the loss and its gradient will be, as if by the learning rate;"
            ' norm="mass" in the recipe divides by the weights instead of the pixels.'
        )
    return notes
