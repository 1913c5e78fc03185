"""Compiled primitives that everything shares: random numbers, rank orders, dot products, membership."""
