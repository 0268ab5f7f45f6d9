import io
import re

import pytest
from rich.console import Console

from steelyard import report
from steelyard.report import Report


def test_a_pipe_gets_the_plain_text(kept):
    file = io.StringIO()
    report.show(Report.from_json(kept), Console(file=file))
    assert file.getvalue() == report.text(Report.from_json(kept))


@pytest.mark.parametrize("width", [40, 120])
def test_a_terminal_gets_the_sentence_on_one_line(any_study, width):
    file = io.StringIO()
    report.show(Report.from_json(any_study), Console(file=file, force_terminal=True, width=width))
    shown = re.sub(r"\x1b\[[\d;]*m", "", file.getvalue())
    assert any_study["verdict"]["sentence"] in shown.splitlines()


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
