"""Every kernel compiled for cards of four generations: types that no simulator checks, addresses, registers, spills.

Nothing of this needs a card, but the compiler and the assembler that come with the extra cuda13.
"""

from __future__ import annotations

import importlib
import importlib.util
import re

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


@pytest.mark.parametrize("library", ["cublas", "cusolver"])
def test_the_extra_brings_what_products_and_inverses_take(library):
    """CuPy has none of its own: without them a model trained, and its evaluation ended in an ImportError."""
    assert getattr(importlib.import_module("cupy_backends.cuda.libs"), library)


def narrow_products(ptx):
    """Return the instructions that multiply, or shift, in 32 bits what could become an address.

    Left out are the shift by 23, of an exponent, and the product in a remainder that was seen to need but 32 bits.
    """
    found = re.findall(r"^.*\n.*(?:mul\.lo|mad\.lo|shl)\.[bsu]32.*$", ptx, re.MULTILINE)
    return [lines for lines in found if not lines.endswith(" 23;") and "div.u32" not in lines]


def test_every_kernel_compiles_for_every_card(kernels):
    assert set(kernels.CARDS) == set(MOST_SPILLED)
    for case in kernels.CASES + kernels.WORD_CASES + kernels.SCORE_CASES:
        for card in kernels.CARDS:
            ptx = kernels.compiled(case, card)
            # For Blackwell the compiler narrows what it can prove to be small, such as addresses of shared memory.
            assert card >= (10, 0) or narrow_products(ptx) == [], (case, card)
            assert kernels.assembled(ptx, card).spilled <= MOST_SPILLED[card], (case, card)
