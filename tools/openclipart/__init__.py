"""The parts of ``tools/build_openclipart.py``."""
