"""Who is held out when, and what is chosen on the other folds: settings, thresholds, the scale of scores."""
