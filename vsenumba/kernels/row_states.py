"""What a row of a table can say of a pair, as numbers: also for readers, which are imported without the compiler."""

from __future__ import annotations

# What a row says: nothing, as its score is too low; that people say that the image has the label, and that they do with
# a score below 1; that a machine does; that people looked, and it has not; nothing, as its source is not asked for.
WEAK, LABEL, UNSURE, MACHINE, ABSENT, UNASKED = range(6)
N_STATES = 6

# Whom a source stands for.
LEFT_OUT, PEOPLE, MACHINES = range(3)
