"""The README reads on a package index: every link is whole, and what it leads to, numbers included, is in the repository.

The address of the repository stands in pyproject.toml, under [project.urls]; no file has another one.
"""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
URLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]
HOME = URLS["Homepage"]
RAW = HOME.replace("https://github.com/", "https://raw.githubusercontent.com/")
LINKS = re.findall(r"\]\((\S+?)\)", README)


def heads(page: Path) -> set[str]:
    """The anchors of a page, as a code host makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_link_is_whole_and_leads_to_a_file():
    assert len(LINKS) > 10
    for link in LINKS:
        page, _, anchor = link.partition("#")
        found = re.fullmatch(rf"(?:{re.escape(HOME)}/blob|{re.escape(RAW)})/main/(.+)", page)
        assert found, f"{link} is no address below {HOME}"
        file = ROOT / found[1]
        assert file.exists(), link
        assert not anchor or anchor in heads(file), link


def test_the_addresses_of_the_project_are_below_its_home():
    for name, address in URLS.items():
        assert address == HOME or address.startswith(f"{HOME}/"), name
        local = address.partition("/blob/main/")[2]
        assert not local or (ROOT / local).exists(), address


def test_no_file_names_another_repository_as_ours():
    done = subprocess.run(["git", "ls-files", "*.md", "*.toml", "*.py"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("this is no checkout")
    own = re.compile(r"https://(?:raw\.githubusercontent|github)\.com/[\w.-]+/steelyard\b")
    for name in done.stdout.split():
        for address in own.findall((ROOT / name).read_text("utf-8")):
            assert address in (HOME, RAW), f"{name}: {address}"


def test_its_numbers_are_those_of_the_page_that_is_made_from_the_results():
    claims = (ROOT / "docs" / "evidence" / "claims.md").read_text("utf-8")
    for row in (
        "| numbers that are not finite at logits up to 10,000 | 0 | 0 |  | all of 4416 |",
        "| error of probabilities that `sy.posterior` gives back | at most 1e-05 | 9.8e-09 |  | worst of 11 recipes |",
        "| balanced accuracy, a moved threshold minus `inverse_frequency` | at least 0 | 0.0168 | 0.0065 to 0.0271 | 12 seeds |",
        "| `logit_adjustment` minus plain | at least 0 | 0.0593 |",
    ):
        assert row in claims, f"README.md shows another number than the results: {row}"
    broken = re.findall(r"^\| \w+: formula through sigmoid and BCE \| (\d+) \| (\d+) \|", claims, re.MULTILINE)
    assert f"{sum(int(b) for _, b in broken)} of {sum(int(n) for n, _ in broken)} are not" in README
    for number in ("0 of 4416", "9.8e-09", "over 11 recipes", "0.0168", "0.0065 to 0.0271, 12 seeds", "0.0593"):
        assert number in README


def test_it_installs_and_runs_what_is_there():
    assert 'pip install "steelyard[tune]"' in README
    for command in re.findall(r"^    steelyard (\w+) ", README, re.MULTILINE):
        assert (ROOT / "src" / "steelyard" / "cli" / f"{command}.py").exists()
