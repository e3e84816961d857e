"""Lanes: sixteen float32 numbers that are computed at once, as a value of numba's.

Left to itself, LLVM looks for loops over arrays that it can vectorize. Each begins
with tests for overlapping arrays, which take longer than a loop over 64 examples, and
every intermediate result goes through memory. Lanes stay in registers from one
operation to the next, and compile in less time.
"""

import operator
from collections.abc import Callable
from typing import Any, ClassVar

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 16
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_I32 = ir.IntType(32)
_INTEGERS = ir.VectorType(_I32, LANES)
_FRACTION_BITS = 23


class LanesType(types.Type):
    """The type of sixteen float32 numbers."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes = LanesType()


@register_model(LanesType)
class LanesModel(models.PrimitiveModel):
    """Lanes are a vector of LLVM's."""

    def __init__(self, manager: Any, kind: LanesType) -> None:
        super().__init__(manager, kind, _VECTOR)


def _declare_operator(function: Callable[..., Any], instruction: str) -> None:
    """Let an operator of Python compute two lanes by an instruction of LLVM."""

    @infer_global(function)
    class Typing(ConcreteTemplate):
        cases: ClassVar = [signature(lanes, lanes, lanes)]

    @lower_builtin(function, lanes, lanes)
    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args)


_declare_operator(operator.add, "fadd")
_declare_operator(operator.sub, "fsub")
_declare_operator(operator.mul, "fmul")
_declare_operator(operator.truediv, "fdiv")


def _pointer(context: Any, builder: Any, kind: Any, args: Any) -> Any:
    array = context.make_array(kind)(context, builder, args[0])
    first = cgutils.get_item_pointer(context, builder, kind, array, list(args[1:3]))
    return builder.bitcast(first, _VECTOR.as_pointer())


@intrinsic
def load(typing: Any, rows: Any, row: Any, column: Any) -> Any:
    """Return the lanes of a row from a column on."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, sig.args[0], args), align=4)

    return lanes(rows, types.intp, types.intp), generate


@intrinsic
def store(typing: Any, rows: Any, row: Any, column: Any, value: Any) -> Any:
    """Write lanes into a row from a column on."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = _pointer(context, builder, sig.args[0], args)
        builder.store(args[3], place, align=4)
        return context.get_dummy_value()

    return types.none(rows, types.intp, types.intp, lanes), generate


def _spread(builder: Any, number: Any) -> Any:
    blank = ir.Constant(_VECTOR, ir.Undefined)
    one = builder.insert_element(blank, number, _I32(0))
    return builder.shuffle_vector(one, blank, ir.Constant(_INTEGERS, [0] * LANES))


@intrinsic
def splat(typing: Any, number: Any) -> Any:
    """Return lanes that all hold one number."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _spread(builder, args[0])

    return lanes(types.float32), generate


@intrinsic
def broadcast(typing: Any, numbers: Any, index: Any) -> Any:
    """Return lanes that all hold one of some numbers.

    An index never counts from the end, as numba's own do after a test for each.
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = sig.args[0]
        array = context.make_array(kind)(context, builder, args[0])
        place = cgutils.get_item_pointer(context, builder, kind, array, [args[1]])
        return _spread(builder, builder.load(place))

    return lanes(numbers, types.intp), generate


@intrinsic
def add_up(typing: Any, value: Any) -> Any:
    """Return the sum of the lanes, halves first: in the same order everywhere."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        (value,), half = args, LANES
        while half > 1:
            half //= 2
            kind = ir.VectorType(_I32, half)
            low, high = (
                ir.Constant(kind, list(range(first, first + half)))
                for first in (0, half)
            )
            value = builder.fadd(
                builder.shuffle_vector(value, value, low),
                builder.shuffle_vector(value, value, high),
            )
        return builder.extract_element(value, _I32(0))

    return types.float32(lanes), generate


@intrinsic
def where_at_most(typing: Any, a: Any, b: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where a ≤ b, elsewhere `no`; NaN is at most nothing."""
    return _choose("<=")


@intrinsic
def where_equal(typing: Any, a: Any, b: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where a = b, elsewhere `no`; NaN equals nothing."""
    return _choose("==")


def _choose(comparison: str) -> Any:
    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        a, b, yes, no = args
        return builder.select(builder.fcmp_ordered(comparison, a, b), yes, no)

    return lanes(lanes, lanes, lanes, lanes), generate


@intrinsic
def power_of_two(typing: Any, shifted: Any) -> Any:
    """Return 2ᵏ for the integers k in the last bits of numbers; see `exp`."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _INTEGERS)
        biased = builder.add(bits, ir.Constant(_INTEGERS, [127] * LANES))
        power = builder.shl(biased, ir.Constant(_INTEGERS, [_FRACTION_BITS] * LANES))
        return builder.bitcast(power, _VECTOR)

    return lanes(lanes), generate


@intrinsic
def exponent(typing: Any, value: Any) -> Any:
    """Return k of a positive x = f 2ᵏ, 1/2 ≤ f < 1."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _INTEGERS)
        biased = builder.lshr(bits, ir.Constant(_INTEGERS, [_FRACTION_BITS] * LANES))
        power = builder.sub(biased, ir.Constant(_INTEGERS, [126] * LANES))
        return builder.sitofp(power, _VECTOR)

    return lanes(lanes), generate


@intrinsic
def fraction(typing: Any, value: Any) -> Any:
    """Return f of a positive x = f 2ᵏ, 1/2 ≤ f < 1."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _INTEGERS)
        kept = builder.and_(bits, ir.Constant(_INTEGERS, [0x007FFFFF] * LANES))
        half = builder.or_(kept, ir.Constant(_INTEGERS, [0x3F000000] * LANES))
        return builder.bitcast(half, _VECTOR)

    return lanes(lanes), generate
