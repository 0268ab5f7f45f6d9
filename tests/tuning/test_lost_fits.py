"""A study that goes on after fits were lost: to the bit where a training part's are lost together, else to the last places."""

import shutil
import sqlite3

import numpy as np
import pandas
import pytest

import steelyard as sy
from steelyard.tuning.store import arrays

KEY = "repetition, fold, arm, setting"


def fits(database) -> dict[tuple, bytes]:
    connection = sqlite3.connect(database)
    try:
        return {row[:4]: row[4] for row in connection.execute(f"select {KEY}, arrays from steelyard_fit")}
    finally:
        connection.close()


@pytest.mark.slow
def test_what_was_lost_is_fitted_again(tmp_path):
    random = np.random.default_rng(0)
    X = random.normal(size=(400, 4))
    table = {"y": (X[:, 0] + random.normal(size=400) > 1.5).astype(int), **{f"x{i}": X[:, i] for i in range(4)}}
    rows = pandas.DataFrame(table)

    database = tmp_path / "study.db"

    def study():
        return sy.tune(rows, label="y", storage=f"sqlite:///{database}", repeats=1, bootstrap=100)

    study()
    shutil.copy(database, tmp_path / "whole.db")
    whole = fits(database)
    parts = [key for key in whole if key[:2] in ((0, 0), (0, 2))]
    some = [key for key in sorted(whole) if random.random() < 0.3]
    for lost, exact in ((parts, True), (some, False)):
        shutil.copy(tmp_path / "whole.db", database)
        connection = sqlite3.connect(database)
        connection.executemany("delete from steelyard_fit where repetition=? and fold=? and arm=? and setting=?", lost)
        connection.commit()
        connection.close()
        resumed = study()
        said = any("made apart from others of the same training part" in warning for warning in resumed.warnings)
        assert said != exact
        assert exact or study().warnings == resumed.warnings  # what is mixed stays so, and is said as long
        again = fits(database)
        assert again.keys() == whole.keys()
        if exact:
            assert again == whole
        for key, blob in whole.items():
            for name, numbers in arrays.unpack(blob).items():
                np.testing.assert_allclose(arrays.unpack(again[key])[name], numbers, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("change", [{"scores": np.zeros(3)}, {"other": np.zeros(3)}, {}])
def test_a_fit_that_is_another_ones_is_refused_by_its_name(tmp_path, change):
    """Whole by its checksum, and not what this study can have kept."""
    random = np.random.default_rng(0)
    x = random.normal(size=60)
    rows = pandas.DataFrame({"y": (x + random.normal(size=60) > 0.5).astype(int), "x": x})
    database = tmp_path / "study.db"
    options = {"label": "y", "storage": f"sqlite:///{database}", "repeats": 1, "folds": 2, "bootstrap": 100}
    options |= {"recipes": {"inverse": sy.inverse_frequency}, "baselines": False}
    sy.tune(rows, **options)
    connection = sqlite3.connect(database)
    connection.execute("update steelyard_fit set arrays = ? where repetition = 0 and fold = 1", [arrays.pack(change)])
    connection.commit()
    connection.close()
    with pytest.raises(
        ValueError, match=r"tune: the fit of \w+ at .* on training part \(0, 1\) was kept with .* as its scores"
    ):
        sy.tune(rows, **options)
