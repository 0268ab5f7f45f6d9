"""What decides and what the threshold is moved for; names and numbers of the user are read in test_metric.py."""

from steelyard.tuning.goals import Goals, metric
from steelyard.tuning.metric import METRICS

COST = metric("expected_cost", 2, cost_fn=20, cost_fp=1)
ROOM = metric("recall_at_capacity", 2, capacity=0.2)


def test_what_the_threshold_serves():
    def rule(name, cost=None, capacity=None, classes=2):
        return Goals(METRICS[name], cost, capacity, None).threshold_rule(classes)

    assert rule("average_precision", None, ROOM) is ROOM
    assert rule("average_precision", COST, ROOM) is COST
    assert rule("mcc", COST).name == "mcc"
    assert rule("log_loss", classes=3).name == "balanced_accuracy"
    assert rule("roc_auc").name == "balanced_accuracy"
    assert rule("average_precision").name == "f1"
