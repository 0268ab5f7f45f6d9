import base64
import hashlib
import html as escapes
import json
import re
import sys
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import report
from steelyard.report import Report, pictures
from steelyard.report.page import as_json, css
from steelyard.shown import clean

NEW = ("axis", "capacity", "baselines", "paths", "search", "stopped", "skipped", "per_class")
VOID = {"meta", "br", "wbr", "img", "hr", "input", "link"}
DRAWN = {"line", "circle", "rect", "path"}  # SVG elements closed in place


class Tree(HTMLParser):
    """Checks that every element is closed in order, and keeps what was found."""

    def __init__(self, page: str):
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[tuple[str, str]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"{tag} has an attribute twice"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in DRAWN, f"{tag} is closed in place, which HTML ignores"
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append((self.open[-1] if self.open else "", data))

    def inside(self, tag: str) -> str:
        return "".join(data for where, data in self.text if where == tag)

    @property
    def visible(self) -> str:
        return "".join(data for where, data in self.text if where not in ("style", "script"))


def test_every_element_is_closed_in_order(any_study, page_of):
    tags = [tag for tag, _ in Tree(page_of(any_study)).elements]
    assert tags.count("h1") == 1
    assert len(tags) > 100


def test_the_page_is_below_1600_kilobytes(any_study, page_of):
    assert len(page_of(any_study).encode()) < 1_600_000


def test_ids_are_unique_and_every_reference_meets_one(any_study, page_of):
    elements = Tree(page_of(any_study)).elements
    ids = [attrs["id"] for _, attrs in elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    referred = {i for _, attrs in elements for i in (attrs.get("aria-labelledby") or "").split()}
    assert referred <= set(ids)


def test_the_contents_lead_to_sections_that_are_there(any_study, page_of):
    elements = Tree(page_of(any_study)).elements
    ids = {attrs["id"] for _, attrs in elements if "id" in attrs}
    places = [attrs["href"][1:] for tag, attrs in elements if tag == "a" and attrs["href"].startswith("#")]
    assert set(places) <= ids
    headed = {attrs["aria-labelledby"] for tag, attrs in elements if tag == "section"}
    assert headed <= set(places)


def test_when_and_how_it_was_made_is_said(kept, page_of):
    kept |= {"made": "2026-11-30T21:40+00:00", "command": "steelyard tune <b>.csv --label y"}
    kept["data"]["digest"] = {"labels": "ab" * 16, "all": "0123456789abcdef" * 2}
    tree = Tree(page_of(kept))
    assert "made 2026-11-30; data 0123456789ab" in tree.visible
    assert "steelyard tune <b>.csv --label y" in tree.visible
    assert "2026-11-30 21:40+00:00" in report.text(Report.from_json(kept))


def test_no_sentence_stands_twice(any_study, page_of):
    page = re.sub(r"<(style|script).*?</\1>|<details>.*?</details>", "", page_of(any_study), flags=re.DOTALL)
    texts = [" ".join(data.split()) for _, data in Tree(page).text]
    long = [text for text in texts if len(text.split()) > 6 and text.endswith(".")]
    assert [text for text in set(long) if long.count(text) > 1] == []


def test_the_sentence_stands_word_for_word(any_study, page_of):
    tree = Tree(page_of(any_study))
    assert any_study["verdict"]["sentence"] in tree.visible
    assert any_study["verdict"]["sentence"] in report.text(Report.from_json(any_study)).splitlines()


def test_what_comes_from_the_data_stays_text(hostile, page_of):
    page = page_of(hostile)
    tree = Tree(page)
    scripts = [attrs.get("type") for tag, attrs in tree.elements if tag == "script"]
    assert scripts == ["application/json", "application/json", None, None]
    assert "alert" not in tree.inside("style")
    assert not any(tag == "img" for tag, _ in tree.elements)
    assert not any(name.startswith("on") for _, attrs in tree.elements for name in attrs)
    for name in hostile["data"]["classes"]:
        assert f'is "{clean(name)}"' in tree.visible
    assert "{{ 7*7 }}" in tree.visible
    assert "49" not in tree.inside("h1")


def test_data_in_the_page_cannot_end_its_element(hostile, page_of):
    blocks = re.findall(r'<script type="application/json" id="(\w+)">(.*?)</script>', page_of(hostile), re.DOTALL)
    assert [key for key, _ in blocks] == ["operating", "charts"]
    for _, block in blocks:
        assert not set("<>&\u2028\u2029") & set(block)
    assert json.loads(blocks[0][1])["positive"] == clean(hostile["positive"])


@given(st.text(), st.text())
def test_json_for_the_page_comes_back_as_it_was(key, value):
    said = str(as_json({key: [value, "</script>\u2028&"]}))
    assert json.loads(said) == {key: [value, "</script>\u2028&"]}
    assert not set("<>&\u2028\u2029") & set(said)


def test_the_page_asks_nobody_for_anything(any_study, page_of):
    page = page_of(any_study)
    assert not re.search(r"https?:|//cdn|@import|url\(", re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))
    for tag, attrs in Tree(page).elements:
        assert not {"src", "srcset", "data", "action", "xlink:href"} & set(attrs), tag
        # places of the page, and what stands beside it
        assert tag == "a" or "href" not in attrs
        assert re.fullmatch(r"#[a-z-]+|(report|recipe)\.json", attrs.get("href") or "#here"), attrs


def test_only_the_pages_own_scripts_may_run_and_nothing_is_evaluated(hostile, page_of):
    page = page_of(hostile)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 2
    policy = next(attrs["content"] for _, attrs in Tree(page).elements if attrs.get("http-equiv"))
    assert policy is not None
    allowed = re.search(r"script-src ([^;]*);", policy)
    assert allowed is not None
    assert allowed[1].split() == [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    ]
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in policy


def test_a_study_without_pictures_needs_no_drawing_script(kept, page_of):
    for key in ("curves", "paths", "search"):
        del kept[key]
    page = page_of(kept)
    assert len(page.encode()) < 100_000


def test_every_picture_is_there_without_script_and_said_in_words(any_study, page_of):
    tree = Tree(page_of(any_study))
    figures = [attrs for tag, attrs in tree.elements if attrs.get("class") == "picture"]
    assert (
        len(figures)
        == [tag for tag, _ in tree.elements].count("figure")
        == sum(attrs.get("class") == "chart" for _, attrs in tree.elements)
    )
    for attrs in figures:
        assert attrs["role"] == "img"
        assert len(attrs["aria-label"] or "") > 30


def test_every_number_of_the_text_is_on_the_page(any_study, page_of):
    page = Tree(page_of(any_study)).visible.replace("\u2212", "-")
    numbers = set(re.findall(r"-?\d[\d,.]*\d|\d", report.text(Report.from_json(any_study))))
    assert len(numbers) > 30
    assert {n for n in numbers if n not in page} == set()


def test_pictures_and_tables_have_names(any_study, page_of):
    elements = Tree(page_of(any_study)).elements
    for tag, attrs in elements:
        if tag == "svg":
            assert attrs.get("aria-hidden") == "true" or "aria-label" in attrs or "aria-labelledby" in attrs
        if tag == "th":
            assert "scope" in attrs
    assert dict(elements)["html"]["lang"] == "en"


def test_the_page_stays_small_with_many_weightings_and_points(kept, page_of):
    many = [dict(kept["arms"][3], name=f"weighting {i}") for i in range(40)]
    kept["arms"] += many
    for curves in kept["curves"].values():
        for kept_at in (curves["precision_recall"], curves["thresholds"]):
            for key in kept_at:
                kept_at[key] = [v + 0.0001 * i for v in kept_at[key] for i in range(100)]
    assert len(page_of(kept).encode()) < 2_000_000


@pytest.mark.parametrize(
    "missing",
    [
        "curves",
        "final",
        "fits",
        "gate",
        "splits",
        "strengths",
        "seconds",
        "margin",
        "warnings",
        "bootstrap",
        "positive",
        "version",
        "seed",
        *NEW,
    ],
)
def test_a_part_that_is_missing_leaves_the_rest(kept, missing, monkeypatch):
    kept.pop(missing, None)
    study = Report.from_json(kept)
    assert kept["verdict"]["sentence"] in report.text(study)
    monkeypatch.setattr(pictures, "pictures", lambda study: [])  # test_pictures.py leaves out what they are made of
    assert kept["verdict"]["sentence"] in Tree(report.html(study)).visible


def test_numbers_that_were_not_finite_leave_a_gap(kept, page_of):
    for arm in kept["arms"]:
        arm["metrics"]["average_precision"] = {"value": None, "difference": None, "low": None, "high": None}
    kept["verdict"]["threshold"] = None
    assert "None" not in Tree(page_of(kept)).visible
    assert "None" not in report.text(Report.from_json(kept))


def test_the_winner_is_marked_and_plain_stands_first(won, page_of):
    page = escapes.unescape(page_of(won))
    names = re.findall(r'role="rowheader">(.*?)</th>', page)
    assert re.sub("<.*?>", "", names[0]).startswith("plain")
    assert "wins" in names[1]
    assert "inverse_frequency" in names[1]
    assert sum("wins" in n for n in names) == 1


def test_every_part_of_a_study_is_on_the_page_and_in_the_text(kept, three, page_of):
    page, said = Tree(page_of(kept)).visible, report.text(Report.from_json(kept))
    for part in ("random oversampling", "what majority means", "generalized(q=0.7)", "recall at capacity", "3 trials"):
        assert part in page
        assert part in said
    assert "Continuous search" in page
    for part in ("Class by class", "What is taken for what", "0.661"):
        assert part in Tree(page_of(three)).visible
        assert part in report.text(Report.from_json(three))


def test_sliders_have_labels_and_outputs(kept, page_of):
    elements = Tree(page_of(kept)).elements
    sliders = {attrs["id"] for tag, attrs in elements if tag == "input" and attrs.get("type") == "range"}
    assert sliders == {"threshold", "ratio", "capacity"}
    for tag in ("label", "output"):
        assert sliders == {attrs["for"] for t, attrs in elements if t == tag and "for" in attrs}


def test_a_missing_package_that_draws_is_named_with_what_to_install(kept, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    page = report.html(Report.from_json({**kept, "seed": 77}))  # not the pictures drawn before
    assert "left out, because vl_convert is not installed; pip install &#39;steelyard[tune]&#39; brings it." in page
    assert kept["verdict"]["sentence"] in Tree(page).visible
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.setattr(report.page, "environment", report.page.environment.__wrapped__)
    with pytest.raises(ImportError, match=r"needs jinja2, which is not installed; pip install 'steelyard\[tune\]'"):
        report.html(Report.from_json(kept))


@given(st.text())
def test_a_title_for_paper_stays_one_string_of_the_style_sheet(title):
    said = str(css(title))
    assert re.fullmatch(r"(?:\\[0-9a-f]{6} )*", said)
    back = re.sub(r"\\([0-9a-f]{6}) ", lambda found: chr(int(found[1], 16)), said)
    assert back == title
