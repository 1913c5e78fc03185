"""Every kernel compiled for cards of four generations: types that a simulator does not check, registers, and spills.

Nothing of this needs a card, but the compiler and the assembler that come with the extra cuda13.
"""

from __future__ import annotations

import importlib.util

import pytest
from benchmark_folder import benchmark as benchmark

from vsenumba.gpu.backend import SIMULATED

MISSING = [name for name in ("numba_cuda", "cupy") if importlib.util.find_spec(name) is None]

pytestmark = pytest.mark.skipif(SIMULATED or bool(MISSING), reason="needs the extra cuda13, and no simulator")

# Bytes of registers that a kernel may spill: none on the generations that the aims are for. On the two before, of
# which the assembler takes twice the registers for the same code, some do, in what is not run at every step.
MOST_SPILLED = {(7, 5): 256, (8, 0): 256, (9, 0): 0, (10, 0): 0}


@pytest.fixture(scope="module")
def kernels(benchmark):
    return benchmark("gpu_kernels")


def test_every_kernel_compiles_for_every_card(kernels):
    assert set(kernels.CARDS) == set(MOST_SPILLED)
    cases = kernels.CASES + kernels.WORD_CASES + kernels.SCORE_CASES
    found = {(str(case), card): kernels.assembled(case, card) for case in cases for card in kernels.CARDS}
    assert {key: one for key, one in found.items() if one.spilled > MOST_SPILLED[key[1]]} == {}
