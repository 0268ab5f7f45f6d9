"""Counts: frozen sums."""

import copy
import json
import pickle
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.counts import Counts

NAMES = list("abcdefgh")


@st.composite
def counted(draw, kind=None):
    kind = kind or draw(st.sampled_from(["exclusive", "multilabel"]))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    n = draw(st.lists(st.integers(0, 10**9), min_size=len(names), max_size=len(names)))
    items = max(n) + draw(st.integers(0, 10**6)) if kind == "multilabel" else None
    seen = draw(st.none() | st.just([2 * v for v in n]))
    return Counts(n, names, "rows", draw(st.sampled_from(["", "x.csv"])), kind=kind, items=items, containing=seen)


def test_the_generator_is_not_constant():
    found = []
    given(counted())(lambda c: found.append((c.kind, len(c), c.containing is None, bool(c.per_class.any()))))()
    assert {k for k, *_ in found} == {"exclusive", "multilabel"}
    assert len({size for _, size, *_ in found}) > 2
    assert {s for *_, s, _ in found} == {True, False}
    assert {a for *_, a in found} == {True, False}


def numbers(counts):
    return dict(zip(counts.classes, counts.per_class.tolist(), strict=True))


@given(counted("exclusive"), counted("exclusive"))
def test_adding_sums_by_class_name(a, b):
    both = numbers(a + b)
    assert both == {c: numbers(a).get(c, 0) + numbers(b).get(c, 0) for c in {*a.classes, *b.classes}}
    assert (a + b).items == a.items + b.items


@given(counted("multilabel"), counted("multilabel"), counted("multilabel"))
def test_adding_is_associative_and_commutes_up_to_the_order_of_classes(a, b, c):
    assert (a + b) + c == a + (b + c)
    assert numbers(a + b) == numbers(b + a)
    assert (a + b).items == (b + a).items


def test_adding_keeps_the_left_order_and_appends_new_classes():
    both = Counts([1, 2], ["cat", "dog"]) + Counts([10, 20], ["emu", "cat"])
    assert both.classes == ("cat", "dog", "emu")
    assert both.per_class.tolist() == [21, 2, 10]


def test_containing_adds_only_where_both_know_it():
    with_, without = Counts([1, 2], containing=[10, 20]), Counts([1, 2])
    assert (with_ + with_).containing.tolist() == [20, 40]
    assert (with_ + without).containing is None


def test_a_source_is_named_once():
    a, b = Counts([1], source="a.csv"), Counts([1], source="b.csv")
    assert (a + b + a).source == "a.csv + b.csv"


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Counts([1, 2], unit="pixels"), "cannot add unit 'rows' and 'pixels'"),
        (Counts([1, 2], kind="multilabel", items=5), "cannot add kind 'exclusive' and 'multilabel'"),
    ],
)
def test_what_was_counted_differently_does_not_add(other, message):
    with pytest.raises(ValueError, match=message):
        Counts([1, 2]) + other


def test_only_counts_add():
    with pytest.raises(TypeError):
        Counts([1]) + 1


@given(counted())
def test_json_and_copies_give_the_same_counts(counts):
    again = Counts.from_json(counts.to_json())
    assert again == counts
    assert hash(again) == hash(counts)
    assert copy.deepcopy(counts) == counts
    assert copy.copy(counts) == counts


def test_the_json_is_plain_and_says_its_format():
    data = json.loads(Counts.of(900, 100, classes=["no", "yes"]).to_json())
    assert data["format"] == "steelyard.counts/1"
    assert data["per_class"] == [900, 100]
    assert data["classes"] == ["no", "yes"]


def test_a_file_comes_back(tmp_path):
    counts = Counts([3, 4], ["ä", "β"], "pixels", "scan", containing=[9, 9])
    counts.save(tmp_path / "counts.json")
    assert Counts.load(tmp_path / "counts.json") == counts


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": "steelyard.recipe/1"}', '{"format": "steelyard.counts/2"}'])
def test_other_json_is_refused(text):
    with pytest.raises(ValueError, match=r"not steelyard\.counts/1"):
        Counts.from_json(text)


def test_broken_json_is_named():
    with pytest.raises(ValueError, match=r"^Counts: not JSON"):
        Counts.from_json("{")
    with pytest.raises(ValueError, match=r"^Counts: per_class, classes, unit, .* are missing; save one"):
        Counts.from_json('{"format": "steelyard.counts/1"}')


@pytest.mark.parametrize(
    "change",
    [
        {"per_class": [1, 3]},
        {"classes": ["a", "c"]},
        {"unit": "pixels"},
        {"source": "x"},
        {"items": 9},
        {"containing": [3, 3]},
        {"kind": "multilabel", "items": 9},
    ],
)
def test_every_field_matters_for_equality(change):
    fields = {"per_class": [1, 2], "classes": ["a", "b"], "unit": "rows", "source": ""}
    assert Counts(**fields) == Counts(**fields)
    assert Counts(**(fields | change)) != Counts(**fields)


