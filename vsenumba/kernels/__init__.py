"""Compiled functions that the whole package shares, and the Python code that compiles, checks and runs them."""
