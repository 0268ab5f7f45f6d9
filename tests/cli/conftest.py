"""Run the command in this process."""

import pytest

from steelyard.cli import main


@pytest.fixture
def steelyard(capsys, monkeypatch):
    """(exit code, stdout, stderr) of one call."""
    monkeypatch.delenv("STEELYARD_DEBUG", raising=False)

    def call(*arguments) -> tuple[int, str, str]:
        code = main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def two_classes(tmp_path):
    """90 no, 10 yes."""
    path = tmp_path / "two.csv"
    path.write_text("x,y\n" + "".join(f"{i}.5,{'yes' if i % 10 == 0 else 'no'}\n" for i in range(100)))
    return path
