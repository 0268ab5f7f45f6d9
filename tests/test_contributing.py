"""What CONTRIBUTING.md promises, done in a copy of the package as it is written there."""

import re
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
        shutil.copy(ROOT / "tests" / "examples_of.py", folder / "tests")

    def follow(self, section: str, *, lines: bool = True) -> str:
        """Do what a section of CONTRIBUTING.md says: files that are written whole, and lines to add to those there are. The last
        of these lines; `lines=False` leaves them out."""
        text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
        line = ""
        for path, block in re.findall(r"`(\S+\.py)`:\n\n```python\n(.*?)```", text, flags=re.DOTALL):
            file = self.folder / path
            if not file.exists():
                file.write_text(block, "utf-8")
                continue
            line = block.strip()
            before, last, after = file.read_text("utf-8").rpartition("\nfrom .")  # behind the last of its kind
            head, newline, rest = after.partition("\n")
            if lines:
                file.write_text(f"{before}{last}{head}{newline}{block}{rest}", "utf-8")
        return line

    def run(self, program: str) -> str:
        """What a program prints in there; the copy comes before the package that is installed."""
        # an editable install finds the package by a finder of its own, whatever stands on the path
        plain = 'sys.meta_path[:] = [f for f in sys.meta_path if getattr(f, "__module__", "").startswith("_frozen_importlib")]'
        search = f"import sys; {plain}; sys.path.insert(0, {str(self.folder / 'src')!r}); import steelyard\n"
        code = search + f"assert steelyard.__file__.startswith({str(self.folder)!r})\n" + program
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def checkout(tmp_path) -> Checkout:
    return Checkout(tmp_path)


# as a user would: the library, the command, the page of the docs, and the laws that pytest finds
SEEN_BY = """
print(steelyard.cube_root(steelyard.Counts.of(8, 1)).source, "cube_root" in dir(steelyard))
steelyard.testing.check_ingredient(steelyard.cube_root)

from steelyard.cli import main
assert main(["weigh", "data.csv", "--label", "y", "--strategy", "cube-root"]) == 0

sys.path.insert(0, "docs")
import menu_pages
print(menu_pages.ingredients_page(""))

import pytest
sys.exit(pytest.main(["-q", "--co", "--import-mode=importlib", "tests/laws/test_ingredients.py"]))
"""
FOLDER_IS_ON_THE_MENU = """
import pytest
sys.exit(pytest.main(["-q", "--import-mode=importlib", "tests/ingredients/test_menu.py", "-k", "on_the_menu"]))
"""


@pytest.mark.slow
def test_a_new_ingredient_is_one_file_and_one_line(checkout):
    checkout.follow("A new weighting")
    (checkout.folder / "data.csv").write_text("y\n" + "a\n" * 8 + "b\n", "utf-8")
    told = checkout.run(SEEN_BY)
    assert "('cube_root()',) True\n" in told
    assert "cube_root()\npositive class: 'b'\n" in told
    assert "### cube_root\n\n`cube_root(counts)`\n\nWeigh a label by n_c^(-1/3).\n" in told
    assert "| **Paper** | nobody. |\n| **Undone** | by `sy.posterior`, in closed form. |\n" in told
    assert told.count("[cube-root") > 10


def test_without_the_line_a_test_names_it(checkout):
    line = checkout.follow("A new weighting", lines=False)
    with pytest.raises(AssertionError, match=f"add to src/steelyard/ingredients/__init__.py: {line}"):
        checkout.run(FOLDER_IS_ON_THE_MENU)


RULE_SEEN_BY = """
rule = steelyard.adaptive.RULES["Running"]
try:
    rule(steelyard.Counts.of(9, 1), power=-1.0)
except ValueError as error:
    print(error)
steelyard.testing.check_rule(rule)

sys.path.insert(0, "docs")
import menu_pages
print(menu_pages.rules_page(""))

import pytest
names = "(Running and not compiled) or every_rule"
sys.exit(pytest.main(["-v", "--import-mode=importlib", "tests/adaptive/test_laws.py", "-k", names]))
"""


@pytest.mark.slow
def test_a_new_rule_is_one_file_and_one_line(checkout):
    checkout.follow("A new rule")
    told = checkout.run(RULE_SEEN_BY)
    assert "Running: power must be in [0, inf), got -1." in told
    assert "## Running\n\n`Running(counts)`\n\nWeigh a label by n_c^(-power), with n_c the labels" in told
    assert "| **Options** | `power=1.0` in \\[0, inf) |\n" in told
    assert told.count("test_a_law_holds[Running-") == 15


CURVE_SEEN_BY = """
import my_losses, torch
curve = my_losses.Hardened(0.25)
steelyard.testing.check_ingredient(steelyard.fixed, curve=curve)
for link in ("softmax", "sigmoid"):
    steelyard.testing.check_backend("eager", given={link: {"hardened": steelyard.Recipe(curve=curve)}})

recipe = steelyard.Recipe(weight=[1.0, 3.0], curve=curve)
recipe.save("recipe.json")
assert steelyard.Recipe.load("recipe.json") == recipe

# the best constant prediction of 30 % is undone to 30 %
z, y = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True), torch.tensor([0] * 7 + [1] * 3)
loss, step = steelyard.CrossEntropy(recipe), torch.optim.LBFGS([z], max_iter=100, line_search_fn="strong_wolfe")

def closure():
    step.zero_grad()
    value = loss(z.expand(10, 2), y)
    value.backward()
    return value

step.step(closure)
print(f"{steelyard.posterior(z.detach(), loss)[0, 1].item():.3f}")
"""
LOADED_WITHOUT = """
try:
    steelyard.Recipe.load("recipe.json")
except ValueError as error:
    print(error)
"""


@pytest.mark.slow
def test_a_new_curve_is_one_file(checkout):
    checkout.follow("A new curve")
    assert checkout.run("sys.path.insert(0, '.')" + CURVE_SEEN_BY).endswith("0.300\n")
    assert "my_losses" in checkout.run(LOADED_WITHOUT)
