"""Measurements that the docs quote; each prints a table and writes its figure: `python -m benchmarks --help`."""
