"""Annotation sets: which images have which labels, how such sets are read, divided, made up and found by name."""
