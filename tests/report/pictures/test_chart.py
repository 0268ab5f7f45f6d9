"""What all charts share."""

from steelyard.report import Report, pictures
from steelyard.report.pictures.chart import LINES


def test_every_picture_can_be_drawn_in_the_colours_of_the_page(any_study):
    for picture in pictures.pictures(Report.from_json(any_study)):
        svg = pictures.as_svg(picture.spec)
        assert svg.startswith('<svg class="chart" aria-hidden="true" viewBox="0 0 ')
        assert "var(--" in svg
        assert "NaN" not in svg
        assert "<script" not in svg


def test_colours_and_dashes_both_tell_lines_apart():
    assert len({colour for colour, _ in LINES.values()}) == len({tuple(d) for _, d in LINES.values()}) == len(LINES)
