"""docs/howto/install.md names every extra and every package that it brings, as pyproject.toml does; so does `steelyard doctor`."""

import re
import tomllib
from pathlib import Path

from steelyard import extras

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
FOR_CHECKOUTS = ("all", "dev", "docs", "release")  # nobody who uses the library misses their packages


def direct(extra: str) -> tuple[set[str], set[str]]:
    """Other extras that an extra brings, and packages."""
    others, packages = set(), set()
    for requirement in EXTRAS[extra]:
        name = re.match(r"[\w.-]+", requirement)[0]
        inside = re.search(r"\[([^\]]+)\]", requirement)
        if name == "steelyard":
            others |= {part.strip() for part in inside[1].split(",")}
        else:
            packages.add(name)
    return others, packages


def test_the_table_of_extras_is_that_of_the_project():
    page = (ROOT / "docs" / "howto" / "install.md").read_text("utf-8").partition("## What the extras add")[2]
    rows = dict(re.findall(r"^\| `(\w+)` \| .+? \| (.+) \|$", page.partition("\n## ")[0], flags=re.MULTILINE))
    assert set(rows) == set(EXTRAS)
    for extra, said in rows.items():
        others, packages = direct(extra)
        named = set(re.findall(r"`([\w.-]+)`", said))
        assert named == (others if extra == "dev" else others | packages), extra


def test_doctor_knows_every_extra_and_package():
    assert set(extras.EXTRAS) == set(EXTRAS) - set(FOR_CHECKOUTS)
    for extra, packages in extras.EXTRAS.items():
        assert set(packages) == direct(extra)[1], extra


def test_without_extras_numpy_and_torch_are_all_that_it_needs():
    assert {re.match(r"[\w-]+", one)[0] for one in PROJECT["dependencies"]} == {"numpy", "torch"}
