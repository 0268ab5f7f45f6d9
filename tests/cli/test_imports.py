"""What a command does not need it does not wait for: modules that are slow to import, by command."""

import subprocess
import sys

import pytest

REPORT = (
    "torch",
    "scipy",
    "sklearn",
    "pandas",
    "pyarrow",
    "sqlalchemy",
    "optuna",
    "vl_convert",
    "imblearn",
    "lightgbm",
)
TUNE = (
    "torch._dynamo",
    "sympy",
    "sklearn",
    "scipy.stats",
    "scipy.optimize",
    "imblearn",
    "optuna",
    "vl_convert",
    "lightgbm",
)
LIGHT = (*REPORT, "numpy", "altair", "jinja2")

PROGRAM = """
import sys
sys.argv[0] = "steelyard"
from steelyard.cli.app import app
try:
    app(sys.argv[2:], standalone_mode=False)
except SystemExit as end:
    assert not end.code, end.code
loaded = [name for name in sys.argv[1].split(",") if name in sys.modules]
print("LOADED", ",".join(loaded))
"""


def loaded(modules, *arguments):
    """Those of the modules that are there after the command, of which it says what it says anyway."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(modules), *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.rsplit("LOADED ", 1)[1].strip()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The folder of a study, and what of the modules its command loaded."""
    import numpy as np

    pytest.importorskip("sqlalchemy")
    folder = tmp_path_factory.mktemp("imports")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = rng.random(400) < 1 / (1 + np.exp(2 - X.sum(axis=1)))
    rows = [",".join([*(f"{v:.4f}" for v in x), "ill" if ill else "well"]) for x, ill in zip(X, y, strict=True)]
    (folder / "t.csv").write_text("a,b,c,state\n" + "\n".join(rows) + "\n")
    few = ("--folds", 2, "--repeats", 1, "--bootstrap", 100)
    return folder, loaded(TUNE, "tune", folder / "t.csv", "--label", "state", *few, "--out", folder / "out")


@pytest.mark.slow
def test_a_study_of_a_linear_model_loads_neither_scikit_learn_nor_a_compiler(study):
    assert study[1] == ""


@pytest.mark.slow
def test_a_report_is_read_without_what_made_it(study):
    folder, _ = study
    assert loaded(REPORT, "report", folder / "out") == ""
    assert loaded((*REPORT, "altair"), "report", folder / "out", "--compare", folder / "out") == ""


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["tune", "--help"], ["report", "--help"]])
def test_help_waits_for_nothing(arguments):
    assert loaded(LIGHT, *arguments) == ""
