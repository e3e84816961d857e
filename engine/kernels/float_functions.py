"""Functions of float32 numbers, sixteen at a time.

Those of the C library are called one number at a time, and differ between libraries.

Source: exp and log after Cephes (Moshier, expf and logf); tanh is the rational
approximation of Eigen.
Differs: exp saturates at e^−87 and e^88, next to the smallest and largest float32.
"""

from typing import Any

import numpy as np
from numba import njit

from engine.kernels.compiler import EXACT
from engine.kernels.lanes import (
    exponent,
    fraction,
    power_of_two,
    splat,
    where_at_most,
)

F32 = np.float32
# Added and subtracted again, it rounds a float32 to the nearest integer, which is then
# found in the last bits.
ROUND = F32(12582912.0)
# ln 2 in two parts: the first has few bits, so that its product with k is exact.
LN2, LN2_REST = F32(0.693359375), F32(-2.12194440e-4)
ROOT_OF_HALF = F32(0.70710678118654752440)

# Not inlined before types are inferred: the callers' sums may be reordered.
exact = njit(
    fastmath=EXACT, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)


@exact
def exp(x: Any) -> Any:
    """Return eˣ to 2 units in the last place; NaN stays NaN.

    Args:
        x: Lanes; below −87 and above 88 they count as these.
    """
    # Comparisons with NaN are false, so NaN passes; min and max would replace it.
    x = where_at_most(splat(F32(88.0)), x, splat(F32(88.0)), x)
    x = where_at_most(x, splat(F32(-87.0)), splat(F32(-87.0)), x)
    shifted = x * splat(F32(1.4426950408889634)) + splat(ROUND)
    k = shifted - splat(ROUND)
    r = x - k * splat(LN2) - k * splat(LN2_REST)
    p = splat(F32(1.9875691500e-4)) * r + splat(F32(1.3981999507e-3))
    p = p * r + splat(F32(8.3334519073e-3))
    p = p * r + splat(F32(4.1665795894e-2))
    p = p * r + splat(F32(1.6666665459e-1))
    p = p * r + splat(F32(5.0000001201e-1))
    return (p * r * r + r + splat(F32(1.0))) * power_of_two(shifted)


@exact
def log(x: Any) -> Any:
    """Return ln x to 2 units in the last place; NaN stays NaN.

    Args:
        x: Lanes; positive, finite and not subnormal, or NaN.
    """
    f, k = fraction(x), exponent(x)
    # Between √½ and √2, where the series is short.
    low = where_at_most(f, splat(ROOT_OF_HALF), splat(F32(1.0)), splat(F32(0.0)))
    k = k - low
    f = f + low * f - splat(F32(1.0))
    square = f * f
    p = splat(F32(7.0376836292e-2)) * f + splat(F32(-1.1514610310e-1))
    p = p * f + splat(F32(1.1676998740e-1))
    p = p * f + splat(F32(-1.2420140846e-1))
    p = p * f + splat(F32(1.4249322787e-1))
    p = p * f + splat(F32(-1.6668057665e-1))
    p = p * f + splat(F32(2.0000714765e-1))
    p = p * f + splat(F32(-2.4999993993e-1))
    p = p * f + splat(F32(3.3333331174e-1))
    rest = p * f * square + k * splat(LN2_REST) - splat(F32(0.5)) * square
    result = f + rest + k * splat(LN2)
    return where_at_most(x, x, result, x)


@exact
def tanh(x: Any) -> Any:
    """Return tanh x to 4 units in the last place; NaN stays NaN.

    Args:
        x: Lanes; beyond ±7.9 the result is that of ±7.9, which rounds to ±1.
    """
    edge = splat(F32(7.90531110763549805))
    x = where_at_most(edge, x, edge, x)
    edge = splat(F32(-7.90531110763549805))
    x = where_at_most(x, edge, edge, x)
    s = x * x
    p = splat(F32(-2.76076847742355e-16)) * s + splat(F32(2.00018790482477e-13))
    p = p * s + splat(F32(-8.60467152213735e-11))
    p = p * s + splat(F32(5.12229709037114e-08))
    p = p * s + splat(F32(1.48572235717979e-05))
    p = p * s + splat(F32(6.37261928875436e-04))
    p = p * s + splat(F32(4.89352455891786e-03))
    q = splat(F32(1.19825839466702e-06)) * s + splat(F32(1.18534705686654e-04))
    q = q * s + splat(F32(2.26843463243900e-03))
    q = q * s + splat(F32(4.89352518554385e-03))
    return x * p / q
