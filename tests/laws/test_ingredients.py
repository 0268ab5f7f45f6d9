"""What every ingredient on the menu obeys."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.examples_of import examples

import steelyard as sy
from steelyard.counts import Counts
from steelyard.ingredients import menu
from steelyard.options import In, OneOf
from steelyard.recipe import COMBINE, Recipe, mix, unit_mass
from steelyard.testing import check_ingredient

MENU = menu()
QUICK = settings(max_examples=examples(25), deadline=None)  # times 18 ingredients
FROM_COUNTS = [name for name, f in MENU.items() if f.spec.argument == "counts" or name == "deployment"]
WEIGHTS = ["inverse-frequency", "effective-number", "median-frequency", "log-frequency", "pos-neg", "deployment"]
SCALE_FREE = [n for n in FROM_COUNTS if n != "effective-number"]  # a sample more is less new: Cui et al.
BY_COUNTS = pytest.mark.parametrize("name", FROM_COUNTS)
EVERY = pytest.mark.parametrize("name", list(MENU))
OPTIONS = [(n, o.name) for n, f in MENU.items() for o in f.spec.options.values() if o.rule is not None]


def fits(name, counts):
    return name != "pos-neg" or counts.kind == "multilabel" or len(counts) == 2


def make(name, counts=None, **options):
    """The ingredient called with the least it needs."""
    counts = Counts([900, 100]) if counts is None else counts
    if name == "deployment":
        share = np.arange(1, len(counts) + 1) / (len(counts) + 1)
        by_name = dict(zip(sorted(counts.classes), share, strict=True))  # so that it follows a permutation
        total = 1 if counts.kind == "multilabel" else sum(by_name.values())
        return MENU[name]({c: p / total for c, p in by_name.items()}, counts, **options)
    if name == "costs":
        return MENU[name](
            [[1, 2], [3, 4]] if options.get("field") in ("offset", "target") else [[0, 1], [5, 0]], **options
        )
    if name == "fixed":
        return MENU[name](
            weight=[1, 2], offset=[[0, -math.inf]], scale=[[2, 3]], margin=[0.1, 0.2], target=0.1, norm=7.0
        )
    return MENU[name](counts, **options) if name in FROM_COUNTS else MENU[name](**options)


def tables(recipe):
    return {f: getattr(recipe, f).numpy() for f in COMBINE if getattr(recipe, f) is not None}


def close(a, b, rtol=1e-9):
    assert tables(a).keys() == tables(b).keys()
    for field in tables(a):
        np.testing.assert_allclose(tables(a)[field], tables(b)[field], rtol=rtol, atol=1e-12, err_msg=field)


@st.composite
def counted(draw):
    kind = draw(st.sampled_from(["exclusive", "multilabel"]))
    n = draw(st.lists(st.integers(1, 1000) | st.integers(1, 10**9), min_size=2, max_size=draw(st.sampled_from([2, 9]))))
    items = max(n) + draw(st.integers(1, 10**6)) if kind == "multilabel" else None
    seen = draw(st.none() | st.just([v + sum(n) // 3 for v in n]))
    return Counts(n, [f"c{i}" for i in range(len(n))], kind=kind, items=items, containing=seen)


def options(name):
    """Options anywhere in the range that a search walks."""

    def values(option):
        if isinstance(option.rule, OneOf):
            return st.sampled_from(option.rule.choices)
        low, high = option.rule.bounds
        return st.floats(low, high, exclude_min=option.rule.open_low, exclude_max=option.rule.open_high)

    return st.fixed_dictionaries({o.name: values(o) for o in MENU[name].spec.options.values() if o.rule is not None})


def test_the_generators_spread():
    seen, drawn = [], []
    given(counted())(lambda c: seen.append(c))()
    given(options("margin"))(lambda o: drawn.append(tuple(o.values())))()
    assert {c.kind for c in seen} == {"exclusive", "multilabel"}
    assert {c.containing is None for c in seen} == {True, False}
    assert max(c.per_class.max() / c.per_class.min() for c in seen) > 1000
    assert len({len(c) for c in seen}) > 3
    assert len(set(drawn)) > 10


@BY_COUNTS
@QUICK
@given(st.data())
def test_tables_are_finite_and_what_multiplies_is_positive(name, data):
    counts, chosen = data.draw(counted()), data.draw(options(name))
    assume(fits(name, counts))
    made = tables(make(name, counts, **chosen))
    assert made
    for field, table in made.items():
        assert np.isfinite(table).all()
        assert field not in ("scale", "weight") or (table > 0).all()


@BY_COUNTS
@QUICK
@given(st.data())
def test_tables_have_the_shape_of_the_kind_of_counts(name, data):
    counts = data.draw(counted())
    assume(fits(name, counts))
    recipe, size = make(name, counts), len(counts)
    labels = 2 if counts.kind == "multilabel" else size
    # exclusive: a row [1, C] or a column [C, 1], never C x C; multilabel: [1, K] or [2, K]
    allowed = {(1, 1), (1, size), (labels, 1 if counts.kind == "exclusive" else size)}
    assert {t.shape for t in tables(recipe).values()} <= allowed
    assert (recipe.classes, recipe.kind) == (counts.classes, counts.kind)


@pytest.mark.parametrize("name", WEIGHTS)
@QUICK
@given(st.data())
def test_weights_have_unit_mass(name, data):
    counts, chosen = data.draw(counted()), data.draw(options(name))
    assume(fits(name, counts))
    recipe = make(name, counts, **chosen)
    weight = recipe.weight.numpy().reshape(counts.prior.shape)
    np.testing.assert_allclose((counts.prior * weight).sum(axis=0), 1, rtol=1e-9)
    close(unit_mass(recipe, counts), recipe)


@pytest.mark.parametrize(
    "name", ["inverse-frequency", "effective-number", "median-frequency", "log-frequency", "pos-neg"]
)
@QUICK
@given(st.data())
def test_rarer_labels_never_weigh_less(name, data):
    counts, chosen = data.draw(counted()), data.draw(options(name))
    assume(fits(name, counts) and counts.containing is None)
    weight = make(name, counts, **chosen).weight.numpy().reshape(counts.table.shape)
    for n, w in zip(counts.table.reshape(len(weight), -1).T, weight.reshape(len(weight), -1).T, strict=True):
        assert (np.diff(w[np.argsort(-n)]) >= -1e-12 * w.max()).all()


@BY_COUNTS
@QUICK
@given(st.data())
def test_permuting_the_classes_permutes_the_tables(name, data):
    counts = data.draw(counted())
    assume(fits(name, counts))
    order = data.draw(st.permutations(range(len(counts))))
    moved = Counts(
        counts.per_class[order],
        [counts.classes[i] for i in order],
        kind=counts.kind,
        items=counts.items,
        containing=None if counts.containing is None else counts.containing[order],
    )
    before, after = tables(make(name, counts)), tables(make(name, moved))
    for field, table in before.items():
        rows = order if counts.kind == "exclusive" and table.shape[0] > 1 else slice(None)
        columns = order if table.shape[1] > 1 else slice(None)
        np.testing.assert_allclose(after[field], table[rows][:, columns], rtol=1e-12, atol=1e-15)


def shards(whole, part):
    """`whole` as two Counts, the first with `part` of each class; None where no number of items would do."""
    rest = whole.per_class - part
    items = int(part.sum()) if whole.kind == "exclusive" else int(part.max())
    if whole.kind == "multilabel" and whole.items - items < rest.max():
        return None
    seen = (None, None) if whole.containing is None else (whole.containing - rest, rest)
    return [
        Counts(n, whole.classes, kind=whole.kind, items=i, containing=c)
        for n, i, c in zip((part, rest), (items, whole.items - items), seen, strict=True)
    ]


@BY_COUNTS
@QUICK
@given(st.data())
def test_adding_counts_is_counting_together(name, data):
    whole = data.draw(counted())
    assume(fits(name, whole))
    two = shards(whole, np.array([data.draw(st.integers(0, int(v))) for v in whole.per_class]))
    assume(two is not None)
    assert make(name, two[0] + two[1]) == make(name, whole)


@pytest.mark.parametrize("name", SCALE_FREE)
@QUICK
@given(st.data())
def test_only_shares_matter(name, data):
    counts = data.draw(counted())
    assume(fits(name, counts))
    more = Counts(
        counts.per_class * 7,
        counts.classes,
        kind=counts.kind,
        items=counts.items * 7,
        containing=None if counts.containing is None else counts.containing * 7,
    )
    close(make(name, more), make(name, counts))


@EVERY
@QUICK
@given(st.data())
def test_json_brings_every_recipe_back(name, data):
    counts, chosen = data.draw(counted()), data.draw(options(name))
    assume(fits(name, counts))
    recipe = make(name, counts, **chosen)
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert again.source == recipe.source
    assert repr(again) == repr(recipe)


@EVERY
def test_mixing_with_nothing_changes_nothing(name):
    recipe = make(name)
    assert mix(recipe, Recipe()) == recipe == mix(Recipe(), recipe)


@EVERY
def test_the_source_is_the_call(name):
    (source,) = make(name).source
    assert source.startswith(f"{MENU[name].spec.name}(")
    for option in MENU[name].spec.options.values():
        if isinstance(option.rule, In):
            assert (f"{option.name}=" in source) is not option.rule.aside
    assert all(t.factors[0].source == source for f in COMBINE if (t := getattr(make(name), f)) is not None)


NEUTRAL = {
    "inverse-frequency": {"beta": 0},
    "effective-number": {"beta": 0},
    "pos-neg": {"power": 0},
    "logit-adjustment": {"tau": 0},
    "class-temperature": {"gamma": 0},
    "label-temperature": {"gamma": 0},
    "margin": {"widest": 0, "scale": 1},
}


@pytest.mark.parametrize("name", NEUTRAL)
@QUICK
@given(st.data())
def test_a_neutral_option_changes_nothing(name, data):
    counts = data.draw(counted())
    assume(fits(name, counts))
    for field, table in tables(make(name, counts, **NEUTRAL[name])).items():
        np.testing.assert_allclose(table, 1 if COMBINE[field] == "multiply" else 0, rtol=1e-12, atol=0)


@BY_COUNTS
def test_equal_counts_weigh_the_same(name):
    counts = Counts([50, 50])
    weight = make(name, counts).weight
    if name != "deployment" and weight is not None:
        np.testing.assert_allclose(weight.numpy(), 1, rtol=1e-12)
    for table in tables(make(name, counts)).values():
        assert name == "deployment" or np.ptp(table) == pytest.approx(0, abs=1e-12)


@BY_COUNTS
def test_one_class_weighs_one_or_is_refused_by_name(name):
    one = Counts([7])
    if name == "pos-neg":
        with pytest.raises(ValueError, match=r"^pos-neg: needs two exclusive classes"):
            make(name, one)
        return
    recipe = make(name, one)
    for field, expected in (("weight", 1), ("offset", 0)):
        if field in tables(recipe):
            np.testing.assert_allclose(tables(recipe)[field], [[expected]], rtol=0, atol=1e-15)


def with_gaps(counts, gaps):
    """The same counts with classes that count 0 put in at these places."""
    n, names = counts.per_class.tolist(), list(counts.classes)
    seen = None if counts.containing is None else counts.containing.tolist()
    for number, place in enumerate(gaps):
        for values, value in ((n, 0), (names, f"absent{number}"), *([] if seen is None else [(seen, 0)])):
            values.insert(place, value)
    return Counts(n, names, kind=counts.kind, items=counts.items, containing=seen)


GAPS = st.lists(st.integers(0, 2), min_size=1, max_size=3)


@BY_COUNTS
@QUICK
@given(st.data())
def test_a_class_that_counts_nothing_keeps_its_place_and_changes_no_other(name, data):
    counts, gaps = data.draw(counted()), data.draw(GAPS)
    assume(fits(name, counts) and (name != "pos-neg" or counts.kind == "multilabel"))
    wide = with_gaps(counts, gaps)
    kept = [i for i, c in enumerate(wide.classes) if not c.startswith("absent")]
    prior = [0.0 if c.startswith("absent") else 1 / len(counts) for c in wide.classes]
    if name == "deployment":
        narrow = MENU[name](list(np.array(prior)[kept]), counts)
        recipe = MENU[name](prior, wide)
    else:
        narrow, recipe = make(name, counts), make(name, wide)
    for field, table in tables(recipe).items():
        assert np.isfinite(table).all()
        rows = kept if counts.kind == "exclusive" and table.shape[0] > 1 else slice(None)
        columns = kept if table.shape[1] > 1 else slice(None)
        np.testing.assert_allclose(table[rows][:, columns], tables(narrow)[field], rtol=1e-9, atol=1e-12)
        assert max(table.shape) in (1, len(wide), 2)


@pytest.mark.parametrize("name", WEIGHTS)
@QUICK
@given(st.data())
def test_the_weight_of_what_counts_nothing_is_neutral_or_as_asked_and_has_no_part_in_the_mass(name, data):
    counts = with_gaps(data.draw(counted()), data.draw(GAPS))
    assume(fits(name, counts))
    for absent in (None, 1.0, data.draw(st.floats(0, 100))):
        recipe = make(name, counts) if absent is None else make(name, counts, absent=absent)
        weight = recipe.weight.numpy().reshape(counts.table.shape)
        expected = 1.0 if absent is None else absent
        if name != "log-frequency" or absent is not None:
            assert (weight[counts.table == 0] == expected).all()
        np.testing.assert_allclose((counts.prior * weight).sum(axis=0), 1, rtol=1e-9)
        if counts.kind == "exclusive":
            assert len(recipe.label_weights()) == len(counts)


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize(
    "counts",
    [Counts([90, 0, 10, 0]), Counts([90, 0]), Counts([9, 0, 10], kind="multilabel", items=10)],
    ids=["some", "one left", "multilabel"],
)
def test_weights_with_an_absent_class_are_undone_and_imply_what_they_do_without_it(name, counts):
    if not fits(name, counts):
        return
    share = np.where(counts.per_class > 0, 1 / max(1, (counts.per_class > 0).sum()), 0)
    recipe = MENU[name](share, counts) if name == "deployment" and counts.kind == "exclusive" else make(name, counts)
    if counts.kind == "exclusive":
        eta = torch.tensor([[0.4, 0.3, 0.2, 0.1][: len(counts)]], dtype=torch.float64)
        eta = eta / eta.sum()
        logits = (eta * torch.tensor(recipe.label_weights())).log()
        torch.testing.assert_close(sy.posterior(logits, recipe), eta, rtol=1e-9, atol=1e-12)
    implied = np.array([outcome.implied_prior for outcome in sy.explain(recipe, counts).outcomes], dtype=float)
    assert np.isfinite(implied).all()
    occurs = counts.per_class > 0
    if counts.kind == "exclusive" and occurs.sum() > 1:
        weight = recipe.label_weights()
        expected = counts.prior * weight / (counts.prior * weight).sum()
        np.testing.assert_allclose(implied, expected, atol=1e-6)


def test_log_frequency_has_a_finite_weight_for_what_counts_nothing():
    weight = MENU["log-frequency"](Counts([900, 0, 100]), c=1.02).label_weights()
    raw = 1 / np.log(1.02 + np.array([0.9, 0.0, 0.1]))
    np.testing.assert_allclose(weight, raw / (0.9 * raw[0] + 0.1 * raw[2]), rtol=1e-12)


def test_a_label_that_no_item_knows_is_neutral_and_stops_no_other():
    n = Counts([5, 0, 0], ["a", "b", "c"], kind="multilabel", items=20, also={"unknown": [0, 20, 0]})
    for name in FROM_COUNTS:
        for field, table in tables(make(name, n)).items():
            assert np.isfinite(table).all()
            if field == "weight":
                np.testing.assert_allclose(table[:, 1], 1.0)
    assert sy.explain(MENU["pos-neg"](n), n).mean_weight == pytest.approx(1)


@BY_COUNTS
@pytest.mark.parametrize(
    "counts",
    [Counts([0, 0], source="zoo.csv"), Counts([0, 0], kind="multilabel", items=0, source="zoo.csv")],
)
def test_nothing_counted_at_all_is_a_named_error(name, counts):
    with pytest.raises(ValueError, match=f"^{name}: every class counts 0 in zoo.csv"):
        make(name, counts)


@BY_COUNTS
def test_no_class_at_all_is_a_named_error(name):
    with pytest.raises(ValueError, match=f"^{name}: "):
        MENU[name]([], Counts([])) if name == "deployment" else MENU[name](Counts([]))


@BY_COUNTS
@pytest.mark.parametrize("size", [2, 1203])
@pytest.mark.parametrize("kind", ["exclusive", "multilabel"])
def test_a_billion_against_one_is_finite(name, size, kind):
    n = np.ones(size, np.int64)
    n[0] = 10**9
    counts = Counts(n, kind=kind, items=10**9 + 1 if kind == "multilabel" else None)
    if fits(name, counts):
        assert all(np.isfinite(t).all() for t in tables(make(name, counts)).values())


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_an_option_outside_its_domain_is_named_with_it(name, option):
    rule = MENU[name].spec.options[option].rule
    values = ["nonsense", math.nan, *([] if MENU[name].spec.options[option].default is None else [None])]
    if isinstance(rule, In):
        values += [v for v in (rule.low - 1, rule.high + 1, math.inf, -math.inf) if not rule.check(v)]
        assert len(values) > 3
    for value in values:
        with pytest.raises(ValueError) as caught:
            make(name, **{option: value})
        shown = repr(value).removesuffix(".0")
        assert str(caught.value) == f"{name}: {option} must be {rule}, got {shown}."


@EVERY
def test_an_unknown_option_is_named_with_the_known_ones(name):
    takes = ", ".join(MENU[name].spec.options) or "no options"
    with pytest.raises(TypeError) as caught:
        MENU[name](bta=1)
    assert str(caught.value) == f"{name}: unknown option 'bta'; it takes {takes}."


def test_the_two_errors_word_for_word():
    with pytest.raises(ValueError) as value:
        MENU["effective-number"](Counts([9, 1]), beta=1.5)
    assert str(value.value) == "effective-number: beta must be in [0, 1), got 1.5."
    with pytest.raises(TypeError) as unknown:
        MENU["effective-number"](Counts([9, 1]), bta=0.5)
    assert str(unknown.value) == "effective-number: unknown option 'bta'; it takes beta, absent."


@EVERY
def test_the_docstring_says_what_and_whence(name):
    spec = MENU[name].spec
    assert spec.summary.endswith((".", ":"))
    assert spec.source, f"{name}: its docstring has no 'Source:'"
    for option in spec.options.values():
        if isinstance(option.rule, In):
            assert option.default is None or option.rule.check(option.default)
            low, high = option.rule.bounds
            assert math.isfinite(low), f"{name}: {option.name} needs search=(low, high)"
            assert math.isfinite(high), f"{name}: {option.name} needs search=(low, high)"
            assert option.default is None or low <= option.default <= high


@EVERY
def test_it_passes_the_kit_that_others_use(name):
    arguments = {"costs": ([[0, 1], [5, 0]],), "deployment": ([0.3, 0.7], Counts([900, 100]))}
    check_ingredient(MENU[name], *arguments.get(name, ()))
