"""Functions of one float32, written so that a loop over them is vectorized.

Those of the C library are called one number at a time, and differ between libraries.

Source: exp after Cephes (Moshier, expf); tanh is the rational approximation of Eigen.
Differs: exp saturates at e^−87 and e^88, next to the smallest and largest float32.
"""

import numpy as np
from numba import njit

from engine.kernels.compiler import EXACT

F32 = np.float32
I32 = np.int32
# Added and subtracted again, it rounds a float32 to the nearest integer, which is then
# found in the last bits.
ROUND = F32(12582912.0)


@njit(fastmath=EXACT, error_model="numpy", no_cfunc_wrapper=True)
def exp(x):  # noqa: ANN001, ANN201
    """Return eˣ to 2 units in the last place; NaN stays NaN.

    Args:
        x: A float32; below −87 and above 88 it counts as these.
    """
    # Comparisons with NaN are false, so NaN passes; min and max would replace it.
    x = F32(88.0) if x > F32(88.0) else x
    x = F32(-87.0) if x < F32(-87.0) else x
    shifted = x * F32(1.4426950408889634) + ROUND
    k = shifted - ROUND
    # ln 2 in two parts: the first has few bits, so that its product is exact.
    r = x - k * F32(0.693359375) + k * F32(2.12194440e-4)
    p = F32(1.9875691500e-4) * r + F32(1.3981999507e-3)
    p = p * r + F32(8.3334519073e-3)
    p = p * r + F32(4.1665795894e-2)
    p = p * r + F32(1.6666665459e-1)
    p = p * r + F32(5.0000001201e-1)
    exponent = I32((F32(shifted).view(I32) + I32(127)) << I32(23))
    return (p * r * r + r + F32(1.0)) * exponent.view(F32)


@njit(fastmath=EXACT, error_model="numpy", no_cfunc_wrapper=True)
def tanh(x):  # noqa: ANN001, ANN201
    """Return tanh x to 4 units in the last place; NaN stays NaN.

    Args:
        x: A float32; beyond ±7.9 the result is that of ±7.9, which rounds to ±1.
    """
    x = F32(7.90531110763549805) if x > F32(7.90531110763549805) else x
    x = F32(-7.90531110763549805) if x < F32(-7.90531110763549805) else x
    s = x * x
    p = F32(-2.76076847742355e-16) * s + F32(2.00018790482477e-13)
    p = p * s + F32(-8.60467152213735e-11)
    p = p * s + F32(5.12229709037114e-08)
    p = p * s + F32(1.48572235717979e-05)
    p = p * s + F32(6.37261928875436e-04)
    p = p * s + F32(4.89352455891786e-03)
    q = F32(1.19825839466702e-06) * s + F32(1.18534705686654e-04)
    q = q * s + F32(2.26843463243900e-03)
    q = q * s + F32(4.89352518554385e-03)
    return x * p / q
