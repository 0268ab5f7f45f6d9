"""From comparisons to one verdict: the same draws for all, differences, intervals, the decision and its sentences."""
