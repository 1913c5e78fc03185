"""The counts of the loop over tokens, one row per shard."""

from __future__ import annotations

# Columns of the tally.
STEPS, SKIPPED, LOSS, DRAWS, TRIALS, NEGATIVES, GRADIENT, KEPT = range(8)

# The row of a shard fills a whole cache line.
TALLY_COLUMNS = 8
