"""Benchmarks: `python -m benchmarks [NAME…]`. Ratios, taken in one run; they never fail on a time."""
