"""The form of saved files, declared once: what does not fit is named by its place."""

import pytest

from steelyard.schema import ByName, Either, Flag, Many, Maybe, Number, Numbers, Record, Text, checked, parsed

FORM = Record(
    {
        "name": Text(),
        "kind": Text(("one", "many")),
        "n": Many(Number(low=0, high=9, whole=True), some=True),
        "table": Numbers(Number(named=("-inf",))),
        "also": ByName(Many(Number())),
        "more": Maybe(Either((Flag(), Text()))),
    },
    optional=("more",),
)
GOOD = {"name": "a", "kind": "one", "n": [1, 2.0], "table": [[1, "-inf"], [2, 3]], "also": {"x": [1.5]}, "newer": 3}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": 3}, "X: name must be text, got 3; do it."),
        ({"kind": "two"}, "kind must be one of one, many, got 'two'"),
        ({"n": []}, "n must be a list that is not empty, got a list of 0"),
        ({"n": [1, True]}, r"n\[1\] must be a whole number from 0 to 9, got true"),
        ({"n": [1, 1.5]}, r"n\[1\] must be a whole number .*got 1\.5"),
        ({"n": [10**400]}, "got a number of hundreds of digits"),
        ({"n": [float("nan")]}, "got nan"),
        ({"n": {"a": 1}}, "n must be a list .*got an object of 1"),
        ({"table": [[1], [2, 3]]}, "rows of several lengths"),
        ({"table": [[[1]]]}, r"table\[0\]\[0\] must be a number"),
        ({"table": "inf"}, "table must be a number or '-inf', got 'inf'"),
        ({"also": {"x": "y" * 200}}, r"also\.x must be a list.*\.\.\."),
        ({"more": 3}, "more must be true or false or text, got 3"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(change, says):
    assert checked("X", GOOD, FORM, "do it") is GOOD
    with pytest.raises(ValueError, match=says) as caught:
        checked("X", {**GOOD, **change}, FORM, "do it")
    assert len(str(caught.value)) < 250


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match="X: name, n are missing; do it"):
        checked("X", {k: v for k, v in GOOD.items() if k not in ("name", "n")}, FORM, "do it")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 5000, "nested too deep"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ('{"a": NaN}', "NaN is no number of JSON"),
        (b"\xff\xfe\xff", "UTF-8|decode|Expecting"),
        ('{"a": ', "Expecting"),
        ('{"a": ' + "9" * 5000 + "}", "digits"),
    ],
)
def test_what_is_no_json_is_said(text, says):
    with pytest.raises(ValueError, match=says):
        parsed(text)
