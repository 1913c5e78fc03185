"""What the loop over tokens counts, a row per shard."""

from __future__ import annotations

# Columns of the tally.
STEPS, SKIPPED, LOSS, DRAWS, TRIALS, NEGATIVES, GRADIENT, KEPT = range(8)

# A shard's row fills a cache line of its own.
TALLY_COLUMNS = 8
