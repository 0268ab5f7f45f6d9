"""Programs that measure; `python -m benchmarks NAME` writes results/NAME.json."""