def test_nothing_can_be_changed():
    mine = np.array([1, 2])
    counts = Counts(mine, containing=[3, 3])
    mine[0] = 100
    assert counts.per_class.tolist() == [1, 2]
    for array in (counts.per_class, counts.containing):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    counts.table[0] = 5
    assert counts.table.tolist() == [1, 2]
    for name in ("items", "new"):
        with pytest.raises(AttributeError):
            setattr(counts, name, 3)
    with pytest.raises(AttributeError):
        del counts.items


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([1, 2], ["a"]), {}, "2 numbers but 1 class names"),
        (([1, 2], ["a", "a"]), {}, "class 'a' is named twice"),
        (([1, 2], [1, "1"]), {}, "class '1' is named twice"),
        (([1, -2],), {}, "per_class must be >= 0, got -2"),
        (([1, 2.5],), {}, "per_class must be whole numbers"),
        (([1, float("nan")],), {}, "per_class must be whole numbers"),
        (([1, float("inf")],), {}, "per_class must be at most 2\\^53, got inf"),
        (([1, -float("inf")],), {}, "per_class must be >= 0, got -inf"),
        (([1, 2**63],), {}, "per_class must be at most 2\\^53"),
        (([1, 2],), {"items": 3.5}, "items must be whole numbers"),
        (([1, 2],), {"items": -1}, "items must be >= 0"),
        (([5, 2],), {"containing": [9, 1]}, "class '1' counts 2 but the items that contain it hold only 1"),
        ((["1"],), {}, "per_class must be whole numbers"),
        (([True, False],), {}, "per_class must be whole numbers"),
        (([[1, 2]],), {}, r"one number per class, got shape \[1, 2\]"),
        (([1, 2],), {"kind": "both"}, "kind must be one of exclusive, multilabel, got 'both'"),
        (([1, 2],), {"kind": "multilabel"}, "multilabel counts need items="),
        (([1, 9],), {"kind": "multilabel", "items": 5}, "class '1' counts 9 of only 5 items"),
        (([1, 2],), {"containing": [5]}, "containing has 1 numbers for 2 classes"),
        (([1, 2],), {"containing": [5, -1]}, "containing must be >= 0"),
    ],
)
def test_what_cannot_be_a_count_is_named(arguments, options, message):
    with pytest.raises(ValueError, match=f"^Counts: .*{message}"):
        Counts(*arguments, **options)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([1, -2],), {}, "one sum of weights in"),
        (([1, float("nan")],), {}, "one sum of weights in"),
        ((["1"],), {}, "one sum of weights in"),
        (([1, 2],), {"kind": "multilabel", "items": 5}, "of exclusive classes"),
        (([1, 2],), {"containing": [5, 5]}, "without containing="),
    ],
)
def test_what_cannot_be_a_weighted_count_is_named(arguments, options, message):
    with pytest.raises(ValueError, match=f"^Counts: .*{message}"):
        Counts(*arguments, weighted=True, **options)


def test_weighted_counts_need_not_be_whole_and_are_no_others():
    one = Counts({"a": 1.5, "b": 0.25}, weighted=True)
    assert (one.per_class.tolist(), one.prior.tolist(), one.items) == ([1.5, 0.25], [6 / 7, 1 / 7], 2)
    assert Counts.from_json(one.to_json()) == pickle.loads(pickle.dumps(one)) == one
    assert (one + one).per_class.tolist() == [3.0, 0.5]
    assert (one + Counts([1.0], ["c"], weighted=True)).per_class.tolist() == [1.5, 0.25, 1.0]
    assert "weighted" in repr(one)
    assert Counts([3.0, 5.0], weighted=True) != Counts.of(3, 5)
    with pytest.raises(ValueError, match="cannot add weighted"):
        _ = one + Counts([1, 2], ["a", "b"])
    with pytest.raises(AttributeError):
        one.weighted = False


def test_whole_floats_and_every_integer_type_are_counts():
    for values in (
        [1.0, 2.0],
        np.array([1, 2], np.uint8),
        np.array([1, 2], np.int32),
        np.array([1.0, 2.0], np.float32),
    ):
        assert Counts(values) == Counts.of(1, 2)


@given(counted("multilabel"))
def test_multilabel_rows_are_is_not_and_is(counts):
    assert counts.table.shape == (2, len(counts))
    np.testing.assert_array_equal(counts.table.sum(axis=0), counts.items)
    np.testing.assert_array_equal(counts.table[1], counts.per_class)


@given(counted())
def test_a_prior_is_a_distribution_or_a_named_error(counts):
    if not np.all(counts.table.sum(axis=0) > 0) or not np.any(counts.table):
        with pytest.raises(ValueError, match="nothing was counted"):
            _ = counts.prior
        return
    np.testing.assert_allclose(counts.prior.sum(axis=0), 1, rtol=1e-12)
    np.testing.assert_array_equal(counts.prior == 0, counts.table == 0)


