"""The blocks of docs/howto/frameworks.md that need a framework and say so, with that framework, after the page's own blocks.

The page's other blocks run in tests/docs/test_blocks.py.
"""

import contextlib
import importlib
import io
import re

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("lightgbm")
from tests.docs.test_blocks import ROOT, blocks

PAGE = ROOT / "docs" / "howto" / "frameworks.md"
HERE = re.compile(r"no-run: needs (\w+); tests/integrations/test_frameworks_page\.py runs it")
NEEDED = [m[1] for b in blocks(PAGE.read_text("utf-8")) if (m := HERE.search(b.info))]
pytestmark = pytest.mark.filterwarnings("ignore")


def run(code, names, line):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile("\n" * (line - 1) + code, str(PAGE), "exec"), names)
    return out.getvalue().rstrip()


@pytest.fixture(scope="module")
def page():
    """The names that the page has before its last sections."""
    names: dict[str, object] = {"__name__": "__docs__"}
    for block in blocks(PAGE.read_text("utf-8")):
        if block.info == "python":
            run(block.body, names, block.line)
    return names


def test_the_page_has_such_blocks():
    assert {"hydra", "skorch", "torchmetrics", "mlflow", "wandb"} <= set(NEEDED)


@pytest.mark.parametrize("package", dict.fromkeys(NEEDED))
def test_the_blocks_of_a_framework_print_what_the_page_shows(package, page, tmp_path, monkeypatch):
    import numpy as np
    import torch

    import steelyard as sy

    for name, value in {
        "WANDB_DIR": str(tmp_path),
        "WANDB_CACHE_DIR": str(tmp_path / "cache"),
        "WANDB_CONFIG_DIR": str(tmp_path / "config"),
        "WANDB_DATA_DIR": str(tmp_path / "data"),
        "WANDB_SILENT": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "GIT_PYTHON_REFRESH": "quiet",
    }.items():
        monkeypatch.setenv(name, value)
    pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    recipe = sy.inverse_frequency(sy.count(page["y"]))
    z = torch.from_numpy(page["weighted"].decision_function(page["X"]))
    names = {**page, "torch": torch, "np": np, "recipe": recipe, "p": sy.posterior(z, recipe, link="sigmoid")}
    shown, printed, ran = None, None, 0
    for block in blocks(PAGE.read_text("utf-8")):
        found = HERE.search(block.info)
        if found:
            printed = run(block.body, names, block.line) if found[1] == package else None
            ran += found[1] == package
        elif block.info == "output" and printed is not None:
            shown = block.body.rstrip()
            assert printed == shown, f"{PAGE.name}:{block.line}"
            printed = None
    assert ran
    assert shown is not None
    assert importlib.util.find_spec(package)
