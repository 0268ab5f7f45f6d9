"""Options: the signature is the rule."""

import math
from typing import Annotated

import numpy as np
import pytest
import torch

from steelyard.counts import Counts
from steelyard.options import In, OneOf, checked, ingredient, made_by
from steelyard.recipe import Recipe


@ingredient
def half_life(
    counts: Counts,
    *,
    beta: Annotated[float, In(0.0, 1.0, open_high=True)] = 0.999,
    mode: Annotated[str, OneOf("rows", "mass")] = "rows",
    note: str = "",
) -> Recipe:
    """Weigh by nothing at all.

    Source: Nobody 1900,
    page 3.

    More text.
    """
    return Recipe(weight=[beta] * len(counts))


COUNTS = Counts.of(900, 100)


def test_the_spec_is_read_from_signature_and_docstring():
    spec = half_life.spec
    assert (spec.name, spec.cli_name, spec.argument) == ("half_life", "half-life", "counts")
    assert list(spec.options) == ["beta", "mode", "note"]
    assert spec.options["beta"].default == 0.999
    assert spec.options["beta"].rule == In(0.0, 1.0, open_high=True)
    assert spec.options["note"].rule is None
    assert spec.summary == "Weigh by nothing at all."
    assert spec.source == "Nobody 1900, page 3."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beta": 1.5}, "half-life: beta must be in [0, 1), got 1.5."),
        ({"beta": 1.0}, "half-life: beta must be in [0, 1), got 1."),
        ({"beta": math.nan}, "half-life: beta must be in [0, 1), got nan."),
        ({"beta": np.float64(-1)}, "half-life: beta must be in [0, 1), got -1."),
        ({"beta": "0.9"}, "half-life: beta must be in [0, 1), got '0.9'."),
        ({"beta": True}, "half-life: beta must be in [0, 1), got True."),
        ({"beta": None}, "half-life: beta must be in [0, 1), got None."),
        ({"beta": [0.5]}, "half-life: beta must be in [0, 1), got [0.5]."),
        ({"beta": np.array([0.5])}, "half-life: beta must be in [0, 1), got array([0.5])."),
        ({"mode": "row"}, "half-life: mode must be one of 'rows', 'mass', got 'row'."),
    ],
)
def test_a_value_outside_the_domain_is_named_with_the_domain(options, message):
    with pytest.raises(ValueError) as caught:
        half_life(COUNTS, **options)
    assert str(caught.value) == message


def test_an_unknown_option_is_named_with_the_known_ones():
    with pytest.raises(TypeError) as caught:
        half_life(COUNTS, bta=0.5)
    assert str(caught.value) == "half-life: unknown option 'bta'; it takes beta, mode, note."


@pytest.mark.parametrize("arguments", [(), (COUNTS, 0.5)])
def test_a_wrong_call_shows_the_call_to_write(arguments):
    with pytest.raises(
        TypeError, match=r"^half-life: .*write half_life\(counts, \*, beta=0\.999, mode='rows', note=''\)"
    ):
        half_life(*arguments)


def test_a_list_instead_of_counts_says_how_to_make_counts():
    with pytest.raises(TypeError) as caught:
        half_life([900, 100])
    assert str(caught.value).startswith("half-life: counts must be Counts, got list; make one with sy.count(data)")


def test_a_tensor_that_is_learned_is_no_option():
    with pytest.raises(ValueError, match=r"^half-life: beta must be in \[0, 1\), got tensor"):
        half_life(COUNTS, beta=torch.tensor(0.5, requires_grad=True))


@pytest.mark.parametrize("value", [np.float32(0.25), np.float64(0.25), np.array(0.25), torch.tensor(0.25)])
def test_a_scalar_of_another_library_becomes_a_plain_number(value):
    assert half_life(COUNTS, beta=value) == half_life(COUNTS, beta=0.25)
    assert half_life(COUNTS, beta=value).source == ("half_life(beta=0.25, mode='rows', note='')",)


def test_the_source_keeps_every_digit_of_an_option():
    assert "beta=0.99999999," in half_life(COUNTS, beta=0.99999999).source[0]
    assert "beta=0," in half_life(COUNTS, beta=0.0).source[0]


@pytest.mark.parametrize(
    ("rule", "inside", "outside"),
    [
        (In(0, 1), [0, 1, 0.5], [-1e-300, 1.0000001, math.inf]),
        (In(0, 1, open_low=True, open_high=True), [1e-300, 0.5], [0, 1]),
        (In(0, math.inf), [0, 1e308], [math.inf, -1, 10**400]),
        (In(-math.inf, 0, open_high=True), [-1e308], [-math.inf, 0]),
        (
            In(0, 1, per_label=True),
            [0.5, [0, 1], (0.5,), {"a": 1}, np.array([0.5, 1]), torch.tensor([0.0])],
            [[], [2], {"a": 2}, "1", [[0.5]], np.ones((1, 1))],
        ),
        (In(0, 1), [], [[0.5], {"a": 0.5}, 1j, object()]),
    ],
)
def test_intervals_hold_what_they_print(rule, inside, outside):
    assert [v for v in inside if not rule.check(v)] == []
    assert [v for v in outside if rule.check(v)] == []


def test_infinite_ends_print_open():
    assert str(In(0, math.inf)) == "in [0, inf)"
    assert str(In(-math.inf, 0, open_high=True)) == "in (-inf, 0)"


def test_a_search_walks_its_own_range_where_one_is_given():
    assert In(0, math.inf, search=(0, 2)).bounds == (0, 2)
    assert In(0, 1).bounds == (0, 1)


def test_a_whole_number_is_no_float_and_becomes_an_int():
    whole = In(2, math.inf, whole=True)
    assert whole.check(2)
    assert whole.check(np.int64(3))
    assert not any(whole.check(v) for v in (1, 2.0, True, "2", None))
    assert str(whole) == "a whole number in [2, inf)"


class Taken:
    @checked
    def __init__(self, *, size: Annotated[int, In(1, 9, whole=True)], share: Annotated[float | None, In(0, 1)] = None):
        self.size, self.share = size, share


def test_a_class_is_checked_under_its_name():
    taken = Taken(size=np.int32(4))
    assert type(taken.size) is int
    assert taken.share is None
    with pytest.raises(ValueError, match=r"Taken: size must be a whole number in \[1, 9\], got 0"):
        Taken(size=0)
    with pytest.raises(ValueError, match=r"Taken: share must be in \[0, 1\], got 2"):
        Taken(size=1, share=2)
    with pytest.raises(TypeError, match="Taken: unknown option 'site'; it takes size, share"):
        Taken(site=3)
    with pytest.raises(
        TypeError, match=r"Taken: missing a required argument: 'size'|write Taken\(\*, size, share=None\)"
    ):
        Taken()


@made_by("make one with Unit.of(1)")
class Unit:
    pass


def test_an_argument_of_a_class_that_says_how_it_is_made_is_checked():
    @ingredient
    def measured(unit: Unit, *, other: int = 0) -> Recipe:
        return Recipe()

    assert measured(Unit()) == Recipe()
    with pytest.raises(TypeError, match=r"measured: unit must be Unit, got int; make one with Unit.of\(1\)\."):
        measured(3)
