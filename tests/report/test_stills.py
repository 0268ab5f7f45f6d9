"""A picture of an earlier page stays where its chart is the same, and nothing but shapes and words comes out of a page."""

import pytest

from steelyard import marks
from steelyard.report import Report, drawing, html
from steelyard.report.stills import stills

NAME = "ab" * 32
GOOD = (
    f'<svg class="chart" aria-hidden="true" data-of="{NAME}" viewBox="0 0 440 330">'
    '<g fill="none" transform="translate(1,2)"><text font-size="12px">a &lt;b&gt;</text></g></svg>'
)


def page_with(tmp_path, svg, head=marks.GENERATOR):
    path = tmp_path / "report.html"
    path.write_text(f"<!DOCTYPE html><html><head>{head}</head><body>{svg}</body></html>", encoding="utf-8")
    return path


@pytest.fixture
def refused(monkeypatch):
    """No program is started to draw."""

    def refuse(*_):
        raise AssertionError("a picture was drawn again")

    monkeypatch.setattr(drawing, "_Program", refuse)


def test_the_same_report_is_drawn_once(kept, tmp_path, monkeypatch, request):
    report = Report.from_json(kept)
    first = drawing.draw(report)
    path = page_with(tmp_path, "".join(first.still.values()))
    request.getfixturevalue("refused")
    assert drawing.draw(report, stills(path)) == first


def test_a_chart_that_changed_is_drawn_again(kept, tmp_path):
    path = page_with(tmp_path, "".join(drawing.draw(Report.from_json(kept)).still.values()))
    kept["curves"]["plain"]["scores"]["positive"][0] = 9.0
    again, fresh = drawing.draw(Report.from_json(kept), stills(path)), drawing.draw(Report.from_json(kept))
    assert again == fresh
    assert again.still["scores"] not in stills(path).values()
    assert again.still["roc"] in stills(path).values()


def test_a_page_made_of_its_own_pictures_is_the_same_page(kept, tmp_path):
    report = Report.from_json(kept)
    (tmp_path / "report.html").write_text(html(report), encoding="utf-8")
    assert html(report, tmp_path / "report.html") == html(report)


def test_shapes_and_words_are_taken(tmp_path):
    assert stills(page_with(tmp_path, GOOD)) == {NAME: GOOD}


@pytest.mark.parametrize(
    "change",
    [
        ("<text ", "<script>alert(1)</script><text "),
        ("<text ", "<foreignObject><p>x</p></foreignObject><text "),
        ("<text ", '<a href="https://example.org"><path/></a><text '),
        ("<text ", "<image/><text "),
        ("<text ", "<style>*{color:red}</style><text "),
        ("<text ", "<text onclick='x()'></text><text "),
        ("<text ", "<text style='color:red'></text><text "),
        ("<text ", "<!-- x --><text "),
        ("<text ", "<![CDATA[<script>alert(1)</script>]]><text "),
        ('fill="none"', 'fill="url(https://example.org/#a)"'),
        ('fill="none"', 'fill="\\75rl(x)"'),
        ("</text>", ""),
        ("&lt;", "&unknown;"),
        ('data-of="ab', 'data-of="AB'),
    ],
)
def test_anything_else_is_left(tmp_path, change):
    assert stills(page_with(tmp_path, GOOD.replace(*change))) == {}


def test_a_page_that_is_not_ours_is_not_read(tmp_path):
    assert stills(page_with(tmp_path, GOOD, head="")) == {}
    assert stills(tmp_path / "absent.html") == {}
    (tmp_path / "bytes.html").write_bytes(marks.GENERATOR.encode() + b"\xff" + GOOD.encode())
    assert stills(tmp_path / "bytes.html") == {}
