"""The recipes that every law is tried on."""

from typing import NamedTuple

import pytest

import steelyard as sy
from steelyard import testing
from steelyard.ops import Bound, bind


class Subject(NamedTuple):
    link: str
    name: str
    recipe: sy.Recipe

    def loss(self, recipe: sy.Recipe | None = None, **options):
        kind = sy.CrossEntropy if self.link == "softmax" else sy.BinaryCrossEntropy
        return kind(self.recipe if recipe is None else recipe, **options)

    @property
    def bound(self) -> Bound:
        return bind(self.recipe, self.link)

    def calls(self, seed: int = 0, size: float = 3.0) -> dict[str, testing.Call]:
        return testing.calls(self.link, self.bound, seed=seed, size=size)

    def __str__(self) -> str:
        return f"{self.link}-{self.name}"


SUBJECTS = [Subject(link, n, r) for link in ("softmax", "sigmoid") for n, r in testing.recipes(link).items()]

# one of each field and target, for laws that do not look at the tables
TYPICAL = ("plain", "weight-table", "offset-table", "scale-per-label", "margin", "smooth-per-label", "target-rows", "norm-mass", "everything")  # fmt: skip


@pytest.fixture(scope="session", params=[s for s in SUBJECTS if s.name in TYPICAL], ids=str)
def typical(request) -> Subject:
    return request.param


@pytest.fixture(scope="session", params=SUBJECTS, ids=str)
def subject(request) -> Subject:
    return request.param
