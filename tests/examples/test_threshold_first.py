"""On the mammography data a moved threshold gives what balanced weights give."""

import pytest

# published and recomputed elsewhere for this protocol: ROC AUC, average precision, balanced accuracy at 1/2, log loss
PLAIN, BALANCED = (0.919, 0.629, 0.699, 0.058), (0.921, 0.559, 0.878, 0.296)


@pytest.fixture(scope="module")
def found(load):
    return load("threshold_first").compare(repeats=1)


def test_plain_and_balanced_logistic_regression_have_their_known_scores(found):
    assert found["plain, threshold 1/2"] == pytest.approx(PLAIN, abs=0.01)
    assert found["balanced weights, threshold 1/2"] == pytest.approx(BALANCED, abs=0.01)


def test_the_moved_threshold_reaches_the_balanced_accuracy_of_balanced_weights(found):
    moved, weighted = found["plain, threshold = share of positives"], found["balanced weights, threshold 1/2"]
    assert moved[2] >= weighted[2] - 0.005
    assert moved[1] > weighted[1] + 0.05


def test_posterior_repairs_the_log_loss_and_keeps_the_ranking(found):
    weighted, undone = found["balanced weights, threshold 1/2"], found["balanced weights undone by sy.posterior"]
    assert undone[:2] == pytest.approx(weighted[:2], abs=1e-6)
    assert undone[3] < 0.07 < weighted[3]


def test_the_program_prints_a_row_for_every_way(load, capsys):
    module = load("threshold_first")
    module.compare = lambda repeats: {"some way": [0.1, 0.2, 0.3, 0.4]}
    module.main()
    out = capsys.readouterr().out
    assert "some way" in out
    assert "0.400" in out
