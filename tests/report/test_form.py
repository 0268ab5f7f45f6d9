"""The form of report.json holds every key that is read, so that nothing is read unchecked."""

import re
from pathlib import Path

from steelyard import report
from steelyard.report import form

HERE = Path(report.__file__).parent
READ = re.compile(r"""\.(?:text|number|the_number|whole|flag|part|parts|named|numbers|texts|rows)\("(\w+)"\)""")


def test_every_key_that_is_read_is_declared():
    declared = set(re.findall(r"\w+", Path(form.__file__).read_text(encoding="utf-8")))
    for name in ("document.py", "evidence.py", "facts.py"):
        read = set(READ.findall((HERE / name).read_text(encoding="utf-8")))
        assert len(read) > 20
        assert read <= declared, name
