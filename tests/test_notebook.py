"""What a notebook and the prompt show of the nouns: tables and sentences, never a dump, and nothing of the data as markup."""

from html.parser import HTMLParser

import numpy as np
import pytest

import steelyard as sy
from steelyard.report import Report, fragment

NAMES = ("<script>alert(1)</script>", "a\x1b[2J")
COUNTS = sy.Counts([900, 100], NAMES)


class Read(HTMLParser):
    """Every element closed in order; what stands as text."""

    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in ("line", "circle")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + " "


def history():
    rule = sy.adaptive.Deferred(sy.Recipe(classes=NAMES), sy.inverse_frequency(COUNTS), after_epoch=1)
    loss = sy.CrossEntropy(rule)
    for epoch in range(3):
        loss.advance(epoch=epoch)
    return rule.history()


SHOWN = {
    "counts": lambda: COUNTS,
    "recipe": lambda: sy.mix(sy.inverse_frequency(COUNTS), sy.focal(gamma=2.0)),
    "margins": lambda: sy.margin(COUNTS),
    "explanation": lambda: sy.explain(sy.inverse_frequency(COUNTS), COUNTS),
    "map": lambda: sy.explain(sy.spatial.Map("border"), np.kron(np.diag([1, 2, 3]), np.ones((6, 6), int))),
    "history": history,
    "exchange": lambda: sy.calibrate.exchange(np.linspace(0, 1, 90), np.arange(90) % 3 // 2),
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_notebook_shows_text_from_the_data_as_text(name):
    value = SHOWN[name]()
    found = Read(value._repr_html_())
    assert "script" not in found.tags
    assert "\x1b" not in found.text
    assert found.tags & {"table", "pre", "p"}
    shown = repr(value)
    assert "Outcome(" not in shown
    assert "Region(" not in shown
    assert "array(" not in shown
    assert "\x1b" not in shown
    assert len(shown.splitlines()) < 40


def test_the_numbers_of_the_table_are_those_of_the_object():
    assert "900" in Read(COUNTS._repr_html_()).text
    assert "90.00%" in Read(COUNTS._repr_html_()).text
    text = Read(sy.inverse_frequency(COUNTS)._repr_html_()).text
    assert "0.5556" in text
    assert " 5 " in text
    told = sy.explain(sy.inverse_frequency(COUNTS), COUNTS)
    assert repr(told) == str(told)
    assert "effective sample size" in Read(told._repr_html_()).text


def test_many_classes_are_cut_and_it_is_said():
    many = sy.Counts(np.arange(1, 1001))
    assert Read(many._repr_html_()).text.strip().endswith("… 960 more")
    assert len(sy.inverse_frequency(many)._repr_html_()) < 20_000


@pytest.mark.slow
def test_a_study_shows_the_verdict_the_forest_plot_and_the_cut():
    rng = np.random.default_rng(0)
    y = (rng.random(300) < 0.2).astype(int)
    X = rng.normal(size=(300, 1)) + y[:, None]
    study = sy.tune(X, y, repeats=1, folds=3, bootstrap=100)
    found = Read(study._repr_html_())
    assert study.verdict.headline in found.text
    assert study.verdict.sentence in " ".join(found.text.split())
    assert "svg" in found.tags
    assert fragment(Report.from_json(study.to_dict())) == study._repr_html_()
    assert repr(study).splitlines()[1:] == [study.verdict.headline, study.verdict.sentence]


@pytest.mark.slow
def test_of_more_classes_a_study_shows_what_each_is_divided_by():
    rng = np.random.default_rng(0)
    y = rng.choice(3, 300, p=[0.7, 0.2, 0.1])
    X = rng.normal(size=(300, 2)) + y[:, None]
    study = sy.tune(X, y, repeats=1, folds=3, bootstrap=100, baselines=False)
    assert isinstance(study.threshold, tuple)
    text = Read(study._repr_html_()).text
    assert "its probability is divided by" in text
    assert all(f"{factor:.4g}" in text for factor in study.threshold)


def test_a_threshold_is_a_plain_number():
    """A type of its own would be refused by yaml.safe_dump and by torch.load(weights_only=True)."""
    assert type(sy.threshold([0.1, 0.2, 0.3, 0.8], [0, 1, 0, 1], cost_fn=20, cost_fp=1)) is float


def test_an_exchange_shows_some_of_its_steps_and_says_so():
    curve = sy.calibrate.exchange([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [1, 0, 1, 0, 0, 0])
    assert repr(curve).splitlines()[0] == "Exchange of 4 steps from nobody to everybody"
    assert len(repr(curve).splitlines()) == 6
    p = np.random.default_rng(0).random(5000)
    many = sy.calibrate.exchange(p, np.random.default_rng(1).random(5000) < p**2)
    assert "12 of them shown" in repr(many)
