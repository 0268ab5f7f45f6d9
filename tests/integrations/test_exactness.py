"""The table of docs/howto/frameworks.md on what adds up: every test in it is there, every integration that trains is in it."""

import ast
from pathlib import Path

import pytest
from tests.integrations import exactness
from tests.integrations.exactness import COLUMNS, EXACT, PAGE

TESTS = Path(__file__).resolve().parents[1]
MODULES = Path(__file__).resolve().parents[2] / "src" / "steelyard" / "integrations"
ROWS = {
    "transformers": "Hugging Face Trainer",
    "lightning": "Lightning",
    "detection": "torchvision, detectors",
    "ultralytics": "Ultralytics",
    "nnunet": "nnU-Net",
    "keras": "Keras",
    "jax": "JAX",
}
WITHOUT_STEPS = {
    "across", "output_layer", "per_class", "classes", "mask_weights",  # parts
    "albumentations", "monai", "torchvision",  # transforms
    "sklearn", "recipe_classifier", "boosting", "lightgbm", "xgboost", "catboost",  # all rows at once
}  # fmt: skip


@pytest.mark.parametrize("framework", EXACT)
def test_every_test_that_is_named_is_there(framework):
    assert len(EXACT[framework]) == len(COLUMNS)
    for held in EXACT[framework]:
        for each in held.tests:
            file, _, name = each.partition("::")
            tree = ast.parse((TESTS / file).read_text("utf-8"))
            assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, each


def test_every_integration_is_in_the_table_or_has_no_steps():
    modules = {path.stem for path in MODULES.glob("*.py")} - {"__init__"}
    assert modules == set(ROWS) | WITHOUT_STEPS
    assert set(ROWS.values()) <= set(EXACT)


def test_the_page_shows_the_table():
    page = PAGE.read_text("utf-8")
    assert page == exactness.written(page), "run: python -m tests.integrations.exactness"
