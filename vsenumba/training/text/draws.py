"""Which words are negatives: drawn for every pair of words, or shared by a window's pairs, or by a block of windows."""

from __future__ import annotations

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.prefetch import prefetch_row
from vsenumba.samplers import aim, draw
from vsenumba.training.text.tally import DRAWS, SKIPPED, TRIALS

# For how many windows that follow each other negatives are drawn; 0 where every pair has its own.
PER_PAIR, PER_WINDOW = 0, 1
BLOCK = 8
DRAWS_PER = {"pair": PER_PAIR, "window": PER_WINDOW, "block": BLOCK}

# What is drawn for: a sentence's words are thinned out, counted by the tokens before the sentence in the whole text;
# all else is drawn for a block of its windows, counted by these and the words kept before the block.
THINNING, WINDOWS = 0, 1


@kernel(inline=True)
def draw_negatives(sampler, states, shard, vector, outputs, own, positives, begin, end, n_draws, chosen, tally):
    """Write words that are none of ``positives[begin:end]`` to `chosen`; return how many.

    Parameters
    ----------
    own : (>= end - begin,) int32
        Scratch: the positives in order, which are never drawn.
    positives : (n,) int32
        Of a window; the draws' pairs take turns among ``positives[begin:end]``, if these are not none.
    chosen : (>= n_draws,) int32
        Written, from the beginning.
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
