"""The comparison on long-tailed digits: fair (same images, same size of the loss) and, on a few seeds, its order."""

import pytest

import steelyard as sy
from steelyard.recipe import mean_weight


@pytest.fixture(scope="module")
def example(load):
    return load("digits_long_tail")


@pytest.fixture(scope="module")
def few_steps(example):
    """The whole comparison, cut short: enough to run every line."""
    steps, example.STEPS = example.STEPS, 40
    found = example.compare(2)
    example.STEPS = steps
    return found


def test_every_method_has_the_plain_size_of_the_loss(example):
    for name, recipe in example.METHODS.items():
        loss = sy.CrossEntropy(recipe)
        for step in (0, example.STEPS - 1):
            loss.advance(epoch=step)
            assert mean_weight(loss.recipe, example.COUNTS) == pytest.approx(1.0), name


def test_training_and_test_images_are_disjoint_and_the_tail_is_50_to_1(example):
    x, y, x_test, _ = example.data(2)
    assert y.bincount().tolist() == [100, 65, 42, 27, 18, 11, 7, 5, 3, 2]
    for seed in range(2):
        seen = {row.numpy().tobytes() for row in x[seed]}
        assert not seen & {row.numpy().tobytes() for row in x_test[seed]}


def test_every_method_gives_a_recall_per_class(example, few_steps):
    assert set(few_steps) == {*example.METHODS, example.MOVED}
    for each in few_steps.values():
        assert each.shape == (2, 10)
        assert 0.2 < each.mean() < 1


def test_the_program_prints_a_line_for_every_method(example, monkeypatch, capsys):
    monkeypatch.setattr(example, "STEPS", 5)
    example.main(seeds=2)
    printed = capsys.readouterr().out
    assert printed.count("±") == len(example.METHODS) + 1  # in the heading, and for all but plain
    for name in (*example.METHODS, example.MOVED):
        assert name in printed


def test_moving_the_threshold_helps_the_rare_classes_without_retraining(example, few_steps):
    assert few_steps[example.MOVED][:, 6:].mean() > few_steps["plain"][:, 6:].mean()
