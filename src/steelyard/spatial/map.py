"""A map with its options but without a mask: what a pipeline, a cache, a command or a whole data set is given; and the one w0 of a
data set."""

import dataclasses
import difflib
import inspect
import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..progress import counted
from .border import border
from .border import parts as border_parts
from .contour import contour
from .contour import parts as contour_parts
from .dilate import dilate
from .dilate import parts as dilate_parts
from .distance import distance
from .distance import parts as distance_parts
from .images import DIMENSIONS, Mask, read
from .lesion import lesion
from .lesion import parts as lesion_parts
from .objects import components
from .separate import TOUCH
from .share import Mass, Parts, checked_share, mass, solve, weigh

Pair = tuple[Callable[..., Any], Callable[..., Parts]]
MAPS: dict[str, Pair] = {
    "border": (border, border_parts),
    "distance": (distance, distance_parts),
    "contour": (contour, contour_parts),
    "dilate": (dilate, dilate_parts),
    "lesion": (lesion, lesion_parts),
}
OF_OBJECTS = {"objects": False, "connectivity": 1}
NOT_OF_PARTS = ("w0", "share", "spacing", "ignore", *OF_OBJECTS)


@dataclasses.dataclass(frozen=True, init=False)
class Map:
    """`Map("border", sigma=4, share=0.3)(mask)` is `border(mask, sigma=4, share=0.3)`; it can be pickled, compared and printed.

    name           border, distance, contour, dilate, lesion
    options        the keywords of that function but `batch`, checked here once
    objects        True: the mask is semantic, and its connected components are the objects; `connectivity` as in `objects`

    TypeError with the nearest name for an option that it does not take; ValueError for another map or numbers out of range.

    >>> Map("border", sigma=4, share=0.3)
    Map('border', sigma=4.0, share=0.3)
    """

    name: str
    options: dict[str, Any]

    def __init__(self, name: str, **options: Any):
        defaults = takes(name)
        for option in options:
            if option not in defaults:
                raise TypeError(f"Map: {name} takes no {option!r}.{nearest_name(option, defaults)}")
        plain = {option: _plain(name, option, value) for option, value in options.items()}
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "options", {**defaults, **plain})
        dims = len(self.options.get("spacing") or (0, 0))
        weigh(self.parts(np.zeros((1,) * dims, np.int64)), self.options["w0"], None)  # says what is out of range
        if self.options["share"] is not None:
            checked_share(name, self.options["share"])

    def __call__(self, mask: Mask, *, batch: bool = False) -> Mask:
        """The weights, float32, in the shape and kind of the mask. Warns as the function of this name does."""
        parts = self.parts(mask, batch=batch)
        if parts.touching:
            warnings.warn(TOUCH, stacklevel=2)
        return self.weigh(parts)

    def weigh(self, parts: Parts) -> Any:
        """The weights from the parts."""
        return weigh(parts, self.options["w0"], self.options["share"])

    def parts(self, mask: Any, *, batch: bool = False) -> Parts:
        """Floor and shape of a mask."""
        images = read(self.name, mask, self.options.get("spacing"), batch, self.options["ignore"])
        if self.options["objects"]:
            images = dataclasses.replace(images, labels=components(images, self.options["connectivity"]))
        return MAPS[self.name][1](images, **{k: v for k, v in self.options.items() if k not in NOT_OF_PARTS})

    def w0(self, mass: Mass) -> float:
        """The w0 of masks that have this mass."""
        share = self.options["share"]
        return self.options["w0"] if share is None else solve(self.name, mass, share)

    def replace(self, **options: Any) -> "Map":
        """The same map with some other options.

        >>> Map("border", sigma=4, share=0.3).replace(share=None, w0=8)
        Map('border', w0=8.0, sigma=4.0)
        """
        return Map(self.name, **{**self.options, **options})

    def __repr__(self) -> str:
        options = [f"{k}={value!r}" for k, value in self._not_default()]
        return f"Map({', '.join([repr(self.name), *options])})"

    def __str__(self) -> str:
        pairs = self._not_default()
        options = [f"{k}={value:.4g}" if isinstance(value, float) else f"{k}={value}" for k, value in pairs]
        return f"{self.name}({', '.join(options)})"

    def _not_default(self) -> list[tuple[str, Any]]:
        return [(k, self.options[k]) for k, default in takes(self.name).items() if self.options[k] != default]


def calibrate(masks: Iterable[Any], map: Map, *, share: float, progress: bool = False) -> Map:
    """The map with the w0 for which its shape carries `share` of the weight of all masks together.

    Within an image (`share=` of a map) every image gets its own w0: a gap between two cells counts more where there are few. With
    one w0 a gap counts the same everywhere, and images with many gaps get more of the loss.

    masks  one after another, each read once, so they may come from a generator or a data set; sizes may differ
    map    its w0 and share are left aside
    share  in [0, 1)
    progress  show a bar on stderr

    The same w0 as of one batch of all masks. Where no mask has any of the shape, w0 is 0.
    ValueError without masks, and where the map or the share is none.

    >>> import numpy as np
    >>> masks = [np.array([[1, 0, 2]]), np.array([[1, 0, 0, 0, 2]])]
    >>> fitted = calibrate(masks, Map("border"), share=0.3)
    >>> weights = [fitted(m) for m in masks]
    >>> round(float(sum((w - 1).sum() for w in weights) / sum(w.sum() for w in weights)), 6)
    0.3
    """
    total, many = Mass(), 0
    for mask in counted(masks, "calibrating", "masks", shown=progress):
        total, many = total + mass(map.parts(mask)), many + 1
    if not many:
        raise ValueError("calibrate: there are no masks; was a generator used up before?")
    return map.replace(w0=solve(map.name, total, share), share=None)


def takes(name: str) -> dict[str, Any]:
    """{option: default} of a map. ValueError, with the nearest name, if there is none of that name."""
    if name not in MAPS:
        raise ValueError(
            f"Map: there is no map {name!r}.{nearest_name(str(name), MAPS)} The maps are {', '.join(MAPS)}."
        )
    parameters = inspect.signature(MAPS[name][0]).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "batch"} | OF_OBJECTS


def nearest_name(wanted: str, known: Any) -> str:
    near = difflib.get_close_matches(wanted, list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else f" It takes {', '.join(known)}." if known is not MAPS else ""


def _plain(name: str, option: str, value: Any) -> Any:
    """A plain number, so that 4 and np.float32(4) are one map and have one key in a cache."""
    if option == "objects" or value is None or option == "kind":
        return bool(value) if option == "objects" else value
    if option == "spacing":
        steps = tuple(_number(name, option, v) for v in value)
        if len(steps) not in DIMENSIONS or not all(0 < s < math.inf for s in steps):
            raise ValueError(f"{name}: spacing must be 2 or 3 positive numbers, one for each axis, got {value!r}.")
        return steps
    number = _number(name, option, value)
    if option in ("ignore", "connectivity"):
        if not number.is_integer():
            raise ValueError(f"{name}: {option} must be a whole number, got {value!r}.")
        return int(number)
    return number


def _number(name: str, option: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, str) or math.isnan(number):
        raise ValueError(f"{name}: {option} must be a number, got {value!r}.")
    return number
