import io
import os
import re
from pathlib import Path

import pytest
from rich.console import Console

from steelyard import report
from steelyard.report import Report


def test_a_pipe_gets_the_plain_text(kept):
    file = io.StringIO()
    report.show(Report.from_json(kept), Console(file=file))
    assert file.getvalue() == report.text(Report.from_json(kept))


WIDTHS = (60, 80, 100, 120, 200)
GOLDEN = Path(__file__).parent / "golden"
ESCAPES = re.compile(r"\x1b\[[\d;]*m")


def terminal(data, width: int, **options) -> str:
    file = io.StringIO()
    report.show(Report.from_json(data), Console(file=file, force_terminal=True, width=width, **options))
    return file.getvalue()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_terminal_of_this_width_shows_this(kept, width):
    """`STEELYARD_GOLDEN=1 pytest` writes the files anew; look at what changed."""
    shown, path = terminal(kept, width, color_system=None), GOLDEN / f"terminal-{width}.txt"
    if os.environ.get("STEELYARD_GOLDEN"):
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_sentence_wraps_at_words_and_no_number_is_cut(any_study, width):
    shown = ESCAPES.sub("", terminal(any_study, width))
    assert [line for line in shown.splitlines() if len(line) > width] == []
    assert any_study["verdict"]["sentence"] in " ".join(shown.split())
    assert "…" not in shown
    for arm in any_study["arms"]:
        on = arm["metrics"][any_study["metric"]]
        if arm["name"] != "plain" and not arm["equals_plain"] and on["low"] is not None:
            assert f"[{on['low']:.3f}, {on['high']:.3f}]".replace("-0.000", "0.000") in shown


@pytest.mark.parametrize("width", WIDTHS)
def test_colour_changes_no_letter(any_study, width):
    plain = terminal(any_study, width, color_system=None)
    assert ESCAPES.sub("", terminal(any_study, width, color_system="truecolor")) == plain
    assert not ESCAPES.search(plain)


@pytest.mark.parametrize("width", [80, 120])
def test_ten_lines_say_what_to_do_what_it_brings_and_how_sure_it_is(any_study, width):
    first = terminal(any_study, width, color_system=None).splitlines()[:10]
    said = " ".join(" ".join(first).split())
    assert first[0].startswith(("Train ", "No verdict"))
    assert re.search(r"\bfinds \d|\bgets \d", said)
    assert re.search(r"\[.*\d, .*\d\]|No verdict", said)


def test_no_colour_where_the_environment_says_so(kept, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[\d;]*3\dm", terminal(kept, 80))
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in terminal(kept, 80)


def test_names_are_not_read_as_markup(kept):
    kept["arms"][3]["name"] = "[red]bold[/red]"
    file = io.StringIO()
    report.show(Report.from_json(kept), Console(file=file, force_terminal=True, width=160))
    assert "[red]bold[/red]" in re.sub(r"\x1b\[[\d;]*m", "", file.getvalue())


def test_no_name_can_command_the_terminal(kept):
    kept["data"]["label"] = kept["arms"][3]["name"] = "a\x1b[2Jb\x9bc\r"
    file = io.StringIO()
    report.show(Report.from_json(kept), Console(file=file, force_terminal=True, width=160, color_system=None))
    for said in (file.getvalue(), report.text(Report.from_json(kept))):
        assert r"a\x1b[2Jb\x9bc\r" in said
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", said)
