"""Whether two machines compute the same numbers, to the last bit."""

from collections.abc import Mapping

_ROUNDED_BY = (
    "device",
    "threads",
    "cpu_vendor",
    "cpu_capability",
    "arithmetic",
    "libc",
    "system",
    "versions",
)


def same_machine(one: Mapping[str, object], two: Mapping[str, object]) -> bool:
    """Say whether two fingerprints are of one kind of machine: equal to the last bit.

    What does not touch a number is left out: how memory is given back, what the
    device is called.
    """
    return all(one.get(name) == two.get(name) for name in _ROUNDED_BY)
