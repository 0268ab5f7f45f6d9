"""tools/release.py on a clone: each check passes where it holds, and where not it says what to do. Nothing is built here."""

import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("tools/release.py", "pyproject.toml", "CHANGELOG.md", "src/steelyard/version.py")


class Clone:
    """A repository with what the quick checks read, ready for a release."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in NEEDED:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        self.git("init", "-q")
        self.write("src/steelyard/version.py", '"""The version."""\n\n__version__ = "1.2.3"\n')
        self.change("CHANGELOG.md", "## Unreleased\n", f"## 1.2.3 - {date.today().isoformat()}\n")
        self.commit()

    def git(self, *words: str) -> None:
        who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", *who, *words], cwd=self.folder, check=True, capture_output=True)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "state")

    def release(self) -> tuple[int, list[str]]:
        command = [sys.executable, "tools/release.py", "--quick"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert not done.stderr
        return done.returncode, done.stdout.splitlines()


@pytest.fixture
def clone(tmp_path):
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    return Clone(tmp_path)


def test_what_is_ready_passes_and_stops_before_the_upload(clone):
    code, lines = clone.release()
    assert code == 0
    assert [line.partition(":")[0] for line in lines[:4]] == ["right"] * 4
    assert lines[4].startswith("Not done")
    assert "twine upload" in lines[-1]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("src/steelyard/version.py", "1.2.3", "1.2.3.dev0", "which is no release; write X.Y.Z"),
        ("src/steelyard/version.py", "__version__ = ", "VERSION = ", "has no line __version__"),
        (
            "src/steelyard/version.py",
            "1.2.3",
            "1.2.4",
            'has no section of 1.2.4; turn "## Unreleased" into "## 1.2.4 - ',
        ),
        ("CHANGELOG.md", f"1.2.3 - {date.today().isoformat()}", "1.2.3 - soon", 'has no date; write "## 1.2.3 - '),
        ("pyproject.toml", 'dynamic = ["version"]', 'version = "1.2.2"', "remove it and keep dynamic"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(clone, name, old, new, said):
    clone.change(name, old, new)
    clone.commit()
    code, lines = clone.release()
    assert code == 1
    assert lines[-1].startswith("wrong: ")
    assert said in lines[-1]


def test_a_tree_with_changes_and_a_version_that_is_out_are_refused(clone):
    clone.write("notes.txt", "")
    assert clone.release()[1][-1].endswith("commit or remove: notes.txt")
    (clone.folder / "notes.txt").unlink()
    clone.git("tag", "v1.2.3")
    code, lines = clone.release()
    assert code == 1
    assert "the tag v1.2.3 exists" in lines[-1]


def test_a_section_without_a_line_is_refused(clone):
    today = date.today().isoformat()
    clone.write("CHANGELOG.md", f"# Changelog\n\n## 1.2.3 - {today}\n\n## 1.2.2 - {today}\n\n- something\n")
    clone.commit()
    assert "nothing stands under" in clone.release()[1][-1]
