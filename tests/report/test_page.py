import base64
import hashlib
import html as escapes
import re
from html.parser import HTMLParser

import pytest

from steelyard import report

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


def test_every_element_is_closed_in_order(any_study):
    tags = [tag for tag, _ in Tree(report.html(any_study)).elements]
    assert tags.count("h1") == 1
    assert len(tags) > 100


def test_ids_are_unique_and_every_reference_meets_one(any_study):
    elements = Tree(report.html(any_study)).elements
    ids = [attrs["id"] for _, attrs in elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    referred = {i for _, attrs in elements for i in (attrs.get("aria-labelledby") or "").split()}
    assert referred <= set(ids)


def test_the_sentence_stands_word_for_word(any_study):
    tree = Tree(report.html(any_study))
    assert any_study["verdict"]["sentence"] in tree.visible
    assert any_study["verdict"]["sentence"] in report.text(any_study).splitlines()


def test_what_comes_from_the_data_stays_text(hostile):
    page = report.html(hostile)
    tree = Tree(page)
    assert [tag for tag, _ in tree.elements].count("script") == 1
    assert "alert" not in tree.inside("script")
    assert "alert" not in tree.inside("style")
    assert not any(tag == "img" for tag, _ in tree.elements)
    assert not any(name.startswith("on") for _, attrs in tree.elements for name in attrs)
    for name in hostile["data"]["classes"]:
        assert f'is "{name}"' in tree.visible
    assert "{{ 7*7 }}" in tree.visible
    assert "49" not in tree.inside("h1")


def test_the_page_asks_nobody_for_anything(any_study):
    page = report.html(any_study)
    assert not re.search(r"https?:|//cdn|@import|url\(", page)
    for tag, attrs in Tree(page).elements:
        assert not {"src", "href", "srcset", "data", "action", "xlink:href"} & set(attrs), tag


def test_only_the_pages_own_script_may_run(hostile):
    page = report.html(hostile)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    policy = next(attrs["content"] for _, attrs in Tree(page).elements if attrs.get("http-equiv"))
    assert policy is not None
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_every_number_of_the_text_is_on_the_page(any_study):
    page = Tree(report.html(any_study)).visible.replace("\u2212", "-")
    numbers = set(re.findall(r"-?\d[\d,.]*\d|\d", report.text(any_study)))
    assert len(numbers) > 30
    assert {n for n in numbers if n not in page} == set()


def test_pictures_and_tables_have_names(any_study):
    elements = Tree(report.html(any_study)).elements
    for tag, attrs in elements:
        if tag == "svg":
            assert attrs.get("aria-hidden") == "true" or "aria-label" in attrs or "aria-labelledby" in attrs
        if tag == "th":
            assert "scope" in attrs
    assert dict(elements)["html"]["lang"] == "en"


def test_the_page_stays_small_with_many_strategies_and_points(kept):
    many = [dict(kept["arms"][3], name=f"strategy {i}") for i in range(40)]
    kept["arms"] += many
    for curves in kept["curves"].values():
        kept_at = curves["precision_recall"]
        for key in kept_at:
            kept_at[key] = [v + 0.0001 * i for i in range(500) for v in kept_at[key]]
    assert len(report.html(kept).encode()) < 200_000


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
    ],
)
def test_a_part_that_is_missing_leaves_the_rest(kept, missing):
    del kept[missing]
    assert kept["verdict"]["sentence"] in Tree(report.html(kept)).visible
    assert kept["verdict"]["sentence"] in report.text(kept)


def test_numbers_that_were_not_finite_leave_a_gap(kept):
    for arm in kept["arms"]:
        arm["metrics"]["average_precision"] = {"value": None, "difference": None, "low": None, "high": None}
    kept["verdict"]["threshold"] = None
    assert "None" not in Tree(report.html(kept)).visible
    assert "None" not in report.text(kept)


def test_the_winner_is_marked_and_plain_stands_first(won):
    page = escapes.unescape(report.html(won))
    names = re.findall(r'role="rowheader">(.*?)</th>', page)
    assert re.sub("<.*?>", "", names[0]).startswith("plain")
    assert "wins" in names[1]
    assert "inverse_frequency" in names[1]
    assert sum("wins" in n for n in names) == 1
