"""Each integration imports its own framework and no other, and steelyard itself none."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import steelyard

FOLDER = Path(steelyard.__file__).parent / "integrations"
HELPERS = ("__init__", "across", "mask_weights", "classes", "output_layer", "per_class")  # of no framework
OWN = {  # scikit-learn's face is what the boosters show
    "boosting": {"sklearn"},
    "recipe_classifier": {"sklearn"},
    "lightgbm": {"lightgbm", "sklearn"},
    "xgboost": {"xgboost", "sklearn"},
    "catboost": {"catboost", "sklearn"},
    "detection": {"torchvision"},
    "nnunet": set(),  # when a trainer is made
}
FRAMEWORKS = (
    "albumentations", "catboost", "flax", "hydra", "jax", "keras", "lightgbm", "lightning", "mlflow", "monai", "nnunetv2", "omegaconf", "optax",
    "pytorch_lightning", "skorch", "tensorflow", "torchvision", "transformers", "ultralytics", "wandb", "xgboost",
)  # fmt: skip


def imported(*statements: str) -> list[set[str]]:
    """The frameworks that are there after each of the statements, one after the other in one process."""
    told = "print(json.dumps(sorted(sys.modules)))"
    program = "\n".join(["import sys, json", *(f"{statement}\n{told}" for statement in statements)])
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, env=os.environ
    )
    assert run.returncode == 0, run.stderr
    return [set(json.loads(line)) & set(FRAMEWORKS) for line in run.stdout.splitlines()[-len(statements) :]]


def test_steelyard_imports_no_framework():
    used = "import steelyard as sy, torch; sy.CrossEntropy(sy.focal()); sy.slopes; sy.posterior"
    helpers = ", ".join(f"steelyard.integrations.{name}".replace(".__init__", "") for name in HELPERS)
    assert imported(used, f"import {helpers}") == [set(), set()]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({p.stem for p in FOLDER.glob("*.py")} - set(HELPERS)))
def test_an_integration_imports_its_own_alone(name):
    own = OWN.get(name, {name})
    for module in own:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    if own & {"torchvision", "ultralytics"}:
        pytest.skip(
            "needs its C++ operators named first, which tests/integrations/torchvision_on_cpu.py does in this process"
        )
    # what the framework brings by itself, and then nothing more
    brought, found = imported(f"import {', '.join(sorted(own)) or 'sys'}", f"import steelyard.integrations.{name}")
    assert found == brought