def test_nonempty_names_the_classes_that_count_nothing():
    with pytest.raises(ValueError) as caught:
        Counts([5, 0, 0], ["cat", "dog", "emu"], source="zoo.csv").nonempty("me")
    assert str(caught.value).startswith("me: classes 'dog', 'emu' count 0 in zoo.csv, so no finite weight exists.")
    with pytest.raises(ValueError, match="class 'dog' has no negative"):
        Counts([5, 9], ["cat", "dog"], kind="multilabel", items=9).nonempty("me")
    with pytest.raises(ValueError, match="and 45 more"):
        Counts([0] * 50).nonempty("me")
    with pytest.raises(ValueError, match="no class to weigh"):
        Counts([]).nonempty("me")


@given(counted())
def test_nonempty_gives_a_table_without_zeros_or_raises(counts):
    if np.all(counts.table > 0):
        assert np.all(counts.nonempty("me") == counts.table)
    else:
        with pytest.raises(ValueError, match=r"^me: "):
            counts.nonempty("me")


@given(counted())
def test_occurring_changes_only_zeros_and_keeps_the_smallest_number_of_each_column(counts):
    if not np.any(counts.table):
        with pytest.raises(ValueError, match=r"^me: "):
            counts.occurring("me")
        return
    n = counts.occurring("me")
    assert (n > 0).all()
    np.testing.assert_array_equal(n[counts.table > 0], counts.table[counts.table > 0])
    least = np.where(counts.table > 0, counts.table, np.inf).min(axis=0)
    np.testing.assert_array_equal(n.min(axis=0), np.where(np.isfinite(least), least, 1))


def test_a_label_that_no_item_knows_has_no_side():
    counts = Counts([5, 0], kind="multilabel", items=20, also={"unknown": [0, 20]})
    assert counts.prior.tolist() == [[0.75, 0.5], [0.25, 0.5]]
    assert counts.occurring("me").tolist() == [[15, 1], [5, 1]]


def test_unit_mass_has_mean_one_over_the_data_for_every_label():
    exclusive, labels = Counts.of(900, 100), Counts([5, 50], kind="multilabel", items=100)
    assert exclusive.prior @ exclusive.unit_mass(np.array([3.0, 7.0])) == pytest.approx(1)
    raw = np.array([[3.0, 7.0], [5.0, 1.0]])
    np.testing.assert_allclose((labels.prior * labels.unit_mass(raw)).sum(axis=0), [1, 1], rtol=1e-12)


def test_a_repr_shows_what_was_counted_and_stays_short():
    assert repr(Counts.of(900, 100, classes=["no", "yes"])) == (
        "Counts({'no': 900, 'yes': 100}, unit='rows', source='')"
    )
    assert len(repr(Counts(range(100_000)))) < 300


def test_a_series_is_read_by_its_index():
    y = pd.Series([0] * 100 + [1] * 900)
    counts = Counts(y.value_counts())
    assert (counts.classes, counts.per_class.tolist()) == (("0", "1"), [100, 900])
    assert Counts(pd.Series(["no"] * 900 + ["yes"] * 100).value_counts()) == Counts([900, 100], ["no", "yes"])
    assert Counts(pd.Series(["yes"] * 900 + ["no"] * 100).value_counts()) == Counts([100, 900], ["no", "yes"])
    assert Counts(pd.Series([1.0, 0.0, 1.0]).value_counts()) == Counts([1, 2], ["0", "1"])
    assert Counts(pd.Series([True, False, True]).value_counts()) == Counts([1, 2], ["False", "True"])
    assert Counts(pd.DataFrame({"y": ["b", "a", "b"]}).value_counts()) == Counts([1, 2], ["a", "b"])
    assert Counts(y.value_counts(), ["no", "yes"]) == Counts([100, 900], ["no", "yes"])
    assert Counts(pd.Series([3, 5])) == Counts([3, 5])
    sizes = pd.Series(pd.Categorical(["small", "large", "small"], ["small", "large", "huge"], ordered=True))
    assert Counts(sizes.value_counts()) == Counts([2, 1, 0], ["small", "large", "huge"])


def test_a_dictionary_names_its_classes():
    assert Counts({"no": 900, "yes": 100}) == Counts([900, 100], ["no", "yes"])
    assert Counts({"yes": 100, "no": 900}).classes == ("yes", "no")
    assert Counts({1: 100, 0: 900}) == Counts([900, 100])
    assert Counts(Counter(["yes", "no", "no"])) == Counts([2, 1], ["no", "yes"])
    assert Counts({"no": 900, "yes": 100}, classes=["yes", "no"]) == Counts([100, 900], ["yes", "no"])


@pytest.mark.parametrize(
    ("per_class", "classes", "says"),
    [
        ({"a": 1, None: 2}, None, "a class is missing"),
        ({"a": 1, "1": 3, 1: 2}, None, "same name"),
        ({"a": 1, "b": 3}, ["a", "c"], "the numbers are those of 'a', 'b', but classes= names 'a', 'c'"),
        (pd.Series([0.25, 0.75], ["a", "b"]), None, "whole numbers"),
        (pd.Series([1, 3], ["a", float("nan")]), None, "a class is missing"),
    ],
)
def test_a_dictionary_or_series_that_does_not_fit_is_named(per_class, classes, says):
    with pytest.raises(ValueError, match=says):
        Counts(per_class, classes)
