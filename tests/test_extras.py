"""A module that is missing is one sentence with what to install, wherever it is met."""

import importlib

import pytest

import steelyard as sy
from steelyard import extras


def test_a_missing_module_is_one_sentence_with_what_to_install():
    assert extras.brings("PIL.Image") == (
        "this needs pillow (count and maps of PNG and TIFF masks), which is not installed; pip install 'steelyard[images]' brings it."
    )
    assert extras.brings("numpy") == ""


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("threadpoolctl", r"^steelyard\.tune: this needs threadpoolctl .*'steelyard\[tune\]'"),
        ("stranger", r"^No module named 'stranger'$"),
    ],
)
def test_a_name_whose_module_is_missing_says_what_to_install(monkeypatch, missing, said):
    def fails(*_):
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.delitem(sy.__dict__, "tune", raising=False)
    monkeypatch.setattr(importlib, "import_module", fails)
    with pytest.raises(ModuleNotFoundError, match=said) as error:
        _ = sy.tune
    assert error.value.name == missing
