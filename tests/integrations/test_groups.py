"""No test of an adapter is lost between the groups of frameworks: every file is in a list, and its group brings what it asks for.

Files: tools/adapters.py, tests/integrations/groups.toml.
"""

import importlib.metadata
import importlib.util
import re
from pathlib import Path

import pytest
from tests.integrations.frames import FRAMES

ROOT = Path(__file__).resolve().parents[2]
ASKED = re.compile(r"""(?:importorskip|find_spec)\("(\w+)""")
# asked for by a parameter, which the text does not show
BY_PARAMETER = {"test_laws": set(FRAMES), "test_boosting": {"lightgbm", "xgboost", "catboost"}}


@pytest.fixture(scope="module")
def adapters():
    spec = importlib.util.spec_from_file_location("adapters", ROOT / "tools" / "adapters.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def asked(name):
    return set(ASKED.findall((ROOT / "tests" / "integrations" / f"{name}.py").read_text("utf-8"))) | BY_PARAMETER.get(
        name, set()
    )


def set_up() -> set[str]:
    """What `run.py setup` brings, by name."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    import tomllib

    project = tomllib.loads(text)["project"]
    named = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    return {re.split(r"[^\w.-]", one)[0].lower() for one in named}


def brought(module, packages):
    name = {"sklearn": "scikit-learn"}.get(module, module.replace("_", "-"))
    return any(package == name or package.startswith(f"{name}-") for package in packages)


def test_every_file_is_in_one_list(adapters):
    lists = [
        adapters.LISTS["plain"],
        adapters.LISTS["everywhere"],
        *(adapters.LISTS[g]["tests"] for g in adapters.GROUPS),
    ]
    listed = [name for one in lists for name in one]
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "tests" / "integrations").glob("test_*.py"))


def test_a_group_brings_what_its_files_ask_for(adapters):
    known = set_up()
    for name in adapters.LISTS["plain"]:
        if name != Path(__file__).stem:
            assert all(brought(module, known) for module in asked(name)), name
    for group in adapters.GROUPS:
        packages = {package.lower() for package in adapters.LISTS[group]["packages"]}
        for name in adapters.LISTS[group]["tests"]:
            assert asked(name), f"{name} asks for nothing: it belongs to those that are plain"
            for module in asked(name):
                assert brought(module, packages | known), f"{group} does not bring {module}, for which {name} asks"
    everything = known | {p.lower() for g in adapters.GROUPS for p in adapters.LISTS[g]["packages"]}
    for name in adapters.LISTS["everywhere"]:
        assert all(brought(module, everything) for module in asked(name)), name


def test_a_group_is_run_with_its_own_files_and_those_of_all(adapters):
    assert adapters.files("transforms")[0] == "tests/integrations/test_albumentations.py"
    for group in adapters.GROUPS:
        assert set(map("tests/integrations/{}.py".format, adapters.LISTS["everywhere"])) < set(adapters.files(group))
        assert all((ROOT / file).exists() for file in adapters.files(group))


def test_other_words_are_refused(adapters, capsys):
    for words in ([], ["run"], ["test", "nobody"]):
        assert adapters.main(words) == 2
        assert capsys.readouterr().out == "adapters: install or test, and any of transforms, frameworks, vision\n"


def test_what_is_there_is_not_installed_again(adapters, tmp_path, monkeypatch, capsys):
    calls = []
    (tmp_path / "constraints.txt").write_text("a==1\n")

    def run(command, **options):
        calls.append(command)
        (tmp_path / "build" / "vision").mkdir(parents=True)
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr(adapters, "ROOT", tmp_path)
    monkeypatch.setattr(adapters.subprocess, "run", run)
    assert adapters.main(["install", "vision"]) == adapters.main(["install", "vision"]) == 0
    assert len(calls) == 1
    assert {"--no-deps", "ultralytics"} < set(calls[0])
    (tmp_path / "constraints.txt").write_text("a==2\n")
    assert adapters.main(["install", "vision"]) == 0
    assert len(calls) == 2
