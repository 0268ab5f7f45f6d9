"""The records are what `tune` takes: one name and one default for each option."""

import dataclasses
import inspect

from steelyard.tuning import tune
from steelyard.tuning.request import Data, Fits, Goal, Run


def test_the_records_hold_the_keywords_of_tune():
    records = {field.name: field.default for record in (Data, Goal, Fits, Run) for field in dataclasses.fields(record)}
    taken = {n: p.default for n, p in inspect.signature(tune).parameters.items()}
    assert records == {
        name: default for name, default in taken.items() if name not in ("source", "y", "data", "recipes")
    }
