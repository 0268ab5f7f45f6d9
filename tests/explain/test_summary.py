"""explain: what it reads, and its answer as JSON and as a table. Files: explain/aligned.py."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import steelyard as sy
from steelyard import Counts, Recipe
from steelyard.curves import Focal
from steelyard.explain import explain

COUNTS = Counts.of(900, 100, classes=["healthy", "ill"])
LONG_TAIL = Counts([5000, 1000, 300, 40])


def column(explanation, name):
    return np.array([getattr(o, name) for o in explanation.outcomes], dtype=float)


def test_drop_ins_and_learned_tables_are_read_with_the_numbers_they_hold():
    e = explain(sy.BCEWithLogitsLoss(pos_weight=[9.0]), COUNTS)
    np.testing.assert_allclose(column(e, "flip"), [0.9, 0.1])
    learned = sy.CrossEntropy(Recipe(weight=torch.nn.Parameter(torch.tensor([5 / 9, 5.0]))))
    np.testing.assert_allclose(column(explain(learned, COUNTS), "flip"), [0.9, 0.1], rtol=1e-6)


def test_json_holds_every_number():
    e = explain(Recipe(weight=[1.0, 0.0], curve=Focal()), COUNTS)
    told = json.loads(json.dumps(e.to_dict(), allow_nan=False))
    assert told["outcomes"][1]["weight"] == 0.0
    assert told["warnings"] == list(e.warnings)


def test_the_text_is_a_table_and_its_warnings():
    lines = str(explain(Recipe(weight=[1.0, 9.0]), COUNTS)).splitlines()
    assert lines[1].split()[:3] == ["class", "rows", "share"]
    assert len({len(line) for line in lines[1:4]}) == 1
    assert lines[-1].startswith("warning: the mean weight")
    assert "... and 960 more" in str(explain(Recipe(), Counts([1] * 1000)))


@pytest.mark.parametrize(
    ("what", "counts", "error", "why"),
    [
        (Recipe(weight={"a": 1.0, "b": 2.0}), COUNTS, ValueError, "for classes a, b"),
        (Recipe(weight=[1.0, 2.0, 3.0]), COUNTS, ValueError, "for 3 classes but the counts are for 2"),
        (sy.BinaryCrossEntropy(), LONG_TAIL, ValueError, "does not fit exclusive counts of 4"),
        (sy.CrossEntropy(), Counts([1], kind="multilabel", items=3), ValueError, "does not fit multilabel"),
        (torch.nn.CrossEntropyLoss(), COUNTS, TypeError, "takes a Recipe or a steelyard loss"),
    ],
)
def test_bad_calls_are_named(what, counts, error, why):
    with pytest.raises(error, match=why):
        explain(what, counts)


def test_importing_explain_does_not_import_torch():
    code = "import sys, steelyard; assert callable(steelyard.explain); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
