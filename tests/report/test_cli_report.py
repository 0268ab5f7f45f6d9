"""steelyard report: a study's answer again, and two studies side by side. Files: cli/report.py."""

import pytest

from steelyard import report
from steelyard.cli import main
from steelyard.cli import report as command


def test_the_command_lays_two_studies_side_by_side(kept, won, tmp_path, capsys):
    report.write(kept, tmp_path / "a")
    report.write(won, tmp_path / "b")
    before = (tmp_path / "a" / "report.html").read_bytes()
    command.run(tmp_path / "a", tmp_path / "b")
    said = capsys.readouterr().out
    assert kept["verdict"]["sentence"] in said
    assert won["verdict"]["sentence"] in said
    page = (tmp_path / "a" / "compare.html").read_text(encoding="utf-8")
    assert "Two studies side by side" in page
    assert (tmp_path / "a" / "report.html").read_bytes() == before


def test_comparing_with_what_is_no_study_is_refused_in_one_paragraph(kept, tmp_path, capsys):
    report.write(kept, tmp_path / "a")
    assert main(["report", str(tmp_path / "a"), "--compare", str(tmp_path / "nothing")]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: report: there is no report.json in")
    assert len(said.err.strip().splitlines()) == 1
    assert not (tmp_path / "a" / "compare.html").exists()


def test_the_command_makes_the_page_again(kept, tmp_path, capsys):
    report.write(kept, tmp_path)
    page = tmp_path / "report.html"
    made = page.read_text(encoding="utf-8")
    page.unlink()
    command.run(tmp_path, None)
    assert page.read_text(encoding="utf-8") == made
    assert kept["verdict"]["sentence"] in capsys.readouterr().out.splitlines()


def test_the_command_writes_nothing_for_a_foreign_folder(tmp_path):
    with pytest.raises(ValueError, match="steelyard tune"):
        command.run(tmp_path, None)
    assert list(tmp_path.iterdir()) == []
