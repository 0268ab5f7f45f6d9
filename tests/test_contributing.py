"""What CONTRIBUTING.md promises, done in a copy of the package as it is written there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


class Checkout:
    """A copy of the package, of the tests' laws and of the program that writes the docs."""

    def __init__(self, folder: Path):
        self.folder, self.package = folder, folder / "src" / "steelyard"
        shutil.copytree(ROOT / "src" / "steelyard", self.package, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        for part in ("docs", "tests/laws", "tests/ingredients", "tests/adaptive", "benchmarks/results"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))

    def add_line(self, path: str, after: str, line: str) -> None:
        file = self.package / path
        text = file.read_text("utf-8")
        assert text.count(f"{after}\n") == 1
        file.write_text(text.replace(f"{after}\n", f"{after}\n{line}\n"), "utf-8")

    def run(self, program: str) -> str:
        """What a program prints in there; the copy comes before the package that is installed."""
        search = f"import sys; sys.path.insert(0, {str(self.folder / 'src')!r}); import steelyard\n"
        code = search + f"assert steelyard.__file__.startswith({str(self.folder)!r})\n" + program
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def checkout(tmp_path) -> Checkout:
    return Checkout(tmp_path)


NAME = "cube_root"
INGREDIENT = '''
"""Weights by the cube root of the inverse count."""

from ..counts import Counts
from ..options import ingredient
from ..recipe import Recipe, unit_mass


@ingredient
def cube_root(counts: Counts) -> Recipe:
    """Weigh a label by n_c^(-1/3).

    Source: nobody.
    """
    weight = counts.nonempty("cube-root") ** (-1 / 3)
    return unit_mass(Recipe(weight=weight, classes=counts.classes, kind=counts.kind), counts)
'''.lstrip()
LINE = f"from .{NAME} import {NAME} as {NAME}"

# as a user would: the library, the command, the page of the docs, and the laws that pytest finds
SEEN_BY = """
print(steelyard.cube_root(steelyard.Counts.of(8, 1)).source, "cube_root" in dir(steelyard))
steelyard.testing.check_ingredient(steelyard.cube_root)

from steelyard.cli import main
assert main(["weigh", "data.csv", "--label", "y", "--strategy", "cube-root"]) == 0

sys.path.insert(0, "docs")
import build_tables
print(build_tables.ingredients_page())

import pytest
sys.exit(pytest.main(["-q", "--co", "--import-mode=importlib", "tests/laws/test_ingredients.py"]))
"""
FOLDER_IS_ON_THE_MENU = """
import pytest
sys.exit(pytest.main(["-q", "--import-mode=importlib", "tests/ingredients/test_menu.py", "-k", "on_the_menu"]))
"""


def test_a_new_ingredient_is_one_file_and_one_line(checkout):
    (checkout.package / "ingredients" / f"{NAME}.py").write_text(INGREDIENT, "utf-8")
    checkout.add_line("ingredients/__init__.py", "from .log_frequency import log_frequency as log_frequency", LINE)
    (checkout.folder / "data.csv").write_text("y\n" + "a\n" * 8 + "b\n", "utf-8")
    told = checkout.run(SEEN_BY)
    assert "('cube_root()',) True\ncube_root()\npositive class: 'b'\n" in told
    assert "| `cube_root(counts)` |  | Weigh a label by n_c^(-1/3). | nobody. |" in told
    assert told.count("[cube-root") > 10


def test_without_the_line_a_test_names_it(checkout):
    (checkout.package / "ingredients" / f"{NAME}.py").write_text(INGREDIENT, "utf-8")
    with pytest.raises(AssertionError, match=f"add to src/steelyard/ingredients/__init__.py: {LINE}"):
        checkout.run(FOLDER_IS_ON_THE_MENU)


RULE = '''
"""Weights by how many labels of each class came so far."""

import math
from typing import Annotated

import torch
from torch import Tensor

from ..counts import Counts
from ..ops.factors import Tables
from ..options import In
from ..recipe import Recipe
from ..rule.protocol import Rule


class Running(Rule):
    """Weigh a label by n_c^(-power), with n_c the labels seen so far, of the steps before.

    Source: nobody.
    """

    seen: Tensor

    def __init__(self, counts: Counts, *, power: Annotated[float, In(0.0, math.inf)] = 1.0):
        super().__init__()
        self.power = power
        self.register_buffer("seen", torch.ones(len(counts), dtype=torch.float64))
        self.register_buffer("pending", torch.zeros(len(counts), dtype=torch.float64))
        self._structure = Recipe(weight=self.seen, classes=counts.classes, kind="exclusive", source=("running",))

    def emit(self) -> tuple[Recipe, Tables]:
        return self._structure, {"weight": (self.seen**-self.power,)}

    def observe(self, logits: Tensor, target: Tensor) -> Tensor:
        seen = self.read(logits, target)
        return torch.zeros_like(self.seen).index_add(0, seen.y, seen.valid.to(self.seen))

    def learn(self, sums: Tensor) -> None:
        self.seen = self.seen + sums
'''.lstrip()
RULE_LINE = "from .running import Running as Running"
RULE_SEEN_BY = """
rule = steelyard.adaptive.RULES["Running"]
try:
    rule(steelyard.Counts.of(9, 1), power=-1.0)
except ValueError as error:
    print(error)
steelyard.testing.check_rule(rule)

sys.path.insert(0, "docs")
import build_tables
print(build_tables.rules_page())

import pytest
names = "(Running and not compiled) or every_rule"
sys.exit(pytest.main(["-v", "--import-mode=importlib", "tests/adaptive/test_laws.py", "-k", names]))
"""


def test_a_new_rule_is_one_file_and_one_line(checkout):
    (checkout.package / "adaptive" / "running.py").write_text(RULE, "utf-8")
    checkout.add_line("adaptive/__init__.py", "from .hardest import Hardest as Hardest", RULE_LINE)
    told = checkout.run(RULE_SEEN_BY)
    assert "Running: power must be in [0, inf), got -1." in told
    assert "| `Running(counts)` | `power=1.0` in [0, inf) | Weigh a label by n_c^(-power), with n_c the labels" in told
    assert told.count("test_a_law_holds[Running-") == 14
