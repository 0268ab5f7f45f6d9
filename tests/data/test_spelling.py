"""How a column was read, as plain data."""

import dataclasses
import json

import pytest

from steelyard.data.spelling import DATE, DRESSED, FORM, Spelling


@pytest.mark.parametrize(
    "spelling", [Spelling(), Spelling(DRESSED, ".", ",", "kg", "bytes"), Spelling(DATE, order="mdy")]
)
def test_a_spelling_survives_json(spelling):
    assert Spelling.from_dict(json.loads(json.dumps(spelling.to_dict()))) == spelling


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Spelling)])
def test_what_is_no_spelling_is_refused(field):
    for wrong in ({"how": "date", field: 3.5}, {"how": "date", field: None}):
        with pytest.raises(ValueError, match=f"{field} must be"):
            FORM.check(wrong)
    for wrong in ({"how": "magic"}, {"how": "date", "order": "yyy"}, {"how": "date", "factors": "x"}):
        with pytest.raises(ValueError, match="must be one of"):
            FORM.check(wrong)
