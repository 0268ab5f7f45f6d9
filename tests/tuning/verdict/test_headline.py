import itertools

import pytest

from steelyard.tuning.verdict.headline import WORDS, headline, share


@pytest.mark.parametrize("case", ["A", "A'", "B", "C", "C'", "D", "E", "F", "P"])
@pytest.mark.parametrize("positive", [None, "yes", "a class with a very long name that nobody wants", "two words"])
@pytest.mark.parametrize(
    "name", ["inverse_frequency(beta=1)", "effective_number(beta=0.999) x focal(gamma=2) x smooth(0.1)"]
)
def test_no_headline_has_more_than_twelve_words(case, positive, name):
    said = headline(
        case,
        name if case[0] == "A" else None,
        0.231,
        positive=positive,
        counted="14 effective groups with the rarest class",
    )
    assert 0 < len(said.split()) <= WORDS
    assert said.endswith(".")


def test_what_to_do_and_from_where():
    assert headline("B", None, 0.2568, positive="yes") == 'Train without weights; say "yes" from 26 %.'
    assert headline("A", "focal(gamma=2)", 0.035, positive="1") == 'Train with focal(gamma=2); say "1" from 3.5 %.'
    assert headline("B", None, 0.0) == "Train without weights; decide by the largest probability."
    assert headline("C", None, 0.85) == "Train without weights; favour rare classes by power 0.85."


def test_shares_of_neighbouring_thresholds_differ():
    values = [0.0004, 0.001, 0.0042, 0.035, 0.099, 0.26, 0.5, 0.97, 0.994, 0.9995]
    assert all(share(a) != share(b) for a, b in itertools.pairwise(values))
    assert share(0.5) == "50 %"
    assert share(0.9995) not in ("100 %", "1e+02 %")
