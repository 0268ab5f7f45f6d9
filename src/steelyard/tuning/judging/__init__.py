"""From held-out scores to one verdict: splits, choices, metrics, intervals, words."""
