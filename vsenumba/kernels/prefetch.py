"""Prefetch memory that will be needed soon, because memory in random order is slow to arrive."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from vsenumba.kernels.compiler import OPTIONS, kernel

_FLOATS_PER_LINE = 16


def prefetch(array, element):
    """Prefetch the cache line of ``array.ravel()[element]``; do nothing without the compiler."""


@overload(prefetch, jit_options=OPTIONS | {"forceinline": True})
def _compiled_prefetch(array, element):
    return lambda array, element: _prefetch(array, element)  # pragma: no cover


@intrinsic
def _prefetch(context, array, element):
    def generate(context, builder, signature, arguments):  # pragma: no cover
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.bitcast(builder.gep(data, [arguments[1]]), cgutils.voidptr_t)
        word = ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, word, word, word]), "llvm.prefetch.p0"
        )
        # The arguments mean: for reading (0), to be kept in every cache (3), data (1).
        builder.call(function, [pointer, word(0), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate  # pragma: no cover


@kernel(inline=True)
def prefetch_row(table, row):
    """Prefetch a row of a float32 table."""
    n_factors = table.shape[1]
    for f in range(0, n_factors, _FLOATS_PER_LINE):
        prefetch(table, row * n_factors + f)
