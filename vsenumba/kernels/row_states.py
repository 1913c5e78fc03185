"""The meanings of a table row, as numbers, in a module that readers can import without the compiler."""

from __future__ import annotations

# WEAK: the score is too low. LABEL: people say that the image has the label. UNSURE: people say so, with a score below
# 1. MACHINE: a machine says so. ABSENT: people looked for the label and did not find it. UNASKED: its source is not
# used.
WEAK, LABEL, UNSURE, MACHINE, ABSENT, UNASKED = range(6)
N_STATES = 6

# Who is behind a source: nobody that is used, people, or machines.
LEFT_OUT, PEOPLE, MACHINES = range(3)
