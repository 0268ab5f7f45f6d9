"""A function is another one when its own code, constants or the plain values around it are."""

import functools

import pytest

from steelyard.tuning.models.written import written


def made(source: str, **around):
    names = dict(around)
    exec(source, names)  # as a notebook's cell is: there is no file to read the source from
    return names["fit"]


BASE = "def fit(recipe, X, y, rate=0.1):\n    width = 16\n    return X * width * rate"
CHANGED = {
    "a constant": BASE.replace("16", "32"),
    "a default": BASE.replace("0.1", "0.2"),
    "an operation": BASE.replace("X * width", "X + width"),
    "what it calls": BASE.replace("X * width", "len(X) * width"),
    "a function inside": BASE.replace("width = 16", "width = (lambda: 16)()"),
}


def test_the_same_code_is_the_same_function_wherever_it_stands():
    assert written(made(BASE)) == written(made("# a comment\n\n" + BASE))


@pytest.mark.parametrize("source", CHANGED.values(), ids=CHANGED)
def test_a_change_in_the_function_is_seen(source):
    assert written(made(source)) != written(made(BASE))


def around(width, helper=len):
    def fit(recipe, X, y):
        return X[:width] * helper(X)

    return fit


def recursive(depth):
    def fit(recipe, X, y):
        return fit(recipe, X, y) if depth else X

    return fit


def test_a_function_may_call_itself():
    assert written(recursive(1)) == written(recursive(1)) != written(recursive(2))


class Trainer:
    def __init__(self, width=3):
        self.width = width

    def __call__(self, recipe, X, y):
        return X

    def fit(self, recipe, X, y):
        return X + self.width


def test_partials_methods_and_objects_have_one_too():
    several = [
        Trainer(),
        Trainer(4),
        Trainer().fit,
        Trainer(4).fit,
        made(BASE),
        functools.partial(made(BASE), rate=3),
        functools.partial(made(BASE), rate=4),
    ]
    assert len({written(one) for one in several}) == len(several)
    assert written(Trainer()) == written(Trainer())
    assert written(Trainer().fit) == written(Trainer().fit)
