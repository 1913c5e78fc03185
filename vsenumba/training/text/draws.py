"""Draws of negative words, for each pair of words, for a whole window, or for a block of windows."""

from __future__ import annotations

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.prefetch import prefetch_row
from vsenumba.samplers import aim, draw
from vsenumba.training.text.tally import DRAWS, SKIPPED, TRIALS

# The number of consecutive windows that share a draw of negatives; 0 if every pair has its own.
PER_PAIR, PER_WINDOW = 0, 1
BLOCK = 8
DRAWS_PER = {"pair": PER_PAIR, "window": PER_WINDOW, "block": BLOCK}

# The two purposes of random numbers. The subsampling of a sentence is counted by the tokens before the sentence in the
# whole text. All other draws of a block of windows are counted by these tokens plus the kept words before the block.
THINNING, WINDOWS = 0, 1


@kernel(inline=True)
def draw_negatives(sampler, states, shard, vector, outputs, own, positives, begin, end, n_draws, chosen, tally):
    """Draw words that are not in ``positives[begin:end]``, write them to `chosen`, and return their number.

    Parameters
    ----------
    own : (>= end - begin,) int32
        Work space for the sorted positives, which are never drawn.
    positives : (n,) int32
        The positives of a window. The draws take turns among the pairs of ``positives[begin:end]``, unless this is
        empty.
    chosen : (>= n_draws,) int32
        The negatives, written from the start.
    """
    n_own = 0
    for j in range(begin, end):
        word = positives[j]
        prefetch_row(outputs, word)
        place = n_own
        while place > 0 and own[place - 1] > word:
            place -= 1
        if place == 0 or own[place - 1] != word:
            for i in range(n_own, place, -1):
                own[i] = own[i - 1]
            own[place] = word
            n_own += 1
    n_drawn = 0
    aimed = aim(sampler, vector)
    for j in range(n_draws):
        pair = positives[begin + j % max(end - begin, 1)]
        word, trials = draw(aimed, states, shard, vector, outputs, own, 0, n_own, pair)
        tally[TRIALS] += trials
        if word >= 0:
            chosen[n_drawn] = word
            prefetch_row(outputs, word)
            n_drawn += 1
    tally[DRAWS] += n_draws
    tally[SKIPPED] += n_draws - n_drawn
    return n_drawn
