"""A bar shows on stderr and changes nothing."""

from tests.data.examples import masks

from steelyard import count


def test_progress_shows_on_stderr_and_changes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("steelyard.data.progress.PATIENCE", -1)
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes the pipe for a terminal
    folder = masks(tmp_path / "m")
    assert count(folder, ignore=255, progress=True) == count(folder, ignore=255)
    assert count([(0, [1, 2])] * 3, key=1, progress=True).items == 6
    assert "counting" in capsys.readouterr().err
