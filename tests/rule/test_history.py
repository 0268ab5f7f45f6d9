"""Pictures of how a rule's numbers moved; what the numbers are is tested with each rule."""

import pytest

import steelyard as sy
from steelyard import adaptive


@pytest.mark.parametrize("name", ["a.svg", *(pytest.param(n, marks=pytest.mark.slow) for n in ("a.png", "a.html"))])
def test_pictures_of_the_history(name, tmp_path):
    pytest.importorskip("altair")
    loss = sy.CrossEntropy(adaptive.Curriculum(sy.Counts.of(900, 100), over=(0, 10)))
    for epoch in range(12):
        loss.advance(epoch=epoch)
    history = loss.rule.history()
    assert "epoch" in str(history)
    history.plot(tmp_path / name)
    assert (tmp_path / name).stat().st_size > 1000
    with pytest.raises(ValueError, match="must end in"):
        history.plot(tmp_path / "a.bmp")
