"""Measurements for the documentation. Each prints a table and writes its figure; see `python -m benchmarks --help`."""
