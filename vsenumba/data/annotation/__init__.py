"""Annotation sets: which images have which labels, with readers, splits, synthetic sets and a catalogue."""
