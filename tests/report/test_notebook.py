import re
from html import unescape

from steelyard.report import Report, fragment


def test_it_shows_the_verdict_the_forest_plot_and_the_cut(any_study):
    html = fragment(Report.from_json(any_study))
    said = " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())
    assert any_study["verdict"]["sentence"] in said
    assert html.count("<svg") == sum(not arm["equals_plain"] and arm["name"] != "plain" for arm in any_study["arms"])
    assert not re.search(r"<(script|img)|\son\w+=\"|url\(|https?:", html)


def test_marks_stand_where_the_pages_stand(kept):
    html = fragment(Report.from_json(kept))
    low, high = map(float, re.search(r'x1="([\d.]+)" x2="([\d.]+)" y1="9', html).groups())
    zero = float(re.search(r'x1="([\d.]+)" x2="\1" y1="0"', html)[1])
    assert 0 < low < zero < high < 260  # [-0.004, 0.010]
