"""Tables from numbers that may take any value: no step of any optimiser leads out of what a table may be."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from ..counts import Counts
from ..ops.factors import Tables
from ..recipe import Recipe

FIELDS = ("weight", "offset", "scale")


class Free:
    """Which tables there are, and how free numbers s become them.

    weight  exp(s - mean s): geometric mean 1; one per label [C], multilabel [2, K]
    scale   exp(s - mean s): geometric mean 1; one per class [1, C] (sigmoid, two classes: per label [2]; multilabel [2,
            K])
    offset  s - mean s: adds up to 0, as a common offset does nothing in a softmax; [1, C]. Multilabel: s itself, [1, K]
    """

    def __init__(self, fields: Sequence[str], counts: Counts | int, source: str):
        self.fields, self.source = tuple(f for f in FIELDS if f in fields), source
        if isinstance(counts, Counts):
            self.classes, self.kind, prior = counts.classes, counts.kind, counts.prior
        else:
            self.classes, self.kind, prior = None, None, np.full(counts, 1 / counts)
        self.share = prior if self.kind != "multilabel" else prior / len(self.classes or ())  # of all terms of the mean
        self.per_label = prior.shape
        self.link = ""
        self.serve("softmax" if self.kind != "multilabel" else "sigmoid")

    def serve(self, link: str) -> None:
        """Which way each table lies; the structure stays the same object for as long as the link does."""
        if link == self.link:
            return
        self.link = link
        size = self.per_label
        self.shapes = {"weight": size, "offset": (1, size[-1]), "scale": size}
        if link == "softmax":
            self.shapes["scale"] = (1, size[-1])
        neutral: dict[str, Any] = {f: np.full(self.shapes[f], 0.0 if f == "offset" else 1.0) for f in self.fields}
        kind = "exclusive" if self.kind is None and link == "sigmoid" else self.kind
        self.structure = Recipe(**neutral, classes=self.classes, kind=kind, source=(self.source,))

    def start(self, recipe: Recipe | None) -> dict[str, np.ndarray]:
        """The free numbers of `recipe`; zeros where it says nothing."""
        found = {}
        for field in self.fields:
            shape = self.shapes[field] if field == "offset" else self.per_label
            table = None if recipe is None else getattr(recipe, field)
            given = None if table is None else table.numpy() if field == "offset" else np.log(table.numpy())
            if given is not None and len(shape) == 1:
                given = given.reshape(-1)
            found[field] = np.zeros(shape) if given is None else np.broadcast_to(given, shape).copy()
            if field == "offset":
                found[field] = found[field].reshape(-1)
        return found

    def tables(self, free: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{field: table} in the shape of the free numbers."""
        found = {}
        for field in self.fields:
            s = free[field]
            if field == "offset":
                found[field] = s if self.kind == "multilabel" else s - s.mean()
            else:
                found[field] = (s - s.mean()).exp()
        return found

    def emitted(self, tables: Mapping[str, Tensor]) -> Tables:
        """The same as `Rule.emit` has them."""
        return {f: (table.reshape(self.shapes[f]),) for f, table in tables.items()}


def spread(cure: str, tables: Mapping[str, Tensor], imbalance: float) -> dict[str, str]:
    """A sentence for every table whose entries are far apart: weights 100 times, scales 10 times, offsets 100 times the imbalance."""
    found = {}
    for field, table in tables.items():
        flat = table.detach().double().reshape(-1)
        apart = float((flat.max() - flat.min()).exp() if field == "offset" else flat.max() / flat.min())
        most = {"weight": 100.0, "scale": 10.0, "offset": 100.0 * imbalance}[field]
        if not apart <= most:
            what = (
                f"offsets give one class {apart:.3g} times the start of another"
                if field == "offset"
                else f"{field}s are {apart:.3g} times apart"
            )
            found[field] = (
                f"the {what}, more than {most:.3g}: a few rows then decide every step. Lower the learning rate of these"
                f" numbers, or {cure}."
            )
    return found
