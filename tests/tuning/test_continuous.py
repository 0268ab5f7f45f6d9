"""One option searched between the points of the grid."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import sklearn.metrics as sk

from steelyard import inverse_frequency
from steelyard.tuning.arms import Arm
from steelyard.tuning.continuous import Family, Range, ask
from steelyard.tuning.fitted import FittedArm
from steelyard.tuning.metric import METRICS
from steelyard.tuning.validation.crossfit import Choice, OutOfFold
from steelyard.tuning.validation.folds import split
from steelyard.tuning.validation.outcomes import outcomes

ROWS = 600


def family() -> Family:
    """Two values of an option: the second one's scores are the first one's, a tenth as far apart and moved. Folds take turns."""
    rng = np.random.default_rng(0)
    y = (rng.random(ROWS) < 0.3).astype(np.int64)
    parts = split(y, folds=4, repeats=2, seed=0)
    wide = (rng.normal(size=(1, 1, 2, ROWS)) + 1.5 * y).astype(np.float32)
    fitted = []
    for scores in (wide, wide / 10 + 3):
        source = OutOfFold(scores, y, parts, np.array([1.0]), 2)
        search = cast(
            Any,
            SimpleNamespace(
                split=parts,
                task=SimpleNamespace(weights=None),
                choice=source.choose,
                outcomes=lambda metric, by, source=source: outcomes(source.choose(by or metric), metric),
            ),
        )
        fitted.append(FittedArm(Arm("any", inverse_frequency), search, 0))
    picked = np.array([[0, 1, 0, 1], [1, 0, 1, 0]])
    return Family(Range("InverseFrequency", "power", 0.0, 1.0), (0.2, 0.6), tuple(fitted), picked, 0, np.zeros(2))


def laid_together(found: Family, metric):
    choices = [one.search.choice(metric) for one in found.fitted]
    return found.gather({i: choice.every(Choice.pool)[0] for i, choice in enumerate(choices)})


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_folds_with_different_values_are_ranked_on_one_scale(name):
    found, metric = family(), METRICS[name]
    judge = sk.roc_auc_score if name == "roc_auc" else sk.average_precision_score
    source = found.best.search.choice(metric).source
    ranked, laid = found.outcomes(metric), laid_together(found, metric)
    for a in range(2):
        alone = judge(source.y, source.scores[0, 0, a])
        assert judge(source.y, ranked[a]) == pytest.approx(alone, abs=0.005)
        assert judge(source.y, laid[a]) < alone - 0.02
        for f in range(4):
            rows = source.split.out(a, f)
            assert judge(source.y[rows], ranked[a][rows]) == pytest.approx(judge(source.y[rows], laid[a][rows]))


def test_what_is_not_ranked_stays_as_it_was():
    found, metric = family(), METRICS["log_loss"]
    np.testing.assert_array_equal(found.outcomes(metric), laid_together(found, metric))


class Away:
    """A storage of trials that goes away after so many calls that end a trial."""

    def __init__(self, ends: int) -> None:
        from optuna.storages import InMemoryStorage

        self.inner, self.ends = InMemoryStorage(), ends

    def __getattr__(self, name: str) -> Any:
        from optuna.exceptions import StorageInternalError

        if name == "set_trial_state_values":
            self.ends -= 1
            if self.ends < 0:
                raise StorageInternalError("the server\nis away.")
        return getattr(self.inner, name)


def asked(storage: str | None) -> tuple[list[float], list[str]]:
    """(the values that were judged, what was told)."""
    judged: dict[float, float] = {}
    told: list[str] = []
    place = Range("InverseFrequency", "power", 0.0, 1.0)
    ask(lambda x: judged.setdefault(x, -((x - 0.3) ** 2)), place, 8, 0, storage, "a", told.append)
    return list(judged), told


@pytest.mark.parametrize("ends", [0, 3])
def test_where_the_storage_of_trials_goes_away_the_same_values_are_tried_in_memory(monkeypatch, ends):
    monkeypatch.setattr("steelyard.tuning.store.trials.trials_in", lambda url: Away(ends))
    alone, _ = asked(None)
    found, told = asked("postgresql://somewhere")
    assert found == alone
    assert len(told) == 1
    assert "could not be kept (the server is away); they were made again in memory" in told[0]


def test_where_the_storage_of_trials_cannot_be_opened_the_same_values_are_tried_in_memory(monkeypatch):
    def refused(url):
        raise ValueError("tune: no server there.")

    monkeypatch.setattr("steelyard.tuning.store.trials.trials_in", refused)
    found, told = asked("postgresql://somewhere")
    assert found == asked(None)[0]
    assert "(no server there)" in told[0]


def test_an_error_of_a_fit_is_no_loss_of_trials(tmp_path):
    def broken(x):
        raise ValueError("the fit")

    place, told = Range("InverseFrequency", "power", 0.0, 1.0), []
    with pytest.raises(ValueError, match="the fit"):
        ask(broken, place, 8, 0, f"sqlite:///{tmp_path / 't.db'}", "a", told.append)
    assert told == []
